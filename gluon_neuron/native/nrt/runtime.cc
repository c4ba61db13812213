// The Neuron runtime of this process: started once, its NeuronCores, what lives on them, and its end.
#include "nrt/runtime.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace gn {
namespace {

constexpr char kForked[] =
    "this process is a child of one that has started the Neuron runtime, which a fork does not carry over. Start workers by "
    "'spawn', or use the model in the children only";
constexpr char kClosed[] = "the Neuron runtime was closed, for the process ends";

uint32_t count_visible(const Nrt& api) {
  uint32_t count = 0;
  const NrtStatus status = api.visible_cores(&count);
  if (status != kNrtSuccess) throw NoChip(NrtError("count the NeuronCores", status).what());
  return count;
}

}  // namespace

NrtRuntime& NrtRuntime::get() {
  // Never freed: models may be destroyed after static destructors ran.
  static NrtRuntime* const instance = new NrtRuntime;
  return *instance;
}

int NrtRuntime::unused() const { return static_cast<int>(std::count(users_.begin(), users_.end(), 0)); }

std::string NrtRuntime::cores_text() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return describe();
}

std::string NrtRuntime::describe() const {
  const size_t n = users_.size();
  return text("this process may use ", n, n == 1 ? " NeuronCore" : " NeuronCores",
              n > 1 ? text(" (0 to ", n - 1, ")") : std::string(), ", of which ", unused(), unused() == 1 ? " is" : " are",
              " free");
}

const Nrt& NrtRuntime::start(size_t count, int first) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (api_ && process_ != getpid()) throw Error(kForked);
  if (closing_) throw Error(kClosed);
  std::string why;
  const Nrt* api = nrt(&why);
  if (!api) throw NoChip(why);
  if (!api_) {
    const uint32_t visible = count_visible(*api);
    if (visible == 0) throw NoChip(text("the Neuron runtime ", api->path, " finds no NeuronCore for this process"));
    const NrtStatus status = api->nrt_init(kNrtFrameworkMxnet, "1.9", GLUON_NEURON_VERSION);
    if (status != kNrtSuccess) throw NoChip(NrtError("start (nrt_init)", status).what());
    users_.assign(visible, 0);
    process_ = getpid();
    api_ = api;
    std::atexit([] { get().close(); });
  }
  const size_t n = users_.size();
  if (first >= 0 && (static_cast<size_t>(first) >= n || count > n - first)) {
    throw Error(text("it is to run on NeuronCore ", first, count > 1 ? text(" to ", first + count - 1) : std::string(), ", but ",
                     describe(),
                     ". Choose another core, or let the process have more (NEURON_RT_VISIBLE_CORES, NEURON_RT_NUM_CORES)."));
  }
  if (count > n) throw NoChip(text("it takes ", count, " NeuronCores, and ", describe()));
  return *api_;
}

int NrtRuntime::enter(size_t count, int first) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (first < 0) {
    int least = 0;
    for (size_t i = 0; i + count <= users_.size(); ++i) {
      const int* const begin = users_.data() + i;
      const int most = *std::max_element(begin, begin + count);
      if (first >= 0 && most >= least) continue;
      first = static_cast<int>(i);
      least = most;
    }
  }
  for (size_t i = 0; i < count; ++i) ++users_[first + i];
  return first;
}

void NrtRuntime::leave(int first, size_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < count; ++i) --users_[first + i];
}

int NrtRuntime::visible() const {
  const Nrt* api = nrt();
  if (!api) return -1;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (api_) return static_cast<int>(users_.size());
  }
  uint32_t count = 0;
  return api->visible_cores(&count) == kNrtSuccess ? static_cast<int>(count) : -1;
}

int NrtRuntime::free() const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (api_) return unused();
  }
  return visible();
}

// At the end of the process, when threads of MXNet's may still run.
void NrtRuntime::close() {
  if (process_ != getpid()) return;  // a child must not end what is its parent's
  closing_ = true;                   // so that those who call all the time let it in
  const std::unique_lock<std::shared_mutex> alone(gate_);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = resources_.rbegin(); it != resources_.rend(); ++it) (*it)->free();
  api_->nrt_close();
  closed_ = true;
}

NrtUse::NrtUse() {
  NrtRuntime& runtime = NrtRuntime::get();
  if (runtime.process_ != getpid()) throw Error(kForked);  // before a lock that the parent's threads may hold
  if (runtime.closing_) throw Error(kClosed);
  lock_ = std::shared_lock<std::shared_mutex>(runtime.gate_);
  if (runtime.closed_) throw Error(kClosed);
}

NrtResource::NrtResource() {
  NrtRuntime& runtime = NrtRuntime::get();
  const std::lock_guard<std::mutex> lock(runtime.mutex_);
  runtime.resources_.push_back(this);
}

NrtResource::~NrtResource() {
  NrtRuntime& runtime = NrtRuntime::get();
  if (runtime.process_ != getpid()) return;
  const std::lock_guard<std::mutex> lock(runtime.mutex_);
  runtime.resources_.remove(this);
}

void NrtResource::end() {
  NrtRuntime& runtime = NrtRuntime::get();
  if (runtime.process_ != getpid()) return;
  const std::shared_lock<std::shared_mutex> lock(runtime.gate_);
  if (!runtime.closed_) free();
}

}  // namespace gn
