// Counters of what the library did, for tests and for the curious.
#pragma once

#include <atomic>
#include <cstdint>

namespace gn {

struct Stats {
  std::atomic<uint64_t> calls{0};
  std::atomic<uint64_t> direct_calls{0};  // of those, calls that ran on their caller's own thread
  std::atomic<uint64_t> trusted_calls{0};  // calls whose weights were known by address, version and epoch alone
  std::atomic<uint64_t> content_checks{0};  // weights and artifacts whose contents were compared
  std::atomic<uint64_t> bytes_hashed{0};
  std::atomic<uint64_t> bytes_digested{0};  // by SHA-256
  std::atomic<uint64_t> compiles{0};
  std::atomic<uint64_t> specialisations{0}, evictions{0};
  std::atomic<uint64_t> parts{0};  // of batches, that were run apart
  std::atomic<uint64_t> artifacts_parsed{0};
  // Weights that came as a copy MXNet made for the call, because the array is in a blocked layout.
  std::atomic<uint64_t> relayouts{0};
  std::atomic<uint64_t> running{0}, most_running{0};  // programs at this moment, and at any since the last question
  std::atomic<uint64_t> fallbacks{0};  // times that a program for the CPU was chosen where a chip's was compiled
};

Stats& stats();

// While it lives, a program runs.
class Running {
 public:
  Running();
  ~Running() { --stats().running; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

}  // namespace gn
