// What is to be done before and after a fork, so that the child finds no lock held and waits for no thread of its parent's.
#include "boundary/forks.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include "call/mxnet_api.h"
#include "support/fork_gate.h"
#include "support/threads.h"

namespace gn::forks {
namespace {

std::atomic<bool> announced{false};

// Threads of the process's own, of the one that forks: only it writes and reads them.
std::vector<int>& others() {
  static auto* const instance = new std::vector<int>;
  return *instance;
}

// How long a thread may be on its way through MXNet; one that computes for longer is not.
constexpr std::chrono::milliseconds kOnItsWay{200};

// Python's `subprocess` forks while its thread holds Python's lock, for which a thread in a section may wait; its children only
// execute a program.
void prepare_unless_announced() {
  if (!announced) {
    prepare({});
  } else if (fork_gate::mine()) {
    // Now Python's lock is held until the fork is over. Who is on the way through MXNet's functions, which the gate does not
    // know, comes back and waits for that lock: what was half handed to MXNet's engine, a child's would wait for at its end.
    wait_for_threads(others(), kOnItsWay);
  }
}

}  // namespace

std::string prepare(std::vector<int> threads) {
  std::string lost;
  if (!fork_gate::close()) return lost;
  others() = std::move(threads);
  do {
    // MXNet waits as well, but holding Python's lock, for which its thread may be waiting.
    if (!fork_gate::in_engine()) {
      fork_gate::wait_for_announced();
      lost += wait_for_all();
    }
    fork_gate::wait_for_engine();
    wait_for_workers();
  } while (!fork_gate::seal());
  return lost;
}

void in_parent() { fork_gate::open(); }

void in_child() { fork_gate::reset(); }

void install() {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(prepare_unless_announced, in_parent, in_child); });
}

void announce() { announced = true; }

}  // namespace gn::forks
