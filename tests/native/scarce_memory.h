// Memory that runs out, on the thread that asks for it.
#pragma once

// While it lives, `new` throws std::bad_alloc after so many allocations on this thread.
class ScarceMemory {
 public:
  explicit ScarceMemory(long allocations);
  ~ScarceMemory();
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
};
