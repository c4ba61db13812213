// One operation after the other into MXNet's engine.
#include "call/push_order.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

namespace gn {
namespace {

std::recursive_mutex& order() {
  static auto* const mutex = new std::recursive_mutex;
  return *mutex;
}

}  // namespace

// What is pushed to an engine that runs it at once may wait for other threads that push.
void begin_pushes() {
  if (!runs_at_once()) order().lock();
}

void end_pushes() {
  if (!runs_at_once()) order().unlock();
}

bool runs_at_once() {
  static const bool naive = [] {
    const char* const given = std::getenv("MXNET_ENGINE_TYPE");  // MXNet has looked at it when it was loaded
    return given && std::strcmp(given, "NaiveEngine") == 0;
  }();
  return naive;
}

}  // namespace gn
