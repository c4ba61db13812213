// MXNet's graph pass "neuron": `optimize_for(..., backend="neuron")` in every language, answered by the process (Python).
#pragma once

#include <cstddef>

extern "C" {

// Appends bytes to the answer: the new graph's JSON, or the reason why there is none.
typedef void (*gn_pass_emit_t)(void* sink, const char* bytes, size_t nbytes);

// Gives the new graph a uint8 argument of this name and content on host device `device`.
typedef void (*gn_pass_argument_t)(void* sink, const char* name, int device, const char* bytes, size_t nbytes);

// Answers for the graph; `request` is JSON: "options" (name to text), "args" and "aux" (name, shape, dtype, address, device).
// Nonzero when there is no new graph.
typedef int (*gn_pass_callback_t)(const char* graph, const char* request, void* sink, gn_pass_emit_t emit,
                                  gn_pass_argument_t argument);

}  // extern "C"

namespace gn {

void set_pass_callback(gn_pass_callback_t callback);

}  // namespace gn
