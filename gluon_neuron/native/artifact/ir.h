// What has to be known from the text of an OpenVINO IR.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gn {

struct Passed {
  size_t output, input;
};

// A constant of the model: where the digits of its offset stand in the text, and its size in bytes.
struct Constant {
  size_t position, nbytes;
};

std::vector<Constant> constants(const std::string& xml);

// The model's outputs that are inputs of it, unchanged. OpenVINO's CPU plugin computes with the output's memory in the
// input's place when a caller's memory is set for such an output, and gives wrong numbers without an error.
std::vector<Passed> passed_through(const std::string& xml);

}  // namespace gn
