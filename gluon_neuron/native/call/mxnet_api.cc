// The few functions of MXNet's own C library that a call through a bound graph needs, found in the process at run time.
#include "call/mxnet_api.h"

#include <dlfcn.h>

#include <atomic>
#include <climits>

namespace gn {
namespace {

MxNet api;
std::atomic<void (*)(const char*)> set_error{nullptr};
std::atomic<bool> known{false};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

bool set_mxnet(void* library) {
  void (*setter)(const char*) = nullptr;
  find(library, "NNAPISetLastError", setter);
  set_error = setter;
  int (*handle_of)(const char*, AtomicSymbolCreator*) = nullptr;
  known =
      find(library, "MXExecutorForward", api.MXExecutorForward) && find(library, "MXExecutorFree", api.MXExecutorFree) &&
      find(library, "MXNDArrayWaitAll", api.MXNDArrayWaitAll) && find(library, "MXGetLastError", api.MXGetLastError) &&
      find(library, "MXImperativeInvoke", api.MXImperativeInvoke) &&
      find(library, "MXNDArrayWaitToRead", api.MXNDArrayWaitToRead) && find(library, "MXNDArrayGetData", api.MXNDArrayGetData) &&
      find(library, "MXNDArrayFree", api.MXNDArrayFree) && find(library, "MXEnginePushSyncND", api.MXEnginePushSyncND) &&
      find(library, "MXNDArrayGetShapeEx64", api.MXNDArrayGetShapeEx64) &&
      find(library, "MXNDArrayGetDType", api.MXNDArrayGetDType) &&
      find(library, "MXNDArrayGetContext", api.MXNDArrayGetContext) &&
      find(library, "MXAutogradIsRecording", api.MXAutogradIsRecording) &&
      find(library, "MXAutogradIsTraining", api.MXAutogradIsTraining) &&
      find(library, "MXNDArrayCreateEx64", api.MXNDArrayCreateEx64) &&
      find(library, "MXEnginePushAsyncND", api.MXEnginePushAsyncND) && find(library, "MXNDArraySlice64", api.MXNDArraySlice64) &&
      find(library, "MXGetVersion", api.MXGetVersion) && find(library, "MXNDArrayGetStorageType", api.MXNDArrayGetStorageType) &&
      find(library, "MXNDArraySyncCopyFromCPU", api.MXNDArraySyncCopyFromCPU) &&
      find(library, "MXLibInfoFeatures", api.MXLibInfoFeatures) &&
      find(library, "MXShallowCopyNDArray", api.MXShallowCopyNDArray) &&
      find(library, "MXEngineSetBulkSize", api.MXEngineSetBulkSize) && find(library, "NNGetOpHandle", handle_of) &&
      handle_of("_copyto", &api.copyto) == 0;
  find(library, "_ZNK5mxnet7NDArray5Chunk8IsMKLDNNEv", api.is_laid_out);
  find(library, "_ZNK5mxnet7NDArray15Reorder2DefaultEv", api.in_usual_layout);
  return known;
}

const MxNet& mxnet_api() { return api; }

void set_mxnet_error(const char* why) {
  if (const auto set = set_error.load()) set(why);
}

bool is_in_bulk() {
  int size = 0, unused = 0;
  // It tells the size only to whoever sets another; a larger one hands nothing over before its time.
  if (!known || api.MXEngineSetBulkSize(INT_MAX, &size) != 0) return true;
  api.MXEngineSetBulkSize(size, &unused);
  return size > 0;
}

std::string wait_for_all() {
  if (!known || api.MXNDArrayWaitAll() == 0) return "";
  return api.MXGetLastError();
}

void free_arrays(size_t count, NDArrayHandle const* arrays) {
  for (size_t i = 0; i < count; ++i) api.MXNDArrayFree(arrays[i]);
}

bool is_dense(NDArrayHandle array) {
  int type = 0;
  return api.MXNDArrayGetStorageType(array, &type) == 0 && type == 0;
}

}  // namespace gn
