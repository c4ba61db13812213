// What a fork waits for: sections in which this library holds locks, or a thread is on its way through MXNet for it.
#include "support/fork_gate.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace gn {
namespace {

// No mutex and no condition: a child could find them held.
std::atomic<int> inside[2];  // threads, by their outermost section
std::atomic<bool> closed{false}, is_sealed{false}, claimed{false};

// Of simple types, as threads end sections after their thread-local objects are gone.
thread_local int depth = 0;
thread_local Section outermost = Section::call;
thread_local bool forking = false;

// Nodes that were announced, and when the last one was.
std::atomic<int> announced{0};
std::atomic<int64_t> last_announced{0};

constexpr std::chrono::milliseconds kSoon{50};
constexpr std::chrono::seconds kPatience{1};

int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

std::atomic<int>& count(Section section) { return inside[static_cast<int>(section)]; }

int own(Section section) { return depth > 0 && outermost == section ? 1 : 0; }

}  // namespace

void enter(Section section) {
  if (depth++ > 0) return;
  outermost = section;
  // Counted first: whoever closes looks at the number after it has closed.
  while (true) {
    ++count(section);
    if (section == Section::engine || forking || !closed) return;
    --count(section);
    while (closed) nap();
  }
}

void leave() {
  if (--depth == 0) --count(outermost);
}

namespace fork_gate {

MakesNode::MakesNode() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (depth == 0 && !forking && closed && std::chrono::steady_clock::now() < end) nap();
  enter(Section::engine);
}

Announced::Announced() : counted_(depth == 0 || outermost == Section::engine) {
  if (!counted_) return;
  last_announced = now();
  ++announced;
}

void Announced::done() {
  if (counted_.exchange(false)) --announced;
}

void wait_for_announced() {
  const int64_t soon = std::chrono::duration_cast<std::chrono::steady_clock::duration>(kSoon).count();
  while (announced > 0 && now() - last_announced < soon) nap();
}

bool close() {
  if (forking) return false;
  while (claimed.exchange(true)) nap();  // another thread forks
  forking = true;
  closed = true;
  while (count(Section::call) > own(Section::call)) nap();
  return true;
}

void wait_for_engine() {
  while (count(Section::engine) > own(Section::engine)) nap();
}

bool seal() {
  is_sealed = true;
  if (count(Section::engine) == own(Section::engine)) return true;
  is_sealed = false;
  return false;
}

bool sealed() { return is_sealed && !forking; }

bool in_engine() { return own(Section::engine) > 0; }

bool mine() { return forking; }

void open() {
  if (!forking) return;
  forking = false;
  is_sealed = false;
  closed = false;
  claimed = false;
}

void reset() {
  count(Section::call) = own(Section::call);
  count(Section::engine) = own(Section::engine);
  forking = false;
  is_sealed = false;
  closed = false;
  claimed = false;
}

}  // namespace fork_gate
}  // namespace gn
