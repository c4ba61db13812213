// A call through an executor of MXNet's: data in, the graph, results out, all pushed to MXNet's engine in one go.
#include "bound_graph.h"

#include <algorithm>
#include <utility>

#include "lending.h"

namespace gn {
namespace {

struct Loan {
  const void* bound;
  const void* lent;
};

// MXNet's engine calls these three; their first argument is its own.
void begin(void*, void* loan) {
  const auto* given = static_cast<const Loan*>(loan);
  begin_loan(given->bound, given->lent);
}

void end(void*, void* bound) { end_loan(bound); }

void free_loan(void* loan) { delete static_cast<Loan*>(loan); }

int copy(NDArrayHandle from, NDArrayHandle to) {
  NDArrayHandle* outputs = &to;
  int count = 1;
  return mxnet_api().MXImperativeInvoke(mxnet_api().copyto, 1, &from, &count, &outputs, 0, nullptr, nullptr);
}

}  // namespace

BoundGraph::BoundGraph(ExecutorHandle executor, std::vector<Feed> feeds, std::vector<NDArrayHandle> outputs, int device, int number)
    : executor_(executor), feeds_(std::move(feeds)), outputs_(std::move(outputs)), context_{device, number} {}

bool BoundGraph::same_kind(NDArrayHandle one, NDArrayHandle other) const {
  const MxNet& mxnet = mxnet_api();
  int dtypes[2], ranks[2], device = 0, number = 0;
  const int64_t* shape = nullptr;
  // The shape's place is MXNet's own, for the next question.
  if (mxnet.MXNDArrayGetShapeEx64(one, &ranks[0], &shape) != 0) return false;
  const std::vector<int64_t> first(shape, shape + std::max(ranks[0], 0));
  if (mxnet.MXNDArrayGetShapeEx64(other, &ranks[1], &shape) != 0 || ranks[0] != ranks[1]) return false;
  return std::equal(first.begin(), first.end(), shape) && mxnet.MXNDArrayGetDType(one, &dtypes[0]) == 0 &&
         mxnet.MXNDArrayGetDType(other, &dtypes[1]) == 0 && dtypes[0] == dtypes[1] &&
         mxnet.MXNDArrayGetContext(one, &device, &number) == 0 && device == context_.device && number == context_.number;
}

bool BoundGraph::takes(NDArrayHandle const* given) const {
  bool recording = true;
  if (mxnet_api().MXAutogradIsRecording(&recording) != 0 || recording) return false;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (!feeds_[i].array || !same_kind(given[i], feeds_[i].array)) return false;
  }
  return true;
}

int BoundGraph::push_loan(EngineSyncFunc function, void* argument, EngineFuncParamDeleter free, const Feed& feed, NDArrayHandle read) {
  NDArrayHandle written = feed.array;
  return mxnet_api().MXEnginePushSyncND(function, argument, free, &context_, &read, read ? 1 : 0, &written, 1, nullptr, 0, "gluon_neuron loan");
}

int BoundGraph::push(NDArrayHandle const* given, const std::vector<void*>& lent, std::vector<size_t>& begun) {
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (!feeds_[i].array) continue;
    const int status = lent[i] ? push_loan(begin, new Loan{feeds_[i].address, lent[i]}, free_loan, feeds_[i], nullptr) : copy(given[i], feeds_[i].array);
    if (status != 0) return status;
    if (lent[i]) begun.push_back(i);
  }
  return mxnet_api().MXExecutorForward(executor_, 0);
}

// The engine orders what it is told. `begin` writes the bound array, so it waits for the previous call's readers; `end` writes it
// too, so it waits for this call's, and until then it is a pending reader of the lent array, which nobody can write.
int BoundGraph::call(NDArrayHandle const* given, NDArrayHandle* results) {
  std::vector<void*> lent(feeds_.size());
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (!feeds_[i].address) continue;
    int status = mxnet_api().MXNDArrayWaitToRead(given[i]);
    if (status == 0) status = mxnet_api().MXNDArrayGetData(given[i], &lent[i]);
    if (status != 0) return status;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<size_t> begun;
  int status = push(given, lent, begun);
  for (size_t i : begun) {
    const int ended = push_loan(end, const_cast<void*>(feeds_[i].address), nullptr, feeds_[i], given[i]);
    if (status == 0) status = ended;
  }
  return status == 0 ? copy_results(results) : status;
}

int BoundGraph::copy_results(NDArrayHandle* results) const {
  const MxNet& mxnet = mxnet_api();
  int status = 0;
  size_t made = 0;
  for (; made < outputs_.size() && status == 0; ++made) {
    int rank = 0, dtype = 0;
    const int64_t* shape = nullptr;
    status = mxnet.MXNDArrayGetShapeEx64(outputs_[made], &rank, &shape);
    if (status == 0) status = mxnet.MXNDArrayGetDType(outputs_[made], &dtype);
    if (status == 0) status = mxnet.MXNDArrayCreateEx64(shape, rank, context_.device, context_.number, 1, dtype, &results[made]);
    if (status != 0) break;
    status = copy(outputs_[made], results[made]);
  }
  while (status != 0 && made > 0) mxnet.MXNDArrayFree(results[--made]);
  return status;
}

}  // namespace gn
