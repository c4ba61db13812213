// The exception of this library, and text put together from parts.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace gn {

// A failure whose text is meant for the user.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace gn
