// What the library has to say that is no error: each thing once, to whoever listens, or to the standard error stream.
#include "boundary/log.h"

#include <cstdio>
#include <mutex>
#include <set>

#include "support/errors.h"

namespace gn {
namespace {

struct Log {
  std::mutex mutex;
  std::set<std::string> said;
  gn_warning_callback_t callback = nullptr;
};

Log& log() {
  static Log* const instance = new Log;
  return *instance;
}

thread_local const std::string* speaker = nullptr;

}  // namespace

void set_warning_callback(gn_warning_callback_t callback) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().callback = callback;
  log().said.clear();  // whoever begins to listen has heard nothing
}

void warn_once(const std::string& key, const std::string& message) {
  gn_warning_callback_t callback = nullptr;
  {
    const std::lock_guard<std::mutex> lock(log().mutex);
    if (!log().said.insert(key).second) return;
    callback = log().callback;
  }
  const std::string whole = speaker ? text("node ", *speaker, ": ", message) : message;
  if (callback) {
    callback(whole.c_str());
  } else {
    std::fprintf(stderr, "gluon_neuron: %s\n", whole.c_str());
  }
}

ScopedNodeName::ScopedNodeName(const std::string& node) { speaker = &node; }
ScopedNodeName::~ScopedNodeName() { speaker = nullptr; }

}  // namespace gn
