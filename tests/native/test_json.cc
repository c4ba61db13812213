// The JSON reader: what it takes, what it gives, and all that it refuses.
#include "artifact/json.h"

#include "errors.h"

using gn::json::parse;
using gn::json::Value;

namespace {

Value read(const std::string& text) { return parse(text.data(), text.size()); }

std::string refusal(const std::string& text) {
  return error_of<gn::Error>([&] { read(text); });
}

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_SUITE_BEGIN("json");

TEST_CASE("every kind of value") {
  CHECK(read("null").kind == Value::Kind::null);
  CHECK(read("true").boolean);
  CHECK(read("false").kind == Value::Kind::boolean);
  CHECK_FALSE(read("false").boolean);
  CHECK(read(" \t\r\n7 ").integer == 7);
  CHECK(read("1.5").kind == Value::Kind::fraction);
  CHECK(read("1e3").kind == Value::Kind::fraction);
  CHECK(read("-2E-3").kind == Value::Kind::fraction);
  CHECK(read("[]").array("x").empty());
  CHECK(read("{}").items.empty());
  const Value list = read("[1, [2], \"3\", {\"4\": 5}]");
  REQUIRE(list.array("x").size() == 4);
  CHECK(list.items[1].items[0].integer == 2);
  CHECK(list.items[2].str("x") == "3");
  CHECK(list.items[3].at("4").index("x") == 5);
}

TEST_CASE("integers, up to the largest and no further") {
  CHECK(read("0").integer == 0);
  CHECK(read("-0").integer == 0);
  CHECK(read("9223372036854775799").integer == 9223372036854775799);
  CHECK(read("-9223372036854775799").integer == -9223372036854775799);
  CHECK(has(refusal("92233720368547758080"), "too large"));
  CHECK(has(refusal("18446744073709551616"), "too large"));
  CHECK(has(refusal("99999999999999999999999999999999"), "too large"));
  CHECK(has(refusal("01"), "begins with 0"));
  CHECK(has(refusal("-01"), "begins with 0"));
  for (const char* text : {"-", "1.", ".5", "1e", "1e+", "+1", "0x10", "1 2", "--1", "NaN", "Infinity"}) {
    CAPTURE(text);
    CHECK(has(refusal(text), "not valid JSON at byte"));
  }
}

TEST_CASE("strings and their escapes") {
  CHECK(read(R"("a\"\\\/\b\f\n\r\t")").string == "a\"\\/\b\f\n\r\t");
  CHECK(read(R"("\u0041\u00e9\u20AC")").string == "A\xc3\xa9\xe2\x82\xac");
  CHECK(read(R"("\ud83d\ude00")").string == "\xf0\x9f\x98\x80");
  CHECK(read("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"").string == "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(read(R"("\u0000")").string == std::string(1, '\0'));
  for (const char* text : {R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ude00")", R"("\ud83d\ud83d")"}) {
    CAPTURE(text);
    CHECK(has(refusal(text), "surrogate"));
  }
  CHECK(has(refusal(R"("\x")"), "unknown escape"));
  CHECK(has(refusal(std::string("\"\\\0\"", 4)), "unknown escape"));
  CHECK(has(refusal(R"("\u12g4")"), "hexadecimal"));
  CHECK(has(refusal("\"\n\""), "control character"));
  for (const char* text : {"\"", "\"a", "\"a\\", "\"\\u12", "\"\\u", "\"\\ud83d\\u"}) {
    CAPTURE(text);
    CHECK(has(refusal(text), "cut off"));
  }
}

TEST_CASE("the first and last character of each length") {
  for (const char* text : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(read(gn::text("\"", text, "\"")).string == text);
  }
  for (const char* text : {"\xe0\x9f\xbf", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80"}) {
    CHECK(has(refusal(gn::text("\"", text, "\"")), "not UTF-8"));
  }
}

TEST_CASE("what is not UTF-8") {
  for (const char* text : {"\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"",
                           "\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xff\"", "\"\xc3\"",
                           "\"\xe2\x82\"", "\"\xf0\x9f\x98\"", "\"\xc3", "\"\xe2\x82"}) {
    CHECK(has(refusal(text), "not UTF-8"));
  }
}

TEST_CASE("objects keep their order, and no key comes twice") {
  const Value value = read(R"({"b": 1, "a": {"b": 2}, "": 3})");
  CHECK(value.keys == std::vector<std::string>{"b", "a", ""});
  CHECK(value.at("a").at("b").integer == 2);
  CHECK(value.find("c") == nullptr);
  CHECK(has(refusal(R"({"a": 1, "a": 2})"), "twice"));
  CHECK(has(refusal(R"({"a": 1, "\u0061": 2})"), "twice"));
  CHECK(has(refusal(R"([{"x": {"a": 1, "b": 2, "a": 3}}])"), "twice"));
}

TEST_CASE("every beginning of a right text is wrong") {
  const std::string text = R"({"a": [1, -2.5e3, "x\u00e9\n", true], "b": {"c": null}})";
  read(text);
  for (size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(has(refusal(text.substr(0, size)), "not valid JSON"));
  }
}

TEST_CASE("the reader does not look behind the end") {
  const std::string text = "[12345]";
  CHECK(error_of<gn::Error>([&] { parse(text.data(), 3); }).size() > 0);
  CHECK(parse(text.data() + 1, 2).integer == 12);
  CHECK(error_of<gn::Error>([&] { parse(text.data(), 0); }).size() > 0);
}

TEST_CASE("signs that are missing or too many") {
  for (const char* text : {"",       " ",       "[1",       "[1,",       "[1,]",       "[,1]",  "[1 2]",     "{",
                           "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{1:2}",
                           "tru",    "nul",     "TRUE",     "[] []",     "]",          "}",     "//x\n1",    "[1]\x01"}) {
    CAPTURE(text);
    CHECK(has(refusal(text), "not valid JSON"));
  }
  CHECK(has(refusal(std::string("1\0", 2)), "follows"));
}

TEST_CASE("depth and size have bounds") {
  read(nested(65));
  CHECK(has(refusal(nested(66)), "nested too deeply"));
  CHECK(has(refusal(nested(1000000)), "nested too deeply"));
  CHECK(has(refusal(std::string(1000000, '[')), "nested too deeply"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{\"a\":";
  CHECK(has(refusal(deep), "nested too deeply"));
  std::string many = "[0";
  for (int i = 0; i < 1000000; ++i) many += ",0";
  CHECK(has(refusal(many + "]"), "too many values"));
}

TEST_CASE("a value knows where it stands") {
  const std::string text = R"({"a":  {"b": [1, 2]} , "c": "d"})";
  const Value value = read(text);
  CHECK(text.substr(value.at("a").begin, value.at("a").end - value.at("a").begin) == R"({"b": [1, 2]})");
  CHECK(text.substr(value.at("c").begin, value.at("c").end - value.at("c").begin) == "\"d\"");
}

TEST_CASE("a value of another kind is named") {
  const Value value = read(R"({"n": -1, "f": 1.0, "s": "x", "l": []})");
  CHECK(has(error_of<gn::Error>([&] { value.at("missing"); }), "lacks 'missing'"));
  CHECK(has(error_of<gn::Error>([&] { value.at("n").at("x"); }), "'x'"));
  CHECK(has(error_of<gn::Error>([&] { value.at("n").index("n"); }), "'n' in its header must be a whole number from 0 on"));
  CHECK(has(error_of<gn::Error>([&] { value.at("f").index("f"); }), "must be a whole number"));
  CHECK(has(error_of<gn::Error>([&] { value.at("s").array("s"); }), "'s' in its header must be a list"));
  CHECK(has(error_of<gn::Error>([&] { value.at("l").str("l"); }), "'l' in its header must be a string"));
}

TEST_CASE("what is quoted reads the same") {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "\xc3\xa9";
  CHECK(read(gn::json::quote(all)).string == all);
  CHECK(gn::json::quote("") == "\"\"");
}

TEST_SUITE_END();
