// A call of a graph that is one region: the node is ours, and MXNet's engine only puts the calls in order.
#pragma once

#include <memory>
#include <vector>

#include "call/graph_call.h"
#include "call/inline_call.h"
#include "call/node.h"

namespace gn {

// Nothing of MXNet's is bound: an executor would take milliseconds to bind, have arrays of its own for data and results, count as
// a writer of all weights when it comes and goes, and wait at each call for the random generator that MXNet gives to operators of
// libraries, of which there is one, and which others may hold until this call is done.
//
// To be made only where sees_arrays().
class RegionCall : public GraphCall {
 public:
  // The weights among `inputs` are held. `data` are the specs of what is given, without a dtype where it is not read. Throws
  // Error.
  RegionCall(std::unique_ptr<Node> node, const std::vector<InlineCall::Input>& inputs, const std::vector<Spec>& data,
             std::vector<Spec> outputs, Context context);

  // Runs at once, on this thread, unless that takes long: then MXNet's engine has a thread do it.
  int call(NDArrayHandle const* given, NDArrayHandle* results) override;

 private:
  class Held;
  struct Region;

  int push(NDArrayHandle const* given, NDArrayHandle const* results);
  int make_results(NDArrayHandle* results) const;

  const std::shared_ptr<Region> region_;  // calls that are on their way hold it too
  const std::vector<Spec> outputs_;
  InlineCall inline_;
};

}  // namespace gn
