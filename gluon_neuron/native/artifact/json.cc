// A strict JSON reader with bounds on depth and size, for headers that may be damaged.
#include "artifact/json.h"

#include <cstdio>
#include <cstring>
#include <unordered_set>

#include "support/errors.h"

namespace gn::json {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxValues = 1000000;

class Parser {
 public:
  Parser(const char* text, size_t size) : text_(text), size_(size) {}

  Value document() {
    Value value = read(0);
    space();
    if (at_ != size_) fail("something follows the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* why) const { throw Error(gn::text("not valid JSON at byte ", at_, ": ", why)); }

  char peek() const { return at_ < size_ ? text_[at_] : '\0'; }

  void space() {
    while (at_ < size_ && std::strchr(" \t\r\n", text_[at_]) && text_[at_] != '\0') ++at_;
  }

  void expect(char c) {
    if (peek() != c || at_ >= size_) fail("another character was expected");
    ++at_;
  }

  bool accept(const char* word) {
    const size_t length = std::strlen(word);
    if (size_ - at_ < length || std::memcmp(text_ + at_, word, length) != 0) return false;
    at_ += length;
    return true;
  }

  Value read(int depth) {
    if (depth > kMaxDepth) fail("nested too deeply");
    if (++values_ > kMaxValues) fail("too many values");
    space();
    Value value;
    value.begin = at_;
    const char c = peek();
    if (c == '{') {
      object(value, depth);
    } else if (c == '[') {
      list(value, depth);
    } else if (c == '"') {
      value.kind = Value::Kind::string;
      value.string = quoted();
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      number(value);
    } else if (accept("true")) {
      value.kind = Value::Kind::boolean;
      value.boolean = true;
    } else if (accept("false")) {
      value.kind = Value::Kind::boolean;
    } else if (!accept("null")) {
      fail("a value was expected");
    }
    value.end = at_;
    return value;
  }

  void object(Value& value, int depth) {
    value.kind = Value::Kind::object;
    expect('{');
    space();
    if (peek() == '}') return expect('}');
    std::unordered_set<std::string> seen;
    while (true) {
      space();
      value.keys.push_back(quoted());
      if (!seen.insert(value.keys.back()).second) fail("a key appears twice");
      space();
      expect(':');
      value.items.push_back(read(depth + 1));
      space();
      if (peek() == '}') return expect('}');
      expect(',');
    }
  }

  void list(Value& value, int depth) {
    value.kind = Value::Kind::array;
    expect('[');
    space();
    if (peek() == ']') return expect(']');
    while (true) {
      value.items.push_back(read(depth + 1));
      space();
      if (peek() == ']') return expect(']');
      expect(',');
    }
  }

  size_t digits() {
    const size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    if (at_ == start) fail("a digit was expected");
    return at_ - start;
  }

  void number(Value& value) {
    const size_t start = at_;
    const bool negative = accept("-");
    const size_t first = at_;
    if (digits() > 1 && text_[first] == '0') fail("a number begins with 0");
    const size_t last = at_;
    value.kind = Value::Kind::integer;
    if (accept(".")) {
      digits();
      value.kind = Value::Kind::fraction;
    }
    if (accept("e") || accept("E")) {
      if (!accept("+")) accept("-");
      digits();
      value.kind = Value::Kind::fraction;
    }
    if (value.kind == Value::Kind::fraction) return;
    uint64_t magnitude = 0;
    for (size_t i = first; i < last; ++i) {
      if (magnitude > (uint64_t{INT64_MAX} - 9) / 10) {
        at_ = start;
        fail("an integer is too large");
      }
      magnitude = 10 * magnitude + static_cast<uint64_t>(text_[i] - '0');
    }
    value.integer = negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
  }

  unsigned hex4() {
    if (size_ - at_ < 4) fail("an escape is cut off");
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = text_[at_];
      if (c >= '0' && c <= '9') {
        code = 16 * code + static_cast<unsigned>(c - '0');
      } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
        code = 16 * code + static_cast<unsigned>((c | 32) - 'a' + 10);
      } else {
        fail("a hexadecimal digit was expected");
      }
    }
    return code;
  }

  static void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
      return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
    out += static_cast<char>(kLead[more] | code >> 6 * more);
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> 6 * i & 63));
  }

  void escape(std::string& out) {
    if (at_ >= size_) fail("a string is cut off");
    const char c = text_[at_++];
    if (c == 'u') {
      unsigned code = hex4();
      if (code >= 0xd800 && code < 0xdc00) {
        if (!accept("\\u")) fail("half of a surrogate pair");
        const unsigned low = hex4();
        if (low < 0xdc00 || low > 0xdfff) fail("half of a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      } else if (code >= 0xdc00 && code < 0xe000) {
        fail("half of a surrogate pair");
      }
      return append_utf8(out, code);
    }
    static const char kFrom[] = "\"\\/bfnrt", kTo[] = "\"\\/\b\f\n\r\t";
    const char* found = c == '\0' ? nullptr : std::strchr(kFrom, c);
    if (!found) fail("an unknown escape");
    out += kTo[found - kFrom];
  }

  // One character of several bytes; what is not UTF-8 would break the error messages that quote it.
  void multibyte(std::string& out) {
    const unsigned lead = static_cast<unsigned char>(text_[at_]);
    const int more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc2 && lead < 0xe0 ? 1 : 0;
    if (more == 0 || size_ - at_ <= static_cast<size_t>(more)) fail("not UTF-8");
    unsigned code = lead & (0x3f >> more);
    for (int i = 1; i <= more; ++i) {
      const unsigned next = static_cast<unsigned char>(text_[at_ + i]);
      if ((next & 0xc0) != 0x80) fail("not UTF-8");
      code = code << 6 | (next & 63);
    }
    if ((more == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
        (more == 3 && (code < 0x10000 || code > 0x10ffff))) {
      fail("not UTF-8");
    }
    out.append(text_ + at_, more + 1);
    at_ += more + 1;
  }

  std::string quoted() {
    expect('"');
    std::string out;
    while (true) {
      if (at_ >= size_) fail("a string is cut off");
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c >= 0x80) {
        multibyte(out);
      } else if (c < 0x20) {
        fail("a control character in a string");
      } else if (c == '"') {
        ++at_;
        return out;
      } else if (c == '\\') {
        ++at_;
        escape(out);
      } else {
        out += text_[at_++];
      }
    }
  }

  const char* text_;
  size_t size_;
  size_t at_ = 0;
  size_t values_ = 0;
};

}  // namespace

const Value& Value::at(const char* key) const {
  if (kind != Kind::object) throw Error(text("its header has no object where '", key, "' is looked for"));
  if (const Value* found = find(key)) return *found;
  throw Error(text("its header lacks '", key, "'"));
}

const Value* Value::find(const char* key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

const std::vector<Value>& Value::array(const char* what) const {
  if (kind != Kind::array) throw Error(text("'", what, "' in its header must be a list"));
  return items;
}

const std::string& Value::str(const char* what) const {
  if (kind != Kind::string) throw Error(text("'", what, "' in its header must be a string"));
  return string;
}

size_t Value::index(const char* what) const {
  if (kind != Kind::integer || integer < 0) throw Error(text("'", what, "' in its header must be a whole number from 0 on"));
  return static_cast<size_t>(integer);
}

Value parse(const char* text, size_t size) { return Parser(text, size).document(); }

std::string quote(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace gn::json
