// Counters of what the library did, for tests and for the curious.
#include "support/stats.h"

namespace gn {

Stats& stats() {
  static Stats counters;
  return counters;
}

Running::Running() {
  const uint64_t now = ++stats().running;
  uint64_t most = stats().most_running;
  while (now > most && !stats().most_running.compare_exchange_weak(most, now)) {
  }
}

}  // namespace gn
