// A weight on a NeuronCore: written once, and read by all programs there that compute with it.
#include "nrt/device_weight.h"

#include <map>
#include <mutex>
#include <tuple>

#include "support/errors.h"

namespace gn {
namespace {

using Key = std::tuple<std::string, int, int, size_t, uint64_t, uint64_t>;

struct Written {
  std::mutex mutex;  // also held while one is written, so that it is written once
  std::map<Key, std::weak_ptr<DeviceWeight>> by_key;
};

Written& written() {
  static Written* const instance = new Written;
  return *instance;
}

}  // namespace

std::shared_ptr<DeviceWeight> DeviceWeight::obtain(const Content& content, const std::string& tensor) {
  Written& state = written();
  const std::lock_guard<std::mutex> lock(state.mutex);
  const Digest& digest = content.digest;
  const Key key{content.input, content.placement, content.core, content.nbytes, digest.low, digest.high};
  const auto known = state.by_key.find(key);
  if (known != state.by_key.end()) {
    if (auto found = known->second.lock()) return found;
  }
  for (auto it = state.by_key.begin(); it != state.by_key.end();)
    it = it->second.expired() ? state.by_key.erase(it) : std::next(it);
  std::shared_ptr<DeviceWeight> made(new DeviceWeight(content, tensor));
  state.by_key[key] = made;
  return made;
}

DeviceWeight::DeviceWeight(const Content& content, const std::string& tensor) : nbytes_(content.nbytes) {
  try {
    const NrtUse use;
    nrt_check(use->nrt_tensor_allocate(content.placement, content.core, nbytes_, tensor.c_str(), &handle_),
              text("allocate ", nbytes_, " bytes for '", tensor, "'"));
    nrt_check(use->nrt_tensor_write(handle_, content.data, 0, nbytes_), "write a weight");
  } catch (...) {
    end();
    throw;
  }
}

DeviceWeight::~DeviceWeight() { end(); }

// With the runtime's gate held.
void DeviceWeight::free() {
  if (handle_) NrtRuntime::get().api()->nrt_tensor_free(&handle_);
  handle_ = nullptr;
}

}  // namespace gn
