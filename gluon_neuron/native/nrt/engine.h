// A NEFF on NeuronCores: loaded once for all weights it runs with, which it shares with the other NEFFs of its artifact.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artifact/artifact.h"
#include "model/runner.h"
#include "nrt/device_weight.h"
#include "nrt/runtime.h"

namespace gn {

// A NEFF on its cores.
class LoadedNeff : public NrtResource {
 public:
  // The loaded NEFF for this program and core (-1: any, or that of another program of the artifact, whose weights are there),
  // loaded now unless it is. Throws NoChip when it cannot be had here, Error.
  static std::shared_ptr<LoadedNeff> obtain(const Artifact& artifact, size_t index, const uint8_t* neff, int core);
  ~LoadedNeff() override;

  struct Tensor {
    std::string name;
    size_t nbytes;
    int dtype;
  };

  NrtModelHandle* model() const { return model_; }
  int core() const { return core_; }
  size_t cores() const { return cores_; }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }

 private:
  LoadedNeff(const Program& program, const uint8_t* neff, int core);
  void free() override;
  void read_tensors();

  const size_t cores_;
  int core_;  // the first
  NrtModelHandle* model_ = nullptr;
  std::vector<Tensor> inputs_, outputs_;
};

class NeffModel : public Runner, public NrtResource {
 public:
  // Its weights on the device, by tensor. They are made before the model, as what was made last ends first.
  using Weights = std::map<std::string, std::shared_ptr<DeviceWeight>>;
  // `sources`: where the arrays are, and `digests` what is in them, in the order of `program.weights`. Throws Error.
  static Weights write(const Program& program, const LoadedNeff& neff, const std::vector<const uint8_t*>& sources,
                       const std::vector<Digest>& digests);

  // Throws Error.
  NeffModel(const Program& program, std::shared_ptr<LoadedNeff> neff, Weights weights);
  ~NeffModel() override;

  bool takes_all_cores() const override { return false; }
  void run(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs, const CallShapes& shapes) override;
  const std::shared_ptr<LoadedNeff>& neff() const { return neff_; }

 private:
  struct Request;
  // A data input or an output.
  struct Port {
    std::string tensor;
    size_t nbytes;
  };

  void free() override;
  std::unique_ptr<Request> take();
  NrtTensorHandle* allocate(const std::string& name, size_t nbytes) const;

  const int placement_;
  std::shared_ptr<LoadedNeff> neff_;
  std::vector<Port> inputs_, outputs_;
  const Weights weights_;
  std::map<std::string, NrtTensorHandle*> held_;  // what is not read, by tensor
  std::mutex mutex_;
  std::vector<std::unique_ptr<Request>> idle_;
};

}  // namespace gn
