// The hash by which contents are compared.
#include "model/content_hash.h"

#include <set>
#include <utility>
#include <vector>

#include "errors.h"
#include "support/stats.h"

using gn::content_hash;
using gn::Digest;

namespace {

std::vector<uint8_t> pattern(size_t size) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 131 + (i >> 8) * 7);
  return out;
}

std::pair<uint64_t, uint64_t> key(Digest digest) { return {digest.low, digest.high}; }

}  // namespace

TEST_SUITE_BEGIN("content_hash");

TEST_CASE("it is XXH3 of 128 bits") {
  // Of the empty text, as xxHash publishes it.
  CHECK(content_hash(nullptr, 0) == Digest{0x6001c324468d497f, 0x99aa06d3014798d8});
}

TEST_CASE("any byte changes it, at every size and place") {
  for (size_t size : {1, 2, 3, 4, 8, 9, 16, 17, 63, 64, 65, 128, 129, 240, 241, 256, 1024, 1025, 5000}) {
    auto bytes = pattern(size);
    const Digest before = content_hash(bytes.data(), size);
    for (size_t at = 0; at < size; at += size < 300 ? 1 : 37) {
      CAPTURE(size);
      CAPTURE(at);
      bytes[at] ^= 1;
      const Digest changed = content_hash(bytes.data(), size);
      CHECK(changed.low != before.low);
      CHECK(changed.high != before.high);
      bytes[at] ^= 1;
    }
    CHECK(content_hash(bytes.data(), size) == before);
  }
}

TEST_CASE("length, order and place count") {
  const std::vector<uint8_t> zeros(4096);
  std::set<std::pair<uint64_t, uint64_t>> seen;
  for (size_t size = 0; size <= zeros.size(); ++size) seen.insert(key(content_hash(zeros.data(), size)));
  CHECK(seen.size() == zeros.size() + 1);
  auto bytes = pattern(640);
  const Digest before = content_hash(bytes.data(), bytes.size());
  std::swap_ranges(bytes.begin(), bytes.begin() + 64, bytes.begin() + 64);
  CHECK(content_hash(bytes.data(), bytes.size()) != before);
}

TEST_CASE("alignment does not count") {
  const auto bytes = pattern(3000);
  const Digest expected = content_hash(bytes.data(), bytes.size());
  for (size_t shift = 1; shift < 17; ++shift) {
    std::vector<uint8_t> moved(shift);
    moved.insert(moved.end(), bytes.begin(), bytes.end());
    CHECK(content_hash(moved.data() + shift, bytes.size()) == expected);
  }
}

TEST_CASE("digests are equal in both halves or not at all") {
  CHECK(Digest{1, 2} == Digest{1, 2});
  CHECK(Digest{1, 2} != Digest{1, 3});
  CHECK(Digest{1, 2} != Digest{0, 2});
}

TEST_CASE("the bytes are counted") {
  const uint64_t before = gn::stats().bytes_hashed;
  content_hash(pattern(100).data(), 100);
  CHECK(gn::stats().bytes_hashed == before + 100);
}

TEST_SUITE_END();
