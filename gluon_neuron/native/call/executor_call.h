// A call through an executor of MXNet's: data in, the graph, results out, all pushed to MXNet's engine in one go.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "call/graph_call.h"
#include "call/mxnet_api.h"

namespace gn {

class ExecutorCall : public GraphCall {
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
  ~ExecutorCall() override;

  // Waits for data that stands in, and for nothing else.
  int call(NDArrayHandle const* given, NDArrayHandle* results) override;

 private:
  class Substitutions;

  int push(NDArrayHandle const* given, const std::vector<void*>& substitutes, NDArrayHandle const* results,
           Substitutions& substitutions);
  // New arrays for the outputs, with memory where they stand in for bound ones.
  int make_results(NDArrayHandle* results) const;
  int copy_results(NDArrayHandle const* results) const;

  const ExecutorHandle executor_;
  const std::vector<Feed> feeds_;
  const std::vector<Result> outputs_;
  std::mutex mutex_;  // calls of several threads are pushed one after the other
};

}  // namespace gn
