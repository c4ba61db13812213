// A model compiled by OpenVINO, and the infer requests that run it, several at once if need be, in parts of a batch or as a
// whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "artifact/ir.h"
#include "model/runner.h"
#include "support/tensor.h"

namespace gn {

using Config = std::vector<std::pair<std::string, std::string>>;

// Bytes that OpenVINO may address as the model's constants; not all of them need be mapped.
struct Window {
  const uint8_t* base = nullptr;
  size_t size = 0;
};

class CompiledModel : public Runner {
 public:
  // The program is for one of `parts` equal parts of the inputs and outputs, cut along their first axes. Throws Error. What
  // the constants refer to must live as long as the object: OpenVINO reads some of them at run time. A `dynamic` program's
  // inputs and outputs are of other shapes at each call. `timed`: it is a twin, see Runner.
  CompiledModel(const std::string& xml, Window constants, const Config& config, size_t parts, bool dynamic,
                const std::vector<Spec>& inputs, const std::vector<Spec>& outputs, bool timed = false);
  ~CompiledModel() override;
  CompiledModel(const CompiledModel&) = delete;
  CompiledModel& operator=(const CompiledModel&) = delete;

  bool takes_all_cores() const override { return takes_all_cores_; }
  void run(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs, const CallShapes& shapes) override;
  std::unique_ptr<Runner> twin() override { return again_(true); }
  uint64_t number() const override { return number_; }
  // "parts", "streams", "dynamic"; and in "graphs" for each infer request its kernels in order: name, type, what executes it, and
  // the mean of its runs in whole microseconds.
  std::string timings() override;

 private:
  struct Request;
  class Flight;

  std::unique_ptr<Request> take();
  void give_back(std::unique_ptr<Request> request);
  // To the data of one part, by number, of the whole inputs and outputs.
  void bind(Request& request, size_t part, const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs) const;
  void run_dynamic(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs, const CallShapes& shapes);
  void bind_dynamic(Request& request, const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs,
                    const CallShapes& shapes) const;
  bool is_passed(size_t output) const;
  void run_in_turn(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs);
  void run_in_streams(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs);
  CompiledModel& in_child();

  void* compiled_ = nullptr;
  const size_t parts_, streams_;
  const bool dynamic_;
  const int process_;  // which has the streams' threads
  const uint64_t number_;
  // How to make the same, as a twin or for a forked child, and what was made there.
  std::function<std::unique_ptr<CompiledModel>(bool timed)> again_;
  std::mutex child_mutex_;
  std::unique_ptr<CompiledModel> child_;
  std::vector<Spec> inputs_, outputs_;  // of a part
  std::vector<Passed> passed_;
  const bool takes_all_cores_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Request>> idle_;
};

}  // namespace gn
