// A call through an executor of MXNet's: data in, the graph, results out, all pushed to MXNet's engine in one go.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "call/array_substitution.h"
#include "call/inline_call.h"
#include "call/mxnet_api.h"

namespace gn {

class ExecutorCall {
 public:
  // An input's bound array; null where the graph does not read it.
  struct Feed {
    NDArrayHandle array = nullptr;
    const void* address = nullptr;  // of its data, where callers' arrays stand in for it: only compiled regions read it
  };

  // An output's bound array.
  struct Result {
    NDArrayHandle array = nullptr;
    const void* address =
        nullptr;  // of its data, where new arrays stand in for it: a region alone writes it, and nobody reads it
  };

  // The executor is its own from now on.
  ExecutorCall(ExecutorHandle executor, std::vector<Feed> feeds, std::vector<Result> outputs, Context context);
  ~ExecutorCall();
  ExecutorCall(const ExecutorCall&) = delete;
  ExecutorCall& operator=(const ExecutorCall&) = delete;

  // The graph is this node alone, whose inputs are bound arrays: from now on, calls may run on the caller's thread. Throws Error.
  void set_single_region(Node& node, const std::vector<NDArrayHandle>& inputs);

  // Whether the arrays are of the bound ones' shapes and dtypes, on their device, and nothing is recorded for a gradient.
  bool takes(NDArrayHandle const* given) const;

  // One array for each feed; writes the handles of new arrays to `results`, which the caller owns. The result is MXNet's own
  // status, with the text of an error left there. Waits for data that stands in and for nothing else, unless it runs on this
  // thread.
  int call(NDArrayHandle const* given, NDArrayHandle* results);

 private:
  class Substitutions;

  int call_by_mxnet(NDArrayHandle const* given, NDArrayHandle* results);
  int push(NDArrayHandle const* given, const std::vector<void*>& substitutes, NDArrayHandle const* results,
           Substitutions& substitutions);
  bool same_kind(NDArrayHandle one, NDArrayHandle other) const;
  // New arrays for the outputs, with memory where they stand in for bound ones, or all.
  int make_results(NDArrayHandle* results, bool all_with_memory) const;
  int copy_results(NDArrayHandle const* results) const;

  const ExecutorHandle executor_;
  const std::vector<Feed> feeds_;
  const std::vector<Result> outputs_;
  Context context_;
  std::unique_ptr<InlineCall> inline_;
  std::mutex mutex_;  // calls of several threads are pushed one after the other
};

}  // namespace gn
