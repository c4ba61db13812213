// What a compiled model is valid for: weights that change, move or are replaced, and programs that do not fit.
#include "model/binding.h"

#include <cstdlib>
#include <cstring>

#include "boundary/log.h"
#include "errors.h"
#include "model/epoch.h"
#include "model/model_cache.h"
#include "model/specialise.h"
#include "region.h"
#include "support/stats.h"

namespace {

constexpr size_t kSmall = 100, kLarge = 100000;  // copied, and read where it is

// How much a counter rises while `body` runs.
template <class Body>
uint64_t rise(std::atomic<uint64_t>& counter, Body body) {
  const uint64_t before = counter;
  body();
  return counter - before;
}

void forget() {
  gn::drop_specialised(nullptr);
  gn::ModelCache::get().drop_orphans(nullptr);
}

size_t alive() {
  size_t all = 0, orphans = 0;
  gn::ModelCache::get().count(&all, &orphans);
  return all;
}

// A variable of the environment, for a while.
struct Environment {
  Environment(const char* name, const char* value) : name(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  const char* name;
};

int program_for_batch(const char*, const char* request, void* sink, gn_emit_t emit) {
  for (size_t batch : {3, 5, 6, 7}) {
    if (!std::strstr(request, gn::text("\"shape\":[", batch, ",4]").c_str())) continue;
    const auto made = container::artifact({container::cpu(batch, kSmall)}, "region");
    emit(sink, reinterpret_cast<const char*>(made.data()), made.size());
    return 0;
  }
  emit(sink, "not today", 9);
  return 1;
}

}  // namespace

TEST_SUITE_BEGIN("binding");

TEST_CASE("a write to a weight is seen, by its version") {
  for (size_t size : {kSmall, kLarge}) {
    CAPTURE(size);
    Region region(2, size, "written");
    const auto binding = region.bind();
    CHECK(region.run(*binding) == region.expected());
    for (int i = 0; i < 3; ++i) {
      region.w[size / 2] += 7;
      ++region.version;
      CHECK(region.run(*binding) == region.expected());
    }
  }
  forget();
}

TEST_CASE("where nothing changed, nothing is compared") {
  const Region region(2, kLarge, "trusted");
  const auto binding = region.bind();
  region.run(*binding);
  CHECK(rise(gn::stats().bytes_hashed, [&] { region.run(*binding); }) == 0);
  CHECK(rise(gn::stats().trusted_calls, [&] { region.run(*binding); }) == 1);
  // Another x is no other weight.
  Region other = region;
  auto arrays = region.arrays();
  arrays[0] = {other.x.data(), 9};
  CHECK(rise(gn::stats().trusted_calls, [&] { binding->model(arrays, region.outputs()); }) == 1);
  forget();
}

TEST_CASE("a version that rises without a change costs a comparison and no compilation") {
  for (size_t size : {kSmall, kLarge}) {
    CAPTURE(size);
    Region region(2, size, "raised");
    const auto binding = region.bind();
    region.run(*binding);
    ++region.version;
    CHECK(rise(gn::stats().content_checks, [&] { CHECK(rise(gn::stats().compiles, [&] { region.run(*binding); }) == 0); }) >= 1);
  }
  forget();
}

TEST_CASE("an array at a recycled place is seen once the epoch rose") {
  // The small one is copied, so that a model that stayed would compute with what was there.
  for (size_t size : {kSmall, kLarge}) {
    CAPTURE(size);
    Region region(2, size, "recycled");
    const auto binding = region.bind();
    region.run(*binding);
    region.w[5] += 1;  // the same address and version: another array, says whoever raises the epoch
    gn::bump_epoch();
    CHECK(rise(gn::stats().compiles, [&] { CHECK(region.run(*binding) == region.expected()); }) == 1);
  }
  forget();
}

TEST_CASE("from the first bulk on, a node that may share one trusts no version") {
  gn::note_bulk();
  for (size_t size : {kSmall, kLarge}) {
    CAPTURE(size);
    Region region(2, size, "in a bulk");
    const auto sharing = region.bind({}, true), alone = region.bind();
    region.run(*sharing);
    region.run(*alone);
    CHECK(rise(gn::stats().content_checks, [&] { region.run(*alone); }) == 0);
    region.w[5] += 1;  // before the bulk's end
    CHECK(region.run(*sharing) == region.expected());
  }
  forget();
}

TEST_CASE("version 0 is never trusted, and such an array not referred to") {
  Region region(2, kLarge, "relaid");
  region.version = 0;
  const auto binding = region.bind();
  CHECK(region.run(*binding) == region.expected());
  CHECK(rise(gn::stats().relayouts, [&] { region.run(*binding); }) == 1);
  region.w[0] += 1;
  CHECK(region.run(*binding) == region.expected());
  const auto model = binding->model(region.arrays(), region.outputs());
  CHECK(model->weights().at(0).copy != nullptr);
  CHECK_FALSE(model->weights().at(0).refers);
  forget();
}

TEST_CASE("equal weights at another place") {
  // A copy serves any array of its contents; a reference one array alone.
  for (size_t size : {kSmall, kLarge}) {
    CAPTURE(size);
    const Region region(2, size, "moved");
    const auto binding = region.bind();
    region.run(*binding);
    Region copy = region;
    copy.version = 7;
    const uint64_t compiled = rise(gn::stats().compiles, [&] { CHECK(copy.run(*binding) == copy.expected()); });
    CHECK(compiled == (size == kSmall ? 0 : 1));
  }
  forget();
}

TEST_CASE("equal artifacts at another place, whose literals are referred to") {
  constexpr size_t kLiterals = 1 << 17;  // whose sum ends in zeros
  const Region region(container::artifact({container::cpu(2, kSmall, kLiterals)}, "literals"), 2, kSmall);
  const auto binding = region.bind();
  const uint8_t expected = static_cast<uint8_t>(region.expected() - 36);
  CHECK(region.run(*binding) == expected);
  Region copy = region;
  copy.version = 7;
  CHECK(rise(gn::stats().compiles, [&] { CHECK(copy.run(*binding) == expected); }) == 1);
  forget();
}

TEST_CASE("nodes with the same program and weights share a model") {
  const Region region(2, kLarge, "shared");
  const auto one = region.bind(), other = region.bind();
  CHECK(one->model(region.arrays(), region.outputs()) == other->model(region.arrays(), region.outputs()));
  forget();
}

TEST_CASE("a model outlives a state that was called once, and goes with one called often if it is large") {
  forget();
  const size_t before = alive();
  const Region small(2, kLarge, "kept"), large(2, size_t{9} << 20, "dropped");
  for (int calls : {1, 2}) {
    small.run(*small.bind());
    const auto binding = large.bind();
    for (int i = 0; i < calls; ++i) large.run(*binding);
  }
  CHECK(alive() == before + 1);
  forget();
  CHECK(alive() == before);
}

TEST_CASE("no more orphans are kept than are worth it") {
  forget();
  const size_t before = alive();
  for (size_t i = 0; i < gn::ModelCache::kOrphans + 3; ++i) {
    const Region region(2, kSmall, gn::text("orphan ", i));
    region.run(*region.bind());
  }
  CHECK(alive() == before + gn::ModelCache::kOrphans);
  const Region last(2, kSmall, gn::text("orphan ", gn::ModelCache::kOrphans + 2)), first(2, kSmall, "orphan 0");
  CHECK(rise(gn::stats().compiles, [&] { last.run(*last.bind()); }) == 0);
  CHECK(rise(gn::stats().compiles, [&] { first.run(*first.bind()); }) == 1);
  forget();
}

TEST_CASE("the artifact itself is watched") {
  Region region(2, kSmall, "watched");
  const auto binding = region.bind();
  region.run(*binding);
  region.artifact[30] ^= 1;
  ++region.version;
  CHECK(has(error_of<gn::ArtifactError>([&] { region.run(*binding); }), "is damaged"));
  region.artifact[30] ^= 1;
  CHECK(region.run(*binding) == region.expected());  // after an error nothing is trusted
  forget();
}

TEST_CASE("a payload is digested once for all its models") {
  const Region region(2, kLarge, "digested");
  Region other = region;
  other.w[0] += 1;
  const auto one = region.bind(), two = other.bind();
  CHECK(rise(gn::stats().bytes_digested, [&] { region.run(*one); }) > 0);
  CHECK(rise(gn::stats().bytes_digested, [&] { other.run(*two); }) == 0);
  forget();
}

TEST_CASE("how much room programs for other inputs have") {
  const auto room = [](const char* given) { return gn::room_for_specialised(given, size_t{200} << 20); };
  CHECK(room(nullptr) == size_t{400} << 20);
  CHECK(room("") == size_t{400} << 20);
  CHECK(gn::room_for_specialised(nullptr, 5) == gn::kLeastRoom);
  CHECK(room("0") == 0);
  CHECK(room("12345") == 12345);
  CHECK(room("2k") == 2048);
  CHECK(room("1.5M") == 3 << 19);
  CHECK(room("3G") == size_t{3} << 30);
  CHECK(room("1T") == size_t{1} << 40);
  for (const char* wrong : {"M", "-1", "1X", "1MB", "nan", "1e300", "much"}) {
    CHECK(has(error_of<gn::Error>([&] { room(wrong); }), gn::text("GLUON_NEURON_MEMORY=", wrong, " is no size")));
  }
}

TEST_CASE("what was not used for the longest time makes room, in use or not") {
  const Environment room("GLUON_NEURON_MEMORY", "2200K");  // each takes 1 MiB and a little
  gn::set_program_callback(program_for_batch);
  const Region compiled(2, kSmall);
  const auto at = [&](size_t batch) { return Region(compiled.artifact, batch, kSmall); };
  const Region third = at(3), fifth = at(5), sixth = at(6);
  const auto used = third.bind(), idle = fifth.bind();
  CHECK(third.run(*used) == third.expected());
  CHECK(fifth.run(*idle) == fifth.expected());
  CHECK(third.run(*used) == third.expected());  // idle is the older one now
  CHECK_FALSE(idle->evicted());
  CHECK(rise(gn::stats().evictions, [&] { sixth.run(*sixth.bind()); }) == 1);
  CHECK(idle->evicted());
  CHECK_FALSE(used->evicted());
  CHECK(fifth.run(*idle) == fifth.expected());  // whoever holds it goes on
  CHECK(rise(gn::stats().specialisations, [&] { fifth.run(*fifth.bind()); }) == 1);
  CHECK(used->evicted());
  gn::set_program_callback(nullptr);
  forget();
}

TEST_CASE("a program for other inputs is asked for, and kept for a while") {
  const Environment room("GLUON_NEURON_MEMORY", "2200K");
  gn::set_program_callback(program_for_batch);
  const Region compiled(2, kSmall);
  const auto at = [&](size_t batch) { return Region(compiled.artifact, batch, kSmall); };
  for (size_t batch : {3, 5}) {
    const Region region = at(batch);
    CHECK(rise(gn::stats().specialisations, [&] { CHECK(region.run(*region.bind()) == region.expected()); }) == 1);
    CHECK(rise(gn::stats().specialisations, [&] { region.run(*region.bind()); }) == 0);
  }
  const Region third = at(6), first = at(3);
  CHECK(rise(gn::stats().specialisations, [&] { third.run(*third.bind()); }) == 1);  // the oldest makes room
  CHECK(rise(gn::stats().specialisations, [&] { first.run(*first.bind()); }) == 1);
  const Region refused = at(4);
  const std::string why = error_of<gn::Error>([&] { refused.run(*refused.bind()); });
  CHECK(has(why, "no program for these inputs: input 'x' is uint8[4,4], compiled were uint8[2,4]; not today"));
  gn::set_program_callback(nullptr);
  const Region alone = at(7);
  CHECK(has(error_of<gn::Error>([&] { alone.run(*alone.bind()); }), "nothing in this process can compile"));
  forget();
}

TEST_CASE("a program for any shape serves what none was compiled for, and its weights are laid out once") {
  gn::set_program_callback(nullptr);
  Region compiled(container::artifact({container::cpu(2, kLarge), container::any(2, kLarge)}, "any"), 2, kLarge);
  const auto first = compiled.bind();
  CHECK(compiled.run(*first) == compiled.expected());
  const size_t before = alive();
  std::vector<std::unique_ptr<gn::Binding>> bindings;
  const uint64_t made = rise(gn::stats().compiles, [&] {
    for (size_t batch : {3, 64, 1, 5, 3, 64}) {
      const Region region(compiled.artifact, batch, kLarge);
      // The weights' own place: as MXNet does, all nodes read the same arrays.
      auto arrays = region.arrays();
      arrays[1] = compiled.arrays()[1];
      arrays[2] = compiled.arrays()[2];
      bindings.push_back(region.bind());
      std::vector<uint8_t> y(region.x.size(), 1);
      for (int i = 0; i < 2; ++i) {
        bindings.back()->model(arrays, region.outputs())->run(arrays, {y.data()}, region.inputs(), region.outputs());
        CHECK(y == std::vector<uint8_t>(region.x.size(), compiled.expected()));
      }
    }
  });
  CHECK(made == 1);
  CHECK(alive() == before + 1);
  const Region beyond(compiled.artifact, 65, kLarge);
  const std::string why = error_of<gn::Error>([&] { beyond.run(*beyond.bind()); });
  CHECK(has(why, "input 'x' is uint8[65,4], compiled were uint8[2,4]; nothing"));
  bindings.clear();
  forget();
}

TEST_CASE("weights that change are seen by a program for any shape") {
  Region region(container::artifact({container::cpu(2, kLarge), container::any(2, kLarge)}, "any, written"), 3, kLarge);
  const auto binding = region.bind();
  CHECK(region.run(*binding) == region.expected());
  region.w[5] += 7;
  ++region.version;
  CHECK(region.run(*binding) == region.expected());
  forget();
}

TEST_CASE("a program for any shape that gives another shape than MXNet infers") {
  const Region region(container::artifact({container::cpu(2, kSmall), container::any(2, kSmall)}, "any, other"), 3, kSmall);
  const auto binding = region.bind();
  auto outputs = region.outputs();
  outputs[0].shape = {6, 2};
  std::vector<uint8_t> y(region.x.size());
  const std::string why = error_of<gn::Error>(
      [&] { binding->model(region.arrays(), outputs)->run(region.arrays(), {y.data()}, region.inputs(), outputs); });
  CHECK(has(why, "gives uint8[3,4] as output 0, and MXNet infers uint8[6,2]"));
  forget();
}

TEST_CASE("outputs that are not the program's") {
  const Region region(2, kSmall, "outputs");
  const auto binding = region.bind();
  auto outputs = region.outputs();
  outputs[0].shape[0] = 3;
  CHECK(has(error_of<gn::Error>([&] { binding->model(region.arrays(), outputs); }), "outputs are not those"));
  CHECK(region.run(*binding) == region.expected());
}

TEST_CASE("a chip's program that cannot run leaves the CPU's") {
  gn::set_warning_callback([](const char*) {});
  const Region region(container::artifact({container::neff("trn2", 2, kSmall), container::cpu(2, kSmall)}, "chip"), 2, kSmall);
  CHECK(rise(gn::stats().fallbacks, [&] { CHECK(region.run(*region.bind()) == region.expected()); }) == 1);
  gn::Placement strict;
  strict.strict = true;
  CHECK(has(error_of<gn::Error>([&] { region.run(*region.bind(strict)); }), "strict forbids the CPU"));
  const Region without(container::artifact({container::neff("trn2", 2, kSmall)}, "chip"), 2, kSmall);
  CHECK(has(error_of<gn::Error>([&] { without.run(*without.bind()); }), "no program for the CPU"));
  gn::set_warning_callback(nullptr);
  forget();
}

TEST_SUITE_END();
