// One node of a bound graph: the state that MXNet keeps for it.
#pragma once

#include <mxnet/lib_api.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "model/binding.h"
#include "support/fork_gate.h"
#include "support/tensor.h"

namespace gn {

// MXNet asks its base class whether it was made properly, and destroys it by `delete` of this library.
class Node : public mxnet::ext::CustomStatefulOp {
 public:
  // `inputs` end with the artifact. Throws Error.
  Node(std::string name, std::string graph_json, std::vector<Spec> inputs, Placement placement);

  ~Node() override;

  // From now on, notes the nodes made on this thread; `watched` ends that, and gives those that live.
  static void watch();
  static std::vector<Node*> watched();

  // What serves its inputs.
  enum class Serves { nothing, dynamic, compiled };

  // The program of the artifact, without one that would be made. Throws Error, which names the node.
  Serves serves(const Array& artifact);

  // Has the model ready that `model` would give. Throws Error, which names the node.
  void prepare(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs);

  // Runs a model for any shape on zeros, if that is what serves, so that the engine has met the shape: false if it is not.
  bool meet_shape(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs);

  // Whether it runs a program that was made for it and that makes room for others.
  bool evicted();

  const std::string& name() const { return name_; }

  // The model for these inputs; throws Error, which names the node.
  std::shared_ptr<Model> model(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs);

  // Runs it; throws Error, which names the node.
  void run(Model& model, const std::vector<Array>& inputs, const std::vector<uint8_t*>& outputs);

  // Both, unless all outputs are empty. NaiveEngine's threads may call it at the same time.
  void forward(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs, const std::vector<uint8_t*>& outputs);

  // How many inputs it has, the artifact included.
  size_t inputs() const { return inputs_; }

  mxnet::ext::MXReturnValue Forward(std::vector<mxnet::ext::MXTensor>*, std::vector<mxnet::ext::MXTensor>*,
                                    const mxnet::ext::OpResource&) override;

 private:
  // The artifact's own bytes, from an array of another type that something has cast it to.
  Array uncast(const Array& artifact);

  // Runs `body`, and puts the node's name before the text of an error.
  template <class Body>
  auto named(Body body);

  std::string name_;
  size_t inputs_;
  const DType* artifact_dtype_;
  size_t artifact_size_ = 0;
  std::vector<uint8_t> bytes_;
  fork_gate::Announced announced_;
  std::mutex mutex_;
  std::unique_ptr<Binding> binding_;
};

}  // namespace gn
