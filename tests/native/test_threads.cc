// What several threads use at the same time; run under ThreadSanitizer by `make sanitize`.
#include <atomic>
#include <thread>
#include <vector>

#include "artifact/artifact_cache.h"
#include "artifact/checksums.h"
#include "artifact/json.h"
#include "boundary/c_api.h"
#include "boundary/log.h"
#include "call/array_substitution.h"
#include "errors.h"
#include "model/epoch.h"
#include "model/model_cache.h"
#include "model/specialise.h"
#include "region.h"

namespace {

constexpr int kThreads = 6, kRounds = 60;

// Runs `body(thread)` on several threads; what one throws is thrown here.
template <class Body>
void together(Body body) {
  std::atomic<int> ready{0};
  std::vector<std::string> wrong(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      try {
        body(i);
      } catch (const std::exception& error) {
        wrong[i] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& why : wrong) CHECK(why == "");
}

void expect(bool right, const char* what) {
  if (!right) throw gn::Error(what);  // doctest's checks are slow on many threads
}

int program_of_any_batch(const char*, const char* request, void* sink, gn_emit_t emit) {
  const gn::json::Value value = gn::json::parse(request, std::string(request).size());
  const size_t batch = value.at("inputs").items.at(0).at("shape").items.at(0).index("shape");
  const auto made = container::artifact({container::cpu(batch, 100)}, "threads");
  emit(sink, reinterpret_cast<const char*>(made.data()), made.size());
  return 0;
}

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE("nodes that share models, while weights change and epochs rise") {
  together([](int thread) {
    Region region(2, thread % 2 ? 100 : 100000, "threads");
    auto binding = region.bind();
    for (int round = 0; round < kRounds; ++round) {
      if (round % 7 == 0) binding = region.bind();
      if (round % 3 == 0) {
        region.w[static_cast<size_t>(round)] = static_cast<uint8_t>(round);
        ++region.version;
      }
      if (round % 11 == 0) gn::bump_epoch();
      if (round % 13 == 0) gn_release_all();
      expect(region.run(*binding) == region.expected(), "another result");
    }
  });
}

TEST_CASE("one model is compiled once for all who ask at the same time, and run by all") {
  const Region region(2, 200000, "at once");
  std::vector<std::shared_ptr<gn::Model>> models(kThreads);
  std::vector<std::unique_ptr<gn::Binding>> bindings;
  for (int i = 0; i < kThreads; ++i) bindings.push_back(region.bind());
  together([&](int thread) {
    models[static_cast<size_t>(thread)] = bindings[static_cast<size_t>(thread)]->model(region.arrays(), region.outputs());
    for (int round = 0; round < kRounds; ++round)
      expect(region.run(*bindings[static_cast<size_t>(thread)]) == region.expected(), "another result");
  });
  for (const auto& model : models) CHECK(model == models[0]);
}

TEST_CASE("programs that are made, kept and forgotten") {
  gn::set_program_callback(program_of_any_batch);
  const Region compiled(2, 100, "threads");
  together([&](int thread) {
    for (int round = 0; round < kRounds / 3; ++round) {
      const Region region(compiled.artifact, static_cast<size_t>(3 + (thread + round) % 4), 100);
      expect(region.run(*region.bind()) == region.expected(), "another result");
      if (round % 5 == 0) gn_release("threads");
    }
  });
  gn::set_program_callback(nullptr);
  gn_release_all();
}

TEST_CASE("artifacts and digests that are remembered") {
  together([](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto bytes = container::artifact({container::cpu(2, 100)}, gn::text("artifact ", (thread + round) % 80));
      const auto artifact = gn::artifact_of(bytes.data(), bytes.size(), gn::content_hash(bytes.data(), bytes.size()));
      gn::verify_payload(*artifact, 0, bytes.data());
      expect(artifact->programs.size() == 1, "another artifact");
      const std::string text = gn::text("part ", round % 9);
      const auto* part = reinterpret_cast<const uint8_t*>(text.data());
      const gn::Digest whole = gn::content_hash(part, text.size());
      expect(gn::sha256_of_part(whole, 0, part, text.size()) == gn::sha256_hex(part, text.size()), "another digest");
    }
  });
}

TEST_CASE("substitutions of the same and of other arrays") {
  uint8_t shared[1];
  together([&](int thread) {
    uint8_t bound[1], other[1];
    for (uint64_t round = 1; round < 500; ++round) {
      const uint64_t number = static_cast<uint64_t>(thread) * 1000 + round;
      gn::begin_substitution({bound, other, number});
      gn::begin_substitution({shared, other, number});
      expect(gn::substitute_for(bound) == other, "another array");
      gn::substitute_for(shared);
      gn::end_substitution({shared, other, number});
      gn::end_substitution({bound, other, number});
      expect(gn::substitute_for(bound) == bound, "an array that should be gone");
    }
  });
  CHECK(gn::substitute_for(shared) == shared);
}

TEST_CASE("warnings, callbacks and questions") {
  static std::atomic<int> heard{0};
  together([](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      if (round % 20 == 0) gn_set_warning_callback([](const char*) { ++heard; });
      const std::string name = gn::text("node ", thread);
      const gn::ScopedNodeName scope(name);
      gn::warn_once(gn::text("key ", round), "something");
      char buffer[1024];
      expect(gn_stats(buffer, sizeof buffer) < sizeof buffer, "statistics that are too long");
      gn_neuron_runtime(buffer, sizeof buffer);
      expect(gn_set_mxnet(nullptr) == -1 && *gn_last_error(), "no error");
      gn_allow_cpu(1);
      gn_allow_cpu(-1);
    }
  });
  CHECK(heard >= kRounds);
  gn_set_warning_callback(nullptr);
}

TEST_SUITE_END();
