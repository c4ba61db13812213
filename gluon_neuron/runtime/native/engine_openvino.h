// A model compiled by OpenVINO, and the infer requests that run it, several at once if need be.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ir_text.h"
#include "runner.h"
#include "tensor.h"

namespace gn {

using Config = std::vector<std::pair<std::string, std::string>>;

// Bytes that OpenVINO may address as the model's constants; not all of them need be mapped.
struct Window {
  const uint8_t* base = nullptr;
  size_t size = 0;
};

class CompiledModel : public Runner {
 public:
  // Throws Error. What the constants refer to must live as long as the object: OpenVINO reads some of them at run time.
  CompiledModel(const std::string& xml, Window constants, const Config& config, std::vector<Spec> inputs, std::vector<Spec> outputs);
  ~CompiledModel() override;
  CompiledModel(const CompiledModel&) = delete;
  CompiledModel& operator=(const CompiledModel&) = delete;

  bool takes_all_cores() const override { return takes_all_cores_; }
  void run(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs) override;

 private:
  struct Request;

  std::unique_ptr<Request> take();

  void* compiled_ = nullptr;
  std::vector<Spec> inputs_, outputs_;
  std::vector<Passed> passed_;
  const bool takes_all_cores_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Request>> idle_;
};

}  // namespace gn
