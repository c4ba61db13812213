// A program compiled with its weights, and what exactly it was compiled from.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "artifact.h"
#include "content_hash.h"
#include "engine_openvino.h"
#include "tensor.h"

namespace gn {

// Arrays up to this size are copied: OpenVINO reads small constants by reference at run time.
constexpr size_t kOwnedBytes = 64 * 1024;

// A program and the weights to compile it with, in the order of `program().weights`.
struct Ingredients {
  std::shared_ptr<const Artifact> artifact;
  size_t index = 0;  // of the program
  Array artifact_array{};
  std::vector<Array> weights;
  std::vector<Digest> digests;

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
    const uint8_t* copy;  // null when the model refers to `source`

    // Whether an array at this place, with contents of this digest, is what the model computes with.
    bool serves(const uint8_t* place, Digest contents) const { return (copy || place == source) && contents == digest; }
  };

  // Compiles; throws Error.
  explicit Model(const Ingredients& from);

  // Whether a model compiled from `from` would compute the same, and could be this one.
  bool serves(const Ingredients& from) const;
  const Artifact& artifact() const { return *artifact_; }
  const std::vector<Bound>& weights() const { return weights_; }
  // Null when the literals were copied.
  const uint8_t* literals() const { return literals_; }

  // `inputs` are the node's, `outputs` too.
  void run(const std::vector<Array>& inputs, const std::vector<uint8_t*>& outputs);

 private:
  std::shared_ptr<const Artifact> artifact_;
  size_t index_;
  const uint8_t* literals_ = nullptr;
  std::vector<Bound> weights_;
  std::unique_ptr<uint8_t[]> owned_;
  std::unique_ptr<CompiledModel> compiled_;  // last, so that it goes before the bytes it reads
};

}  // namespace gn
