// A strict JSON reader with bounds on depth and size, for headers that may be damaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gn::json {

struct Value {
  enum class Kind { null, boolean, integer, fraction, string, array, object };

  Kind kind = Kind::null;
  bool boolean = false;
  int64_t integer = 0;  // a fraction's value is not kept: nothing here needs one
  std::string string;
  std::vector<std::string> keys;  // of an object, in the order of `items`
  std::vector<Value> items;
  size_t begin = 0, end = 0;  // where it stands in the text

  // The accessors throw Error, naming `what`, when the value is of another kind or lacks the key.
  const Value& at(const char* key) const;
  const Value* find(const char* key) const;  // null when the object lacks the key
  const std::vector<Value>& array(const char* what) const;
  const std::string& str(const char* what) const;
  size_t index(const char* what) const;  // an integer that is not negative
};

// Throws Error when the text is not one JSON value, has a key twice, is nested deeper than 64 or has over a million values.
Value parse(const char* text, size_t size);

std::string quote(const std::string& text);

}  // namespace gn::json
