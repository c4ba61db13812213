// One node of a bound graph: the state that MXNet keeps for it.
#include "call/node.h"

#include <algorithm>
#include <cstring>

#include "boundary/log.h"
#include "call/array_substitution.h"
#include "call/mxnet_api.h"
#include "model/specialise.h"
#include "support/errors.h"
#include "support/stats.h"

namespace gn {

namespace {

// False when a value is not a byte.
template <class T>
bool to_bytes(const uint8_t* data, std::vector<uint8_t>& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    T value;
    std::memcpy(&value, data + i * sizeof value, sizeof value);
    if (!(value >= T(0) && value <= T(255)) || value != T(static_cast<uint8_t>(value))) return false;
    bytes[i] = static_cast<uint8_t>(value);
  }
  return true;
}

// A half-precision number's bits are those of a byte's value exactly when it is one of 256.
bool half_to_bytes(const uint8_t* data, std::vector<uint8_t>& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
    if (bits == 0) {
      bytes[i] = 0;
      continue;
    }
    const int exponent = (bits >> 10) - 15;  // the sign bit makes it too large
    const int mantissa = (bits & 0x3ff) | 0x400;
    if (exponent < 0 || exponent > 7 || (mantissa & ((1 << (10 - exponent)) - 1)) != 0) return false;
    bytes[i] = static_cast<uint8_t>(mantissa >> (10 - exponent));
  }
  return true;
}

bool to_bytes_of(const std::string& dtype, const uint8_t* data, std::vector<uint8_t>& bytes) {
  if (dtype == "float32") return to_bytes<float>(data, bytes);
  if (dtype == "float64") return to_bytes<double>(data, bytes);
  if (dtype == "float16") return half_to_bytes(data, bytes);
  if (dtype == "int32") return to_bytes<int32_t>(data, bytes);
  if (dtype == "int64") return to_bytes<int64_t>(data, bytes);
  return false;
}

thread_local bool watching = false;
thread_local std::vector<Node*> made;  // while watching; at the end of the process it is gone before the last nodes are

}  // namespace

void Node::watch() {
  made.clear();
  watching = true;
}

std::vector<Node*> Node::watched() {
  watching = false;
  std::vector<Node*> found;
  found.swap(made);
  return found;
}

Node::Node(std::string name, std::string graph_json, std::vector<Spec> inputs, Placement placement)
    : name_(std::move(name)), inputs_(inputs.size()) {
  ignore_warn = true;  // MXNet would say that it was not made by its own `create`, which copies all arguments
  if (inputs.empty() || inputs.back().shape.size() != 1) {
    throw Error(
        text("gluon_neuron: node ", name_, " lacks the uint8 array with its artifact as last input. Compile the model again."));
  }
  artifact_dtype_ = inputs.back().dtype;
  artifact_size_ = inputs.back().elements();
  inputs.pop_back();
  binding_ = std::make_unique<Binding>(std::move(graph_json), std::move(inputs), artifact_size_, placement, is_in_bulk());
  if (watching) made.push_back(this);
}

Node::~Node() {
  if (watching) made.erase(std::remove(made.begin(), made.end(), this), made.end());
}

Array Node::uncast(const Array& artifact) {
  std::vector<uint8_t> bytes(artifact_size_);
  if (!to_bytes_of(artifact_dtype_->name, artifact.data, bytes)) {
    throw Error(text("its artifact has become ", artifact_dtype_->name,
                     " and lost its bytes: something cast or changed all parameters. Load it again, and leave the *_neuronbin "
                     "parameters out."));
  }
  // Compiled models may point into the bytes, so they move only when they change.
  if (bytes != bytes_) bytes_ = std::move(bytes);
  return {bytes_.data(), artifact.version};
}

template <class Body>
auto Node::named(Body body) {
  try {
    const ScopedNodeName speaking(name_);
    return body();
  } catch (const ArtifactError& error) {
    throw Error(text("gluon_neuron: artifact of node ", name_, " ", error.what()));
  } catch (const std::exception& error) {
    throw Error(text("gluon_neuron: node ", name_, ": ", error.what()));
  }
}

std::shared_ptr<Model> Node::model(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs) {
  return named([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::string(artifact_dtype_->name) == "uint8") return binding_->model(inputs, output_specs);
    std::vector<Array> restored = inputs;
    restored.back() = uncast(inputs.back());
    return binding_->model(restored, output_specs);
  });
}

Node::Serves Node::serves(const Array& artifact) {
  return named([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool bytes = std::string(artifact_dtype_->name) == "uint8";
    const Program* program = binding_->held_program(bytes ? artifact : uncast(artifact));
    if (!program) return Serves::nothing;
    return program->dynamic() ? Serves::dynamic : Serves::compiled;
  });
}

void Node::prepare(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs) {
  const Background beforehand;
  model(inputs, output_specs);
}

bool Node::meet_shape(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs) {
  const std::shared_ptr<Model> found = model(inputs, output_specs);
  if (!found->dynamic()) return false;
  const std::vector<Spec>& specs = binding_->input_specs();
  // Data alone is read: what the model has of weights it has already.
  std::vector<std::vector<uint8_t>> data, results;
  std::vector<Array> given = inputs;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (given[i].data) continue;
    data.emplace_back(specs[i].nbytes() + 1);
    given[i] = {data.back().data(), 0};
  }
  std::vector<uint8_t*> places;
  for (const Spec& spec : output_specs) {
    results.emplace_back(spec.nbytes() + 1);
    places.push_back(results.back().data());
  }
  named([&] { found->run(given, places, specs, output_specs); });
  return true;
}

bool Node::evicted() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return binding_->evicted();
}

void Node::run(Model& model, const std::vector<Array>& inputs, const std::vector<uint8_t*>& outputs) {
  announced_.done();
  ++stats().calls;
  named([&] {
    const Running running;
    model.run(inputs, outputs, binding_->input_specs(), binding_->output_specs(), binding_->graph_json());
  });
}

void Node::forward(const std::vector<Array>& inputs, const std::vector<Spec>& output_specs,
                   const std::vector<uint8_t*>& outputs) {
  bool empty = true;
  for (const Spec& spec : output_specs) empty = empty && spec.elements() == 0;
  if (empty) {
    ++stats().calls;
    return;
  }
  const std::shared_ptr<Model> found = model(inputs, output_specs);
  std::vector<uint8_t*> places;
  places.reserve(outputs.size());
  for (uint8_t* output : outputs) places.push_back(substitute_for(output));
  run(*found, inputs, places);
}

mxnet::ext::MXReturnValue Node::Forward(std::vector<mxnet::ext::MXTensor>*, std::vector<mxnet::ext::MXTensor>*,
                                        const mxnet::ext::OpResource&) {
  return mxnet::ext::MX_FAIL;  // never called: the library's own boundary calls forward()
}

}  // namespace gn
