// Counters of what the library did, for tests and for the curious.
#include "stats.h"

namespace gn {

Stats& stats() {
  static Stats counters;
  return counters;
}

}  // namespace gn
