// Programs for signatures that a node's artifact does not hold, asked of the process (Python) and kept for a while.
#include "model/specialise.h"

#include <algorithm>
#include <list>
#include <mutex>

#include "artifact/json.h"
#include "model/model_cache.h"
#include "support/errors.h"
#include "support/fork_gate.h"
#include "support/stats.h"

namespace gn {
namespace {

struct Entry {
  std::string graph, request;
  Purpose purpose;
  std::shared_ptr<const Artifact> artifact;
};

struct Specialised {
  std::mutex mutex;  // also held while the callback runs, so that a program is made once
  std::list<Entry> recent;  // the last one used first
  gn_program_callback_t callback = nullptr;

  std::mutex drops_mutex;  // held for a moment only
  std::vector<std::string> drops;  // graphs to be forgotten; the empty name is that of all
};

Specialised& specialised() {
  static Specialised* const instance = new Specialised;
  return *instance;
}

std::string spec_json(const Spec& spec) {
  std::string out = "\"shape\":[";
  for (size_t i = 0; i < spec.shape.size(); ++i) out += text(i ? "," : "", spec.shape[i]);
  return out + "],\"dtype\":" + json::quote(spec.dtype->name);
}

std::string request_json(const Artifact& artifact, const std::vector<Spec>& inputs, const std::vector<Spec>& outputs) {
  static const char* const kRoles[] = {"data", "weight", "unused"};
  const Program& known = *artifact.programs.front();
  std::string out =
      text("{\"graph\":", json::quote(artifact.graph), ",\"target\":\"cpu\",\"options\":", artifact.options, ",\"inputs\":[");
  for (size_t i = 0; i < inputs.size(); ++i) {
    out += text(i ? "," : "", "{\"name\":", json::quote(known.inputs[i].name), ",", spec_json(inputs[i]), ",\"role\":\"",
                kRoles[static_cast<int>(known.inputs[i].role)], "\"}");
  }
  out += "],\"outputs\":[";
  for (size_t i = 0; i < outputs.size(); ++i) out += text(i ? "," : "", "{", spec_json(outputs[i]), "}");
  return out + "]}";
}

void append(void* sink, const char* bytes, size_t nbytes) {
  auto& out = *static_cast<std::vector<uint8_t>*>(sink);
  try {
    out.insert(out.end(), bytes, bytes + nbytes);
  } catch (...) {
    out.clear();  // too large to be kept; what is left is not an artifact
  }
}

std::shared_ptr<const Artifact> make(gn_program_callback_t callback, const std::string& graph_json, const std::string& request,
                                     const std::vector<Spec>& inputs) {
  if (!callback) throw Error("nothing in this process can compile another program");
  if (fork_gate::sealed())
    throw Error("another thread forks this process at this moment, and nothing can be compiled. Call again");
  std::vector<uint8_t> bytes;
  if (callback(graph_json.c_str(), request.c_str(), &bytes, append) != 0) {
    throw Error(std::string(bytes.begin(), bytes.end()));
  }
  ++stats().specialisations;
  std::shared_ptr<Artifact> made;
  try {
    made = read_artifact(bytes.data(), bytes.size(), content_hash(bytes.data(), bytes.size()));
  } catch (const Error& error) {
    throw Error(text("the program made for it ", error.what()));
  }
  if (made->programs.empty() || !made->programs.front()->fits(inputs))
    throw Error("the program made for it has another signature");
  made->bytes = std::move(bytes);
  return made;
}

// Whoever wants something forgotten may be Python, collecting garbage within whatever it holds, for which the callback may wait:
// so nobody waits for the mutex, and who holds it looks here when it is done.
bool take_drops(Specialised& state, std::vector<std::string>& drops) {
  const std::lock_guard<std::mutex> lock(state.drops_mutex);
  drops.swap(state.drops);
  return !drops.empty();
}

bool has_drops(Specialised& state) {
  const std::lock_guard<std::mutex> lock(state.drops_mutex);
  return !state.drops.empty();
}

void drop_asked(Specialised& state) {
  while (has_drops(state)) {
    const std::unique_lock<std::mutex> lock(state.mutex, std::try_to_lock);
    if (!lock.owns_lock()) return;
    std::vector<std::string> drops;
    if (!take_drops(state, drops)) continue;
    for (auto it = state.recent.begin(); it != state.recent.end();) {
      const auto entry = it++;
      const bool asked = std::any_of(drops.begin(), drops.end(),
                                     [&](const std::string& graph) { return graph.empty() || graph == entry->graph; });
      if (!asked) continue;
      ModelCache::get().evict(entry->artifact->digest);
      state.recent.erase(entry);
    }
  }
}

// The lock, and after it what was asked for meanwhile.
class Holding {
 public:
  explicit Holding(Specialised& state) : state_(state), lock_(state.mutex) {}
  ~Holding() {
    lock_.unlock();
    drop_asked(state_);
  }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  Specialised& state_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace

void set_program_callback(gn_program_callback_t callback) {
  Specialised& state = specialised();
  const Holding holding(state);  // the old one is not running once this returns
  state.callback = callback;
}

std::shared_ptr<const Artifact> specialise(const Artifact& artifact, const std::string& graph_json,
                                           const std::vector<Spec>& inputs, const std::vector<Spec>& outputs, Purpose purpose) {
  const std::string request = request_json(artifact, inputs, outputs);
  Specialised& state = specialised();
  const Holding holding(state);
  for (auto it = state.recent.begin(); it != state.recent.end(); ++it) {
    if (it->request != request) continue;
    state.recent.splice(state.recent.begin(), state.recent, it);
    return it->artifact;
  }
  // Room first, so that memory does not hold one model more than is kept.
  size_t kept = 0;
  for (auto it = state.recent.begin(); purpose == Purpose::other_inputs && it != state.recent.end();) {
    const auto entry = it++;
    if (entry->graph != artifact.graph || entry->purpose != purpose || ++kept < kSpecialised) continue;
    ModelCache::get().evict(entry->artifact->digest);
    state.recent.erase(entry);
  }
  auto made = make(state.callback, graph_json, request, inputs);
  state.recent.push_front({artifact.graph, request, purpose, made});
  return made;
}

void drop_specialised(const std::string* graph) {
  Specialised& state = specialised();
  {
    const std::lock_guard<std::mutex> lock(state.drops_mutex);
    state.drops.push_back(graph ? *graph : "");
  }
  drop_asked(state);
}

}  // namespace gn
