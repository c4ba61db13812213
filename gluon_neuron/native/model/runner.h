// What an engine makes of a program and its weights: something that runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/tensor.h"

namespace gn {

// The shapes of one call: the data inputs' and the outputs'.
struct CallShapes {
  std::vector<const Spec*> inputs, outputs;
};

class Runner {
 public:
  virtual ~Runner() = default;

  // Whether a run keeps all cores of the host busy, so that the thread that asked for it could do nothing else meanwhile.
  virtual bool takes_all_cores() const = 0;

  // Reads the data inputs and writes the outputs where they are. Any number of threads may call it. Throws Error. A program
  // for one shape alone does not look at `shapes`.
  virtual void run(const std::vector<const uint8_t*>& inputs, const std::vector<uint8_t*>& outputs, const CallShapes& shapes) = 0;

  // The same program again, in the same form, whose engine times each kernel that it runs; null where it does not. Throws Error.
  virtual std::unique_ptr<Runner> twin() { return nullptr; }
  // Of a twin: its number, and what was timed as JSON, which throws nothing.
  virtual uint64_t number() const { return 0; }
  virtual std::string timings() { return "null"; }
};

}  // namespace gn
