// A node's binding, its arrays and what its program should compute of them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "container.h"
#include "model/binding.h"

// y = x + a number that all bytes of the weight have a part in.
struct Region {
  static constexpr const char* kGraph = R"({"nodes":[{"op":"null","name":"x","inputs":[]},{"op":"null","name":"w","inputs":[]},)"
                                        R"({"op":"f","name":"y","inputs":[[0,0,0],[1,0,0]]}],"heads":[[2,0,0]]})";

  explicit Region(size_t batch = 2, size_t weights = 100, const std::string& graph = "region")
      : Region(container::artifact({container::cpu(batch, weights)}, graph), batch, weights) {}

  Region(container::Bytes made, size_t batch, size_t weights)
      : artifact(std::move(made)), x(batch * 4), w(weights), batch(static_cast<int64_t>(batch)) {
    for (size_t i = 0; i < weights; ++i) w[i] = static_cast<uint8_t>(i);
  }

  std::vector<gn::Spec> inputs() const {
    const gn::DType* type = gn::dtype_by_name("uint8");
    return {{{batch, 4}, type}, {{static_cast<int64_t>(w.size())}, type}};
  }
  std::vector<gn::Spec> outputs() const { return {{{batch, 4}, gn::dtype_by_name("uint8")}}; }

  std::unique_ptr<gn::Binding> bind(gn::Placement placement = {}, bool may_share_bulk = false) const {
    return std::make_unique<gn::Binding>(kGraph, inputs(), artifact.size(), placement, may_share_bulk);
  }

  std::vector<gn::Array> arrays() const { return {{x.data(), version}, {w.data(), version}, {artifact.data(), version}}; }

  uint8_t expected() const {
    uint8_t sum = 36;  // of the literals
    for (uint8_t value : w) sum = static_cast<uint8_t>(sum + value);
    return sum;
  }

  // What comes out where all of x is zero.
  uint8_t run(gn::Binding& binding) const {
    std::vector<uint8_t> y(x.size(), 1);
    binding.model(arrays(), outputs())->run(arrays(), {y.data()}, inputs(), outputs());
    return y.back();
  }

  container::Bytes artifact, x, w;
  int64_t batch;
  size_t version = 1;
};
