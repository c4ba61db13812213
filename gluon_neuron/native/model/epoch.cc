// What arrays' versions do not tell, for the whole process: which were replaced, and what is written in a bulk.
#include "model/epoch.h"

#include <atomic>

namespace gn {
namespace {

std::atomic<uint64_t> current{1};
std::atomic<bool> bulk{false};

}  // namespace

uint64_t epoch() { return current.load(); }

void bump_epoch() { ++current; }

bool writes_in_bulk() { return bulk; }

void note_bulk() { bulk = true; }

}  // namespace gn
