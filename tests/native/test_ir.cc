// What is read from the text of a program: its constants, and the outputs that are inputs.
#include "artifact/ir.h"

#include "errors.h"

using gn::constants;
using gn::passed_through;

namespace {

std::string layer(const std::string& type, const std::string& inside, int id = 0) {
  return gn::text("<layer id=\"", id, "\" name=\"n\" type=\"", type, "\">", inside, "</layer>");
}

std::string edge(int from, int to) {
  return gn::text("<edge from-layer=\"", from, "\" from-port=\"0\" to-layer=\"", to, "\" to-port=\"0\" />");
}

}  // namespace

TEST_SUITE_BEGIN("ir");

TEST_CASE("constants, by the place of their digits") {
  const std::string xml = "<net>" + layer("Const", "<data element_type=\"f32\" offset=\"123\" size=\"40\"/>") +
                          layer("Add", "<data offset=\"7\" size=\"9\"/>") +
                          layer("Const", "<data offset=\"9\" size=\"0\" shape=\"\"/>") + "</net>";
  const auto found = constants(xml);
  REQUIRE(found.size() == 2);
  CHECK(xml.substr(found[0].position, 4) == "123\"");
  CHECK(found[0].nbytes == 40);
  CHECK(xml.substr(found[1].position, 2) == "9\"");
  CHECK(found[1].nbytes == 0);
}

TEST_CASE("a constant without an offset stands at no place that a header could name") {
  CHECK(constants(layer("Const", "<data size=\"4\"/>")).at(0).position == 0);
  CHECK(constants(layer("Const", "")).at(0).position == 0);
  CHECK(constants(layer("Const", "<data element_offset=\"4\" size=\"4\"/>")).at(0).position == 0);
}

TEST_CASE("the size that is read is that of its own data") {
  const auto found = constants(layer("Const", "<data my_size=\"5\" size=\"4\" offset=\"1\"/>"));
  CHECK(found.at(0).nbytes == 4);
}

TEST_CASE("texts that end anywhere") {
  const std::string xml = "<net>" + layer("Const", "<data offset=\"00000000000000000123\" size=\"40\"/>") +
                          layer("Parameter", "", 1) + layer("Result", "", 2) + edge(1, 2) + "</net>";
  CHECK(constants(xml).size() == 1);
  CHECK(passed_through(xml).size() == 1);
  for (size_t size = 0; size < xml.size(); ++size) {
    CAPTURE(size);
    CHECK(constants(xml.substr(0, size)).size() <= 1);
    CHECK(passed_through(xml.substr(0, size)).size() <= 1);
  }
  CHECK(constants("").empty());
  CHECK(passed_through("").empty());
}

TEST_CASE("outputs that are inputs, by their numbers") {
  // Inputs 10, 11 and outputs 20, 21, 22, which are numbered as they follow one another.
  const std::string layers = layer("Parameter", "", 10) + layer("Result", "", 20) + layer("Parameter", "", 11) +
                             layer("Relu", "", 5) + layer("Result", "", 21) + layer("Result", "", 22);
  const auto found =
      passed_through(layers + edge(10, 5) + edge(5, 20) + edge(11, 21) + edge(10, 22) + edge(99, 20) + edge(10, 99));
  REQUIRE(found.size() == 2);
  CHECK(found[0].output == 1);
  CHECK(found[0].input == 1);
  CHECK(found[1].output == 2);
  CHECK(found[1].input == 0);
}

TEST_SUITE_END();
