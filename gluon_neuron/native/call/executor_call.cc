// A call through an executor of MXNet's: data in, the graph, results out, all pushed to MXNet's engine in one go.
#include "call/executor_call.h"

#include <atomic>
#include <memory>
#include <utility>

#include "call/array_substitution.h"
#include "call/push_order.h"
#include "support/errors.h"

namespace gn {
namespace {

// MXNet's engine calls these; their first argument is its own.
void begin_in_engine(void*, void* substitution) { begin_substitution(*static_cast<const ArraySubstitution*>(substitution)); }

void end_in_engine(void*, void* substitution) { end_substitution(*static_cast<const ArraySubstitution*>(substitution)); }

void free_substitution(void* substitution) { delete static_cast<ArraySubstitution*>(substitution); }

// The engine skips `end_in_engine` when the call failed, but frees its argument.
void end_and_free_substitution(void* substitution) {
  end_in_engine(nullptr, substitution);
  free_substitution(substitution);
}

std::atomic<uint64_t> last_substitution{0};

std::vector<ArrayKind> kinds_of(const std::vector<ExecutorCall::Feed>& feeds) {
  std::vector<ArrayKind> found(feeds.size());
  for (size_t i = 0; i < feeds.size(); ++i) {
    if (feeds[i].array && kind_of(feeds[i].array, &found[i]) != 0) throw Error(mxnet_api().MXGetLastError());
  }
  return found;
}

}  // namespace

// The substitutions of one call. Those that have begun end with it, however the call went.
class ExecutorCall::Substitutions {
 public:
  Substitutions(Context context, size_t most) : context_(context) { begun_.reserve(most); }
  ~Substitutions() { end(); }
  Substitutions(const Substitutions&) = delete;
  Substitutions& operator=(const Substitutions&) = delete;

  // From here on, `substitute`, which is the data of the array `other`, stands in for `address`, the data of the bound array; the
  // call reads `other`, or writes it. The result is MXNet's own status.
  int begin(NDArrayHandle array, const void* address, const void* substitute, NDArrayHandle other, bool written) {
    const ArraySubstitution substitution{address, substitute, ++last_substitution};
    // What the end needs is made before, for there nothing may fail.
    Begun begun{array, other, written, std::make_unique<ArraySubstitution>(substitution)};
    const int status = mxnet_api().MXEnginePushSyncND(begin_in_engine, new ArraySubstitution(substitution), free_substitution,
                                                      &context_, nullptr, 0, &array, 1, nullptr, 0, "gluon_neuron substitution");
    if (status == 0) begun_.push_back(std::move(begun));
    return status;
  }

  // Ends those that have begun; MXNet's status where one could not be.
  int end() {
    int status = 0;
    for (Begun& each : begun_) {
      NDArrayHandle written[] = {each.array, each.other};
      NDArrayHandle read = each.other;
      const int ended = mxnet_api().MXEnginePushSyncND(end_in_engine, each.substitution.release(), end_and_free_substitution,
                                                       &context_, &read, each.written ? 0 : 1, written, each.written ? 2 : 1,
                                                       nullptr, 0, "gluon_neuron substitution");
      if (status == 0) status = ended;
    }
    begun_.clear();
    return status;
  }

 private:
  struct Begun {
    NDArrayHandle array, other;
    bool written;
    std::unique_ptr<ArraySubstitution> substitution;
  };

  Context context_;
  std::vector<Begun> begun_;
};

ExecutorCall::ExecutorCall(ExecutorHandle executor, std::vector<Feed> feeds, std::vector<Result> outputs, Context context)
    : GraphCall(kinds_of(feeds), context), executor_(executor), feeds_(std::move(feeds)), outputs_(std::move(outputs)) {}

ExecutorCall::~ExecutorCall() {
  const PushesInOrder ordered;
  if (mxnet_api().MXExecutorFree) mxnet_api().MXExecutorFree(executor_);
}

int ExecutorCall::push(NDArrayHandle const* given, const std::vector<void*>& substitutes, NDArrayHandle const* results,
                       Substitutions& substitutions) {
  const MxNet& mxnet = mxnet_api();
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    if (!feed.array) continue;
    const int status = substitutes[i] ? substitutions.begin(feed.array, feed.address, substitutes[i], given[i], false)
                                      : copy_array(given[i], feed.array);
    if (status != 0) return status;
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].address) continue;
    void* data = nullptr;
    int status = mxnet.MXNDArrayGetData(results[i], &data);
    if (status == 0) status = substitutions.begin(outputs_[i].array, outputs_[i].address, data, results[i], true);
    if (status != 0) return status;
  }
  return mxnet.MXExecutorForward(executor_, 0);
}

// The engine orders what it is told. The beginning of a substitution writes the bound array, so it waits for the previous call's
// readers; its end writes it too, so it waits for this call's, and until then it is a pending reader of the array that stands in,
// which nobody can write; or a pending writer of the new result, which nobody can read.
int ExecutorCall::call(NDArrayHandle const* given, NDArrayHandle* results) {
  std::vector<void*> substitutes(feeds_.size());
  for (size_t i = 0; i < feeds_.size(); ++i) {
    if (!feeds_[i].address || !is_dense(given[i])) continue;
    int status = mxnet_api().MXNDArrayWaitToRead(given[i]);
    if (status != 0) return status;
    // It is copied where another thread lays it out for itself at the same time.
    if (mxnet_api().MXNDArrayGetData(given[i], &substitutes[i]) != 0) substitutes[i] = nullptr;
  }
  const int made = make_results(results);
  if (made != 0) return made;
  int status = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const PushesInOrder ordered;
    Substitutions substitutions(context(), feeds_.size() + outputs_.size());
    status = push(given, substitutes, results, substitutions);
    const int ended = substitutions.end();
    if (status == 0) status = ended;
    if (status == 0) status = copy_results(results);
  }
  if (status != 0) free_arrays(outputs_.size(), results);
  return status;
}

int ExecutorCall::make_results(NDArrayHandle* results) const {
  for (size_t made = 0; made < outputs_.size(); ++made) {
    ArrayKind kind;
    int status = kind_of(outputs_[made].array, &kind);
    if (status == 0) status = make_array(kind, context(), !outputs_[made].address, &results[made]);
    if (status == 0) continue;
    free_arrays(made, results);
    return status;
  }
  return 0;
}

int ExecutorCall::copy_results(NDArrayHandle const* results) const {
  int status = 0;
  for (size_t i = 0; i < outputs_.size() && status == 0; ++i) {
    if (!outputs_[i].address) status = copy_array(outputs_[i].array, results[i]);
  }
  return status;
}

}  // namespace gn
