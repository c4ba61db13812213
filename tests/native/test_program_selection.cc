// Which program runs: the chip of each kind of instance, and what is said where none can.
#include "model/program_selection.h"

#include <cstdlib>

#include "boundary/log.h"
#include "container.h"
#include "errors.h"
#include "support/stats.h"

namespace {

std::vector<std::string> warnings;

void hear(const char* message) { warnings.push_back(message); }

// Listens to warnings, and says what the instance is; nothing was said before.
class Machine {
 public:
  explicit Machine(const char* instance, const char* strict = "") {
    setenv("GLUON_NEURON_INSTANCE", instance, 1);
    setenv("GLUON_NEURON_STRICT", strict, 1);
    setenv("GLUON_NEURON_NRT", "none", 1);
    gn::set_warning_callback(hear);
    warnings.clear();
  }
  ~Machine() {
    setenv("GLUON_NEURON_INSTANCE", "", 1);
    setenv("GLUON_NEURON_STRICT", "", 1);
    gn::set_warning_callback(nullptr);
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
};

std::shared_ptr<gn::Artifact> parsed(const std::vector<container::Payload>& payloads) {
  const auto bytes = container::artifact(payloads);
  return gn::read_artifact(bytes.data(), bytes.size(), {});
}

std::vector<gn::Spec> inputs(int64_t batch) {
  const gn::DType* type = gn::dtype_by_name("uint8");
  return {{{batch, 4}, type}, {{100}, type}};
}

std::string refusal(const std::vector<container::Payload>& payloads, int64_t batch = 2) {
  return error_of<gn::NoChip>([&] { gn::chip_program(*parsed(payloads), inputs(batch), {}); });
}

}  // namespace

TEST_SUITE_BEGIN("program_selection");

TEST_CASE("every family of instances has its chip") {
  const std::pair<const char*, const char*> known[] = {
      {"inf1.xlarge", "inf1"},   {"inf2.48xlarge", "inf2"},  {"trn1.2xlarge", "trn1"}, {"trn1n.32xlarge", "trn1"},
      {"trn2.48xlarge", "trn2"}, {"trn2u.48xlarge", "trn2"}, {"trn2u", "trn2"}};
  for (const auto& item : known) {
    CAPTURE(item.first);
    const Machine machine(item.first);
    // Chosen, and then there is no runtime; a program for another chip is not even tried.
    CHECK(has(refusal({container::neff(item.second, 2, 100)}), "there is no Neuron runtime"));
    const std::string other = std::string(item.second) == "inf1" ? "inf2" : "inf1";
    CHECK(has(refusal({container::neff(other, 2, 100)}),
              "it was compiled for " + other + ", and this machine has the chip of " + item.second));
  }
}

TEST_CASE("where the instance does not tell, any chip's program is tried") {
  for (const char* instance : {"", "c5.large", "trn", "trn22.x", "inf", "inf1x.large"}) {
    CAPTURE(instance);
    const Machine machine(instance);
    CHECK(has(refusal({container::neff("trn1", 2, 100)}), "there is no Neuron runtime"));
  }
}

TEST_CASE("inputs that no program was compiled for are named") {
  const Machine machine("trn1.2xlarge");
  const std::string why = refusal({container::cpu(2, 100), container::neff("trn1", 2, 100), container::neff("trn1", 4, 100)}, 8);
  CHECK(has(why, "it was compiled for trn1, but not for these inputs (x uint8[8,4])"));
  CHECK(has(why, "shapes=[...]"));
  CHECK(has(refusal({container::neff("trn1", 2, 100), container::neff("trn1", 4, 100)}, 4), "there is no Neuron runtime"));
}

TEST_CASE("all targets are listed, each once") {
  const Machine machine("inf1.xlarge");
  CHECK(has(refusal({container::neff("trn1", 2, 100), container::neff("inf2", 2, 100), container::neff("trn1", 4, 100)}),
            "it was compiled for trn1, inf2, and this machine"));
}

TEST_CASE("falling back warns once, unless it is forbidden or allowed") {
  const gn::NoChip why("no chip at all");
  {
    const Machine machine("");
    const uint64_t before = gn::stats().fallbacks;
    gn::fall_back(why, {});
    gn::fall_back(why, {});
    CHECK(gn::stats().fallbacks == before + 2);
    REQUIRE(warnings.size() == 1);
    CHECK(has(warnings[0], "it runs on the CPU"));
    CHECK(has(warnings[0], "no chip at all"));
    gn::fall_back(gn::NoChip("another reason"), {});
    CHECK(warnings.size() == 2);
  }
  {
    const Machine machine("");
    gn::Placement strict;
    strict.strict = true;
    CHECK(has(error_of<gn::Error>([&] { gn::fall_back(why, strict); }), "strict forbids the CPU: no chip at all"));
    gn::allow_cpu(1);
    gn::allow_cpu(1);
    gn::allow_cpu(-1);
    gn::fall_back(why, strict);
    gn::allow_cpu(-1);
    CHECK_THROWS_AS(gn::fall_back(why, strict), gn::Error);
    CHECK(warnings.empty());
  }
  for (const char* strict : {"1", "yes"}) {
    const Machine machine("", strict);
    CHECK_THROWS_AS(gn::fall_back(why, {}), gn::Error);
  }
  for (const char* strict : {"", "0"}) {
    const Machine machine("", strict);
    gn::fall_back(why, {});
    CHECK(warnings.size() == 1);
  }
}

TEST_SUITE_END();
