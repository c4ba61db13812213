// The library's own C interface, called by Python through ctypes; any C program may use it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "boundary/graph_pass.h"
#include "boundary/log.h"
#include "model/specialise.h"
#include "model/timing.h"

// No exception leaves these functions, whatever they are given: null for a place that is to be read is an error, which is said
// below where it differs from "nothing is done". A function that returns a status returns 0 when all went well; otherwise, or
// where a result says so, gn_last_error() has the reason, of the last failure on the calling thread.
extern "C" {

// Empty as long as nothing failed. Valid until the thread's next failure.
const char* gn_last_error();

// The version of gluon_neuron that the library was built as.
const char* gn_version();

// Where OpenVINO's C library is; to be called before the first node runs.
int gn_set_openvino(const char* path);

// Who makes a program that an artifact does not hold; null for nobody. Waits for a callback that is running, so none
// may call it.
int gn_set_program_callback(gn_program_callback_t callback);

// Who answers MXNet's graph pass "neuron"; null for nobody.
int gn_set_pass_callback(gn_pass_callback_t callback);

// Who hears what is worth a warning, each thing once; null for the standard error stream.
int gn_set_warning_callback(gn_warning_callback_t callback);

// Who hears what is merely worth knowing, each thing once; null for nobody.
int gn_set_info_callback(gn_info_callback_t callback);

// These bytes are an artifact's, and the caller has compared the SHA-256 of every payload in them: it is not computed again.
int gn_artifact_verified(const void* data, size_t size);

// While the sum of what it was called with is positive, programs for the CPU may stand in for a chip's, and nothing is said.
void gn_allow_cpu(int change);

// The Neuron runtime as JSON: "library" (its path) and "visible", "total" and "free" NeuronCores, or "why" there is none. Does
// not start it. Cut off at `size` bytes; returns the length it has in full, 0 for a failure.
size_t gn_neuron_runtime(char* buffer, size_t size);

// To be called after an array was replaced by another one: every node then compares its weights' contents once.
void gn_bump_epoch();
uint64_t gn_epoch();

// To be called before the engine's bulk size is set (MXEngineSetBulkSize): from then on, nodes that the engine may take together
// with a write compare their weights' contents at each call.
void gn_note_bulk();

// Frees what no node uses at the moment, of one graph (its hash) or of all.
int gn_release(const char* graph_hash);
int gn_release_all();

// How often a weight came as a copy made for one call, because MXNet keeps the array in a blocked layout.
uint64_t gn_relayouts();

// What dlopen gave for MXNet's library; 0 when it has all that the next functions need.
int gn_set_mxnet(void* library);

// From now on, watches the nodes that MXNet makes on this thread, as it does when an executor is bound. The end gives those that
// were made, as many as there is `room` for, and how many they are; they are MXNet's, and live as long as the executor.
typedef struct gn_node gn_node_t;
int gn_watch_nodes();
size_t gn_watched_nodes(gn_node_t** nodes, size_t room);

// The node's name in the graph; lives as long as the node.
const char* gn_node_name(gn_node_t* node);

// What the node's artifact (an NDArrayHandle) holds for the node's inputs.
#define GN_SERVES_NOTHING 0
#define GN_SERVES_ANY_SHAPE 1
#define GN_SERVES_COMPILED 2
int gn_node_serves(gn_node_t* node, void* artifact);

// Has the node's model ready, on this thread: its next call finds it. Until that is done, nobody writes the inputs. `inputs` are
// the arrays that will be bound to it (null for data), of which the last is the artifact; `outputs` has for each output MXNet's
// number of its dtype, its rank and its shape. With `meet` it runs a model for any shape once, on zeros, so that the engine has
// met the shape. GN_NOT_HERE where that cannot be done outside of MXNet. GN_LAID_OUT where MXNet has laid out an input for a
// layer of its own: that it is laid out as usual again is for the thread of the array's user, as MXNet lets others read it
// meanwhile.
#define GN_NOT_HERE 1
#define GN_LAID_OUT 2
int gn_node_prepare(gn_node_t* node, size_t n_inputs, void* const* inputs, size_t n_outputs, const int64_t* outputs, int meet);

// How many writes to each array MXNet's engine has completed, once what is written to them is there. GN_NOT_HERE where this build
// of MXNet does not show it.
int gn_versions(size_t n_arrays, void* const* arrays, uint64_t* versions);

// Whether the node's program was made for it and has given its room to others: memory is free once the node is.
int gn_node_evicted(gn_node_t* node);

// An executor, which is the result's own from then on, whose inputs and outputs are moved by one call. For each input: the bound
// array (null: not read), and where its data is if callers' arrays are to stand in for it (null: they are copied into it); for
// each output the same, where new arrays stand in. The arrays belong to the caller and live as long as the result, which is to be
// freed. `device` and `number` are MXNet's context. Null for a failure.
typedef struct gn_bound gn_bound_t;
gn_bound_t* gn_bound_new(void* executor, size_t n_inputs, void* const* inputs, void* const* addresses, size_t n_outputs,
                         void* const* outputs, void* const* result_addresses, int device, int number);

// A graph that is one compiled node, which is called without an executor. `name` and `graph` are the node's in the symbol, `core`
// the NeuronCore that it is to run on (negative: any) and no other if `strict`. For each input of the node: the array that it
// reads (which is held), or null and its place among the arrays of a call. `data` describes those, `outputs` what the node gives:
// for each, MXNet's number of the dtype (negative for data that is not read), the rank and the shape. Null for a failure; for one
// without a reason, this build of MXNet does not show what it takes, and an executor is to be bound.
gn_bound_t* gn_region_new(const char* name, const char* graph, int core, int strict, size_t n_inputs, void* const* arrays,
                          const size_t* places, size_t n_data, const int64_t* data, size_t n_outputs, const int64_t* outputs,
                          int device, int number);
// The node of such a graph, which lives as long; null for an executor.
gn_node_t* gn_bound_node(gn_bound_t* bound);
// MXNet's own status, and its own error; a failure of ours is both MXNet's last error and gn_last_error's. `results` gets handles
// of new arrays, which the caller owns.
int gn_bound_call(gn_bound_t* bound, void* const* given, void** results);
// The same if the arrays are as the bound ones, nothing is recorded for a gradient, and `epoch` and `relayouts` are still what
// the functions of these names give; otherwise GN_NOT_AS_BOUND, and nothing is done.
#define GN_NOT_AS_BOUND 1
int gn_bound_call_if(gn_bound_t* bound, uint64_t epoch, uint64_t relayouts, void* const* given, void** results);
// To be called on a thread that makes calls: what it frees, MXNet's engine must not be given while others give it what reads the
// same weights, and of others than this library nothing is known.
void gn_bound_free(gn_bound_t* bound);  // may be null

// Around what a caller does with MXNet on its own behalf, so that no other thread forks meanwhile; on the same thread.
void gn_section_begin();
void gn_section_end();

// A section in which no other thread of this library's gives MXNet's engine operations. Nothing that the engine does is to be
// waited for within.
void gn_pushes_begin();
void gn_pushes_end();

// A child that was forked while other threads were at work would find locks held that nobody gives back. So the thread that
// forks waits first, by itself, or by `gn_fork_prepare`, for a caller who has said so and who is not to hold Python's lock. From
// then until one of the others, which are called by themselves too, other threads' calls wait. The fork itself waits for a moment
// until these threads of the caller's (the system's numbers), who are to need Python's lock to go on, have left MXNet. 1: the
// engine had kept an error for whoever would wait for a result (gn_last_error), and does not any more.
void gn_announce_forks();
int gn_fork_prepare(const int* threads, size_t n_threads);
void gn_fork_in_parent();
void gn_fork_in_child();

// Writes counters as JSON, cut off at `size` bytes; returns the length it has in full, 0 for a failure.
size_t gn_stats(char* buffer, size_t size);

// Who is told what programs are timed; null for nobody.
void gn_set_twin_callback(gn_twin_callback_t callback);
// Forgets what was timed; then runs are timed while it is turned on, by programs that are compiled for it, until the end.
int gn_timing_begin();
int gn_timing_turn(int on);
int gn_timing_end();
// What was timed, as JSON (model/timing.h); cut off at `size` bytes. Returns its length, 0 for a failure.
size_t gn_timing_read(char* buffer, size_t size);

}  // extern "C"
