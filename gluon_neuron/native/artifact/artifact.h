// The artifact's container, read and checked: the programs of a node and the signatures they were compiled for.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "model/content_hash.h"
#include "support/errors.h"
#include "support/tensor.h"

namespace gn {

enum class Role { data, weight, unused };

struct Input {
  std::string name;
  Spec spec;
  Role role;
};

// Constants of the program's text that stand on the same bytes: `positions` are where their offsets are written.
struct WeightUse {
  size_t input;
  std::vector<size_t> positions;
};

struct LiteralUse {
  size_t offset, nbytes;
  std::vector<size_t> positions;
};

struct Span {
  size_t offset, size;
};

// Axes of inputs, as (input, axis), that have one extent: any from `low` to `high` that is whole steps from the signature's.
struct FreeExtent {
  std::vector<std::pair<size_t, size_t>> axes;
  int64_t low, high, step;
};

enum class Engine { openvino, nrt };

// A payload. Its bytes stay in the artifact, and its spans count from there.
struct Program {
  Engine engine = Engine::openvino;
  std::string target;
  std::string engine_version;
  std::string sha256;
  Span payload;
  std::vector<Input> inputs;  // of the node, without the artifact
  std::vector<Spec> outputs;
  std::vector<WeightUse> weights;
  std::vector<size_t> data;  // the node's input that is the engine's k-th
  // OpenVINO's alone.
  Span xml, literals{0, 0};
  std::vector<LiteralUse> literal_uses;
  std::vector<std::pair<std::string, std::string>> config;
  std::vector<std::string> made_for;  // features of processors that it was written for
  // Inputs of 64-bit integers, of which the program reads the two halves, along one more axis.
  std::vector<size_t> halves;
  // The program is for one of so many equal parts of the data and the outputs, cut along their first axes.
  size_t parts = 1;
  // What may be otherwise than in the signature; of a dynamic program alone, which has some.
  std::vector<FreeExtent> free;
  // A NEFF's alone: the NeuronCores it takes, and its tensors. An input has the SHA-256 that it was compiled with instead of a
  // tensor when the compiler has baked it in, and neither when the program does not read it.
  size_t cores = 0;
  std::vector<std::string> input_tensors, output_tensors, baked;

  mutable std::mutex verifying;
  mutable bool verified = false;  // once its bytes were compared with `sha256`

  bool dynamic() const { return !free.empty(); }
  // Whether it was compiled for these inputs; those that it does not read may be of any dtype, unless it is dynamic.
  bool fits(const std::vector<Spec>& given) const;
};

struct Artifact {
  Digest digest;
  std::string graph;  // the region's hash
  std::string options;  // JSON text, as the header has it
  std::vector<std::unique_ptr<Program>> programs;  // those for the CPU first
  size_t cpu_programs = 0;
  std::vector<uint8_t> bytes;  // of an artifact that is not an input of the node, but was made for other inputs

  // Of such a one: when it was last used, by a clock of its own, and whether its room was given to others.
  mutable std::atomic<uint64_t> last_used{0};
  mutable std::atomic<bool> evicted{false};
  bool made_here() const { return !bytes.empty(); }
  void touch() const;
};

// An error that is the artifact's own: a clause ("is damaged: ..."), which the caller completes with the node's name.
class ArtifactError : public Error {
 public:
  using Error::Error;
};

// Throws ArtifactError.
std::shared_ptr<Artifact> read_artifact(const uint8_t* data, size_t size, Digest digest);

// Checks once that the payload has its SHA-256, and that its text reads no constant but those the header knows, at their
// size: OpenVINO would read what lies beside them. `bytes` are those the artifact was read from. Throws ArtifactError.
void verify_payload(const Artifact& artifact, size_t index, const uint8_t* bytes);

}  // namespace gn
