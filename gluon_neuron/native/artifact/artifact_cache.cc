// Artifacts that were read before, found by their bytes' digest.
#include "artifact/artifact_cache.h"

#include <list>
#include <mutex>

namespace gn {
namespace {

constexpr size_t kKept = 64;  // some 100 KB each; their bytes are not among them

struct Cache {
  std::mutex mutex;
  std::list<std::shared_ptr<const Artifact>> recent;  // the last one used first
};

Cache& cache() {
  static Cache* const instance = new Cache;
  return *instance;
}

}  // namespace

std::shared_ptr<const Artifact> artifact_of(const uint8_t* data, size_t size, Digest digest) {
  Cache& state = cache();
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    for (auto it = state.recent.begin(); it != state.recent.end(); ++it) {
      if ((*it)->digest != digest) continue;
      state.recent.splice(state.recent.begin(), state.recent, it);
      return state.recent.front();
    }
  }
  std::shared_ptr<const Artifact> artifact = read_artifact(data, size, digest);
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.recent.push_front(artifact);
  if (state.recent.size() > kKept) state.recent.pop_back();
  return artifact;
}

}  // namespace gn
