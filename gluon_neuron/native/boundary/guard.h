// Keeps exceptions from crossing the C boundary: what is thrown becomes a message for MXNet, which raises it as MXNetError.
#pragma once

#include <mxnet/lib_api.h>

#include <exception>
#include <new>

#include "boundary/messages.h"

namespace gn {

template <class Body>
int guarded(Body body) {
  try {
    body();
    return mxnet::ext::MX_SUCCESS;
  } catch (const std::bad_alloc&) {
    messages::add("gluon_neuron: out of memory");
  } catch (const std::exception& error) {
    messages::add(error.what());
  } catch (...) {
    messages::add("gluon_neuron: an unknown error");
  }
  return mxnet::ext::MX_FAIL;
}

}  // namespace gn
