// What a test expects of an error: its class, and words of its text.
#pragma once

#include <string>

#include "support/errors.h"
#include "third_party/doctest/doctest.h"

// The text of the error of this class that `body` throws.
template <class Expected, class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Expected& error) {
    return error.what();
  }
  FAIL("no error was thrown");
  return "";
}

inline bool has(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }
