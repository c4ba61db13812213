// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#include "call/array_substitution.h"

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace gn {
namespace {

struct Substitutions {
  std::mutex mutex;
  std::unordered_map<const void*, ArraySubstitution> by_bound;
  std::atomic<size_t> count{0};  // where there are none, no lock is paid
};

Substitutions& substitutions() {
  static Substitutions* const instance = new Substitutions;
  return *instance;
}

}  // namespace

const uint8_t* substitute_for(const uint8_t* bound) {
  Substitutions& state = substitutions();
  if (state.count.load(std::memory_order_acquire) == 0) return bound;
  const std::lock_guard<std::mutex> lock(state.mutex);
  const auto found = state.by_bound.find(bound);
  return found == state.by_bound.end() ? bound : static_cast<const uint8_t*>(found->second.substitute);
}

uint8_t* substitute_for(uint8_t* bound) { return const_cast<uint8_t*>(substitute_for(const_cast<const uint8_t*>(bound))); }

void begin_substitution(const ArraySubstitution& substitution) {
  Substitutions& state = substitutions();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.by_bound[substitution.bound] = substitution;
  state.count.store(state.by_bound.size(), std::memory_order_release);
}

void end_substitution(const ArraySubstitution& substitution) {
  Substitutions& state = substitutions();
  const std::lock_guard<std::mutex> lock(state.mutex);
  const auto found = state.by_bound.find(substitution.bound);
  if (found == state.by_bound.end() || found->second.number != substitution.number) return;
  state.by_bound.erase(found);
  state.count.store(state.by_bound.size(), std::memory_order_release);
}

}  // namespace gn
