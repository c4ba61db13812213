// Twins whose engine times each kernel: made while it is on, told of once, kept apart from the programs that run otherwise.
#include "model/timing.h"

#include <cstring>
#include <string>

#include "boundary/log.h"
#include "errors.h"
#include "model/model_cache.h"
#include "region.h"

namespace {

std::string told;

void tell(uint64_t, const char* xml, size_t xml_size, const void* constants, size_t constants_size, const char* config) {
  told += gn::text(std::string(xml, xml_size).find("<net") != std::string::npos ? "net" : "no net", ",",
                   constants && constants_size > 0 ? "constants" : "none", ",",
                   std::strstr(config, "\"PERF_COUNT\":\"YES\"") ? "timed;" : "untimed;");
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// Begins and ends with nothing timed, whatever a test does.
struct Fresh {
  Fresh() {
    told.clear();
    gn::timing::set_twin_callback(tell);
    gn::timing::begin();
  }
  ~Fresh() {
    gn::timing::end();
    gn::timing::set_twin_callback(nullptr);
  }
  Fresh(const Fresh&) = delete;
  Fresh& operator=(const Fresh&) = delete;
};

}  // namespace

TEST_SUITE_BEGIN("timing");

TEST_CASE("a run is timed while it is on, by a twin that computes the same") {
  const Fresh fresh;
  Region region(2, 100, "timed");
  const auto binding = region.bind();
  CHECK(region.run(*binding) == region.expected());
  CHECK(gn::timing::read() == R"({"runs":[],"programs":{}})");
  gn::timing::turn(true);
  const std::string node = "a \"node\"";
  const gn::ScopedNodeName speaking(node);
  CHECK(region.run(*binding) == region.expected());
  CHECK(region.run(*binding) == region.expected());
  gn::timing::turn(false);
  CHECK(region.run(*binding) == region.expected());
  CHECK(told == "net,constants,timed;");
  const std::string found = gn::timing::read();
  CHECK(has(found, R"({"runs":[["a \"node\"",)"));
  CHECK(has(found, R"("dynamic":false,"graphs":[[["sum","Add","double",7]]]},"data":["x"],"graph":null})"));
  size_t runs = 0;
  for (size_t at = found.find("a \\\"node"); at != std::string::npos; at = found.find("a \\\"node", at + 1)) ++runs;
  CHECK(runs == 2);
}

TEST_CASE("what was timed outlives the program, and ends with the timing") {
  const Fresh fresh;
  {
    Region region(2, 100, "short");
    const auto binding = region.bind();
    gn::timing::turn(true);
    region.run(*binding);
    gn::timing::turn(false);
  }
  gn::ModelCache::get().drop_orphans(nullptr);
  CHECK(has(gn::timing::read(), R"(["sum","Add","double",7])"));
  gn::timing::end();
  CHECK(gn::timing::read() == R"({"runs":[],"programs":{}})");
}

TEST_SUITE_END();
