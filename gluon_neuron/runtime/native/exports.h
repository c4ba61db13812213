// The library's own C interface, called by Python through ctypes; any C program may use it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph_pass.h"
#include "specialise.h"

extern "C" {

// The version of gluon_neuron that the library was built as.
const char* gn_version();

// Where OpenVINO's C library is; to be called before the first node runs.
void gn_set_openvino(const char* path);

// Who makes a program that an artifact does not hold; null for nobody. Waits for a callback that is running, so none
// may call it.
void gn_set_program_callback(gn_program_callback_t callback);

// Who answers MXNet's graph pass "neuron"; null for nobody.
void gn_set_pass_callback(gn_pass_callback_t callback);

// To be called after an array was replaced by another one: every node then compares its weights' contents once.
void gn_bump_epoch();
uint64_t gn_epoch();

// Frees what no node uses at the moment, of one graph (its hash) or of all.
void gn_release(const char* graph_hash);
void gn_release_all();

// How often a weight came as a copy made for one call, because MXNet keeps the array in a blocked layout.
uint64_t gn_relayouts();

// An array that stands in for the one that a node was bound to. The two functions are pushed to MXNet's engine (their
// first argument is its own), before the node with the bound array to be written, and behind it with the lent one to be read
// and the bound one to be written: so the engine keeps the lent array as it is until the node has run.
typedef struct {
  const void* bound;
  const void* lent;
} gn_loan_t;
gn_loan_t* gn_loan_new(const void* bound, const void* lent);
void gn_loan_free(void* loan);
void gn_loan_begin(void* run_context, void* loan);
void gn_loan_end(void* run_context, void* bound);

// Writes counters as JSON, cut off at `size` bytes; returns the length it has in full.
size_t gn_stats(char* buffer, size_t size);

}  // extern "C"
