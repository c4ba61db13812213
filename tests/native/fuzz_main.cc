// A fuzzer of our own for where clang's is not: mutates artifacts, always the same for one seed, and mends their checksums.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>

#include "container.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern long programs_verified;

namespace {

using container::Bytes;

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  void mutate(Bytes& bytes) {
    const size_t often = 1 + below(4);
    for (size_t i = 0; i < often; ++i) once(bytes);
    if (below(8) != 0) container::seal(bytes);
  }

  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  static constexpr const char* kTokens[] = {"{",
                                            "}",
                                            "[",
                                            "]",
                                            "\"",
                                            ",",
                                            ":",
                                            "-1",
                                            "0",
                                            "9223372036854775799",
                                            "18446744073709551616",
                                            "1e9",
                                            "null",
                                            "true",
                                            "false",
                                            "\\u0000",
                                            "\\ud83d",
                                            "4294967296",
                                            "\xff",
                                            "2147483648",
                                            "[[[[[[[["};

  void once(Bytes& bytes) {
    if (bytes.empty()) return;
    // Mostly in the header, for there most is decided.
    const size_t header = bytes.size() > 24
                              ? std::min(bytes.size(), 24 + static_cast<size_t>(bytes[16]) + 256 * static_cast<size_t>(bytes[17]))
                              : bytes.size();
    const size_t at = below(4) ? below(header) : below(bytes.size());
    switch (below(9)) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1 << below(8));
        break;
      case 1:
        bytes[at] = static_cast<uint8_t>(below(256));
        break;
      case 2:
        digit(bytes, at);
        break;
      case 3:
      case 4:
        number(bytes, at);
        break;
      case 5: {
        const char* token = kTokens[below(std::size(kTokens))];
        replace(bytes, at, below(3), token);
        break;
      }
      case 6: {
        const size_t from = below(header), size = below(std::min<size_t>(80, bytes.size() - from));
        replace(bytes, at, below(2) * size,
                std::string(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                            bytes.begin() + static_cast<std::ptrdiff_t>(from + size)));
        break;
      }
      case 7:
        container::put(bytes, 16, below(2) ? random_() : bytes.size() - below(64), 8);
        break;
      default:
        if (below(4) == 0) bytes.resize(below(bytes.size() + 1));
    }
  }

  void digit(Bytes& bytes, size_t at) {
    while (at < bytes.size() && (bytes[at] < '0' || bytes[at] > '9')) ++at;
    if (at < bytes.size()) bytes[at] = static_cast<uint8_t>('0' + below(10));
  }

  // Another number in the place of the next one.
  void number(Bytes& bytes, size_t at) {
    static const char* const kNumbers[] = {
        "0", "1", "2", "7", "63", "64", "65", "100", "1000000", "2147483648", "4294967295", "9223372036854775799", "-1"};
    while (at < bytes.size() && (bytes[at] < '0' || bytes[at] > '9')) ++at;
    size_t end = at;
    while (end < bytes.size() && bytes[end] >= '0' && bytes[end] <= '9') ++end;
    replace(bytes, at, end - at, kNumbers[below(std::size(kNumbers))]);
  }

  // Replaces within the header by text of any size, and tells the header's length.
  static void replace(Bytes& bytes, size_t at, size_t size, const std::string& text) {
    size = std::min(size, bytes.size() - at);
    uint64_t length = 0;
    if (bytes.size() >= 24) std::memcpy(&length, bytes.data() + 16, 8);
    const bool inside = at >= 24 && length <= bytes.size() - 24 && at + size <= 24 + length;
    if (!inside) {
      for (size_t i = 0; i < text.size() && at + i < bytes.size(); ++i) bytes[at + i] = static_cast<uint8_t>(text[i]);
      return;
    }
    const auto parts = container::split(bytes);
    std::string header = parts.first;
    header.replace(at - 24, size, text);
    bytes = container::join(header, parts.second);
  }

  std::mt19937_64 random_;
};

void run(const Bytes& bytes) {
  // In memory of just its size, so that a sanitizer sees what is read beside it.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size() + 1]);
  if (!bytes.empty()) std::memcpy(exact.get() + 1, bytes.data(), bytes.size());
  LLVMFuzzerTestOneInput(exact.get() + 1, bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "fuzz_artifact COUNT SEED FILES...\n");
    return 2;
  }
  std::vector<Bytes> seeds = {
      container::artifact({container::cpu(2, 100)}),
      container::artifact({container::cpu(4, 10), container::neff("trn1", 4, 10), container::neff("inf1", 2, 10)})};
  for (int i = 3; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (seeds.back().empty()) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 2;
    }
  }
  for (const Bytes& seed : seeds) run(seed);
  const long count = std::strtol(argv[1], nullptr, 10);
  Mutator mutator(static_cast<unsigned>(std::strtol(argv[2], nullptr, 10)));
  for (long i = 0; i < count; ++i) {
    Bytes bytes = seeds[mutator.below(seeds.size())];
    mutator.mutate(bytes);
    run(bytes);
  }
  std::printf("%ld mutations of %zu artifacts: %ld programs were right all the same\n", count, seeds.size(), programs_verified);
  return 0;
}
