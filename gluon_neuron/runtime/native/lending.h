// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#pragma once

#include <cstdint>

namespace gn {

// What to read, or to write, instead of `bound`: the array lent for the call that runs now, or `bound` itself.
const uint8_t* lent_for(const uint8_t* bound);
uint8_t* lent_for(uint8_t* bound);

struct Loan {
  const void* bound;
  const void* lent;
  uint64_t number;  // of this loan alone
};

void begin_loan(const Loan& loan);
// Nothing when the loan has ended already; a later one of the same array goes on.
void end_loan(const Loan& loan);

}  // namespace gn
