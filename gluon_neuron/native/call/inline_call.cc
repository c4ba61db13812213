// A graph that is one region and for which waking a thread takes a share of its time: it runs on its caller's thread.
#include "call/inline_call.h"

#include <algorithm>
#include <utility>

#include "call/mxnet_ndarray.h"
#include "support/stats.h"

namespace gn {
namespace {

struct Call {
  Node& node;
  Model& model;
  const std::vector<NDArrayHandle>& handles;
  const std::vector<Array>& arrays;
  const std::vector<uint8_t*>& places;
  bool done = false;
};

// The engine has ordered it: what it reads is not written meanwhile.
void run_call(void* argument) {
  Call& call = *static_cast<Call*>(argument);
  for (size_t i = 0; i < call.handles.size(); ++i) {
    // Another thread was quicker: the array may have other contents now, or be in a blocked layout.
    if (version_of(call.handles[i]) != call.arrays[i].version) return;
  }
  try {
    call.node.run(call.model, call.arrays, call.places);
    call.done = true;
  } catch (...) {  // NOLINT(bugprone-empty-catch): MXNet will meet the same error, and report it.
  }
}

InlineCall::Outcome look_at(NDArrayHandle array, Array& seen) {
  switch (see_array(array, seen)) {
    case Seen::yes:
      return InlineCall::Outcome::done;
    case Seen::no:
      return InlineCall::Outcome::elsewhere;
    default:
      return InlineCall::Outcome::error;
  }
}

}  // namespace

InlineCall::InlineCall(Node& node, std::vector<Input> inputs, std::vector<Spec> outputs, Context context, Make make)
    : node_(node),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      context_(context),
      make_(std::move(make)),
      seen_(inputs_.size()) {
  // MXNet does not call a node whose outputs are all empty.
  wanted_ = std::any_of(outputs_.begin(), outputs_.end(), [](const Spec& spec) { return spec.elements() > 0; });
}

InlineCall::Outcome InlineCall::look(NDArrayHandle const* given, std::vector<NDArrayHandle>& handles,
                                     std::vector<Array>& arrays) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    arrays = seen_;
  }
  bool changed = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const bool bound = inputs_[i].array != nullptr;
    handles[i] = bound ? inputs_[i].array : given[inputs_[i].given];
    // Hundreds of weights are as they were at nearly every call; a write on its way is seen once the engine has let it pass.
    if (bound && arrays[i].data && arrays[i].version == version_of(handles[i])) continue;
    const Outcome seen = look_at(handles[i], arrays[i]);
    if (seen != Outcome::done) return seen;
    changed = changed || bound;
  }
  if (changed) {
    const std::lock_guard<std::mutex> lock(mutex_);
    seen_ = arrays;
  }
  return Outcome::done;
}

InlineCall::Outcome InlineCall::call(NDArrayHandle const* given, NDArrayHandle* results) {
  if (!wanted_ || calls_++ < kBefore) return Outcome::elsewhere;
  std::vector<NDArrayHandle> handles(inputs_.size());
  std::vector<Array> arrays;
  const Outcome seen = look(given, handles, arrays);
  if (seen != Outcome::done) return seen;
  std::shared_ptr<Model> model;
  try {
    model = node_.model(arrays, outputs_);
  } catch (...) {
    return Outcome::elsewhere;
  }
  if (model->shortest_run() > (model->takes_all_cores() ? kLongest : kShort)) {
    wanted_ = model->runs() < kEnough;
    return Outcome::elsewhere;
  }
  if (make_(results) != 0) return Outcome::elsewhere;
  std::vector<uint8_t*> places;
  int status = 0;
  for (size_t i = 0; status == 0 && i < outputs_.size(); ++i) {
    void* data = nullptr;
    status = mxnet_api().MXNDArrayGetData(results[i], &data);
    places.push_back(static_cast<uint8_t*>(data));
  }
  Call made{node_, *model, handles, arrays, places};
  if (status == 0) {
    status = run_in_order(run_call, &made, context_, handles, std::vector<NDArrayHandle>(results, results + outputs_.size()));
  }
  if (status == 0 && made.done) {
    ++stats().direct_calls;
    return Outcome::done;
  }
  free_arrays(outputs_.size(), results);
  return Outcome::elsewhere;
}

}  // namespace gn
