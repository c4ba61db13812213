// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#include "lending.h"

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace gn {
namespace {

struct Loans {
  std::mutex mutex;
  std::unordered_map<const void*, Loan> by_bound;
  std::atomic<size_t> count{0};  // where there are none, no lock is paid
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
  return found == state.by_bound.end() ? bound : static_cast<const uint8_t*>(found->second.lent);
}

uint8_t* lent_for(uint8_t* bound) { return const_cast<uint8_t*>(lent_for(const_cast<const uint8_t*>(bound))); }

void begin_loan(const Loan& loan) {
  Loans& state = loans();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.by_bound[loan.bound] = loan;
  state.count.store(state.by_bound.size(), std::memory_order_release);
}

void end_loan(const Loan& loan) {
  Loans& state = loans();
  const std::lock_guard<std::mutex> lock(state.mutex);
  const auto found = state.by_bound.find(loan.bound);
  if (found == state.by_bound.end() || found->second.number != loan.number) return;
  state.by_bound.erase(found);
  state.count.store(state.by_bound.size(), std::memory_order_release);
}

}  // namespace gn
