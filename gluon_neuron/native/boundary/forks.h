// What is to be done before and after a fork, so that the child finds no lock held and waits for no thread of its parent's.
#pragma once

#include <string>
#include <vector>

namespace gn::forks {

// By the thread that forks, which must not hold Python's lock. Waits for calls of other threads, for MXNet's engine, and for
// OpenVINO's threads; and at the fork itself, for a moment, until `threads`, which may be calling MXNet, have come back from it.
// What is returned is the error that MXNet had kept for later, which is lost now; empty for none.
std::string prepare(std::vector<int> threads);
void in_parent();
void in_child();

// Has the C library do all this by itself, until somebody says that it calls `prepare` before each fork whose child is to do
// more than execute a program.
void install();
void announce();

}  // namespace gn::forks
