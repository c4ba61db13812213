// A fast 128-bit hash by which arrays' contents are compared; it guards against staleness, not against an attacker.
#include "model/content_hash.h"

#include <cstring>

#include "support/stats.h"

namespace gn {
namespace {

constexpr size_t kStripe = 64;
constexpr int kLanes = 4;  // each takes 16 bytes of a stripe, and they do not wait for one another

// Digits of the golden ratio's powers and of pi: any odd numbers without pattern would do.
constexpr uint64_t kKeys[2 * kLanes] = {
    0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0x243f6a8885a308d3,
    0x13198a2e03707345, 0xa4093822299f31d1, 0x082efa98ec4e6c89, 0x452821e638d01377,
};

uint64_t read(const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

uint64_t fold(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

struct State {
  uint64_t lane[kLanes];

  void stripe(const uint8_t* at) {
    for (int i = 0; i < kLanes; ++i) {
      const uint64_t a = read(at + 16 * i), b = read(at + 16 * i + 8);
      // A product alone forgets one factor where the other is zero, so both are added once more. The rotated lane makes
      // stripes that trade places differ.
      lane[i] = fold(a ^ kKeys[2 * i], b ^ kKeys[2 * i + 1]) + rotate(lane[i] ^ a, 29) * kKeys[0] + b;
    }
  }

  uint64_t finish(uint64_t seed) const {
    uint64_t out = seed;
    for (int i = 0; i < kLanes; ++i) {
      out = fold(out ^ lane[i], kKeys[2 * i] ^ seed) + rotate(out, 17) + lane[i] * kKeys[2 * i + 1];
    }
    out ^= out >> 32;
    out *= kKeys[1];
    return out ^ out >> 29;
  }
};

}  // namespace

Digest content_hash(const uint8_t* data, size_t nbytes) {
  State state = {{kKeys[0], kKeys[2], kKeys[4], kKeys[6]}};
  const uint8_t* at = data;
  size_t left = nbytes;
  for (; left >= kStripe; left -= kStripe, at += kStripe) state.stripe(at);
  if (left > 0) {
    uint8_t last[kStripe] = {};
    std::memcpy(last, at, left);
    state.stripe(last);
  }
  stats().bytes_hashed += nbytes;
  return {state.finish(kKeys[1] + nbytes), state.finish(kKeys[3] ^ nbytes * kKeys[7])};
}

}  // namespace gn
