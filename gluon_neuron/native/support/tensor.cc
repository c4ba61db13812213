// Shapes, element types and arrays as they cross the boundary with MXNet.
#include "support/tensor.h"

#include "support/errors.h"

namespace gn {
namespace {

constexpr DType kTypes[] = {
    {0, "float32", 4}, {1, "float64", 8}, {2, "float16", 2}, {3, "uint8", 1},
    {4, "int32", 4},   {5, "int8", 1},    {6, "int64", 8},   {7, "bool", 1},
};

}  // namespace

const DType* dtype_by_flag(int flag) {
  for (const DType& type : kTypes) {
    if (type.flag == flag) return &type;
  }
  return nullptr;
}

const DType* dtype_by_name(const std::string& name) {
  for (const DType& type : kTypes) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

size_t Spec::elements() const {
  size_t total = 1;
  for (int64_t extent : shape) total *= static_cast<size_t>(extent);
  return total;
}

std::string Spec::str() const {
  std::string out = text(dtype ? dtype->name : "unknown", "[");
  for (size_t i = 0; i < shape.size(); ++i) out += text(i ? "," : "", shape[i]);
  return out + "]";
}

Spec Spec::halves() const {
  Spec out = *this;
  out.dtype = dtype_by_name("int32");
  out.shape.push_back(2);
  return out;
}

Spec Spec::part(size_t parts) const {
  Spec out = *this;
  if (parts > 1) out.shape.at(0) /= static_cast<int64_t>(parts);
  return out;
}

}  // namespace gn
