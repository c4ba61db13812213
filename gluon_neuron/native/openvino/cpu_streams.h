// The cores that this process may use, and how streams of parts share them.
#pragma once

#include <cstddef>

namespace gn {

// Logical processors, as the process is allowed to use them; at least 1.
size_t processors_here();

// The same, but two that are one core's hyperthreads count as one.
size_t cores_here();

// How many streams, each with an equal share of the cores, finish so many equal parts soonest; 1 when no number of them
// keeps nearly all cores busy to the end.
size_t streams_for(size_t parts, size_t cores);

}  // namespace gn
