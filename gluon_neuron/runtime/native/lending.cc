// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#include "lending.h"

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace gn {
namespace {

struct Loans {
  std::mutex mutex;
  std::unordered_map<const void*, const void*> by_bound;
  std::atomic<size_t> count{0};  // most processes have none, and then pay no lock
};

Loans& loans() {
  static Loans* const instance = new Loans;
  return *instance;
}

}  // namespace

const uint8_t* lent_for(const uint8_t* bound) {
  Loans& state = loans();
  if (state.count.load(std::memory_order_acquire) == 0) return bound;
  const std::lock_guard<std::mutex> lock(state.mutex);
  const auto found = state.by_bound.find(bound);
  return found == state.by_bound.end() ? bound : static_cast<const uint8_t*>(found->second);
}

}  // namespace gn

extern "C" {

gn_loan_t* gn_loan_new(const void* bound, const void* lent) { return new gn_loan_t{bound, lent}; }

void gn_loan_free(void* loan) { delete static_cast<gn_loan_t*>(loan); }

void gn_loan_begin(void*, void* loan) {
  const auto* given = static_cast<const gn_loan_t*>(loan);
  gn::Loans& state = gn::loans();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.by_bound[given->bound] = given->lent;
  state.count.store(state.by_bound.size(), std::memory_order_release);
}

void gn_loan_end(void*, void* bound) {
  gn::Loans& state = gn::loans();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.by_bound.erase(bound);
  state.count.store(state.by_bound.size(), std::memory_order_release);
}

}  // extern "C"
