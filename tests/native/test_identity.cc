// The identity of a node's graph is what Python computes, and an artifact of another node is refused.
#include "artifact/identity.h"

#include <memory>
#include <string>

#include "container.h"
#include "errors.h"
#include "region.h"

namespace {

const char* const kSome =
    R"json({"nodes":[{"op":"null","name":"größe","inputs":[]},{"op":"null","name":"w","attrs":{"__shape__":"(3,)"},"inputs":[]},{"op":"split","name":"n","attrs":{"num_outputs":"2","axis":"1","__hint__":"h","lr_mult":"2","__gluon_neuron_baked__":"1f"},"inputs":[[1,0,0]]},{"op":"_foreach","name":"f","inputs":[[2,1,0],[0,0,0]],"subgraphs":[{"nodes":[{"op":"null","name":"s","inputs":[]},{"op":"exp","name":"e","inputs":[[0,0,0]]}],"heads":[[1,0,0]]}]}],"heads":[[3,0,0],[2,0,0]]})json";

std::unique_ptr<gn::Artifact> artifact_for(const std::string& graph) {
  auto out = std::make_unique<gn::Artifact>();
  out->digest = gn::content_hash(reinterpret_cast<const uint8_t*>(graph.data()), graph.size());
  out->graph = graph;
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("identity");

TEST_CASE("the identity of a graph is the one that Python computes") {
  CHECK(gn::graph_identity(kSome) == "structure:9b570fafb2048af31513970353c31c244b1c12c0de72b47fede8f09396ccf444");
}

TEST_CASE("names of operators, hints and the order of nodes do not count, variables' names do") {
  const std::string one = R"({"nodes":[{"op":"null","name":"x","inputs":[]},{"op":"null","name":"w","inputs":[]},)"
                          R"({"op":"f","name":"a","inputs":[[0,0,0],[1,0,0]]}],"heads":[[2,0,0]]})";
  const std::string same = R"({"nodes":[{"op":"null","name":"w","inputs":[]},{"op":"null","name":"x","inputs":[]},)"
                           R"({"op":"f","name":"b","attrs":{"__h__":"1"},"inputs":[[1,0],[0,0]]}],"heads":[[2,0]]})";
  const std::string other = R"({"nodes":[{"op":"null","name":"x","inputs":[]},{"op":"null","name":"v","inputs":[]},)"
                            R"({"op":"f","name":"a","inputs":[[0,0,0],[1,0,0]]}],"heads":[[2,0,0]]})";
  CHECK(gn::graph_identity(one) == gn::graph_identity(same));
  CHECK(gn::graph_identity(one) != gn::graph_identity(other));
}

TEST_CASE("an artifact is its own node's alone") {
  gn::check_belongs(*artifact_for(gn::graph_identity(kSome)), kSome);
  gn::check_belongs(*artifact_for(gn::graph_identity(kSome)), kSome);  // remembered
  const std::string why =
      error_of<gn::Error>([] { gn::check_belongs(*artifact_for(gn::graph_identity(kSome)), Region::kGraph); });
  CHECK(has(why, "is another node's"));
  CHECK(has(why, "the node reads x, w"));
}

TEST_CASE("an artifact of the first release is known by the names of its inputs") {
  const Region region;
  CHECK_NOTHROW(region.bind()->model(region.arrays(), region.outputs()));
  const auto artifact = gn::read_artifact(region.artifact.data(), region.artifact.size(), {1, 2});
  const std::string why = error_of<gn::Error>([&] { gn::check_belongs(*artifact, kSome); });
  CHECK(has(why, "their inputs have other names"));
}

TEST_CASE("a graph that cannot be read") {
  const auto held = artifact_for("structure:1");
  const gn::Artifact& artifact = *held;
  for (const char* text : {"", "{}", R"({"nodes":[],"heads":[[0,0,0]]})", R"({"nodes":[1],"heads":[]})",
                           R"({"nodes":[{"op":"f","name":"a","inputs":[[0,0,0]]}],"heads":[[0,0,0]]})",
                           R"({"nodes":[{"op":"f","name":"a","inputs":[[0]]}],"heads":[[0,0,0]]})"}) {
    CHECK(has(error_of<gn::Error>([&] { gn::check_belongs(artifact, text); }), "its graph cannot be read"));
  }
}

TEST_SUITE_END();
