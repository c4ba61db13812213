// A fast 128-bit hash by which arrays' contents are compared; it guards against staleness, not against an attacker.
#include "model/content_hash.h"

#define XXH_INLINE_ALL  // its functions are to have no names that another xxHash in the process could take the place of
#include "support/stats.h"
#include "third_party/xxhash/xxhash.h"

namespace gn {

Digest content_hash(const uint8_t* data, size_t nbytes) {
  stats().bytes_hashed += nbytes;
  const XXH128_hash_t hash = XXH3_128bits(data, nbytes);
  return {hash.low64, hash.high64};
}

}  // namespace gn
