// What MXNet's C functions do not tell of an array: its version; and the end of a call that the engine runs at once.
//
// All that is taken from MXNet's C++ header is inline and reads members: nothing is linked. The one method that is no inline one
// is looked up where MXNet is loaded.
#include "call/mxnet_ndarray.h"

#include <mxnet/ndarray.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "support/errors.h"

namespace gn {
namespace {

// The engine takes a Context of ours for its own.
static_assert(std::is_standard_layout<mxnet::Context>::value && sizeof(Context) == sizeof(mxnet::Context) &&
                  alignof(Context) == alignof(mxnet::Context),
              "Context is not laid out as MXNet's");
static_assert(offsetof(Context, device) == offsetof(mxnet::Context, dev_type) &&
                  sizeof(mxnet::Context::dev_type) == sizeof(Context::device),
              "Context::device is not MXNet's dev_type");
static_assert(offsetof(Context, number) == offsetof(mxnet::Context, dev_id) &&
                  sizeof(mxnet::Context::dev_id) == sizeof(Context::number),
              "Context::number is not MXNet's dev_id");

// An array's memory is a private member; an explicit instantiation may name it.
const void* memory_of(const mxnet::NDArray& array);
const uint8_t* place_of(const mxnet::NDArray& array);

template <auto Member>
struct Private {
  friend const void* memory_of(const mxnet::NDArray& array) { return (array.*Member).get(); }
  friend const uint8_t* place_of(const mxnet::NDArray& array) {
    return static_cast<const uint8_t*>((array.*Member)->shandle.dptr) + array.byte_offset();
  }
};
template struct Private<&mxnet::NDArray::ptr_>;

struct Pushed {
  void (*run)(void*);
  void* argument;
};

void run_pushed(void*, void* on_complete, void* pushed) {
  const Pushed call = *static_cast<Pushed*>(pushed);
  // Whoever waits may free `pushed` as soon as the engine is told.
  const auto completed = *static_cast<mxnet::engine::CallbackOnComplete*>(on_complete);
  call.run(call.argument);
  completed();
}

bool same_build() {
  if (!mxnet_api().is_laid_out) return false;
  int version = 0;
  const LibFeature* features = nullptr;
  size_t count = 0;
  if (mxnet_api().MXGetVersion(&version) != 0 || version != MXNET_VERSION) return false;
  if (mxnet_api().MXLibInfoFeatures(&features, &count) != 0) return false;
  for (size_t i = 0; i < count; ++i) {
    // With it, arrays have one member more.
    if (std::strcmp(features[i].name, "MKLDNN") == 0) return features[i].enabled;
  }
  return false;
}

// Whether a write raises the version by one, of a view's array too, and both are where MXNet says that they are.
bool counts_writes() {
  const MxNet& mxnet = mxnet_api();
  const int64_t shape[] = {2};
  NDArrayHandle to = nullptr, view = nullptr;
  int status = mxnet.MXNDArrayCreateEx64(shape, 1, 1, 0, 0, 0, &to);
  if (status == 0) status = mxnet.MXNDArraySlice64(to, 0, 2, &view);
  bool right = false;
  if (status == 0) {
    const size_t before = version_of(to);
    const float values[] = {1, 2};
    status = mxnet.MXNDArraySyncCopyFromCPU(view, values, 2);
    if (status == 0) status = mxnet.MXNDArrayWaitToRead(to);
    right = status == 0 && version_of(to) == before + 1 && version_of(view) == before + 1;
    for (NDArrayHandle array : {to, view}) {
      void* data = nullptr;
      Array seen{};
      right = right && mxnet.MXNDArrayGetData(array, &data) == 0 && see_while_read(array, seen) && seen.data == data;
    }
  }
  for (NDArrayHandle array : {to, view}) {
    if (array) mxnet.MXNDArrayFree(array);
  }
  return right;
}

}  // namespace

bool sees_arrays() {
  static const bool right = same_build() && counts_writes();
  return right;
}

Spec spec_of(NDArrayHandle array) {
  int rank = 0, flag = -1;
  const int64_t* shape = nullptr;
  if (mxnet_api().MXNDArrayGetShapeEx64(array, &rank, &shape) != 0 || mxnet_api().MXNDArrayGetDType(array, &flag) != 0) flag = -1;
  Spec spec;
  spec.dtype = dtype_by_flag(flag);
  if (!spec.dtype) throw Error(text("an array has MXNet's dtype number ", flag, ", which compiled regions cannot pass"));
  spec.shape.assign(shape, shape + (rank > 0 ? rank : 0));
  return spec;
}

size_t version_of(NDArrayHandle array) { return static_cast<mxnet::NDArray*>(array)->version(); }

Seen see_array(NDArrayHandle array, Array& seen) {
  if (!is_dense(array)) return Seen::no;
  const bool counted = sees_arrays();
  for (int attempt = 0; attempt < 3; ++attempt) {
    void* data = nullptr;
    if (mxnet_api().MXNDArrayWaitToRead(array) != 0) return Seen::error;
    const size_t before = counted ? version_of(array) : 0;
    if (mxnet_api().MXNDArrayGetData(array, &data) != 0) return Seen::error;  // lays it out
    seen = {static_cast<const uint8_t*>(data), counted ? version_of(array) : 0};
    if (seen.version == before) return Seen::yes;
  }
  return Seen::no;
}

bool see_while_read(NDArrayHandle array, Array& seen) {
  const auto& known = *static_cast<mxnet::NDArray*>(array);
  const void* memory = memory_of(known);
  if (!memory || mxnet_api().is_laid_out(memory) || !place_of(known)) return false;
  seen = {place_of(known), version_of(array)};
  return true;
}

int push_here(void (*run)(void*), void* argument, Context context, NDArrayHandle* read, int n_read, NDArrayHandle* written,
              int n_written) {
  // The engine runs what calls itself asynchronous on the thread that pushes it.
  static const mxnet::FnProperty here = mxnet::FnProperty::kAsync;
  Pushed pushed{run, argument};
  const int status = mxnet_api().MXEnginePushAsyncND(run_pushed, &pushed, nullptr, &context, read, n_read, written, n_written,
                                                     const_cast<mxnet::FnProperty*>(&here), 0, "gluon_neuron call", false);
  // It may have had to wait, and then runs on another thread.
  return status == 0 && n_written > 0 ? mxnet_api().MXNDArrayWaitToRead(written[0]) : status;
}

void wait_while_read(void (*run)(void*), void* argument, std::vector<NDArrayHandle> read) {
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  // Whoever pushes waits for what is written.
  const int64_t shape[] = {1};
  NDArrayHandle end = nullptr;
  const Context host{1, 0};
  int status = mxnet_api().MXNDArrayCreateEx64(shape, 1, host.device, host.number, 0, 0, &end);
  if (status == 0) {
    status = push_here(run, argument, host, read.data(), static_cast<int>(read.size()), &end, 1);
    mxnet_api().MXNDArrayFree(end);
  }
  if (status != 0) throw Error(mxnet_api().MXGetLastError());
}

}  // namespace gn
