// Which program of an artifact runs here: a chip's, or the CPU's.
#pragma once

#include <vector>

#include "artifact/artifact.h"
#include "nrt/runtime.h"

namespace gn {

// What the node says about where it shall run.
struct Placement {
  int core = -1;        // the first NeuronCore; -1 for any
  bool strict = false;  // on a NeuronCore or not at all
};

// The index of the program for the chip that is here and for these inputs. Throws NoChip when there is none to run, Error when
// the cores that were asked for do not exist.
size_t chip_program(const Artifact& artifact, const std::vector<Spec>& inputs, const Placement& placement);

// To be called before a CPU's program is used where a chip's was compiled: warns once, or throws Error when that is not wanted.
void fall_back(const NoChip& why, const Placement& placement);

// Raises (or lowers, by -1) the number of those who want neither: the CPU may stand in, and nothing is said.
void allow_cpu(int change);

}  // namespace gn
