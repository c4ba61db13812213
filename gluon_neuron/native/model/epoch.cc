// A process-wide number that rises whenever arrays may have been replaced by others at the same addresses.
#include "model/epoch.h"

#include <atomic>

namespace gn {
namespace {

std::atomic<uint64_t> current{1};

}  // namespace

uint64_t epoch() { return current.load(); }

void bump_epoch() { ++current; }

}  // namespace gn
