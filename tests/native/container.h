// Artifacts made in the tests: right ones, and whatever a test makes of them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace container {

using Bytes = std::vector<uint8_t>;

struct Payload {
  std::string target, engine, signature, program;
  Bytes data;
};

// y = x + the sum of `weights` bytes in w + the sum of the literals (1, 2, 3, ...): x and y are uint8[batch, 4], w is
// uint8[weights]. The OpenVINO of the tests computes that.
Payload cpu(size_t batch, size_t weights, size_t literals = 8);
// The same for any batch in a range, `free` being what the header says of it.
Payload any(size_t batch, size_t weights, const std::string& free = "[{\"axes\":[[0,0]],\"low\":1,\"high\":64,\"step\":1}]");
// The same for a chip; its NEFF is none that a runtime would take.
Payload neff(const std::string& target, size_t batch, size_t weights);

std::string header(const std::vector<Payload>& payloads, const std::string& graph = "g",
                   const std::string& options = "{\"a\": [1, 2]}");
Bytes data(const std::vector<Payload>& payloads);
// The container of a header and its data, with the header's checksum.
Bytes join(const std::string& header, const Bytes& data);
Bytes artifact(const std::vector<Payload>& payloads, const std::string& graph = "g");

// The parts of a container that is right so far.
std::pair<std::string, Bytes> split(const Bytes& artifact);

// `text` with every `from` made `to`. Throws when there is none, for then the test would test nothing.
std::string replaced(std::string text, const std::string& from, const std::string& to);

// Makes the checksums right again, those of the payloads and the header's, as far as the bytes can still be read.
void seal(Bytes& artifact);

// Writes `value` little-endian at `at`, if there is room.
void put(Bytes& out, size_t at, uint64_t value, int nbytes);

}  // namespace container
