// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#pragma once

#include <cstdint>

namespace gn {

// What to read, or to write, instead of `bound`: the array that stands in for it in the call that runs now, or `bound` itself.
const uint8_t* substitute_for(const uint8_t* bound);
uint8_t* substitute_for(uint8_t* bound);

struct ArraySubstitution {
  const void* bound;
  const void* substitute;
  uint64_t number;  // of this substitution alone
};

void begin_substitution(const ArraySubstitution& substitution);
// Nothing when the substitution has ended already; a later one of the same array goes on.
void end_substitution(const ArraySubstitution& substitution);

}  // namespace gn
