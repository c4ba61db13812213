// Runs an exported, compiled model through MXNet's C predict API: no Python in the process.
//
//   predict LIBRARY PREFIX EPOCH INPUT_NAME "1,3,224,224" < input.f32 > output.f32
//
// LIBRARY is gluon_neuron's libgluon_neuron.so; GLUON_NEURON_OPENVINO in the environment names libopenvino_c.so.
#include <mxnet/c_api.h>
#include <mxnet/c_predict_api.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

void check(int status, const char* what) {
  if (status == 0) return;
  std::cerr << what << ": " << MXGetLastError() << "\n";
  std::exit(1);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "cannot read " << path << "\n";
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<uint32_t> read_shape(const std::string& text) {
  std::vector<uint32_t> shape;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) shape.push_back(std::stoul(word));
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: predict LIBRARY PREFIX EPOCH INPUT_NAME SHAPE < input.f32 > output.f32\n";
    return 2;
  }
  check(MXLoadLib(argv[1], 0), "the operator's library");

  char epoch[16];
  std::snprintf(epoch, sizeof epoch, "-%04d.params", std::atoi(argv[3]));
  const std::string symbol = read_file(std::string(argv[2]) + "-symbol.json");
  const std::string params = read_file(std::string(argv[2]) + epoch);
  const std::vector<uint32_t> shape = read_shape(argv[5]);
  const char* names[] = {argv[4]};
  const uint32_t bounds[] = {0, static_cast<uint32_t>(shape.size())};
  PredictorHandle predictor = nullptr;
  check(MXPredCreate(symbol.c_str(), params.data(), static_cast<int>(params.size()), 1, 0, 1, names, bounds, shape.data(),
                     &predictor),
        "the model");

  size_t count = 1;
  for (uint32_t length : shape) count *= length;
  std::vector<float> input(count);
  if (std::fread(input.data(), sizeof(float), count, stdin) != count) {
    std::cerr << "the input is shorter than its shape\n";
    return 1;
  }
  check(MXPredSetInput(predictor, argv[4], input.data(), static_cast<uint32_t>(count)), "the input");
  check(MXPredForward(predictor), "the forward pass");

  uint32_t* out_shape = nullptr;
  uint32_t out_dims = 0;
  check(MXPredGetOutputShape(predictor, 0, &out_shape, &out_dims), "the output's shape");
  size_t size = 1;
  for (uint32_t i = 0; i < out_dims; ++i) size *= out_shape[i];
  std::vector<float> output(size);
  check(MXPredGetOutput(predictor, 0, output.data(), static_cast<uint32_t>(size)), "the output");
  std::fwrite(output.data(), sizeof(float), size, stdout);
  check(MXPredFree(predictor), "the end");
  check(MXNDArrayWaitAll(), "the end");  // MXNet's threads free the model's nodes, which must not go on while the process ends
  return 0;
}
