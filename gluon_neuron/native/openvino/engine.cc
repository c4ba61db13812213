// A model compiled by OpenVINO, and the infer requests that run it, several at once if need be, in parts of a batch or as a
// whole.
#include "openvino/engine.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "artifact/json.h"
#include "model/timing.h"
#include "openvino/api.h"
#include "openvino/cpu_streams.h"
#include "support/errors.h"
#include "support/stats.h"
#include "support/threads.h"

namespace gn {
namespace {

ov_element_type_e element_type(const DType* type) {
  static const ov_element_type_e kTypes[] = {F32, F64, F16, U8, I32, I8, I64, BOOLEAN};
  return kTypes[type->flag];
}

class Tensor {
 public:
  Tensor(ov_element_type_e type, const std::vector<int64_t>& shape, const void* data) {
    // OpenVINO refuses null for an array without elements, and rank 0 without a place for its extents.
    static int64_t nothing = 0;
    const ov_shape_t dims = {static_cast<int64_t>(shape.size()), shape.empty() ? &nothing : const_cast<int64_t*>(shape.data())};
    void* at = data ? const_cast<void*>(data) : &nothing;
    openvino().check(openvino().ov_tensor_create_from_host_ptr(type, dims, at, &tensor_), "take an array");
  }
  ~Tensor() { openvino().ov_tensor_free(tensor_); }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ov_tensor_t* get() const { return tensor_; }

 private:
  ov_tensor_t* tensor_ = nullptr;
};

struct Result {
  ov_tensor_t* tensor = nullptr;
  ov_shape_t shape{};
  ~Result() {
    if (shape.dims) openvino().ov_shape_free(&shape);
    if (tensor) openvino().ov_tensor_free(tensor);
  }
};

struct IrModel {
  ov_model_t* model = nullptr;
  ~IrModel() {
    if (model) openvino().ov_model_free(model);
  }
};

// How many parts are on their way at least, so that no stream waits for the thread that hands them out.
constexpr size_t kInFlight = 8;

const pid_t kLoader = getpid();  // of the process that loaded the library

bool forked() { return getpid() != kLoader; }

// The threads that the settings ask for; 0 when they leave that to OpenVINO.
size_t threads_wanted(const Config& config) {
  for (const auto& item : config) {
    if (item.first == "INFERENCE_NUM_THREADS") return std::strtoul(item.second.c_str(), nullptr, 10);
  }
  return 0;
}

// Pinned threads find each other faster, which small models feel (up to 1.7 times); but processes that share a machine, each
// with some of its cores, would all be pinned to the same ones.
bool wants_all_cores(const Config& config) {
  const size_t threads = threads_wanted(config);
  return threads == 0 || threads >= processors_here();
}

size_t streams_of(const Config& config, size_t parts) {
  if (parts == 1 || forked()) return 1;
  const size_t threads = threads_wanted(config);
  return streams_for(parts, threads == 0 ? cores_here() : std::min(threads, processors_here()));
}

// `config` and what it does not set of our own.
Config with_defaults(Config config, size_t streams) {
  const char* pinning = wants_all_cores(config) && !forked() ? "YES" : "NO";
  for (const auto& setting : {std::make_pair("ENABLE_CPU_PINNING", pinning), std::make_pair("PERFORMANCE_HINT", "LATENCY")}) {
    bool given = false;
    for (const auto& item : config) given = given || item.first == setting.first;
    if (!given) config.emplace_back(setting.first, setting.second);
  }
  const auto set_streams = [&config](const std::string& number) {
    config.erase(std::remove_if(config.begin(), config.end(), [](const auto& item) { return item.first == "NUM_STREAMS"; }),
                 config.end());
    config.emplace_back("NUM_STREAMS", number);
  };
  // OpenVINO keeps executors of models that were freed for the next compilation. In a child their threads are missing,
  // and compiling would wait for them without end; without streams it compiles on the calling thread.
  if (forked()) set_streams("0");
  if (streams > 1) set_streams(text(streams));
  return config;
}

}  // namespace

struct CompiledModel::Request {
  ov_infer_request_t* request = nullptr;
  // What it is bound to: an executor passes the same addresses at each call.
  std::vector<const uint8_t*> inputs, outputs;
  // Of a dynamic program: the shapes there.
  std::vector<std::vector<int64_t>> input_shapes, output_shapes;

  ~Request() {
    if (request) openvino().ov_infer_request_free(request);
  }
};

// Requests on their way. They write into arrays that are not ours, so the object waits for them before it goes.
class CompiledModel::Flight {
 public:
  ~Flight() {
    for (const auto& request : requests_) openvino().ov_infer_request_wait(request->request);
  }
  void start(std::unique_ptr<Request> request) {
    openvino().check(openvino().ov_infer_request_start_async(request->request), "run the program");
    requests_.push_back(std::move(request));
  }
  size_t size() const { return requests_.size(); }
  // The one that started first, when it is done.
  std::unique_ptr<Request> land() {
    std::unique_ptr<Request> request = std::move(requests_.front());
    requests_.pop_front();
    openvino().check(openvino().ov_infer_request_wait(request->request), "run the program");
    return request;
  }

 private:
  std::deque<std::unique_ptr<Request>> requests_;
};

CompiledModel::CompiledModel(const std::string& xml, Window constants, const Config& config, size_t parts, bool dynamic,
                             const std::vector<Spec>& inputs, const std::vector<Spec>& outputs, bool timed)
    : parts_(parts),
      streams_(streams_of(config, parts)),
      dynamic_(dynamic),
      process_(getpid()),
      number_(timed ? timing::next_number() : 0),
      passed_(passed_through(xml)),
      takes_all_cores_(wants_all_cores(config)) {
  for (const Spec& spec : inputs) inputs_.push_back(spec.part(parts));
  for (const Spec& spec : outputs) outputs_.push_back(spec.part(parts));
  const StartsWorkers starting;
  const OpenVino& ov = openvino();
  const Tensor weights(U8, {static_cast<int64_t>(constants.size)}, constants.base);
  IrModel model;
  ov.check(ov.ov_core_read_model_from_memory_buffer(ov.core, xml.data(), xml.size(), weights.get(), &model.model),
           "read the program");
  Config all = with_defaults(config, streams_);
  if (dynamic) {
    // OpenVINO 2026.4 generates one kernel for an attention as a whole; made for a length of 1, it serves others too, which it
    // does not normalise.
    all.emplace_back("SNIPPETS_MODE", "DISABLE");
  }
  if (timed) all.emplace_back("PERF_COUNT", "YES");
  std::vector<ov_property_t> properties;
  for (const auto& item : all) properties.push_back({item.first.c_str(), item.second.c_str()});
  ov_compiled_model_t* compiled = nullptr;
  ov.check(ov.ov_core_compile_model_props(ov.core, model.model, "CPU", properties.size(), properties.data(), &compiled),
           "compile the program");
  compiled_ = compiled;
  size_t n_in = 0, n_out = 0;
  ov.check(ov.ov_compiled_model_inputs_size(compiled, &n_in), "count the inputs");
  ov.check(ov.ov_compiled_model_outputs_size(compiled, &n_out), "count the outputs");
  if (n_in != inputs_.size() || n_out != outputs_.size()) {
    ov.ov_compiled_model_free(compiled);
    throw Error(text("the program has ", n_in, " inputs and ", n_out, " outputs, its signature ", inputs_.size(), " and ",
                     outputs_.size(), ". Compile the model again."));
  }
  for (const Passed& pass : passed_) {
    if (pass.output < n_out && pass.input < n_in && dynamic) continue;  // compared at each call
    if (pass.output < n_out && pass.input < n_in && outputs_[pass.output].nbytes() == inputs_[pass.input].nbytes()) continue;
    ov.ov_compiled_model_free(compiled);
    throw Error("the program hands an input through as an output of another size. Compile the model again.");
  }
  if (timed) timing::describe(number_, xml, constants.base, constants.size, all);
  again_ = [=](bool twin) {
    return std::make_unique<CompiledModel>(xml, constants, config, parts, dynamic, inputs, outputs, twin);
  };
}

// Streams' threads do not come along to a child, and even a call that needs none of them would wait for them there.
CompiledModel& CompiledModel::in_child() {
  const std::lock_guard<std::mutex> lock(child_mutex_);
  if (!child_) child_ = again_(number_ != 0);
  return *child_;
}

CompiledModel::~CompiledModel() {
  idle_.clear();
  if (compiled_) openvino().ov_compiled_model_free(static_cast<ov_compiled_model_t*>(compiled_));
}

std::unique_ptr<CompiledModel::Request> CompiledModel::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto request = std::move(idle_.back());
      idle_.pop_back();
      return request;
    }
  }
  auto request = std::make_unique<Request>();
  openvino().check(
      openvino().ov_compiled_model_create_infer_request(static_cast<ov_compiled_model_t*>(compiled_), &request->request),
      "make a request");
  request->inputs.resize(inputs_.size());
  request->outputs.resize(outputs_.size());
  return request;
}

void CompiledModel::give_back(std::unique_ptr<Request> request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(request));
}

void CompiledModel::bind(Request& request, size_t part, const std::vector<const uint8_t*>& inputs,
                         const std::vector<uint8_t*>& outputs) const {
  const OpenVino& ov = openvino();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const uint8_t* const at = inputs[i] + part * inputs_[i].nbytes();
    if (request.inputs[i] && request.inputs[i] == at) continue;
    const Tensor tensor(element_type(inputs_[i].dtype), inputs_[i].shape, at);
    ov.check(ov.ov_infer_request_set_input_tensor_by_index(request.request, i, tensor.get()), "take an input");
    request.inputs[i] = at;
  }
  for (const Passed& pass : passed_) {
    const size_t nbytes = outputs_[pass.output].nbytes();
    if (nbytes > 0) std::memcpy(outputs[pass.output] + part * nbytes, inputs[pass.input] + part * nbytes, nbytes);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    uint8_t* const at = outputs[i] + part * outputs_[i].nbytes();
    if (request.outputs[i] && request.outputs[i] == at) continue;
    if (is_passed(i)) continue;
    const Tensor tensor(element_type(outputs_[i].dtype), outputs_[i].shape, at);
    ov.check(ov.ov_infer_request_set_output_tensor_by_index(request.request, i, tensor.get()), "take an output");
    request.outputs[i] = at;
  }
}

std::string CompiledModel::timings() {
  const OpenVino& ov = openvino();
  std::string graphs;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& request : idle_) {
    ov_profiling_info_list_t found{};
    if (ov.ov_infer_request_get_profiling_info(request->request, &found) != OK) continue;
    std::string kernels;
    for (size_t i = 0; i < found.size; ++i) {
      const ov_profiling_info_t& each = found.profiling_infos[i];
      kernels += text(i ? "," : "", "[", json::quote(each.node_name), ",", json::quote(each.node_type), ",",
                      json::quote(each.exec_type), ",", each.real_time, "]");
    }
    ov.ov_profiling_info_list_free(&found);
    graphs += text(graphs.empty() ? "[" : ",[", kernels, "]");
  }
  return text("{\"parts\":", parts_, ",\"streams\":", streams_, ",\"dynamic\":", dynamic_ ? "true" : "false", ",\"graphs\":[",
              graphs, "]}");
}

bool CompiledModel::is_passed(size_t output) const {
  return std::any_of(passed_.begin(), passed_.end(), [output](const Passed& pass) { return pass.output == output; });
}

void CompiledModel::bind_dynamic(Request& request, const std::vector<const uint8_t*>& inputs,
                                 const std::vector<uint8_t*>& outputs, const CallShapes& shapes) const {
  const OpenVino& ov = openvino();
  request.input_shapes.resize(inputs.size());
  request.output_shapes.resize(outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    // Of 64-bit integers it reads the halves, as numbers of 32 bits.
    const bool halves = shapes.inputs[i]->dtype != inputs_[i].dtype;
    const Spec spec = halves ? shapes.inputs[i]->halves() : *shapes.inputs[i];
    if (request.inputs[i] == inputs[i] && request.input_shapes[i] == spec.shape) continue;
    request.inputs[i] = nullptr;  // until it is taken
    const Tensor tensor(element_type(spec.dtype), spec.shape, inputs[i]);
    ov.check(ov.ov_infer_request_set_input_tensor_by_index(request.request, i, tensor.get()), "take an input");
    request.inputs[i] = inputs[i];
    request.input_shapes[i] = spec.shape;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Spec& spec = *shapes.outputs[i];
    if (is_passed(i) || (request.outputs[i] == outputs[i] && request.output_shapes[i] == spec.shape)) continue;
    request.outputs[i] = nullptr;
    const Tensor tensor(element_type(spec.dtype), spec.shape, outputs[i]);
    ov.check(ov.ov_infer_request_set_output_tensor_by_index(request.request, i, tensor.get()), "take an output");
    request.outputs[i] = outputs[i];
    request.output_shapes[i] = spec.shape;
  }
}

// What the program gives has to have the shapes that MXNet infers, and to stand where MXNet reads it.
void CompiledModel::run_dynamic(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs,
                                const CallShapes& shapes) {
  const StartsWorkers starting;
  const OpenVino& ov = openvino();
  for (const Passed& pass : passed_) {
    const size_t nbytes = shapes.outputs[pass.output]->nbytes();
    if (shapes.inputs[pass.input]->nbytes() != nbytes) throw Error("it hands an input through as an output of another size");
    if (nbytes > 0) std::memcpy(outputs[pass.output], inputs[pass.input], nbytes);
  }
  auto request = take();
  bind_dynamic(*request, inputs, outputs, shapes);
  ov.check(ov.ov_infer_request_infer(request->request), "run the program for any shape");
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (is_passed(i)) continue;
    Result result;
    ov.check(ov.ov_infer_request_get_output_tensor_by_index(request->request, i, &result.tensor), "give a result");
    ov.check(ov.ov_tensor_get_shape(result.tensor, &result.shape), "give a result's shape");
    const std::vector<int64_t> found(result.shape.dims, result.shape.dims + result.shape.rank);
    void* place = nullptr;
    ov.check(ov.ov_tensor_data(result.tensor, &place), "give a result");
    if (found == shapes.outputs[i]->shape && place == outputs[i]) continue;
    Spec made = *shapes.outputs[i];
    made.shape = found;
    throw Error(text("its program for any shape gives ", made.str(), " as output ", i, ", and MXNet infers ",
                     shapes.outputs[i]->str(), ". Compile the model again with dynamic=False, and report it."));
  }
  give_back(std::move(request));
}

void CompiledModel::run(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs,
                        const CallShapes& shapes) {
  if (dynamic_) return run_dynamic(inputs, outputs, shapes);
  if (streams_ > 1 && process_ != getpid()) return in_child().run(inputs, outputs, shapes);
  const StartsWorkers starting;
  if (parts_ > 1) stats().parts += parts_;
  if (streams_ > 1) {
    run_in_streams(inputs, outputs);
  } else {
    run_in_turn(inputs, outputs);
  }
}

// A request that failed is lost, not given back; below too.
void CompiledModel::run_in_turn(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs) {
  auto request = take();
  for (size_t part = 0; part < parts_; ++part) {
    bind(*request, part, inputs, outputs);
    openvino().check(openvino().ov_infer_request_infer(request->request), "run the program");
  }
  give_back(std::move(request));
}

void CompiledModel::run_in_streams(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs) {
  Flight flight;
  for (size_t part = 0; part < parts_; ++part) {
    auto request = flight.size() < std::max(kInFlight, 2 * streams_) ? take() : flight.land();
    bind(*request, part, inputs, outputs);
    flight.start(std::move(request));
  }
  std::vector<std::unique_ptr<Request>> landed;
  while (flight.size() > 0) landed.push_back(flight.land());
  // The next call takes them in the same order, and finds most bound to the same places.
  for (auto request = landed.rbegin(); request != landed.rend(); ++request) give_back(std::move(*request));
}

}  // namespace gn
