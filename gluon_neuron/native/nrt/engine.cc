// A NEFF on NeuronCores: loaded once for all weights it runs with, which it shares with the other NEFFs of its artifact.
#include "nrt/engine.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "boundary/log.h"
#include "support/errors.h"

namespace gn {
namespace {

// The runtime's numbers for a dtype; it has none for bool, which compilers turn into bytes.
bool same_type(const DType* type, int number) {
  constexpr int kFloat32 = 10, kFloat32Rounded = 11, kFloat16 = 7, kUint8 = 3, kInt8 = 2, kInt32 = 8, kInt64 = 12;
  const std::string name = type->name;
  if (name == "float32") return number == kFloat32 || number == kFloat32Rounded;
  if (name == "float16") return number == kFloat16;
  if (name == "uint8") return number == kUint8;
  if (name == "int8") return number == kInt8;
  if (name == "bool") return number == kUint8 || number == kInt8;
  if (name == "int32") return number == kInt32;
  return name == "int64" && number == kInt64;
}

using Key = std::tuple<uint64_t, uint64_t, size_t, int>;

struct Loaded {
  std::mutex mutex;  // also held while one loads, so that it is loaded once
  std::map<Key, std::weak_ptr<LoadedNeff>> by_key;
};

Loaded& loaded() {
  static Loaded* const instance = new Loaded;
  return *instance;
}

// To be called with the gate held.
const Nrt* api() { return NrtRuntime::get().api(); }

int placement_of(const Program& program) { return program.target == "inf1" ? kNrtPlacementVirtual : kNrtPlacementDevice; }

std::string cores_text(int first, size_t count) {
  return count == 1 ? text("NeuronCore ", first) : text("NeuronCores ", first, " to ", first + count - 1);
}

}  // namespace

std::shared_ptr<LoadedNeff> LoadedNeff::obtain(const Artifact& artifact, size_t index, const uint8_t* neff, int core) {
  Loaded& state = loaded();
  const std::lock_guard<std::mutex> lock(state.mutex);
  const Key key{artifact.digest.low, artifact.digest.high, index, core};
  if (auto found = state.by_key[key].lock()) return found;
  const Program& program = *artifact.programs[index];
  NrtRuntime::get().start(program.cores, core);
  int place = core;
  for (auto it = state.by_key.begin(); it != state.by_key.end();) {
    const auto other = it->second.lock();
    const auto [low, high, number, asked] = it->first;
    const bool beside = Digest{low, high} == artifact.digest && number != index && asked == core;
    if (other && beside && other->cores() == program.cores) place = other->core();
    it = other ? std::next(it) : state.by_key.erase(it);
  }
  std::shared_ptr<LoadedNeff> made(new LoadedNeff(program, neff, place));
  state.by_key[key] = made;
  return made;
}

LoadedNeff::LoadedNeff(const Program& program, const uint8_t* neff, int core)
    : cores_(program.cores), core_(NrtRuntime::get().enter(program.cores, core)) {
  try {
    const NrtUse use;
    const NrtStatus status = use->nrt_load(neff, program.payload.size, core_, -1, &model_);
    const std::string there = status == kNrtNotEnoughCores ? text(" (", NrtRuntime::get().cores_text(), ")") : std::string();
    nrt_check(status, text("load a program for ", program.target, " on ", cores_text(core_, cores_), there));
    read_tensors();
  } catch (...) {
    end();
    NrtRuntime::get().leave(core_, cores_);
    throw;
  }
}

LoadedNeff::~LoadedNeff() {
  end();
  NrtRuntime::get().leave(core_, cores_);
}

void LoadedNeff::free() {
  if (model_) api()->nrt_unload(model_);
  model_ = nullptr;
}

void LoadedNeff::read_tensors() {
  NrtTensorInfos* infos = nullptr;
  nrt_check(api()->nrt_get_model_tensor_info(model_, &infos), "list a program's tensors");
  for (uint64_t i = 0; i < infos->count; ++i) {
    const NrtTensorInfo& info = infos->tensors[i];
    auto& tensors = info.usage == kNrtInputTensor ? inputs_ : outputs_;
    tensors.push_back({std::string(info.name, strnlen(info.name, sizeof info.name)), info.size, info.dtype});
  }
  api()->nrt_free_model_tensor_info(infos);
}

namespace {

[[noreturn]] void differ(const std::string& why) {
  throw Error(text("its NEFF and the artifact's header disagree: ", why, ". Compile the model again."));
}

void check_tensor(const std::vector<LoadedNeff::Tensor>& tensors, const std::string& name, const std::string& stands_for,
                  const Spec& spec) {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == name; });
  if (found == tensors.end()) differ(text("it has no tensor '", name, "', which is to be ", stands_for));
  if (found->nbytes != spec.nbytes()) {
    differ(text("its tensor '", name, "' has ", found->nbytes, " bytes, and ", stands_for, " is ", spec.str(), " (",
                spec.nbytes(), " bytes)"));
  }
  if (!same_type(spec.dtype, found->dtype)) {
    differ(text("its tensor '", name, "' is of the runtime's dtype number ", found->dtype, ", and ", stands_for, " is ",
                spec.str()));
  }
}

}  // namespace

// The tensors of one call at a time, and the sets that name them: made once, used again.
struct NeffModel::Request {
  NrtTensorSetHandle *in = nullptr, *out = nullptr;
  std::vector<NrtTensorHandle*> inputs, outputs;

  // With the runtime's gate held.
  void free() {
    for (NrtTensorSetHandle** set : {&in, &out}) {
      if (*set) api()->nrt_destroy_tensor_set(set);
      *set = nullptr;
    }
    for (auto* tensors : {&inputs, &outputs}) {
      for (NrtTensorHandle* tensor : *tensors) api()->nrt_tensor_free(&tensor);
      tensors->clear();
    }
  }
};

NeffModel::Weights NeffModel::write(const Program& program, const LoadedNeff& neff, const std::vector<const uint8_t*>& sources,
                                    const std::vector<Digest>& digests) {
  Weights found;
  for (size_t i = 0; i < program.weights.size(); ++i) {
    const size_t input = program.weights[i].input;
    const Input& known = program.inputs[input];
    const std::string& tensor = program.input_tensors[input];
    if (tensor.empty()) continue;  // it is inside the program
    check_tensor(neff.inputs(), tensor, text("the input '", known.name, "'"), known.spec);
    found[tensor] = DeviceWeight::obtain(
        {known.name, placement_of(program), neff.core(), sources[i], known.spec.nbytes(), digests[i]}, tensor);
  }
  return found;
}

NeffModel::NeffModel(const Program& program, std::shared_ptr<LoadedNeff> neff, Weights weights)
    : placement_(placement_of(program)), neff_(std::move(neff)), weights_(std::move(weights)) {
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    const Input& input = program.inputs[i];
    if (program.input_tensors[i].empty() || input.role == Role::unused) continue;
    check_tensor(neff_->inputs(), program.input_tensors[i], text("the input '", input.name, "'"), input.spec);
  }
  for (size_t i : program.data) inputs_.push_back({program.input_tensors[i], program.inputs[i].spec.nbytes()});
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    check_tensor(neff_->outputs(), program.output_tensors[i], text("output ", i), program.outputs[i]);
    outputs_.push_back({program.output_tensors[i], program.outputs[i].nbytes()});
  }
  if (program.outputs.size() != neff_->outputs().size())
    differ(text("it has ", neff_->outputs().size(), " outputs, and ", program.outputs.size(), " are known"));
  try {
    const NrtUse use;
    for (const LoadedNeff::Tensor& tensor : neff_->inputs()) {
      const bool data = std::any_of(inputs_.begin(), inputs_.end(), [&](const Port& port) { return port.tensor == tensor.name; });
      const bool unread =
          std::find(program.input_tensors.begin(), program.input_tensors.end(), tensor.name) != program.input_tensors.end();
      if (data || weights_.count(tensor.name)) continue;
      if (!unread) differ(text("it has a tensor '", tensor.name, "', of which the header says nothing"));
      const std::vector<uint8_t> zeros(tensor.nbytes);
      NrtTensorHandle* handle = held_[tensor.name] = allocate(tensor.name, tensor.nbytes);
      nrt_check(use->nrt_tensor_write(handle, zeros.data(), 0, tensor.nbytes), "write a weight");
    }
  } catch (...) {
    end();
    throw;
  }
}

NeffModel::~NeffModel() { end(); }

void NeffModel::free() {
  for (auto& request : idle_) request->free();
  idle_.clear();
  for (auto& item : held_) api()->nrt_tensor_free(&item.second);
  held_.clear();
}

NrtTensorHandle* NeffModel::allocate(const std::string& name, size_t nbytes) const {
  NrtTensorHandle* tensor = nullptr;
  nrt_check(api()->nrt_tensor_allocate(placement_, neff_->core(), nbytes, name.c_str(), &tensor),
            text("allocate ", nbytes, " bytes for '", name, "'"));
  return tensor;
}

std::unique_ptr<NeffModel::Request> NeffModel::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto request = std::move(idle_.back());
      idle_.pop_back();
      return request;
    }
  }
  auto request = std::make_unique<Request>();
  const auto add = [&](NrtTensorSetHandle* set, const std::string& name, NrtTensorHandle* tensor) {
    nrt_check(api()->nrt_add_tensor_to_tensor_set(set, name.c_str(), tensor), text("put '", name, "' into a tensor set"));
  };
  try {
    nrt_check(api()->nrt_allocate_tensor_set(&request->in), "make a tensor set");
    nrt_check(api()->nrt_allocate_tensor_set(&request->out), "make a tensor set");
    for (const auto& item : weights_) add(request->in, item.first, item.second->handle());
    for (const auto& item : held_) add(request->in, item.first, item.second);
    for (const Port& port : inputs_) {
      request->inputs.push_back(allocate(port.tensor, port.nbytes));
      add(request->in, port.tensor, request->inputs.back());
    }
    for (const Port& port : outputs_) {
      request->outputs.push_back(allocate(port.tensor, port.nbytes));
      add(request->out, port.tensor, request->outputs.back());
    }
  } catch (...) {
    request->free();
    throw;
  }
  return request;
}

void NeffModel::run(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs, const CallShapes&) {
  const NrtUse use;
  auto request = take();
  try {
    for (size_t i = 0; i < inputs.size(); ++i) {
      nrt_check(use->nrt_tensor_write(request->inputs[i], inputs[i], 0, inputs_[i].nbytes),
                text("write the input '", inputs_[i].tensor, "'"));
    }
    const NrtStatus status = use->nrt_execute(neff_->model(), request->in, request->out);
    if (status == kNrtNumericalError) {
      warn_once("numerical errors",
                text("the results hold NaN, says the Neuron runtime: ", nrt_status_text(status), ". This is shown once."));
    } else {
      nrt_check(status, text("run a program on NeuronCore ", neff_->core()));
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      nrt_check(use->nrt_tensor_read(request->outputs[i], outputs[i], 0, outputs_[i].nbytes),
                text("read the output '", outputs_[i].tensor, "'"));
    }
  } catch (...) {
    request->free();  // what the device did with it is not known
    throw;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(request));
}

}  // namespace gn
