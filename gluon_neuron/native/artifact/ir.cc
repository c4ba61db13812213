// What has to be known from the text of an OpenVINO IR.
#include "artifact/ir.h"

#include <algorithm>
#include <cstdlib>

namespace gn {
namespace {

// Calls `visit` with the text of each start tag of this name, and where it begins.
template <class Visit>
void tags(const std::string& xml, const std::string& name, Visit visit) {
  const std::string open = "<" + name + " ";
  for (size_t at = xml.find(open); at != std::string::npos; at = xml.find(open, at + 1)) {
    visit(xml.substr(at, xml.find('>', at) - at), at);
  }
}

std::string attribute(const std::string& tag, const std::string& name) {
  const std::string open = " " + name + "=\"";
  const size_t at = tag.find(open);
  if (at == std::string::npos) return "";
  const size_t begin = at + open.size();
  return tag.substr(begin, tag.find('"', begin) - begin);
}

}  // namespace

std::vector<Constant> constants(const std::string& xml) {
  std::vector<Constant> out;
  tags(xml, "layer", [&](const std::string& layer, size_t at) {
    if (attribute(layer, "type") != "Const") return;
    const size_t begin = std::min(xml.find("<data ", at), xml.size());
    const std::string data = xml.substr(begin, xml.find('>', begin) - begin);
    const std::string open = " offset=\"";
    // A layer without an offset gets a place that nothing stands at.
    const size_t found = data.find(open);
    const size_t position = found == std::string::npos ? 0 : begin + found + open.size();
    out.push_back({position, std::strtoull(attribute(data, "size").c_str(), nullptr, 10)});
  });
  return out;
}

std::vector<Passed> passed_through(const std::string& xml) {
  // OpenVINO numbers inputs and outputs as their layers follow one another.
  std::vector<std::string> inputs, outputs;
  tags(xml, "layer", [&](const std::string& tag, size_t) {
    const std::string type = attribute(tag, "type");
    if (type == "Parameter") inputs.push_back(attribute(tag, "id"));
    if (type == "Result") outputs.push_back(attribute(tag, "id"));
  });
  std::vector<Passed> out;
  tags(xml, "edge", [&](const std::string& tag, size_t) {
    const auto from = std::find(inputs.begin(), inputs.end(), attribute(tag, "from-layer"));
    const auto to = std::find(outputs.begin(), outputs.end(), attribute(tag, "to-layer"));
    if (from == inputs.end() || to == outputs.end()) return;
    out.push_back({static_cast<size_t>(to - outputs.begin()), static_cast<size_t>(from - inputs.begin())});
  });
  return out;
}

}  // namespace gn
