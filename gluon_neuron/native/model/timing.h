// How long operators take: while it is on, programs run as twins of themselves whose engine times each of its kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

extern "C" {
// Is told, once for each twin, what it was compiled from: its number, the IR's text, the bytes that its constants refer to, and
// the engine's settings as JSON. Both are valid during the call alone. Called on whichever thread runs the program: it must
// neither run MXNet operators nor wait for arrays.
typedef void (*gn_twin_callback_t)(uint64_t number, const char* xml, size_t xml_size, const void* constants,
                                   size_t constants_size, const char* config_json);
}

namespace gn {

class Runner;

namespace timing {

// Whether runs are timed, in this process.
bool is_on();

// Forgets all runs and twins. A forked child's twins are its own.
void begin();
// Runs from now on are timed, or not; twins and what was noted stay.
void turn(bool on);
// Forgets as `begin` does, and turns it off.
void end();

void set_twin_callback(gn_twin_callback_t callback);

// A number for another twin.
uint64_t next_number();
void describe(uint64_t number, const std::string& xml, const void* constants, size_t constants_size,
              const std::vector<std::pair<std::string, std::string>>& config);

// The program's twin, compiled now unless there is one; null where its engine times no kernels. Throws Error.
std::shared_ptr<Runner> twin_of(Runner& runner);
// To be called before what the program's constants refer to goes; what was timed is kept.
void forget(const Runner& runner);

// A node's run, from and to (nanoseconds of the steady clock); number 0 without a twin. `graph` is the region's as JSON, and
// `data` names those of its variables that a call passes.
void note(const std::string& node, uint64_t number, int64_t from, int64_t to, const std::string& graph,
          const std::vector<std::string>& data);

// As JSON: "runs", lists of node, number, from, to and the thread's own number; and "programs" by their numbers: "timings" is
// what `Runner::timings` gives, "graph" and "data" are as they were noted.
std::string read();

}  // namespace timing
}  // namespace gn
