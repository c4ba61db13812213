// The library's own C interface, called by Python through ctypes; any C program may use it.
#include "boundary/c_api.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "call/executor_call.h"
#include "model/program_selection.h"
#include "model/epoch.h"
#include "support/errors.h"
#include "artifact/json.h"
#include "model/model_cache.h"
#include "call/node.h"
#include "nrt/runtime.h"
#include "openvino/api.h"
#include "support/stats.h"

#ifndef GLUON_NEURON_VERSION
#error "the build defines GLUON_NEURON_VERSION"
#endif

struct gn_bound {
  gn::ExecutorCall graph;
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

std::string runtime_json() {
  try {
    std::string why;
    const gn::Nrt* api = gn::nrt(&why);
    if (!api) return gn::text("{\"why\":", gn::json::quote(why), "}");
    uint32_t total = 0;
    gn::nrt_check(api->total_cores(&total), "count the NeuronCores");
    return gn::text("{\"library\":", gn::json::quote(api->path), ",\"total\":", total, ",\"visible\":", gn::NrtRuntime::get().visible(),
                    ",\"free\":", gn::NrtRuntime::get().free(), "}");
  } catch (const std::exception& error) {
    return gn::text("{\"why\":", gn::json::quote(error.what()), "}");
  }
}

}  // namespace

extern "C" {

const char* gn_version() { return GLUON_NEURON_VERSION; }

void gn_set_openvino(const char* path) { gn::set_openvino_path(path ? path : ""); }

void gn_set_program_callback(gn_program_callback_t callback) { gn::set_program_callback(callback); }

void gn_set_pass_callback(gn_pass_callback_t callback) { gn::set_pass_callback(callback); }

void gn_set_warning_callback(gn_warning_callback_t callback) { gn::set_warning_callback(callback); }

void gn_allow_cpu(int change) { gn::allow_cpu(change); }

size_t gn_neuron_runtime(char* buffer, size_t size) { return hand_over(runtime_json(), buffer, size); }

void gn_bump_epoch() { gn::bump_epoch(); }

uint64_t gn_epoch() { return gn::epoch(); }

void gn_release(const char* graph_hash) {
  if (!graph_hash) return;
  const std::string graph = graph_hash;
  gn::drop_specialised(&graph);
  gn::ModelCache::get().drop_orphans(&graph);
}

void gn_release_all() {
  gn::drop_specialised(nullptr);
  gn::ModelCache::get().drop_orphans(nullptr);
}

int gn_set_mxnet(void* library) { return gn::set_mxnet(library) ? 0 : -1; }

gn_bound_t* gn_bound_new(void* executor, size_t n_inputs, void* const* inputs, void* const* addresses, size_t n_outputs,
                         void* const* outputs, void* const* result_addresses, int device, int number) {
  std::vector<gn::ExecutorCall::Feed> feeds(n_inputs);
  for (size_t i = 0; i < n_inputs; ++i) feeds[i] = {inputs[i], addresses[i]};
  std::vector<gn::ExecutorCall::Result> results(n_outputs);
  for (size_t i = 0; i < n_outputs; ++i) results[i] = {outputs[i], result_addresses[i]};
  return new gn_bound{{executor, std::move(feeds), std::move(results), {device, number}}};
}

void gn_watch_nodes() { gn::Node::watch(); }

gn_node_t* gn_watched_node() { return reinterpret_cast<gn_node_t*>(gn::Node::watched()); }

int gn_bound_alone(gn_bound_t* bound, gn_node_t* node, size_t n_inputs, void* const* inputs) {
  try {
    bound->graph.set_single_region(*reinterpret_cast<gn::Node*>(node), {inputs, inputs + n_inputs});
    return 0;
  } catch (const std::exception&) {
    return -1;  // MXNet says what is wrong with the node when it runs
  }
}

int gn_bound_call(gn_bound_t* bound, void* const* given, void** results) { return bound->graph.call(given, results); }

int gn_bound_call_if(gn_bound_t* bound, uint64_t epoch, uint64_t relayouts, void* const* given, void** results) {
  if (epoch != gn::epoch() || relayouts != gn::stats().relayouts || !bound->graph.takes(given)) return GN_NOT_AS_BOUND;
  return bound->graph.call(given, results);
}

void gn_bound_free(gn_bound_t* bound) { delete bound; }

uint64_t gn_relayouts() { return gn::stats().relayouts; }

size_t gn_stats(char* buffer, size_t size) {
  size_t alive = 0, orphans = 0;
  gn::ModelCache::get().count(&alive, &orphans);
  const gn::Stats& s = gn::stats();
  const std::string out = gn::text(
      "{\"models_alive\":", alive, ",\"orphans\":", orphans, ",\"compiles\":", s.compiles, ",\"content_checks\":", s.content_checks,
      ",\"trusted_calls\":", s.trusted_calls, ",\"direct_calls\":", s.direct_calls, ",\"calls\":", s.calls, ",\"parts\":", s.parts,
      ",\"bytes_hashed\":", s.bytes_hashed,
      ",\"specialisations\":", s.specialisations, ",\"artifacts_parsed\":", s.artifacts_parsed, ",\"relayouts\":", s.relayouts,
      ",\"fallbacks\":", s.fallbacks, ",\"most_running\":", gn::stats().most_running.exchange(s.running), "}");
  return hand_over(out, buffer, size);
}

}  // extern "C"
