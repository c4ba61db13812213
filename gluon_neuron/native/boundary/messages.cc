// The error messages that wait for MXNet to fetch them, kept for each thread and emptied once read.
#include "boundary/messages.h"

#include <utility>
#include <vector>

namespace gn::messages {
namespace {

// MXNet fetches the messages on the thread on which the call failed, so that no lock is needed.
thread_local std::vector<std::string> pending;
thread_local std::vector<std::string> handed_over;

}  // namespace

void add(std::string message) { pending.push_back(std::move(message)); }

int count() { return static_cast<int>(pending.size()); }

const char* take(int index) {
  if (index < 0 || index >= count()) return nullptr;
  const char* message = pending[index].c_str();
  if (index + 1 == count()) {
    // The last one: MXNet asks for the count again at each step of its loop, and ends here either way.
    handed_over = std::move(pending);
    pending.clear();
  }
  return message;
}

}  // namespace gn::messages
