// The identity of a node's graph, computed as `graph/identity.py` does, and whether an artifact was compiled for it.
#include "artifact/identity.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>
#include <utility>
#include <vector>

#include "artifact/checksums.h"
#include "artifact/json.h"
#include "support/errors.h"

namespace gn {
namespace {

constexpr char kForm[] = "structure:";
constexpr char kBaked[] = "__gluon_neuron_baked__";
constexpr const char* kMoved[] = {"ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage"};
constexpr size_t kRemembered = 256;

struct Edge {
  size_t node, output;
};

struct GraphNode {
  const json::Value* value;
  std::vector<Edge> inputs;
  bool variable;
};

struct ParsedGraph {
  std::vector<GraphNode> nodes;
  std::vector<Edge> heads;
};

std::vector<Edge> read_edges(const json::Value& list, const char* what, size_t nodes) {
  std::vector<Edge> out;
  for (const json::Value& item : list.array(what)) {
    const auto& pair = item.array(what);
    if (pair.size() < 2) throw Error("an edge of its graph has no two numbers");
    out.push_back({pair[0].index(what), pair[1].index(what)});
    if (out.back().node >= nodes) throw Error("an edge of its graph leads nowhere");
  }
  return out;
}

ParsedGraph read_graph(const json::Value& raw) {
  ParsedGraph out;
  const auto& nodes = raw.at("nodes").array("nodes");
  for (const json::Value& node : nodes) {
    out.nodes.push_back({&node, read_edges(node.at("inputs"), "inputs", nodes.size()), node.at("op").str("op") == "null"});
  }
  out.heads = read_edges(raw.at("heads"), "heads", nodes.size());
  return out;
}

// Depth first from the outputs, each node's inputs before it.
std::vector<size_t> visited(const ParsedGraph& graph) {
  std::vector<size_t> order;
  std::vector<bool> seen(graph.nodes.size());
  std::vector<std::pair<size_t, size_t>> stack;
  for (const Edge& head : graph.heads) {
    stack.emplace_back(head.node, 0);
    while (!stack.empty()) {
      auto [number, at] = stack.back();
      stack.pop_back();
      if (seen[number]) continue;
      const auto& inputs = graph.nodes[number].inputs;
      while (at < inputs.size() && seen[inputs[at].node]) ++at;
      if (at < inputs.size()) {
        if (stack.size() > graph.nodes.size()) throw Error("its graph has a circle");
        stack.emplace_back(number, at + 1);
        stack.emplace_back(inputs[at].node, 0);
      } else {
        seen[number] = true;
        order.push_back(number);
      }
    }
  }
  return order;
}

void append(std::string& out, const std::string& value) { out += text(value.size(), ":", value); }

bool counts(const std::string& key) {
  if (key == kBaked) return true;
  const bool hint = key.size() >= 4 && key.compare(0, 2, "__") == 0 && key.compare(key.size() - 2, 2, "__") == 0;
  return !hint && std::find(std::begin(kMoved), std::end(kMoved), key) == std::end(kMoved);
}

std::string canonical(const json::Value& raw) {
  const ParsedGraph graph = read_graph(raw);
  std::vector<size_t> place(graph.nodes.size());
  std::string out;
  size_t count = 0;
  const auto edges = [&](const std::vector<Edge>& given) {
    for (const Edge& edge : given) out += text(place[edge.node], ":", edge.output, ";");
  };
  for (const size_t number : visited(graph)) {
    const GraphNode& node = graph.nodes[number];
    place[number] = count++;
    if (node.variable) {
      out += 'v';
      append(out, node.value->at("name").str("name"));
      continue;
    }
    std::vector<std::pair<std::string, std::string>> attrs;
    if (const json::Value* given = node.value->find("attrs")) {
      for (size_t i = 0; i < given->keys.size(); ++i) {
        if (counts(given->keys[i])) attrs.emplace_back(given->keys[i], given->items[i].str("attrs"));
      }
    }
    std::sort(attrs.begin(), attrs.end());
    out += 'o';
    append(out, node.value->at("op").str("op"));
    out += text(attrs.size(), ";");
    for (const auto& attr : attrs) {
      append(out, attr.first);
      append(out, attr.second);
    }
    out += text(node.inputs.size(), ";");
    edges(node.inputs);
    const json::Value* bodies = node.value->find("subgraphs");
    out += text(bodies ? bodies->array("subgraphs").size() : 0, ";");
    if (bodies) {
      for (const json::Value& body : bodies->items) append(out, canonical(body));
    }
  }
  out += text("h", graph.heads.size(), ";");
  edges(graph.heads);
  return out;
}

std::string names(const std::vector<std::string>& given) {
  std::string out;
  for (size_t i = 0; i < given.size() && i < 4; ++i) out += text(i ? ", " : "", given[i]);
  return given.size() > 4 ? text(out, " and ", given.size() - 4, " more") : out;
}

std::vector<std::string> variables(const std::string& graph_json) {
  const json::Value raw = json::parse(graph_json.data(), graph_json.size());
  const ParsedGraph graph = read_graph(raw);
  std::vector<std::string> out;
  for (const size_t number : visited(graph)) {
    if (graph.nodes[number].variable) out.push_back(graph.nodes[number].value->at("name").str("name"));
  }
  return out;
}

void compare(const Artifact& artifact, const std::string& graph_json) {
  std::vector<std::string> compiled;
  if (!artifact.programs.empty()) {
    for (const Input& input : artifact.programs.front()->inputs) compiled.push_back(input.name);
  }
  std::string seen;
  if (artifact.graph.compare(0, sizeof kForm - 1, kForm) == 0) {
    const std::string own = graph_identity(graph_json);
    if (own == artifact.graph) return;
    seen = text("the node's graph is ", own.substr(0, sizeof kForm + 11), ", the artifact is for ",
                artifact.graph.substr(0, sizeof kForm + 11));
  } else {
    if (compiled.empty() || compiled == variables(graph_json)) return;
    seen = "their inputs have other names";
  }
  throw ArtifactError(text("is another node's (", seen, "): the node reads ", names(variables(graph_json)),
                           "; the artifact's program reads ", names(compiled),
                           ". Use the parameters that were exported with this symbol. Where several models are joined, or a "
                           "compiled symbol was edited, compile the whole."));
}

struct Checked {
  Digest graph, artifact;
};

struct Memory {
  std::mutex mutex;
  std::list<Checked> recent;
};

Memory& memory() {
  static Memory* const instance = new Memory;
  return *instance;
}

}  // namespace

std::string graph_identity(const std::string& graph_json) {
  const std::string found = canonical(json::parse(graph_json.data(), graph_json.size()));
  return kForm + sha256_hex(reinterpret_cast<const uint8_t*>(found.data()), found.size());
}

void check_belongs(const Artifact& artifact, const std::string& graph_json) {
  // Gluon's cached operator makes a state, and with it a binding, at every call.
  const Digest digest = content_hash(reinterpret_cast<const uint8_t*>(graph_json.data()), graph_json.size());
  Memory& state = memory();
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    for (auto it = state.recent.begin(); it != state.recent.end(); ++it) {
      if (it->graph != digest || it->artifact != artifact.digest) continue;
      state.recent.splice(state.recent.begin(), state.recent, it);
      return;
    }
  }
  try {
    compare(artifact, graph_json);
  } catch (const ArtifactError&) {
    throw;
  } catch (const Error& error) {
    throw Error(text("its graph cannot be read: ", error.what(), ". Export the model again."));
  }
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.recent.push_front({digest, artifact.digest});
  if (state.recent.size() > kRemembered) state.recent.pop_back();
}

}  // namespace gn
