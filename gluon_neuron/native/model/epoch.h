// What arrays' versions do not tell, for the whole process: which were replaced, and what is written in a bulk.
#pragma once

#include <cstdint>

namespace gn {

// Rises whenever arrays may have been replaced by others at the same addresses.
uint64_t epoch();
void bump_epoch();

// Whether MXNet's engine may take a write and what reads it together, as one operation: the version rises at its end only.
bool writes_in_bulk();
void note_bulk();

}  // namespace gn
