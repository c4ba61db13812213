// A call through an executor of MXNet's: data in, the graph, results out, all pushed to MXNet's engine in one go.
#include "bound_graph.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "arrays.h"

namespace gn {
namespace {

// MXNet's engine calls these; their first argument is its own.
void begin(void*, void* loan) { begin_loan(*static_cast<const Loan*>(loan)); }

void end(void*, void* loan) { end_loan(*static_cast<const Loan*>(loan)); }

void free_loan(void* loan) { delete static_cast<Loan*>(loan); }

// The engine skips `end` when the call failed, but frees its argument.
void end_and_free_loan(void* loan) {
  end(nullptr, loan);
  free_loan(loan);
}

std::atomic<uint64_t> last_loan{0};

int copy(NDArrayHandle from, NDArrayHandle to) {
  NDArrayHandle* outputs = &to;
  int count = 1;
  return mxnet_api().MXImperativeInvoke(mxnet_api().copyto, 1, &from, &count, &outputs, 0, nullptr, nullptr);
}

}  // namespace

BoundGraph::BoundGraph(ExecutorHandle executor, std::vector<Feed> feeds, std::vector<Result> outputs, Context context)
    : executor_(executor), feeds_(std::move(feeds)), outputs_(std::move(outputs)), context_(context) {}

void BoundGraph::set_alone(Node& node, const std::vector<NDArrayHandle>& inputs) {
  if (!sees_arrays()) return;
  std::vector<Spec> outputs;
  std::vector<DirectGraph::Input> places;
  for (NDArrayHandle array : inputs) {
    const auto feed = std::find_if(feeds_.begin(), feeds_.end(), [array](const Feed& each) { return each.array == array; });
    if (feed == feeds_.end()) {
      places.push_back({array, 0});
    } else {
      places.push_back({nullptr, static_cast<size_t>(feed - feeds_.begin())});
    }
  }
  for (const Result& output : outputs_) outputs.push_back(spec_of(output.array));
  direct_ = std::make_unique<DirectGraph>(node, std::move(places), std::move(outputs), context_,
                                          [this](NDArrayHandle* results) { return make_results(results, true); });
}

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

int BoundGraph::push_begin(NDArrayHandle array, const Loan& loan, NDArrayHandle other, bool written, std::vector<Begun>& begun) {
  begun.reserve(feeds_.size() + outputs_.size());
  const int status = mxnet_api().MXEnginePushSyncND(begin, new Loan(loan), free_loan, &context_, nullptr, 0, &array, 1, nullptr, 0,
                                                    "gluon_neuron loan");
  if (status == 0) begun.push_back({array, loan, other, written});
  return status;
}

int BoundGraph::push_end(const Begun& loan) {
  NDArrayHandle written[] = {loan.array, loan.other};
  NDArrayHandle read = loan.other;
  return mxnet_api().MXEnginePushSyncND(end, new Loan(loan.loan), end_and_free_loan, &context_, &read, loan.written ? 0 : 1, written,
                                        loan.written ? 2 : 1, nullptr, 0, "gluon_neuron loan");
}

int BoundGraph::push(NDArrayHandle const* given, const std::vector<void*>& lent, NDArrayHandle const* results, std::vector<Begun>& begun) {
  const MxNet& mxnet = mxnet_api();
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    if (!feed.array) continue;
    const int status = lent[i] ? push_begin(feed.array, {feed.address, lent[i], ++last_loan}, given[i], false, begun)
                               : copy(given[i], feed.array);
    if (status != 0) return status;
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].address) continue;
    void* data = nullptr;
    int status = mxnet.MXNDArrayGetData(results[i], &data);
    if (status == 0) status = push_begin(outputs_[i].array, {outputs_[i].address, data, ++last_loan}, results[i], true, begun);
    if (status != 0) return status;
  }
  return mxnet.MXExecutorForward(executor_, 0);
}

// The engine orders what it is told. `begin` writes the bound array, so it waits for the previous call's readers; `end` writes it
// too, so it waits for this call's, and until then it is a pending reader of the lent array, which nobody can write; or a pending
// writer of the new result, which nobody can read.
int BoundGraph::call_by_mxnet(NDArrayHandle const* given, NDArrayHandle* results) {
  std::vector<void*> lent(feeds_.size());
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (!feeds_[i].address || !is_dense(given[i])) continue;
    int status = mxnet_api().MXNDArrayWaitToRead(given[i]);
    if (status == 0) status = mxnet_api().MXNDArrayGetData(given[i], &lent[i]);
    if (status != 0) return status;
  }
  const int made = make_results(results, false);
  if (made != 0) return made;
  int status = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<Begun> begun;
    status = push(given, lent, results, begun);
    for (const Begun& loan : begun) {
      const int ended = push_end(loan);
      if (status == 0) status = ended;
    }
    if (status == 0) status = copy_results(results);
  }
  if (status != 0) free_arrays(outputs_.size(), results);
  return status;
}

int BoundGraph::call(NDArrayHandle const* given, NDArrayHandle* results) {
  if (direct_) {
    const DirectGraph::Outcome outcome = direct_->call(given, results);
    if (outcome != DirectGraph::Outcome::elsewhere) return outcome == DirectGraph::Outcome::done ? 0 : -1;
  }
  return call_by_mxnet(given, results);
}

int BoundGraph::make_results(NDArrayHandle* results, bool all_with_memory) const {
  const MxNet& mxnet = mxnet_api();
  int status = 0;
  size_t made = 0;
  for (; made < outputs_.size(); ++made) {
    int rank = 0, dtype = 0;
    const int64_t* shape = nullptr;
    status = mxnet.MXNDArrayGetShapeEx64(outputs_[made].array, &rank, &shape);
    if (status == 0) status = mxnet.MXNDArrayGetDType(outputs_[made].array, &dtype);
    const int delayed = all_with_memory || outputs_[made].address ? 0 : 1;
    if (status == 0) status = mxnet.MXNDArrayCreateEx64(shape, rank, context_.device, context_.number, delayed, dtype, &results[made]);
    if (status != 0) break;
  }
  if (status != 0) free_arrays(made, results);
  return status;
}

int BoundGraph::copy_results(NDArrayHandle const* results) const {
  int status = 0;
  for (size_t i = 0; i < outputs_.size() && status == 0; ++i) {
    if (!outputs_[i].address) status = copy(outputs_[i].array, results[i]);
  }
  return status;
}

}  // namespace gn
