// What this machine's processor can do, by the names that the kernel gives it.
#pragma once

#include <string>
#include <vector>

namespace gn {

// Those of `wanted` that the processor lacks. GLUON_NEURON_CPU_FEATURES (names with commas between) takes the processor's place.
std::vector<std::string> lacking_features(const std::vector<std::string>& wanted);

}  // namespace gn
