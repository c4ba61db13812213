// Threads of this process that a fork waits for until they sleep: by name or by number.
#include "support/threads.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "support/errors.h"

namespace gn {
namespace {

constexpr char kName[] = "gn-openvino";

struct Look {
  bool all_sleep = true;
  // For each thread, how often it has gone to sleep or was put aside.
  std::map<int, std::string> switches;
};

std::vector<int> workers() {
  std::vector<int> found;
  DIR* const folder = opendir("/proc/self/task");
  if (!folder) return found;
  while (const dirent* entry = readdir(folder)) {
    std::ifstream file(text("/proc/self/task/", entry->d_name, "/comm"));
    std::string name;
    const std::string_view number = entry->d_name;
    int id = 0;
    const bool is_number = std::from_chars(number.data(), number.data() + number.size(), id).ec == std::errc();
    if (is_number && std::getline(file, name) && name == kName) found.push_back(id);
  }
  closedir(folder);
  return found;
}

Look look(const std::vector<int>& threads) {
  Look found;
  const auto own = static_cast<int>(syscall(SYS_gettid));
  for (const int number : threads) {
    if (number == own) continue;
    std::ifstream file(text("/proc/self/task/", number, "/status"));
    std::string& counts = found.switches[number];
    for (std::string line; std::getline(file, line);) {
      if (line.rfind("State:", 0) == 0 && line.find_first_of("SXZ", 6) == std::string::npos) found.all_sleep = false;
      if (line.find("ctxt_switches") != std::string::npos) counts += line;
    }
  }
  return found;
}

// One that sleeps may be waiting for one that does not; so they sleep if none has woken since all did.
template <class Threads>
void wait_until_asleep(Threads threads, std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  Look before = look(threads());
  while (std::chrono::steady_clock::now() < end) {
    const Look now = look(threads());
    if (before.all_sleep && now.all_sleep && before.switches == now.switches) return;
    before = now;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace

StartsWorkers::StartsWorkers() : name_() {
  prctl(PR_GET_NAME, name_);
  prctl(PR_SET_NAME, kName);
}

StartsWorkers::~StartsWorkers() { prctl(PR_SET_NAME, name_); }

void wait_for_workers() { wait_until_asleep(workers, std::chrono::seconds(1)); }

void wait_for_threads(const std::vector<int>& threads, std::chrono::milliseconds longest) {
  wait_until_asleep([&threads] { return threads; }, longest);
}

}  // namespace gn
