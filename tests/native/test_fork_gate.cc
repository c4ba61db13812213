// What a fork waits for, and what it does not.
#include "support/fork_gate.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "boundary/c_api.h"
#include "errors.h"
#include "support/threads.h"

using namespace std::chrono_literals;
using gn::InSection;
using gn::Section;

namespace {

// Whether it becomes true before long.
bool soon(const std::atomic<bool>& condition) {
  for (int i = 0; i < 5000 && !condition; ++i) std::this_thread::sleep_for(1ms);
  return condition;
}

// Whether it stays false for a moment.
bool not_yet(const std::atomic<bool>& condition) {
  std::this_thread::sleep_for(20ms);
  return !condition;
}

}  // namespace

TEST_SUITE_BEGIN("fork_gate");

TEST_CASE("a fork waits for calls, and calls that begin later wait for it") {
  std::atomic<bool> inside{false}, leave{false}, closed{false}, passed{false};
  std::thread caller([&] {
    const InSection section(Section::call);
    const InSection nested(Section::engine);
    inside = true;
    soon(leave);
  });
  REQUIRE(soon(inside));
  std::atomic<bool> open{false};
  std::thread forker([&] {
    gn::fork_gate::close();
    const InSection own(Section::call);  // which does not wait for itself
    closed = true;
    soon(open);
    gn::fork_gate::open();
  });
  CHECK(not_yet(closed));
  leave = true;
  CHECK(soon(closed));
  caller.join();
  std::thread later([&] {
    const InSection section(Section::call);
    passed = true;
  });
  CHECK(not_yet(passed));
  open = true;
  CHECK(soon(passed));
  later.join();
  forker.join();
}

TEST_CASE("what the engine runs is waited for, and never waits") {
  std::atomic<bool> inside{false}, leave{false}, done{false};
  CHECK(gn::fork_gate::close());
  CHECK_FALSE(gn::fork_gate::close());  // within
  std::thread worker([&] {
    const InSection section(Section::engine);
    const InSection nested(Section::call);
    inside = true;
    soon(leave);
  });
  REQUIRE(soon(inside));
  CHECK_FALSE(gn::fork_gate::seal());
  std::thread other([&] {
    soon(inside);
    std::this_thread::sleep_for(20ms);
    leave = true;
  });
  gn::fork_gate::wait_for_engine();
  CHECK(leave);
  CHECK(gn::fork_gate::seal());
  CHECK_FALSE(gn::fork_gate::sealed());  // for this thread
  std::thread([&] { done = gn::fork_gate::sealed(); }).join();
  CHECK(done);
  gn::fork_gate::open();
  std::thread([&] { done = gn::fork_gate::sealed(); }).join();
  CHECK_FALSE(done);
  worker.join();
  other.join();
}

TEST_CASE("two threads that fork take turns") {
  std::atomic<int> inside{0}, most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        gn::fork_gate::close();
        if (++inside > 1) most = 2;
        --inside;
        gn::fork_gate::open();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 0);
}

TEST_CASE("a node that was made a moment ago is waited for, and one that was only bound is not") {
  gn::fork_gate::close();
  std::atomic<bool> done{false};
  auto node = std::make_unique<gn::fork_gate::Announced>();
  std::thread engine([&] {
    std::this_thread::sleep_for(5ms);
    done = true;
    node->done();
  });
  gn::fork_gate::wait_for_announced();
  engine.join();
  CHECK(done);
  const gn::fork_gate::Announced bound;
  gn::fork_gate::wait_for_announced();  // for a moment
  gn::fork_gate::open();
}

TEST_CASE("a child finds no section, whatever the parent's threads did") {
  std::atomic<bool> inside{false}, leave{false};
  std::thread caller([&] {
    const InSection section(Section::call);
    inside = true;
    soon(leave);
  });
  REQUIRE(soon(inside));
  gn_announce_forks();  // and then there is no such call: as subprocess forks
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    gn_fork_in_child();
    const bool right = gn_fork_prepare(nullptr, 0) == 0;
    gn_fork_in_parent();
    _exit(right ? 0 : 1);
  }
  leave = true;
  caller.join();
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("threads that inherit OpenVINO's name are waited for until they sleep") {
  std::atomic<bool> busy{true}, end{false};
  std::thread worker;
  {
    const gn::StartsWorkers starting;
    worker = std::thread([&] {
      while (busy) {
      }
      while (!end) std::this_thread::sleep_for(50ms);
    });
  }
  std::thread other([&] {
    while (!end) {  // of another name: nobody waits for it
    }
  });
  std::thread timer([&] {
    std::this_thread::sleep_for(100ms);
    busy = false;
  });
  gn::wait_for_workers();
  CHECK_FALSE(busy);
  end = true;
  worker.join();
  other.join();
  timer.join();
}

TEST_SUITE_END();
