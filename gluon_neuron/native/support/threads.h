// Threads of this process that a fork waits for until they sleep: by name or by number.
#pragma once

#include <chrono>
#include <vector>

namespace gn {

// While it lives, threads that this one starts, and those that they start, are known as an engine's workers.
class StartsWorkers {
 public:
  StartsWorkers();
  ~StartsWorkers();
  StartsWorkers(const StartsWorkers&) = delete;
  StartsWorkers& operator=(const StartsWorkers&) = delete;

 private:
  char name_[16];  // the thread's own
};

// Waits until all workers sleep, if nobody gives them work: for a second at most, and not at all where the system does not tell.
void wait_for_workers();

// The same for these threads, as the system numbers them, but this one.
void wait_for_threads(const std::vector<int>& threads, std::chrono::milliseconds longest);

}  // namespace gn
