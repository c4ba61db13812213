// What a fork waits for: sections in which this library holds locks, or a thread is on its way through MXNet for it.
#pragma once

#include <atomic>

namespace gn {

// A call from outside waits while another thread forks. What MXNet's engine runs does not: a fork waits for the engine.
enum class Section { call, engine };

// Sections may be nested: the outermost counts.
void enter(Section section);
void leave();

class InSection {
 public:
  explicit InSection(Section section) { enter(section); }
  ~InSection() { leave(); }
  InSection(const InSection&) = delete;
  InSection& operator=(const InSection&) = delete;
};

namespace fork_gate {

// Within, MXNet makes a node. A thread of its users waits there as at a call; not for long, as MXNet's engine might wait for it.
class MakesNode {
 public:
  MakesNode();
  ~MakesNode() { leave(); }
  MakesNode(const MakesNode&) = delete;
  MakesNode& operator=(const MakesNode&) = delete;
};

// Work that a thread of MXNet's users is about to give to the engine: it has made a node that has not run. Null within a call of
// ours, which a fork waits for anyway.
class Announced {
 public:
  Announced();
  ~Announced() { done(); }
  void done();
  Announced(const Announced&) = delete;
  Announced& operator=(const Announced&) = delete;

 private:
  std::atomic<bool> counted_;
};

// By the thread that is to fork. From `close` on no call of another thread begins, and there is none when it returns. False,
// and nothing is done, within what this thread has closed already.
bool close();
// Waits until what was announced a moment ago has reached the engine, and run; what was only bound does not come.
void wait_for_announced();
// Waits until the engine runs nothing of ours.
void wait_for_engine();
// From now on, nobody is to wait for Python: the thread that forks holds its lock. False, and nothing is done, if the engine
// runs something of ours.
bool seal();
bool sealed();
// Whether this thread itself is in a section of the engine, so that waiting for the engine would be for itself.
bool in_engine();
// Whether this thread has closed the gate.
bool mine();
// In the parent, whether the fork went well or not.
void open();
// In the child, where no other thread is left.
void reset();

}  // namespace fork_gate
}  // namespace gn
