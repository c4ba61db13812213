// Shapes, element types and arrays as they cross the boundary with MXNet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gn {

struct DType {
  int flag;  // MXNet's number
  const char* name;  // NumPy's name
  size_t size;
};

// Null when the type cannot cross the boundary.
const DType* dtype_by_flag(int flag);
const DType* dtype_by_name(const std::string& name);

struct Spec {
  std::vector<int64_t> shape;
  const DType* dtype = nullptr;

  size_t elements() const;
  size_t nbytes() const { return elements() * dtype->size; }
  std::string str() const;  // float32[1,3,224,224]
  Spec part(size_t parts) const;  // one of so many equal parts along the first axis
  Spec halves() const;  // of 64-bit integers: the lower and upper half of each along one more axis
  bool operator==(const Spec& other) const { return dtype == other.dtype && shape == other.shape; }
  bool operator!=(const Spec& other) const { return !(*this == other); }
};

// An input of one call. The version counts the writes that MXNet's engine ordered; it is 0 for a copy that MXNet made
// for this call only (an array in a blocked layout), and for an array that was read from a file and never written.
struct Array {
  const uint8_t* data;
  size_t version;
};

}  // namespace gn
