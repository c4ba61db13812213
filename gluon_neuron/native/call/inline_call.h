// A graph that is one region and for which waking a thread takes a share of its time: it runs on its caller's thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "call/mxnet_api.h"
#include "call/node.h"

namespace gn {

// MXNet hands a call to a thread of its own and the caller waits for that one, which costs a small net as much as its numbers do,
// and one of 10 ms some percent. Here the engine only sees to the order; the arrays are read and written where they are.
class InlineCall {
 public:
  // An input of the node: an array that is bound to it, or else one of those given, by its place.
  struct Input {
    NDArrayHandle array = nullptr;
    size_t given = 0;
  };

  // Makes arrays for the outputs, with memory; gives MXNet's own status.
  using Make = std::function<int(NDArrayHandle*)>;

  // What runs here: models that took at most `kLongest` once; that long only if they keep all cores busy, as nothing could be
  // done on the caller's thread meanwhile, else `kShort`. A thread of the engine's makes the first `kBefore` calls; after
  // `kEnough` runs that were all longer, all.
  static constexpr std::chrono::microseconds kLongest{30'000}, kShort{500};
  static constexpr uint64_t kBefore = 3, kEnough = 1000;

  // To be made only where sees_arrays(). `node` is the one that the engine calls too, and outlives this.
  InlineCall(Node& node, std::vector<Input> inputs, std::vector<Spec> outputs, Context context, Make make);

  // `error`: in the data, which MXNet reports once; its text is left with MXNet. `elsewhere`: nothing was done, and the engine
  // is to make the call; also when it went wrong here, so that such errors come the way they always do.
  enum class Outcome { done, elsewhere, error };

  // Waits for the given arrays and for the outputs, whose handles it writes to `results`; the caller owns them.
  Outcome call(NDArrayHandle const* given, NDArrayHandle* results);

 private:
  Outcome look(NDArrayHandle const* given, std::vector<NDArrayHandle>& handles, std::vector<Array>& arrays);

  Node& node_;
  const std::vector<Input> inputs_;
  const std::vector<Spec> outputs_;
  const Context context_;
  const Make make_;
  std::atomic<uint64_t> calls_{0};
  std::atomic<bool> wanted_{true};
  std::vector<Array> seen_;  // the bound arrays at the last call; null where unknown
  std::mutex mutex_;         // of seen_
};

}  // namespace gn
