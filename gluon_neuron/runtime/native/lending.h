// Arrays that stand in, during one call, for the array that a node was bound to: so that large data need not be copied.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exports.h"

namespace gn {

// What to read instead of `bound`: the array lent for the call that runs now, or `bound` itself.
const uint8_t* lent_for(const uint8_t* bound);

}  // namespace gn
