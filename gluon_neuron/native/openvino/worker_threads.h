// OpenVINO's threads, known by a name that they inherit, so that a fork can wait until all of them sleep.
#pragma once

namespace gn {

// While it lives, threads that this one starts, and those that they start, are known as OpenVINO's.
class StartsWorkers {
 public:
  StartsWorkers();
  ~StartsWorkers();
  StartsWorkers(const StartsWorkers&) = delete;
  StartsWorkers& operator=(const StartsWorkers&) = delete;

 private:
  char name_[16];  // the thread's own
};

// Waits until all of OpenVINO's threads sleep, if nobody gives them work: for a second at most, and not at all where the
// system does not tell.
void wait_for_workers();

}  // namespace gn
