// The error messages that wait for MXNet to fetch them, kept for each thread and emptied once read.
#pragma once

#include <string>

namespace gn::messages {

void add(std::string message);
int count();
// The text stays valid until this thread fetches the next error's messages.
const char* take(int index);

}  // namespace gn::messages
