// A weight on a NeuronCore: written once, and read by all programs there that compute with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model/content_hash.h"
#include "nrt/runtime.h"

namespace gn {

class DeviceWeight : public NrtResource {
 public:
  // Where a weight belongs, and what is in it. Inputs of other names have weights of their own, equal or not: that one tensor
  // may stand for two inputs of a program is published nowhere.
  struct Content {
    std::string input;
    int placement;
    int core;
    const uint8_t* data;
    size_t nbytes;
    Digest digest;
  };

  // The weight on its core, written now unless it is there; `tensor` is what the runtime calls it. Throws Error.
  static std::shared_ptr<DeviceWeight> obtain(const Content& content, const std::string& tensor);
  ~DeviceWeight() override;

  NrtTensorHandle* handle() const { return handle_; }
  size_t nbytes() const { return nbytes_; }

 private:
  DeviceWeight(const Content& content, const std::string& tensor);
  void free() override;

  const size_t nbytes_;
  NrtTensorHandle* handle_ = nullptr;
};

}  // namespace gn
