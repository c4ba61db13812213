// The Neuron runtime's C library, opened at run time: its published functions, types and numbers.
#include "nrt/api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <vector>

namespace gn {
namespace {

constexpr char kPathVariable[] = "GLUON_NEURON_NRT";

// Never freed: states may be destroyed after static destructors ran.
struct Loader {
  std::mutex mutex;
  bool found = false;
  std::string named, defect;  // what the environment said when it was opened
  Nrt api;
};

Loader& loader() {
  static Loader* const instance = new Loader;
  return *instance;
}

struct Word {
  NrtStatus status;
  const char* name;
  const char* meaning;
};

constexpr Word kWords[] = {
    {1, "NRT_FAILURE", "it gives no reason; its own log does (NEURON_RT_LOG_LEVEL=INFO)"},
    {2, "NRT_INVALID", "invalid NEFF, bad instruction, or a tensor whose name or size is not the model's"},
    {3, "NRT_INVALID_HANDLE", "a handle is not valid"},
    {4, "NRT_RESOURCE", "a resource, such as the device's memory, is exhausted"},
    {5, "NRT_TIMEOUT", "it took longer than NEURON_RT_EXEC_TIMEOUT"},
    {6, "NRT_HW_ERROR", "hardware failure"},
    {7, "NRT_QUEUE_FULL", "the queue is full"},
    {9, "NRT_LOAD_NOT_ENOUGH_NC", "not enough NeuronCores are available"},
    {10, "NRT_UNSUPPORTED_NEFF_VERSION",
     "this runtime does not read the NEFF's version: upgrade aws-neuronx-runtime-lib, or compile again"},
    {11, "NRT_FAIL_HOST_MEM_ALLOC", "the host's memory is exhausted"},
    {13, "NRT_UNINITIALIZED", "the runtime was not initialised"},
    {14, "NRT_CLOSED", "the runtime was closed"},
    {15, "NRT_QUEUE_EMPTY", "the queue is empty"},
    {101, "NRT_EXEC_UNIT_UNRECOVERABLE", "the execution unit is in an unrecoverable state: end the process"},
    {1002, "NRT_EXEC_BAD_INPUT", "an input is missing or has another size than the model's"},
    {1003, "NRT_EXEC_COMPLETED_WITH_NUM_ERR", "completed, but numerical errors (NaN) were produced"},
    {1004, "NRT_EXEC_COMPLETED_WITH_ERR", "completed with errors"},
    {1005, "NRT_EXEC_NC_BUSY", "the NeuronCore is held by another model or process"},
    {1006, "NRT_EXEC_OOB", "an indirect access was out of bounds"},
    {1100, "NRT_COLL_PENDING", "a collective operation is pending"},
    {1200, "NRT_EXEC_HW_ERR_COLLECTIVES", "hardware failure in a collective operation"},
    {1201, "NRT_EXEC_HW_ERR_HBM_UE", "uncorrectable error of the device's memory"},
    {1202, "NRT_EXEC_HW_ERR_NC_UE", "uncorrectable error of the NeuronCore's memory"},
    {1203, "NRT_EXEC_HW_ERR_DMA_ABORT", "a DMA engine failed"},
    {1204, "NRT_EXEC_SW_NQ_OVERFLOW", "the notification queue overflowed"},
    {1205, "NRT_EXEC_HW_ERR_REPAIRABLE_HBM_UE", "repairable error of the device's memory"},
    {1206, "NRT_NETWORK_PROXY_FAILURE", "the network proxy failed"},
};

// What GLUON_NEURON_NRT says: a path; "none" for no NeuronCores; empty for the usual places.
std::string named_library() {
  const char* given = std::getenv(kPathVariable);
  return given ? given : "";
}

void* open_first(Nrt& api, const std::string& named, std::string& why) {
  std::vector<std::string> candidates = {"libnrt.so.1", "libnrt.so", "/opt/aws/neuron/lib/libnrt.so.1",
                                         "/opt/aws/neuron/lib/libnrt.so"};
  if (!named.empty()) candidates = {named};
  for (const std::string& candidate : candidates) {
    if (void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      api.path = candidate;
      return handle;
    }
    const char* reason = dlerror();
    why += text(why.empty() ? "" : "; ", reason ? reason : candidate);
  }
  return nullptr;
}

template <class Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

void open(Loader& state, const std::string& named, std::string& why) {
  void* handle = open_first(state.api, named, why);
  if (!handle) return;
  state.named = named;
  std::string missing;
#define GN_LOOK_UP(name, result, arguments) \
  if (!find(handle, #name, state.api.name)) missing += " " #name;
  GN_NRT_FUNCTIONS(GN_LOOK_UP)
#undef GN_LOOK_UP
  if (!find(handle, "nrt_get_visible_vnc_count", state.api.visible_cores) &&
      !find(handle, "nrt_get_visible_nc_count", state.api.visible_cores)) {
    missing += " nrt_get_visible_vnc_count";
  }
  if (!find(handle, "nrt_get_total_vnc_count", state.api.total_cores) &&
      !find(handle, "nrt_get_total_nc_count", state.api.total_cores)) {
    missing += " nrt_get_total_vnc_count";
  }
  state.found = missing.empty();
  if (!state.found) {
    state.defect = text("The Neuron runtime ", state.api.path, " lacks", missing, ". Upgrade aws-neuronx-runtime-lib, or set ",
                        kPathVariable, " to the path of another libnrt.so.");
  }
}

}  // namespace

const Nrt* nrt(std::string* why) {
  Loader& state = loader();
  const std::lock_guard<std::mutex> lock(state.mutex);
  const std::string named = named_library();
  std::string reason;
  if (named == "none") {
    reason = text(kPathVariable, "=none");
  } else if (!state.found) {
    open(state, named, reason);
    if (!state.defect.empty()) throw Error(state.defect);
  } else if (named != state.named) {
    reason = text("this process has opened ", state.api.path, ", which is not what ", kPathVariable, " says now");
  }
  if (reason.empty()) return &state.api;
  if (why) *why = text("there is no Neuron runtime (libnrt.so): ", reason);
  return nullptr;
}

std::string nrt_status_text(NrtStatus status) {
  for (const Word& word : kWords) {
    if (word.status == status) return text(word.name, " (", status, "): ", word.meaning);
  }
  return text("status ", status, ", which is not among the published ones");
}

NrtError::NrtError(const std::string& doing, NrtStatus status)
    : Error(text("the Neuron runtime failed to ", doing, ": ", nrt_status_text(status))), status_(status) {}

void nrt_check(NrtStatus status, const std::string& doing) {
  if (status != kNrtSuccess) throw NrtError(doing, status);
}

}  // namespace gn
