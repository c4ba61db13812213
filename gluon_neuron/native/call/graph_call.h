// A call of a bound graph: callers' arrays in, new arrays out, whatever runs it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "call/mxnet_api.h"

namespace gn {

// Shape and MXNet's number of the dtype, which may be one that only MXNet's operators know; -1 where an input is not read.
struct ArrayKind {
  std::vector<int64_t> shape;
  int dtype = -1;
};

class GraphCall {
 public:
  virtual ~GraphCall() = default;
  GraphCall(const GraphCall&) = delete;
  GraphCall& operator=(const GraphCall&) = delete;

  // Whether the arrays are of the shapes and dtypes it was bound for, on its device, and nothing is recorded for a gradient.
  bool takes(NDArrayHandle const* given) const;

  // One array for each input; writes the handles of new arrays to `results`, which the caller owns. The result is MXNet's own
  // status, with the text of an error left there.
  virtual int call(NDArrayHandle const* given, NDArrayHandle* results) = 0;

 protected:
  GraphCall(std::vector<ArrayKind> inputs, Context context) : inputs_(std::move(inputs)), context_(context) {}

  const std::vector<ArrayKind>& inputs() const { return inputs_; }
  Context context() const { return context_; }

 private:
  bool is_as_bound(NDArrayHandle array, const ArrayKind& kind) const;

  const std::vector<ArrayKind> inputs_;
  const Context context_;
};

// MXNet's own status.
int kind_of(NDArrayHandle array, ArrayKind* kind);

// A new array, with memory or with memory to come; MXNet's own status.
int make_array(const ArrayKind& kind, Context context, bool delayed, NDArrayHandle* made);

// Copies by MXNet's operator, from whatever storage and context; its own status.
int copy_array(NDArrayHandle from, NDArrayHandle to);

}  // namespace gn
