// Which program of an artifact runs here: a chip's, or the CPU's.
#include "model/program_selection.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "boundary/log.h"
#include "model/chips.h"
#include "support/errors.h"
#include "support/stats.h"

namespace gn {
namespace {

std::atomic<int> allowing{0};

constexpr char kProductName[] = "/sys/devices/virtual/dmi/id/product_name";

// The chip that the machine has, by the name of its type of instance; empty when that does not tell.
std::string chip_here() {
  std::string name;
  if (const char* given = std::getenv("GLUON_NEURON_INSTANCE")) {
    name = given;
  } else {
    std::ifstream file(kProductName);
    std::getline(file, name);
  }
  const std::string family = name.substr(0, name.find('.'));
  for (const ChipOfFamily& known : kChips) {
    if (family == known.family) return known.chip;
  }
  return "";
}

bool strict_here() {
  const char* value = std::getenv("GLUON_NEURON_STRICT");
  return value && *value && std::strcmp(value, "0") != 0;
}

}  // namespace

size_t chip_program(const Artifact& artifact, const std::vector<Spec>& inputs, const Placement& placement) {
  const std::string here = chip_here();
  std::string targets, shapes;
  bool right_chip = false;
  for (size_t i = artifact.cpu_programs; i < artifact.programs.size(); ++i) {
    const Program& program = *artifact.programs[i];
    if (targets.find(program.target) == std::string::npos) targets += text(targets.empty() ? "" : ", ", program.target);
    if (!here.empty() && program.target != here) continue;
    right_chip = true;
    if (!program.fits(inputs)) continue;
    NrtRuntime::get().start(program.cores, placement.core);
    return i;
  }
  if (!right_chip) throw NoChip(text("it was compiled for ", targets, ", and this machine has the chip of ", here));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Program& first = *artifact.programs[artifact.cpu_programs];
    if (i < first.inputs.size() && first.inputs[i].role == Role::data)
      shapes += text(shapes.empty() ? "" : ", ", first.inputs[i].name, " ", inputs[i].str());
  }
  throw NoChip(text("it was compiled for ", targets, ", but not for these inputs (", shapes, "): compile it with shapes=[...]"));
}

void allow_cpu(int change) { allowing += change; }

void fall_back(const NoChip& why, const Placement& placement) {
  ++stats().fallbacks;
  if (allowing > 0) return;
  if (placement.strict || strict_here()) {
    throw Error(text("it does not run on a NeuronCore, and strict forbids the CPU: ", why.what()));
  }
  warn_once(why.what(),
            text("it runs on the CPU, by the program for it in the same artifact, and not on a NeuronCore: ", why.what(),
                 ". This is shown once; strict=True, or GLUON_NEURON_STRICT=1 in the environment, makes it an error."));
}

}  // namespace gn
