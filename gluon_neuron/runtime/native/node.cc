// One node of a bound graph: the state that MXNet keeps for it.
#include "node.h"

#include "error.h"
#include "stats.h"

namespace gn {

Node::Node(std::string name, std::string graph_json, std::vector<Spec> inputs) : name_(std::move(name)), inputs_(inputs.size()) {
  if (inputs.empty() || inputs.back().dtype != dtype_by_name("uint8")) {
    throw Error(text("gluon_neuron: node ", name_, " lacks the uint8 array with its artifact as last input. Compile the model again."));
  }
  const size_t artifact_size = inputs.back().nbytes();
  inputs.pop_back();
  binding_ = std::make_unique<Binding>(std::move(graph_json), std::move(inputs), artifact_size);
}

void Node::forward(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs, const std::vector<uint8_t*>& outputs) {
  ++stats().calls;
  bool empty = true;
  for (const Spec& spec : output_specs) empty = empty && spec.elements() == 0;
  if (empty) return;
  try {
    std::shared_ptr<Model> model;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      model = binding_->model(inputs, output_specs);
    }
    model->run(inputs, outputs);
  } catch (const std::exception& error) {
    const std::string why = error.what();
    const bool about_artifact = why.rfind("is damaged", 0) == 0 || why.rfind("was written", 0) == 0;
    throw Error(text("gluon_neuron: ", about_artifact ? "artifact of node " : "node ", name_, about_artifact ? " " : ": ", why));
  }
}

mxnet::ext::MXReturnValue Node::Forward(std::vector<mxnet::ext::MXTensor>*, std::vector<mxnet::ext::MXTensor>*,
                                        const mxnet::ext::OpResource&) {
  return mxnet::ext::MX_FAIL;  // never called: the library's own boundary calls forward()
}

}  // namespace gn
