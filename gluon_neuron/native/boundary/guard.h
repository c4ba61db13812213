// Keeps exceptions from crossing a C boundary: what is thrown becomes a text for whoever called.
#pragma once

#include <mxnet/lib_api.h>

#include <exception>
#include <new>

#include "boundary/messages.h"

namespace gn {

constexpr char kOutOfMemory[] = "gluon_neuron: out of memory";

// Whether `body` came to its end. If not, `report` gets the reason; where there is no memory even for that, nobody does.
template <class Body, class Report>
bool guarded(Body body, Report report) noexcept {
  try {
    try {
      body();
      return true;
    } catch (const std::bad_alloc&) {
      report(kOutOfMemory);
    } catch (const std::exception& error) {
      report(error.what());
    } catch (...) {
      report("gluon_neuron: an unknown error");
    }
  } catch (...) {
    return false;
  }
  return false;
}

// For functions that MXNet calls: the reason waits for MXNet, which raises it as MXNetError.
template <class Body>
int guarded(Body body) noexcept {
  return guarded(body, [](const char* why) { messages::add(why); }) ? mxnet::ext::MX_SUCCESS : mxnet::ext::MX_FAIL;
}

}  // namespace gn
