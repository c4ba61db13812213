// The cores that this process may use, and how streams of parts share them.
#include "openvino/cpu_streams.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include "support/errors.h"

namespace gn {
namespace {

// Threads of one stream wait for each other in every layer, and streams do not: a few idle cores are made up for.
constexpr double kBusyEnough = 0.85;

// The logical processors that the process may use; none where the system does not tell.
cpu_set_t allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) CPU_ZERO(&set);
  return set;
}

}  // namespace

size_t processors_here() {
  const cpu_set_t set = allowed();
  return std::max(CPU_COUNT(&set), 1);
}

size_t cores_here() {
  const cpu_set_t set = allowed();
  std::set<std::string> cores;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &set)) continue;
    // The processors of the core that this one belongs to; where that is not known, it is its own.
    std::ifstream file(text("/sys/devices/system/cpu/cpu", i, "/topology/thread_siblings_list"));
    std::string siblings;
    if (!std::getline(file, siblings) || siblings.empty()) siblings = text("only ", i);
    cores.insert(siblings);
  }
  return std::max<size_t>(cores.size(), 1);
}

size_t streams_for(size_t parts, size_t cores) {
  size_t best = 1;
  double busiest = kBusyEnough;
  for (size_t streams = 2; streams <= std::min(parts, cores); ++streams) {
    const size_t rounds = (parts + streams - 1) / streams;
    const size_t used = streams * (cores / streams);  // each stream has the same number of cores
    const double busy = static_cast<double>(parts * used) / static_cast<double>(streams * rounds * cores);
    if (busy < busiest) continue;
    busiest = busy;
    best = streams;
  }
  return best;
}

}  // namespace gn
