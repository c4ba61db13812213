// What the library has to say that is not an error: each thing once, to whoever listens, or to the standard error stream.
#pragma once

#include <string>

extern "C" {
// Called on whichever thread has something to say; it must neither run MXNet operators nor wait for arrays.
typedef void (*gn_warning_callback_t)(const char* message);
typedef gn_warning_callback_t gn_info_callback_t;
}

namespace gn {

void set_warning_callback(gn_warning_callback_t callback);

void set_info_callback(gn_info_callback_t callback);

// Warns unless something was said under this key before. Names the node that runs on this thread, if one does.
void warn_once(const std::string& key, const std::string& message);

// The same for what is merely worth knowing, which goes nowhere if nobody listens.
void inform_once(const std::string& key, const std::string& message);

// While it lives, the node that runs on this thread.
class ScopedNodeName {
 public:
  explicit ScopedNodeName(const std::string& node);
  ~ScopedNodeName();
  ScopedNodeName(const ScopedNodeName&) = delete;
  ScopedNodeName& operator=(const ScopedNodeName&) = delete;
};

// The node that runs on this thread; empty for none.
std::string node_name_here();

}  // namespace gn
