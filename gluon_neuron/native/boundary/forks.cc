// What is to be done before and after a fork, so that the child finds no lock held and waits for no thread of its parent's.
#include "boundary/forks.h"

#include <pthread.h>

#include <atomic>
#include <mutex>

#include "call/mxnet_api.h"
#include "openvino/worker_threads.h"
#include "support/fork_gate.h"

namespace gn::forks {
namespace {

std::atomic<bool> announced{false};

// Python's `subprocess` forks while its thread holds Python's lock, for which a thread in a section may wait; its children only
// execute a program.
void prepare_unless_announced() {
  if (!announced) prepare();
}

}  // namespace

std::string prepare() {
  std::string lost;
  if (!fork_gate::close()) return lost;
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
