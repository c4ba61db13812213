// Programs for signatures that a node's artifact does not hold, asked of the process (Python) and kept for a while.
#include "model/specialise.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>

#include "artifact/json.h"
#include "boundary/log.h"
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
  size_t weights, bytes;
};

constexpr char kRoomVariable[] = "GLUON_NEURON_MEMORY";

// What OpenVINO keeps of a program besides its weights, by experience.
constexpr size_t kOverhead = size_t{1} << 20;

size_t weight_bytes(const Program& program) {
  size_t bytes = program.literals.size;
  for (const WeightUse& use : program.weights) bytes += program.inputs[use.input].spec.nbytes();
  return bytes;
}

// What a program and its model take: the engine lays the weights out anew.
size_t bytes_of(const Artifact& made) {
  const Program& program = *made.programs.front();
  size_t bytes = kOverhead + made.bytes.size() + weight_bytes(program);
  for (const Spec& spec : program.outputs) bytes += spec.nbytes();
  return bytes;
}

struct Specialised {
  std::mutex mutex;  // also held while the callback runs, so that a program is made once
  std::list<Entry> entries;
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

void drop(Specialised& state, std::list<Entry>::iterator entry) {
  ModelCache::get().evict(entry->artifact->digest);
  entry->artifact->evicted = true;
  state.entries.erase(entry);
}

// Room for so many bytes more: what was not used for the longest time goes first. A warning once if something had to.
void make_room(Specialised& state, size_t weights, size_t bytes) {
  while (true) {
    size_t total = bytes, largest = weights;
    auto oldest = state.entries.end();
    for (auto it = state.entries.begin(); it != state.entries.end(); ++it) {
      if (it->purpose != Purpose::other_inputs) continue;
      total += it->bytes;
      largest = std::max(largest, it->weights);
      if (oldest == state.entries.end() || it->artifact->last_used < oldest->artifact->last_used) oldest = it;
    }
    if (oldest == state.entries.end() || total <= room_for_specialised(std::getenv(kRoomVariable), largest)) return;
    inform_once("no room", text("programs for further shapes take the place of those that were not used for the longest time: ",
                                kRoomVariable, " in the environment gives them more memory."));
    ++stats().evictions;
    drop(state, oldest);
  }
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
    for (auto it = state.entries.begin(); it != state.entries.end();) {
      const auto entry = it++;
      const bool asked = std::any_of(drops.begin(), drops.end(),
                                     [&](const std::string& graph) { return graph.empty() || graph == entry->graph; });
      if (asked) drop(state, entry);
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

size_t room_for_specialised(const char* given, size_t largest) {
  if (!given || !*given) return std::max(kLeastRoom, 2 * largest);
  char* end = nullptr;
  const double number = std::strtod(given, &end);
  static const char kUnits[] = "KMGT";
  const bool is_number = end != given;
  double unit = 1;
  if (*end) {
    const char* const place = std::strchr(kUnits, std::toupper(static_cast<unsigned char>(*end)));
    if (place) unit = std::ldexp(1.0, static_cast<int>(10 * (place - kUnits + 1)));
    if (place) ++end;
  }
  if (!is_number || *end || !(number >= 0) || number * unit >= 9e18) {
    throw Error(text(kRoomVariable, "=", given, " is no size: it is a number of bytes, or one with K, M, G or T behind it"));
  }
  return static_cast<size_t>(number * unit);
}

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
  for (const Entry& entry : state.entries) {
    if (entry.request == request) return entry.artifact;
  }
  // The weights are those of the program at hand. Room first, so that memory does not hold one model more than is kept.
  if (purpose == Purpose::other_inputs) {
    const size_t weights = weight_bytes(*artifact.programs.front());
    make_room(state, weights, weights + kOverhead);
    if (!in_background()) {
      warn_once("made within a call for " + artifact.graph,
                "it is called with a shape or a type that none of its programs is for: one is compiled for each such shape, "
                "within the call. The report of the compile says where there is none for any shape, and why.");
    }
  }
  auto made = make(state.callback, graph_json, request, inputs);
  made->touch();
  state.entries.push_front({artifact.graph, request, purpose, made, weight_bytes(*made->programs.front()), bytes_of(*made)});
  return made;
}

namespace {
thread_local bool background = false;
}  // namespace

bool in_background() { return background; }

Background::Background() { background = true; }

Background::~Background() { background = false; }

void drop_specialised(const std::string* graph) {
  Specialised& state = specialised();
  {
    const std::lock_guard<std::mutex> lock(state.drops_mutex);
    state.drops.push_back(graph ? *graph : "");
  }
  drop_asked(state);
}

}  // namespace gn
