// SHA-256 and CRC-32, the checksums of the artifact's container.
#include "artifact/checksums.h"

#include <array>
#include <cstring>
#include <list>
#include <mutex>
#include <utility>

#include "support/stats.h"

namespace gn {
namespace {

constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

constexpr size_t kRemembered = 4096;  // of parts; some 200 bytes each

struct Known {
  Digest whole;
  size_t offset, nbytes;
  std::string sha256;
};

struct Memory {
  std::mutex mutex;
  std::list<Known> recent;  // the last one used first
};

Memory& memory() {
  static Memory* const instance = new Memory;
  return *instance;
}

uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

void block(std::array<uint32_t, 8>& hash, const uint8_t* at) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    const uint8_t* const word = at + size_t{4} * i;
    w[i] = uint32_t{word[0]} << 24 | uint32_t{word[1]} << 16 | uint32_t{word[2]} << 8 | word[3];
  }
  for (int i = 16; i < 64; ++i) {
    const uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = hash;
  for (int i = 0; i < 64; ++i) {
    const uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const uint32_t sums[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) hash[i] += sums[i];
}

}  // namespace

std::string sha256_hex(const uint8_t* data, size_t nbytes) {
  stats().bytes_digested += nbytes;
  std::array<uint32_t, 8> hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  size_t done = 0;
  for (; nbytes - done >= 64; done += 64) block(hash, data + done);
  uint8_t last[128] = {};
  const size_t rest = nbytes - done, size = rest < 56 ? 64 : 128;
  if (rest > 0) std::memcpy(last, data + done, rest);
  last[rest] = 0x80;
  const uint64_t bits = uint64_t{nbytes} * 8;
  for (int i = 0; i < 8; ++i) last[size - 1 - i] = static_cast<uint8_t>(bits >> 8 * i);
  for (size_t at = 0; at < size; at += 64) block(hash, last + at);
  static const char kHex[] = "0123456789abcdef";
  std::string out;
  for (uint32_t word : hash) {
    for (int shift = 28; shift >= 0; shift -= 4) out += kHex[word >> shift & 15];
  }
  return out;
}

std::string sha256_of_part(Digest whole, size_t offset, const uint8_t* data, size_t nbytes) {
  Memory& state = memory();
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    for (auto it = state.recent.begin(); it != state.recent.end(); ++it) {
      if (it->whole != whole || it->offset != offset || it->nbytes != nbytes) continue;
      state.recent.splice(state.recent.begin(), state.recent, it);
      return it->sha256;
    }
  }
  std::string made = sha256_hex(data, nbytes);  // without the lock, for it takes long
  remember_sha256(whole, offset, nbytes, made);
  return made;
}

void remember_sha256(Digest whole, size_t offset, size_t nbytes, std::string sha256) {
  Memory& state = memory();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.recent.push_front({whole, offset, nbytes, std::move(sha256)});
  if (state.recent.size() > kRemembered) state.recent.pop_back();
}

uint32_t crc32(const uint8_t* data, size_t nbytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> made;
    for (uint32_t i = 0; i < 256; ++i) {
      made[i] = i;
      for (int bit = 0; bit < 8; ++bit) made[i] = made[i] >> 1 ^ (made[i] & 1 ? 0xedb88320 : 0);
    }
    return made;
  }();
  uint32_t crc = ~uint32_t{0};
  for (size_t i = 0; i < nbytes; ++i) crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
  return ~crc;
}

}  // namespace gn
