// The library's C functions: what they give for bad arguments and without memory, and that nothing thrown leaves them.
#include "boundary/c_api.h"

#include <dlfcn.h>

#include <string>
#include <thread>

#include "artifact/json.h"
#include "boundary/guard.h"
#include "errors.h"
#include "scarce_memory.h"

namespace {

struct Unknown {};

std::string last() { return gn_last_error(); }

gn_bound_t* bound(void* executor = reinterpret_cast<void*>(1)) {
  void* unread[] = {nullptr};
  void* outputs[] = {reinterpret_cast<void*>(2)};
  void* addresses[] = {nullptr};
  return gn_bound_new(executor, 1, unread, addresses, 1, outputs, addresses, 1, 0);
}

}  // namespace

TEST_SUITE_BEGIN("c_api");

TEST_CASE("whatever is thrown becomes a text") {
  std::string why;
  const auto keep = [&](const char* text) { why = text; };
  CHECK(gn::guarded([] {}, keep));
  CHECK(why.empty());
  CHECK_FALSE(gn::guarded([] { throw gn::Error("a reason"); }, keep));
  CHECK(why == "a reason");
  CHECK_FALSE(gn::guarded([] { throw std::bad_alloc(); }, keep));
  CHECK(why == gn::kOutOfMemory);
  CHECK_FALSE(gn::guarded([] { throw Unknown(); }, keep));
  CHECK(why == "gluon_neuron: an unknown error");
  CHECK_FALSE(gn::guarded([] { throw 1; }, [](const char*) { throw Unknown(); }));
}

TEST_CASE("messages wait for MXNet on their own thread, and are handed over once") {
  CHECK(gn::guarded([] { throw gn::Error("first"); }) == mxnet::ext::MX_FAIL);
  CHECK(gn::guarded([] { throw gn::Error("second"); }) == mxnet::ext::MX_FAIL);
  std::thread([] { CHECK(gn::messages::count() == 0); }).join();
  REQUIRE(gn::messages::count() == 2);
  CHECK(gn::messages::take(-1) == nullptr);
  CHECK(gn::messages::take(2) == nullptr);
  CHECK(std::string(gn::messages::take(0)) == "first");
  CHECK(std::string(gn::messages::take(1)) == "second");
  CHECK(gn::messages::count() == 0);
  CHECK(gn::guarded([] {}) == mxnet::ext::MX_SUCCESS);
  CHECK(gn::messages::count() == 0);
}

TEST_CASE("null where something is to be read") {
  void* some[] = {reinterpret_cast<void*>(1)};
  void* none[] = {nullptr};
  CHECK(gn_bound_new(nullptr, 0, nullptr, nullptr, 0, nullptr, nullptr, 1, 0) == nullptr);
  CHECK(last() == "gluon_neuron: the executor is null");
  CHECK(gn_bound_new(some, 1, nullptr, some, 0, nullptr, nullptr, 1, 0) == nullptr);
  CHECK(last() == "gluon_neuron: a list of inputs is null");
  CHECK(gn_bound_new(some, 1, some, nullptr, 0, nullptr, nullptr, 1, 0) == nullptr);
  CHECK(gn_bound_new(some, 0, nullptr, nullptr, 1, nullptr, some, 1, 0) == nullptr);
  CHECK(last() == "gluon_neuron: a list of outputs is null");
  CHECK(gn_bound_new(some, 0, nullptr, nullptr, 1, some, nullptr, 1, 0) == nullptr);
  CHECK(gn_bound_new(some, 0, nullptr, nullptr, 1, none, some, 1, 0) == nullptr);
  CHECK(last() == "gluon_neuron: an output is null");
  const auto region = [&](const char* name, size_t n_inputs, void* const* arrays, size_t n_data, const int64_t* data) {
    const size_t places[] = {0};
    return gn_region_new(name, "{}", -1, 0, n_inputs, arrays, places, n_data, data, 0, nullptr, 1, 0);
  };
  CHECK(region(nullptr, 1, some, 0, nullptr) == nullptr);
  CHECK(last() == "gluon_neuron: the node is null");
  CHECK(region("node", 1, nullptr, 0, nullptr) == nullptr);
  CHECK(last() == "gluon_neuron: a list of inputs is null");
  CHECK(region("node", 1, some, 1, nullptr) == nullptr);
  CHECK(last() == "gluon_neuron: a description is null");
  gn_bound_t* const made = bound();
  REQUIRE(made != nullptr);
  CHECK(gn_bound_node(nullptr) == nullptr);
  CHECK(gn_bound_node(made) == nullptr);
  void* results[] = {nullptr};
  CHECK(gn_bound_call(nullptr, some, results) == -1);
  CHECK(gn_bound_call(made, nullptr, results) == -1);
  CHECK(gn_bound_call(made, some, nullptr) == -1);
  CHECK(last() == "gluon_neuron: an argument of a call is null");
  CHECK(gn_bound_call_if(nullptr, gn_epoch(), gn_relayouts(), some, results) == -1);
  CHECK(gn_bound_call_if(made, gn_epoch() + 1, gn_relayouts(), some, results) == GN_NOT_AS_BOUND);
  CHECK(last().empty());
  gn_bound_free(made);
  gn_bound_free(nullptr);
  CHECK(gn_set_mxnet(nullptr) == -1);
  CHECK(last() == "gluon_neuron: MXNet's library is null");
  CHECK(gn_release(nullptr) == 0);
  CHECK(gn_release("none of this name") == 0);
  CHECK(gn_release_all() == 0);
  CHECK(gn_set_program_callback(nullptr) == 0);
  CHECK(gn_set_pass_callback(nullptr) == 0);
  CHECK(gn_set_warning_callback(nullptr) == 0);
  CHECK(gn_watch_nodes() == 0);
  gn_node_t* nodes[1] = {nullptr};
  CHECK(gn_watched_nodes(nodes, 1) == 0);
  CHECK(std::string(gn_node_name(nullptr)).empty());
  CHECK(gn_node_serves(nullptr, nullptr) == -1);
  CHECK(gn_node_prepare(nullptr, 0, nullptr, 0, nullptr, 0) == -1);
  CHECK(gn_versions(1, nullptr, nullptr) == -1);
  CHECK(gn_node_evicted(nullptr) == -1);
  CHECK(last() == "gluon_neuron: the node is null");
}

TEST_CASE("a library that is not MXNet") {
  void* const self = dlopen(nullptr, RTLD_NOW);
  CHECK(gn_set_mxnet(self) == -1);
  CHECK(has(last(), "lacks C functions"));
  dlclose(self);
}

TEST_CASE("errors belong to the thread on which they came up") {
  CHECK(gn_set_mxnet(nullptr) == -1);
  std::thread([] { CHECK(last().empty()); }).join();
  CHECK_FALSE(last().empty());
}

TEST_CASE("memory that runs out anywhere") {
  bool done = false;
  for (long after = 0; after < 100 && !done; ++after) {
    gn_bound_t* made = nullptr;
    {
      const ScarceMemory scarce(after);
      made = bound();
    }
    done = made != nullptr;
    if (!done) CHECK(last() == gn::kOutOfMemory);
    gn_bound_free(made);
    CHECK((after > 0 || !done));
  }
  CHECK(done);
  done = false;
  for (long after = 0; after < 1000 && !done; ++after) {
    char buffer[2048] = "x";
    size_t length = 0;
    int released = -1;
    {
      const ScarceMemory scarce(after);
      length = gn_stats(buffer, sizeof buffer);
      released = gn_release("a name that is too long to be kept in the string itself");
    }
    done = length > 0 && released == 0;
    if (!done) CHECK(last() == gn::kOutOfMemory);
  }
  CHECK(done);
}

TEST_CASE("a text is cut off at the buffer's end") {
  const size_t whole = gn_stats(nullptr, 0);
  REQUIRE(whole > 0);
  for (size_t size : {size_t{1}, size_t{2}, whole, whole + 1}) {
    std::string buffer(size + 4, '#');
    CHECK(gn_stats(buffer.data(), size) == whole);
    CHECK(buffer.substr(size) == "####");
    CHECK(buffer.find('\0') == size - 1);
  }
  std::string buffer(whole + 1, '#');
  gn_stats(buffer.data(), buffer.size());
  CHECK(gn::json::parse(buffer.data(), whole).at("calls").index("calls") == 0);
  char runtime[1024];
  const size_t length = gn_neuron_runtime(runtime, sizeof runtime);
  CHECK(has(gn::json::parse(runtime, length).at("why").str("why"), "GLUON_NEURON_NRT=none"));
}

TEST_CASE("the epoch rises, and only then") {
  const uint64_t before = gn_epoch();
  CHECK(gn_epoch() == before);
  gn_bump_epoch();
  CHECK(gn_epoch() == before + 1);
}

TEST_SUITE_END();
