// How long operators take: while it is on, programs run as twins of themselves whose engine times each of its kernels.
#include "model/timing.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>

#include "artifact/json.h"
#include "model/runner.h"
#include "support/errors.h"

namespace gn::timing {
namespace {

struct Run {
  std::string node;
  uint64_t number;
  int64_t from, to;
  int64_t thread;
};

struct Region {
  std::string graph;
  std::vector<std::string> data;
};

struct Log {
  std::mutex mutex;
  std::vector<Run> runs;
  std::map<const Runner*, std::shared_ptr<Runner>> twins;
  std::map<uint64_t, std::string> left;  // of twins that are gone
  std::map<uint64_t, Region> regions;
  pid_t process = 0;  // that has the twins' threads
};

// Never freed: models may go after static destructors ran.
Log& log() {
  static Log* const instance = new Log;
  return *instance;
}

std::atomic<pid_t> timed_process{0};
std::atomic<uint64_t> last_number{0};
std::atomic<gn_twin_callback_t> twin_callback{nullptr};

using json::quote;
using Twins = std::map<const Runner*, std::shared_ptr<Runner>>;

// What is to be destroyed outside the lock: that takes long, and Python may be waited for. In a forked child the parent's twins
// stay, for their threads did not come along and their end would wait for these.
Twins taken_out(Log& state) {
  Twins twins;
  twins.swap(state.twins);
  if (state.process != getpid() && !twins.empty()) (new Twins)->swap(twins);
  state.process = getpid();
  return twins;
}

void clear() {
  Log& state = log();
  Twins garbage;
  const std::lock_guard<std::mutex> lock(state.mutex);
  garbage = taken_out(state);
  state.runs.clear();
  state.left.clear();
  state.regions.clear();
}

}  // namespace

bool is_on() {
  const pid_t process = timed_process.load(std::memory_order_relaxed);
  return process != 0 && process == getpid();
}

void begin() { clear(); }

void turn(bool on) { timed_process = on ? getpid() : 0; }

void end() {
  turn(false);
  clear();
}

void set_twin_callback(gn_twin_callback_t callback) { twin_callback = callback; }

uint64_t next_number() { return ++last_number; }

void describe(uint64_t number, const std::string& xml, const void* constants, size_t constants_size,
              const std::vector<std::pair<std::string, std::string>>& config) {
  const gn_twin_callback_t callback = twin_callback;
  if (!callback) return;
  std::string settings = "{";
  for (const auto& item : config) {
    settings += text(settings.size() > 1 ? "," : "", quote(item.first), ":", quote(item.second));
  }
  callback(number, xml.data(), xml.size(), constants, constants_size, (settings + "}").c_str());
}

std::shared_ptr<Runner> twin_of(Runner& runner) {
  Log& state = log();
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    const auto found = state.twins.find(&runner);
    if (state.process == getpid() && found != state.twins.end()) return found->second;
  }
  // Not under the lock: the callback runs Python, which may end models meanwhile.
  std::shared_ptr<Runner> made = runner.twin();
  const std::lock_guard<std::mutex> lock(state.mutex);
  return made ? state.twins.emplace(&runner, made).first->second : nullptr;
}

void forget(const Runner& runner) {
  Log& state = log();
  std::shared_ptr<Runner> twin;
  const std::lock_guard<std::mutex> lock(state.mutex);
  const auto found = state.twins.find(&runner);
  if (found == state.twins.end() || state.process != getpid()) return;
  twin = std::move(found->second);
  state.twins.erase(found);
  state.left[twin->number()] = twin->timings();
}

void note(const std::string& node, uint64_t number, int64_t from, int64_t to, const std::string& graph,
          const std::vector<std::string>& data) {
  Log& state = log();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.runs.push_back({node, number, from, to, syscall(SYS_gettid)});
  state.regions.emplace(number, Region{graph, data});
}

std::string read() {
  Log& state = log();
  const std::lock_guard<std::mutex> lock(state.mutex);
  std::string runs, programs;
  for (const Run& run : state.runs) {
    runs += text(runs.empty() ? "[" : ",[", quote(run.node), ",", run.number, ",", run.from, ",", run.to, ",", run.thread, "]");
  }
  std::map<uint64_t, std::string> timings = state.left;
  if (state.process == getpid()) {
    for (const auto& item : state.twins) timings[item.second->number()] = item.second->timings();
  }
  for (const auto& item : timings) {
    const auto region = state.regions.find(item.first);
    if (region == state.regions.end()) continue;  // it is in its first run
    std::string data;
    for (const std::string& name : region->second.data) data += text(data.empty() ? "" : ",", quote(name));
    const std::string& graph = region->second.graph;
    programs += text(programs.empty() ? "\"" : ",\"", item.first, "\":{\"timings\":", item.second, ",\"data\":[", data,
                     "],\"graph\":", graph.empty() ? "null" : graph, "}");
  }
  return text("{\"runs\":[", runs, "],\"programs\":{", programs, "}}");
}

}  // namespace gn::timing
