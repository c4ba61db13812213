// The library's own C interface, called by Python through ctypes; any C program may use it.
#include "boundary/c_api.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "artifact/artifact_cache.h"
#include "artifact/checksums.h"
#include "artifact/json.h"
#include "boundary/forks.h"
#include "boundary/guard.h"
#include "call/executor_call.h"
#include "call/graph_call.h"
#include "call/mxnet_ndarray.h"
#include "call/node.h"
#include "call/push_order.h"
#include "call/region_call.h"
#include "model/epoch.h"
#include "model/model_cache.h"
#include "model/program_selection.h"
#include "nrt/runtime.h"
#include "openvino/api.h"
#include "support/errors.h"
#include "support/fork_gate.h"
#include "support/stats.h"

#ifndef GLUON_NEURON_VERSION
#error "the build defines GLUON_NEURON_VERSION"
#endif

struct gn_bound {
  std::unique_ptr<gn::GraphCall> graph;
  gn::Node* node;  // null for an executor
};

namespace {

size_t hand_over(const std::string& out, char* buffer, size_t size) {
  if (buffer && size > 0) {
    const size_t length = std::min(size - 1, out.size());
    std::memcpy(buffer, out.data(), length);
    buffer[length] = '\0';
  }
  return out.size();
}

// Not a string: it is written where there may be no memory, and read where thread-local objects may be gone.
thread_local char last_error[2048] = "";

void report(const char* why) noexcept {
  std::strncpy(last_error, why, sizeof last_error - 1);
  last_error[sizeof last_error - 1] = '\0';
}

// A status: 0, or -1 with gn_last_error() set.
template <class Body>
int status_of(Body body) noexcept {
  const gn::InSection section(gn::Section::call);
  return gn::guarded(body, report) ? 0 : -1;
}

// What `body` gives, or `otherwise` with gn_last_error() set.
template <class Result, class Body>
Result result_of(Result otherwise, Body body) noexcept {
  const gn::InSection section(gn::Section::call);
  Result result = otherwise;
  return gn::guarded([&] { result = body(); }, report) ? result : otherwise;
}

void need(bool there, const char* what) {
  if (!there) throw gn::Error(gn::text("gluon_neuron: ", what, " is null"));
}

struct Preparation {
  std::function<int()> body;
  std::string why;
  int status;
};

void run_preparation(void* argument) {
  Preparation& preparation = *static_cast<Preparation*>(argument);
  try {
    preparation.status = preparation.body();
  } catch (const std::exception& error) {
    preparation.why = error.what();
  }
}

// Each is the number of a dtype, or a negative one for none, a rank, and so many extents.
std::vector<gn::Spec> specs_in(const int64_t* numbers, size_t count) {
  std::vector<gn::Spec> found(count);
  for (gn::Spec& spec : found) {
    const int flag = static_cast<int>(*numbers++);
    if (flag >= 0) spec.dtype = gn::dtype_by_flag(flag);
    if (flag >= 0 && !spec.dtype) throw gn::Error(gn::text("gluon_neuron: an array has MXNet's unknown dtype number ", flag));
    const int64_t rank = *numbers++;
    spec.shape.assign(numbers, numbers + rank);
    numbers += rank;
  }
  return found;
}

// A call's own failures are to be found where those of MXNet are.
int call_status(int status) noexcept {
  if (status < 0 && *last_error) gn::set_mxnet_error(last_error);
  return status;
}

int call(gn_bound_t* bound, void* const* given, void** results) {
  need(bound && given && results, "an argument of a call");
  return bound->graph->call(given, results);
}

std::string runtime_json() {
  try {
    std::string why;
    const gn::Nrt* api = gn::nrt(&why);
    if (!api) return gn::text("{\"why\":", gn::json::quote(why), "}");
    uint32_t total = 0;
    gn::nrt_check(api->total_cores(&total), "count the NeuronCores");
    return gn::text("{\"library\":", gn::json::quote(api->path), ",\"total\":", total,
                    ",\"visible\":", gn::NrtRuntime::get().visible(), ",\"free\":", gn::NrtRuntime::get().free(), "}");
  } catch (const std::exception& error) {
    return gn::text("{\"why\":", gn::json::quote(error.what()), "}");
  }
}

}  // namespace

extern "C" {

const char* gn_last_error() { return last_error; }

const char* gn_version() { return GLUON_NEURON_VERSION; }

int gn_set_openvino(const char* path) {
  return status_of([&] { gn::set_openvino_path(path ? path : ""); });
}

int gn_set_program_callback(gn_program_callback_t callback) {
  return status_of([&] { gn::set_program_callback(callback); });
}

int gn_set_pass_callback(gn_pass_callback_t callback) {
  return status_of([&] { gn::set_pass_callback(callback); });
}

int gn_set_warning_callback(gn_warning_callback_t callback) {
  return status_of([&] { gn::set_warning_callback(callback); });
}

int gn_set_info_callback(gn_info_callback_t callback) {
  return status_of([&] { gn::set_info_callback(callback); });
}

int gn_artifact_verified(const void* data, size_t size) {
  return status_of([&] {
    need(data, "the artifact");
    const auto* bytes = static_cast<const uint8_t*>(data);
    const auto artifact = gn::artifact_of(bytes, size, gn::content_hash(bytes, size));
    for (const auto& program : artifact->programs) {
      gn::remember_sha256(artifact->digest, program->payload.offset, program->payload.size, program->sha256);
    }
  });
}

void gn_allow_cpu(int change) { gn::allow_cpu(change); }

size_t gn_neuron_runtime(char* buffer, size_t size) {
  return result_of(size_t{0}, [&] { return hand_over(runtime_json(), buffer, size); });
}

void gn_bump_epoch() { gn::bump_epoch(); }

uint64_t gn_epoch() { return gn::epoch(); }

void gn_note_bulk() { gn::note_bulk(); }

// Python calls these three while it collects garbage, within whatever it holds: they wait for no fork.
int gn_release(const char* graph_hash) {
  const gn::InSection section(gn::Section::engine);
  return status_of([&] {
    if (!graph_hash) return;
    const std::string graph = graph_hash;
    gn::drop_specialised(&graph);
    gn::ModelCache::get().drop_orphans(&graph);
  });
}

int gn_release_all() {
  const gn::InSection section(gn::Section::engine);
  return status_of([] {
    gn::drop_specialised(nullptr);
    gn::ModelCache::get().drop_orphans(nullptr);
  });
}

int gn_set_mxnet(void* library) {
  return status_of([&] {
    need(library, "MXNet's library");
    gn::forks::install();
    if (!gn::set_mxnet(library)) throw gn::Error("gluon_neuron: MXNet lacks C functions that are needed here");
  });
}

gn_bound_t* gn_bound_new(void* executor, size_t n_inputs, void* const* inputs, void* const* addresses, size_t n_outputs,
                         void* const* outputs, void* const* result_addresses, int device, int number) {
  return result_of(static_cast<gn_bound_t*>(nullptr), [&] {
    need(executor, "the executor");
    need(n_inputs == 0 || (inputs && addresses), "a list of inputs");
    need(n_outputs == 0 || (outputs && result_addresses), "a list of outputs");
    std::vector<gn::ExecutorCall::Feed> feeds(n_inputs);
    for (size_t i = 0; i < n_inputs; ++i) feeds[i] = {inputs[i], addresses[i]};
    std::vector<gn::ExecutorCall::Result> results(n_outputs);
    for (size_t i = 0; i < n_outputs; ++i) {
      need(outputs[i], "an output");
      results[i] = {outputs[i], result_addresses[i]};
    }
    const gn::Context context{device, number};
    return new gn_bound{std::make_unique<gn::ExecutorCall>(executor, std::move(feeds), std::move(results), context), nullptr};
  });
}

gn_bound_t* gn_region_new(const char* name, const char* graph, int core, int strict, size_t n_inputs, void* const* arrays,
                          const size_t* places, size_t n_data, const int64_t* data, size_t n_outputs, const int64_t* outputs,
                          int device, int number) {
  *last_error = '\0';
  return result_of(static_cast<gn_bound_t*>(nullptr), [&]() -> gn_bound_t* {
    need(name && graph, "the node");
    need(n_inputs == 0 || (arrays && places), "a list of inputs");
    need((n_data == 0 || data) && (n_outputs == 0 || outputs), "a description");
    if (!gn::sees_arrays()) return nullptr;
    const std::vector<gn::Spec> given = specs_in(data, n_data), results = specs_in(outputs, n_outputs);
    std::vector<gn::InlineCall::Input> inputs(n_inputs);
    std::vector<gn::Spec> specs;
    for (size_t i = 0; i < n_inputs; ++i) {
      inputs[i] = {arrays[i], places[i]};
      if (!arrays[i] && (places[i] >= n_data || !given[places[i]].dtype)) {
        throw gn::Error(gn::text("gluon_neuron: input ", i, " of node ", name, " is neither an array nor data"));
      }
      specs.push_back(arrays[i] ? gn::spec_of(arrays[i]) : given[places[i]]);
    }
    gn::Placement placement;
    placement.core = core;
    placement.strict = strict != 0;
    auto node = std::make_unique<gn::Node>(name, graph, std::move(specs), placement);
    gn::Node* const known = node.get();
    const gn::Context context{device, number};
    return new gn_bound{std::make_unique<gn::RegionCall>(std::move(node), inputs, given, results, context), known};
  });
}

gn_node_t* gn_bound_node(gn_bound_t* bound) { return bound ? reinterpret_cast<gn_node_t*>(bound->node) : nullptr; }

int gn_watch_nodes() {
  return status_of([] { gn::Node::watch(); });
}

size_t gn_watched_nodes(gn_node_t** nodes, size_t room) {
  return result_of(size_t{0}, [&] {
    const std::vector<gn::Node*> found = gn::Node::watched();
    for (size_t i = 0; nodes && i < std::min(room, found.size()); ++i) nodes[i] = reinterpret_cast<gn_node_t*>(found[i]);
    return found.size();
  });
}

const char* gn_node_name(gn_node_t* node) { return node ? reinterpret_cast<gn::Node*>(node)->name().c_str() : ""; }

int gn_node_serves(gn_node_t* node, void* artifact) {
  return result_of(-1, [&] {
    need(node && artifact, "an argument");
    gn::Array array{};
    if (gn::see_array(artifact, array) != gn::Seen::yes) throw gn::Error("gluon_neuron: the artifact cannot be read");
    return static_cast<int>(reinterpret_cast<gn::Node*>(node)->serves(array));
  });
}

int gn_node_prepare(gn_node_t* node, size_t n_inputs, void* const* inputs, size_t n_outputs, const int64_t* outputs, int meet) {
  return result_of(-1, [&] {
    need(node && inputs && (n_outputs == 0 || outputs), "an argument");
    if (!gn::sees_arrays()) return GN_NOT_HERE;
    auto& made = *reinterpret_cast<gn::Node*>(node);
    if (n_inputs != made.inputs()) throw gn::Error("gluon_neuron: the node has another number of inputs");
    const std::vector<gn::Spec> specs = specs_in(outputs, n_outputs);
    std::vector<NDArrayHandle> read;
    for (size_t i = 0; i < n_inputs; ++i) {
      if (inputs[i]) read.push_back(inputs[i]);
    }
    const auto body = [&] {
      std::vector<gn::Array> arrays(n_inputs);
      for (size_t i = 0; i < n_inputs; ++i) {
        if (inputs[i] && !gn::see_while_read(inputs[i], arrays[i])) return GN_LAID_OUT;
      }
      if (!meet) {
        made.prepare(arrays, specs);
        return 0;
      }
      return made.meet_shape(arrays, specs) ? 0 : GN_NOT_HERE;
    };
    Preparation preparation{body, {}, 0};
    if (!gn::run_while_read(run_preparation, &preparation, read)) return GN_LAID_OUT;
    if (!preparation.why.empty()) throw gn::Error(preparation.why);
    return preparation.status;
  });
}

int gn_versions(size_t n_arrays, void* const* arrays, uint64_t* versions) {
  return result_of(-1, [&] {
    need(n_arrays == 0 || (arrays && versions), "an argument");
    if (!gn::sees_arrays()) return GN_NOT_HERE;
    for (size_t i = 0; i < n_arrays; ++i) {
      if (gn::mxnet_api().MXNDArrayWaitToRead(arrays[i]) != 0) throw gn::Error(gn::mxnet_api().MXGetLastError());
      versions[i] = gn::version_of(arrays[i]);
    }
    return 0;
  });
}

int gn_node_evicted(gn_node_t* node) {
  return result_of(-1, [&] {
    need(node, "the node");
    return reinterpret_cast<gn::Node*>(node)->evicted() ? 1 : 0;
  });
}

int gn_bound_call(gn_bound_t* bound, void* const* given, void** results) {
  *last_error = '\0';
  return call_status(result_of(-1, [&] { return call(bound, given, results); }));
}

int gn_bound_call_if(gn_bound_t* bound, uint64_t epoch, uint64_t relayouts, void* const* given, void** results) {
  *last_error = '\0';
  return call_status(result_of(-1, [&] {
    need(bound && given, "an argument of a call");
    if (epoch != gn::epoch() || relayouts != gn::stats().relayouts || !bound->graph->takes(given)) return GN_NOT_AS_BOUND;
    return call(bound, given, results);
  }));
}

void gn_bound_free(gn_bound_t* bound) {
  const gn::InSection section(gn::Section::engine);
  gn::guarded([&] { delete bound; }, report);
}

void gn_section_begin() { gn::enter(gn::Section::call); }

void gn_section_end() { gn::leave(); }

void gn_pushes_begin() {
  gn::enter(gn::Section::call);
  gn::begin_pushes();
}

void gn_pushes_end() {
  gn::end_pushes();
  gn::leave();
}

void gn_announce_forks() { gn::forks::announce(); }

int gn_fork_prepare(const int* threads, size_t n_threads) {
  std::string lost;
  if (!gn::guarded([&] { lost = gn::forks::prepare({threads, threads + n_threads}); }, report)) return -1;
  if (lost.empty()) return 0;
  report(lost.c_str());
  return 1;
}

void gn_fork_in_parent() { gn::forks::in_parent(); }

void gn_fork_in_child() { gn::forks::in_child(); }

uint64_t gn_relayouts() { return gn::stats().relayouts; }

void gn_set_twin_callback(gn_twin_callback_t callback) { gn::timing::set_twin_callback(callback); }

int gn_timing_begin() {
  return status_of([] { gn::timing::begin(); });
}

int gn_timing_turn(int on) {
  return status_of([on] { gn::timing::turn(on != 0); });
}

int gn_timing_end() {
  return status_of([] { gn::timing::end(); });
}

size_t gn_timing_read(char* buffer, size_t size) {
  return result_of(size_t{0}, [&] { return hand_over(gn::timing::read(), buffer, size); });
}

size_t gn_stats(char* buffer, size_t size) {
  return result_of(size_t{0}, [&] {
    size_t alive = 0, orphans = 0;
    gn::ModelCache::get().count(&alive, &orphans);
    const gn::Stats& s = gn::stats();
    const std::string out =
        gn::text("{\"models_alive\":", alive, ",\"orphans\":", orphans, ",\"compiles\":", s.compiles,
                 ",\"content_checks\":", s.content_checks, ",\"trusted_calls\":", s.trusted_calls,
                 ",\"direct_calls\":", s.direct_calls, ",\"calls\":", s.calls, ",\"parts\":", s.parts,
                 ",\"bytes_hashed\":", s.bytes_hashed, ",\"specialisations\":", s.specialisations, ",\"evictions\":", s.evictions,
                 ",\"artifacts_parsed\":", s.artifacts_parsed, ",\"relayouts\":", s.relayouts, ",\"fallbacks\":", s.fallbacks,
                 ",\"most_running\":", gn::stats().most_running.exchange(s.running), "}");
    return hand_over(out, buffer, size);
  });
}

}  // extern "C"
