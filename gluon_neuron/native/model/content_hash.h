// A fast 128-bit hash by which arrays' contents are compared; it guards against staleness, not against an attacker.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gn {

struct Digest {
  uint64_t low = 0;
  uint64_t high = 0;

  bool operator==(const Digest& other) const { return low == other.low && high == other.high; }
  bool operator!=(const Digest& other) const { return !(*this == other); }
};

// XXH3, of 128 bits. `data` may be null where there are no bytes.
Digest content_hash(const uint8_t* data, size_t nbytes);

}  // namespace gn
