// A program compiled with its weights, and what exactly it was compiled from.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "artifact/artifact.h"
#include "model/content_hash.h"
#include "model/runner.h"
#include "support/tensor.h"

namespace gn {

// Arrays up to this size are copied: OpenVINO reads small constants by reference at run time.
constexpr size_t kOwnedBytes = size_t{64} * 1024;

// A program and the weights to compile it with, in the order of `program().weights`.
struct ModelSpec {
  std::shared_ptr<const Artifact> artifact;
  size_t index = 0;  // of the program
  Array artifact_array{};
  std::vector<Array> weights;
  std::vector<Digest> digests;
  int core = -1;  // the first NeuronCore to use; -1 for any

  const Program& program() const { return *artifact->programs[index]; }
  // Whether the arrays can be referred to where they are: they outlive the call, and are too large to be copied lightly.
  bool by_reference(size_t weight) const;
  bool literals_by_reference() const;
};

class Model {
 public:
  struct Bound {
    const uint8_t* source;  // where the weight stood
    Digest digest;
    size_t nbytes;
    const uint8_t* copy;  // in this process; null when there is none
    bool refers;  // the model reads `source` itself

    // Whether an array at this place, with contents of this digest, is what the model computes with.
    bool serves(const uint8_t* place, Digest contents) const { return (!refers || place == source) && contents == digest; }
  };

  // Compiles, or loads; throws Error, and NoChip when only the place to run is to blame.
  explicit Model(const ModelSpec& from);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Whether a model compiled from `from` would compute the same, and could be this one.
  bool serves(const ModelSpec& from) const;
  const Artifact& artifact() const { return *artifact_; }
  const std::vector<Bound>& weights() const { return weights_; }
  // Null when the literals were copied.
  const uint8_t* literals() const { return literals_; }

  // What is expensive to load and the same for other weights; null on the CPU. Whoever holds it makes the next model cheap.
  std::shared_ptr<void> program() const { return program_; }

  bool takes_all_cores() const { return runner_->takes_all_cores(); }

  // How often it ran, and the shortest time that took.
  uint64_t runs() const { return runs_; }
  std::chrono::nanoseconds shortest_run() const { return std::chrono::nanoseconds(shortest_run_); }

  // `inputs` are the node's, `outputs` too, of these specs, at which a dynamic program alone looks. `graph` is the node's as
  // JSON, for those who time it.
  void run(const std::vector<Array>& inputs, const std::vector<uint8_t*>& outputs, const std::vector<Spec>& input_specs,
           const std::vector<Spec>& output_specs, const std::string& graph = "");
  bool dynamic() const { return artifact_->programs[index_]->dynamic(); }

 private:
  void compile(const ModelSpec& from);
  void load(const ModelSpec& from);
  std::vector<std::string> data_names() const;
  // Room for copies of this many bytes, and the next aligned part of it, filled.
  void reserve(size_t total);
  const uint8_t* copy(const uint8_t* data, size_t nbytes);

  std::shared_ptr<const Artifact> artifact_;
  size_t index_;
  int core_;
  const uint8_t* literals_ = nullptr;
  std::vector<Bound> weights_;
  std::unique_ptr<uint8_t[]> owned_;
  uint8_t* free_ = nullptr;
  std::atomic<uint64_t> runs_{0};
  std::atomic<int64_t> shortest_run_{INT64_MAX};
  std::shared_ptr<void> program_;
  std::unique_ptr<Runner> runner_;  // last, so that it goes before the bytes it reads
};

}  // namespace gn
