// What the library has to say that is not an error: each thing once, to whoever listens, or to the standard error stream.
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
  gn_info_callback_t info_callback = nullptr;
};

Log& log() {
  static Log* const instance = new Log;
  return *instance;
}

thread_local const std::string* speaker = nullptr;

std::string with_speaker(const std::string& message) { return speaker ? text("node ", *speaker, ": ", message) : message; }

// Whether nothing was said under this key before; fills in who is to hear it.
bool first_time(const std::string& key, gn_warning_callback_t Log::* who, gn_warning_callback_t& callback) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  callback = log().*who;
  return log().said.insert(key).second;
}

}  // namespace

void set_warning_callback(gn_warning_callback_t callback) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().callback = callback;
  log().said.clear();  // whoever begins to listen has heard nothing
}

void set_info_callback(gn_info_callback_t callback) {
  const std::lock_guard<std::mutex> lock(log().mutex);
  log().info_callback = callback;
}

void warn_once(const std::string& key, const std::string& message) {
  gn_warning_callback_t callback = nullptr;
  if (!first_time(key, &Log::callback, callback)) return;
  const std::string whole = with_speaker(message);
  if (callback) {
    callback(whole.c_str());
  } else {
    std::fprintf(stderr, "gluon_neuron: %s\n", whole.c_str());
  }
}

void inform_once(const std::string& key, const std::string& message) {
  gn_info_callback_t callback = nullptr;
  if (first_time(key, &Log::info_callback, callback) && callback) callback(with_speaker(message).c_str());
}

ScopedNodeName::ScopedNodeName(const std::string& node) { speaker = &node; }
ScopedNodeName::~ScopedNodeName() { speaker = nullptr; }

std::string node_name_here() { return speaker ? *speaker : ""; }

}  // namespace gn
