// A call of a bound graph: callers' arrays in, new arrays out, whatever runs it.
#include "call/graph_call.h"

#include <algorithm>

namespace gn {

bool GraphCall::is_as_bound(NDArrayHandle array, const ArrayKind& kind) const {
  const MxNet& mxnet = mxnet_api();
  int dtype = 0, rank = 0, device = 0, number = 0;
  const int64_t* shape = nullptr;
  if (kind.dtype < 0 || mxnet.MXNDArrayGetShapeEx64(array, &rank, &shape) != 0) return false;
  if (rank < 0 || !std::equal(kind.shape.begin(), kind.shape.end(), shape, shape + rank)) return false;
  return mxnet.MXNDArrayGetDType(array, &dtype) == 0 && dtype == kind.dtype &&
         mxnet.MXNDArrayGetContext(array, &device, &number) == 0 && device == context_.device && number == context_.number;
}

bool GraphCall::takes(NDArrayHandle const* given) const {
  bool recording = true, training = true;
  if (mxnet_api().MXAutogradIsRecording(&recording) != 0 || recording) return false;
  if (mxnet_api().MXAutogradIsTraining(&training) != 0 || training) return false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!is_as_bound(given[i], inputs_[i])) return false;
  }
  return true;
}

int kind_of(NDArrayHandle array, ArrayKind* kind) {
  int rank = 0;
  const int64_t* shape = nullptr;
  int status = mxnet_api().MXNDArrayGetShapeEx64(array, &rank, &shape);
  if (status == 0) status = mxnet_api().MXNDArrayGetDType(array, &kind->dtype);
  if (status == 0) kind->shape.assign(shape, shape + std::max(rank, 0));
  return status;
}

int make_array(const ArrayKind& kind, Context context, bool delayed, NDArrayHandle* made) {
  return mxnet_api().MXNDArrayCreateEx64(kind.shape.data(), static_cast<int>(kind.shape.size()), context.device, context.number,
                                         delayed ? 1 : 0, kind.dtype, made);
}

int copy_array(NDArrayHandle from, NDArrayHandle to) {
  NDArrayHandle* outputs = &to;
  int count = 1;
  return mxnet_api().MXImperativeInvoke(mxnet_api().copyto, 1, &from, &count, &outputs, 0, nullptr, nullptr);
}

}  // namespace gn
