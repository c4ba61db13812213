// What a node's compiled model is valid for, checked at each call: its program, its weights' places and their contents.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "artifact/artifact.h"
#include "model/model.h"
#include "model/program_selection.h"
#include "support/tensor.h"

namespace gn {

// Belongs to one state, which calls it from one thread at a time.
//
// An array is trusted when the last call saw it at the same address with the same version, and nothing was replaced in
// between (the epoch). Whatever is not trusted is compared by content, for address and version both repeat when an array
// is freed and another takes its place. A new binding trusts nothing.
class Binding {
 public:
  // `inputs`: the node's, fixed for a state, without the artifact. `may_share_bulk`: the engine may take the node together with
  // what was written before it.
  Binding(std::string graph_json, std::vector<Spec> inputs, size_t artifact_size, Placement placement, bool may_share_bulk);
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  // The node's inputs without the artifact, and its outputs, which are known once there was a model.
  const std::vector<Spec>& input_specs() const { return specs_; }
  const std::vector<Spec>& output_specs() const { return output_specs_; }
  const std::string& graph_json() const { return graph_json_; }

  // The program of the artifact that serves its inputs on the CPU, or null: one would have to be made. Throws Error.
  const Program* held_program(const Array& artifact) const;

  // Whether its program was made for it and makes room for others.
  bool evicted() const { return used_ && used_->evicted; }

  // The model for these arrays; `inputs` end with the artifact. Throws Error.
  std::shared_ptr<Model> model(const std::vector<Array>& inputs, const std::vector<Spec>& outputs);

 private:
  void update_model(const std::vector<Array>& inputs, const std::vector<Spec>& outputs);
  bool trusted(size_t input, const Array& array) const;
  void find_program(const Array& artifact, const std::vector<Spec>& outputs);
  void use_chip();
  void use_cpu(const std::vector<Spec>& outputs);
  void use_for_this_processor(const std::vector<Spec>& outputs);
  void obtain_model(const std::vector<Array>& inputs);
  bool check_weights(const std::vector<Array>& inputs, std::vector<Digest>& digests) const;
  void drop_model();

  const std::string graph_json_;
  const std::vector<Spec> specs_;
  std::vector<Spec> output_specs_;
  const size_t artifact_size_;
  const Placement placement_;
  const bool may_share_bulk_;

  std::shared_ptr<const Artifact> given_;  // the node's own
  std::shared_ptr<const Artifact> used_;  // that, or a specialised one
  size_t index_ = 0;  // of the program in `used_`
  std::shared_ptr<Model> model_;
  std::vector<Array> seen_;  // the inputs of the last call; empty unless it went well
  uint64_t epoch_ = 0;  // at its beginning
  size_t calls_ = 0;  // that went well
  const int process_;  // in which it was made
  bool same_epoch_ = false;  // whether the present call's is the same, and versions tell of every write
};

}  // namespace gn
