// OpenVINO's threads, known by a name that they inherit, so that a fork can wait until all of them sleep.
#include "openvino/worker_threads.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "support/errors.h"

namespace gn {
namespace {

constexpr char kName[] = "gn-openvino";
constexpr std::chrono::seconds kLongest{1};

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

struct Look {
  bool all_sleep = true;
  // For each thread, how often it has gone to sleep or was put aside.
  std::map<int, std::string> switches;
};

void look_at(const std::string& thread, int number, Look& look) {
  std::ifstream file(thread + "/status");
  std::string& counts = look.switches[number];
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("State:", 0) == 0 && line.find_first_of("SXZ", 6) == std::string::npos) look.all_sleep = false;
    if (line.find("ctxt_switches") != std::string::npos) counts += line;
  }
}

Look look() {
  Look found;
  DIR* const folder = opendir("/proc/self/task");
  if (!folder) return found;
  const auto own = static_cast<int>(syscall(SYS_gettid));
  while (const dirent* entry = readdir(folder)) {
    const int number = std::atoi(entry->d_name);
    if (number == 0 || number == own) continue;
    const std::string thread = text("/proc/self/task/", number);
    if (first_line(thread + "/comm") == kName) look_at(thread, number, found);
  }
  closedir(folder);
  return found;
}

}  // namespace

StartsWorkers::StartsWorkers() : name_() {
  prctl(PR_GET_NAME, name_);
  prctl(PR_SET_NAME, kName);
}

StartsWorkers::~StartsWorkers() { prctl(PR_SET_NAME, name_); }

// One that sleeps may be waiting for one that does not; so they sleep if none has woken since all did.
void wait_for_workers() {
  const auto end = std::chrono::steady_clock::now() + kLongest;
  Look before = look();
  while (std::chrono::steady_clock::now() < end) {
    const Look now = look();
    if (before.all_sleep && now.all_sleep && before.switches == now.switches) return;
    before = now;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace gn
