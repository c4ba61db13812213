// How many streams share the cores, and how many cores there are.
#include "openvino/cpu_streams.h"

#include <sched.h>

#include "errors.h"

using gn::streams_for;

namespace {

// Restricts this thread to the first processor that it may use, and gives back what it had.
class OneProcessor {
 public:
  OneProcessor() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
      if (CPU_ISSET(i, &before_)) CPU_SET(i, &one);
    }
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace

TEST_SUITE_BEGIN("cpu_streams");

TEST_CASE("known answers") {
  CHECK(streams_for(1, 8) == 1);
  CHECK(streams_for(8, 1) == 1);
  CHECK(streams_for(0, 4) == 1);
  CHECK(streams_for(8, 8) == 8);
  CHECK(streams_for(4, 8) == 4);
  CHECK(streams_for(16, 4) == 4);
  CHECK(streams_for(2, 2) == 2);
  CHECK(streams_for(3, 2) == 1);   // the second round would leave a core idle: 3 of 4
  CHECK(streams_for(12, 5) == 1);  // 12 of 15 with five, 12 of 15 with four, 12 of 15 with three
  CHECK(streams_for(7, 4) == 4);   // 7 of 8 are busy
}

TEST_CASE("there is work and there are cores for every stream") {
  for (size_t parts = 0; parts <= 70; ++parts) {
    for (size_t cores = 1; cores <= 70; ++cores) {
      CAPTURE(parts);
      CAPTURE(cores);
      const size_t streams = streams_for(parts, cores);
      CHECK(streams >= 1);
      if (streams == 1) continue;
      CHECK(streams <= parts);
      CHECK(streams <= cores);
      const size_t rounds = (parts + streams - 1) / streams;
      CHECK(static_cast<double>(parts) * static_cast<double>(cores / streams) >= 0.85 * static_cast<double>(rounds * cores));
    }
  }
}

TEST_CASE("cores are counted as the process may use them") {
  CHECK(gn::processors_here() >= gn::cores_here());
  CHECK(gn::cores_here() >= 1);
  const size_t before = gn::processors_here();
  {
    const OneProcessor one;
    CHECK(gn::processors_here() == 1);
    CHECK(gn::cores_here() == 1);
  }
  CHECK(gn::processors_here() == before);
}

TEST_SUITE_END();
