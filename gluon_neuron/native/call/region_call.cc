// A call of a graph that is one region: the node is ours, and MXNet's engine only puts the calls in order.
#include "call/region_call.h"

#include <utility>

#include "call/mxnet_ndarray.h"
#include "support/errors.h"

namespace gn {
namespace {

std::vector<ArrayKind> kinds_of(const std::vector<Spec>& specs) {
  std::vector<ArrayKind> found;
  found.reserve(specs.size());
  for (const Spec& spec : specs) found.push_back({spec.shape, spec.dtype ? spec.dtype->flag : -1});
  return found;
}

}  // namespace

// Handles of our own: what they stand for lives as long.
class RegionCall::Held {
 public:
  Held() = default;
  ~Held() { free_arrays(handles_.size(), handles_.data()); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  NDArrayHandle hold(NDArrayHandle array) {
    handles_.reserve(handles_.size() + 1);
    NDArrayHandle copy = nullptr;
    if (mxnet_api().MXShallowCopyNDArray(array, &copy) != 0) throw Error(mxnet_api().MXGetLastError());
    handles_.push_back(copy);
    return copy;
  }

  // It is this one's from now on.
  void take(NDArrayHandle array) { handles_.push_back(array); }

 private:
  std::vector<NDArrayHandle> handles_;
};

struct RegionCall::Region {
  Region(std::unique_ptr<Node> made, const std::vector<InlineCall::Input>& given) : node(std::move(made)), inputs(given) {
    for (InlineCall::Input& input : inputs) {
      if (input.array) input.array = weights.hold(input.array);
    }
  }

  const std::unique_ptr<Node> node;
  Held weights;
  std::vector<InlineCall::Input> inputs;
};

RegionCall::RegionCall(std::unique_ptr<Node> node, const std::vector<InlineCall::Input>& inputs, const std::vector<Spec>& data,
                       std::vector<Spec> outputs, Context context)
    : GraphCall(kinds_of(data), context),
      region_(std::make_shared<Region>(std::move(node), inputs)),
      outputs_(std::move(outputs)),
      inline_(*region_->node, region_->inputs, outputs_, context,
              [this](NDArrayHandle* results) { return make_results(results); }) {}

int RegionCall::call(NDArrayHandle const* given, NDArrayHandle* results) {
  const InlineCall::Outcome outcome = inline_.call(given, results);
  if (outcome != InlineCall::Outcome::elsewhere) return outcome == InlineCall::Outcome::done ? 0 : -1;
  int status = make_results(results);
  if (status != 0) return status;
  status = push(given, results);
  if (status != 0) free_arrays(outputs_.size(), results);
  return status;
}

int RegionCall::push(NDArrayHandle const* given, NDArrayHandle const* results) {
  struct Call {
    std::shared_ptr<Region> region;
    Held arrays;
  };
  const auto call = std::make_shared<Call>();
  call->region = region_;
  std::vector<NDArrayHandle> read, written;
  for (const InlineCall::Input& input : region_->inputs) {
    if (input.array) {
      read.push_back(input.array);
    } else if (is_dense(given[input.given])) {
      read.push_back(call->arrays.hold(given[input.given]));
    } else {
      NDArrayHandle dense = nullptr;
      int status = make_array(inputs()[input.given], context(), true, &dense);
      if (status != 0) return status;
      call->arrays.take(dense);
      status = copy_array(given[input.given], dense);
      if (status != 0) return status;
      read.push_back(dense);
    }
  }
  std::vector<uint8_t*> places;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    void* data = nullptr;
    const int status = mxnet_api().MXNDArrayGetData(results[i], &data);
    if (status != 0) return status;
    places.push_back(static_cast<uint8_t*>(data));
    written.push_back(call->arrays.hold(results[i]));
  }
  Node& node = *region_->node;
  return run_in_engine(
      [&node, outputs = outputs_, places](const std::vector<Array>& arrays) { node.forward(arrays, outputs, places); }, call,
      context(), read, written, node.name().c_str());
}

int RegionCall::make_results(NDArrayHandle* results) const {
  for (size_t made = 0; made < outputs_.size(); ++made) {
    const int status = make_array({outputs_[made].shape, outputs_[made].dtype->flag}, context(), false, &results[made]);
    if (status == 0) continue;
    free_arrays(made, results);
    return status;
  }
  return 0;
}

}  // namespace gn
