// The few functions of MXNet's own C library that a call through a bound graph needs, found in the process at run time.
#pragma once

#include <mxnet/c_api.h>

#include <string>

namespace gn {

struct MxNet {
  decltype(&::MXExecutorForward) MXExecutorForward;
  decltype(&::MXExecutorFree) MXExecutorFree;
  decltype(&::MXImperativeInvoke) MXImperativeInvoke;
  decltype(&::MXNDArrayWaitToRead) MXNDArrayWaitToRead;
  decltype(&::MXNDArrayWaitAll) MXNDArrayWaitAll;
  decltype(&::MXGetLastError) MXGetLastError;
  decltype(&::MXNDArrayGetData) MXNDArrayGetData;
  decltype(&::MXNDArrayGetShapeEx64) MXNDArrayGetShapeEx64;
  decltype(&::MXNDArrayGetDType) MXNDArrayGetDType;
  decltype(&::MXNDArrayGetStorageType) MXNDArrayGetStorageType;
  decltype(&::MXNDArrayGetContext) MXNDArrayGetContext;
  decltype(&::MXAutogradIsRecording) MXAutogradIsRecording;
  decltype(&::MXAutogradIsTraining) MXAutogradIsTraining;
  decltype(&::MXNDArrayCreateEx64) MXNDArrayCreateEx64;
  decltype(&::MXNDArrayFree) MXNDArrayFree;
  decltype(&::MXShallowCopyNDArray) MXShallowCopyNDArray;
  // Whether an array's memory is in a layout of oneDNN's: NDArray::Chunk::IsMKLDNN. Null where MXNet does not export it.
  bool (*is_laid_out)(const void* memory);
  // NDArray::Reorder2Default, which makes an array in the usual layout: an address that `mxnet_ndarray` knows the type of. May be
  // null, as the one before.
  void* in_usual_layout;
  decltype(&::MXEnginePushSyncND) MXEnginePushSyncND;
  decltype(&::MXEnginePushAsyncND) MXEnginePushAsyncND;
  decltype(&::MXNDArraySlice64) MXNDArraySlice64;
  decltype(&::MXNDArraySyncCopyFromCPU) MXNDArraySyncCopyFromCPU;
  decltype(&::MXGetVersion) MXGetVersion;
  decltype(&::MXLibInfoFeatures) MXLibInfoFeatures;
  decltype(&::MXEngineSetBulkSize) MXEngineSetBulkSize;
  AtomicSymbolCreator copyto;  // the operator
};

// `library` is what dlopen gave for MXNet. False when it lacks any of them.
bool set_mxnet(void* library);

// To be called after set_mxnet only.
const MxNet& mxnet_api();

// Whether MXNet's engine takes what this thread gives it in bulks, several operators as one operation; as it does while Gluon's
// cached operator runs, whatever was asked for.
bool is_in_bulk();

// As mxnet::Context.
struct Context {
  int device, number;
};

// What MXGetLastError is to give on this thread; nothing where MXNet does not let it be set.
void set_mxnet_error(const char* why);

// Waits until MXNet's engine has nothing left to do, if MXNet is known; the error that MXNet had kept for whoever would wait
// for a result, and does not keep any more.
std::string wait_for_all();

void free_arrays(size_t count, NDArrayHandle const* arrays);

// Whether the array is not sparse: those have no data in the usual layout.
bool is_dense(NDArrayHandle array);

}  // namespace gn
