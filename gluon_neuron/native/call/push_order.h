// One operation after the other into MXNet's engine.
#pragma once

namespace gn {

// What PushesInOrder does, for callers who cannot hold an object.
void begin_pushes();
void end_pushes();

// MXNet's engine notes what an operation reads and writes one array after the other. Of two that are pushed at the same time,
// each may then be before the other at some array, and both wait without end, if one of them writes two that the other touches;
// and an operator that is deleted, as those of an executor are with it, counts as writing all that it has read, weights too.
// While this lives, no other thread pushes for this library. Nothing that is pushed may be waited for within. It may be nested,
// as Python collects garbage anywhere. To be made within a section: a child would find it held.
class PushesInOrder {
 public:
  PushesInOrder() { begin_pushes(); }
  ~PushesInOrder() { end_pushes(); }
  PushesInOrder(const PushesInOrder&) = delete;
  PushesInOrder& operator=(const PushesInOrder&) = delete;
};

// Whether MXNet's engine runs what is pushed at once, on the thread that pushes it: it has no order then.
bool runs_at_once();

}  // namespace gn
