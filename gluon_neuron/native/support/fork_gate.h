// What a fork waits for: sections in which this library holds locks, or a thread is on its way through MXNet for it.
#pragma once

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

// By the thread that is to fork. From `close` on no call of another thread begins, and there is none when it returns. False,
// and nothing is done, within what this thread has closed already.
bool close();
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
