// A process-wide number that rises whenever arrays may have been replaced by others at the same addresses.
#pragma once

#include <cstdint>

namespace gn {

uint64_t epoch();
void bump_epoch();

}  // namespace gn
