// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#pragma once

#include <cstdint>

namespace gn {

// What to read instead of `bound`: the array lent for the call that runs now, or `bound` itself.
const uint8_t* lent_for(const uint8_t* bound);

void begin_loan(const void* bound, const void* lent);
void end_loan(const void* bound);

}  // namespace gn
