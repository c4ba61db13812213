// The Neuron runtime's C library, opened at run time: its published functions, types and numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "support/errors.h"

namespace gn {

// What libnrt calls nrt_model_t, nrt_tensor_t and nrt_tensor_set_t; only it knows what is in them.
struct NrtModelHandle;
struct NrtTensorHandle;
struct NrtTensorSetHandle;

using NrtStatus = int;
constexpr NrtStatus kNrtSuccess = 0;
constexpr NrtStatus kNrtResource = 4, kNrtNotEnoughCores = 9, kNrtHostMemory = 11;
constexpr NrtStatus kNrtNumericalError = 1003;  // the results are there, and hold NaN

constexpr int kNrtFrameworkMxnet = 4;
constexpr int kNrtInputTensor = 0, kNrtOutputTensor = 1;
constexpr int kNrtPlacementDevice = 0, kNrtPlacementVirtual = 2;

struct NrtTensorInfo {
  char name[256];
  int usage;
  size_t size;
  int dtype;
  uint32_t* shape;
  uint32_t ndim;
};

struct NrtTensorInfos {
  uint64_t count;
  NrtTensorInfo tensors[1];  // as many as `count` says
};

// name, result, arguments
#define GN_NRT_FUNCTIONS(X)                                                                                        \
  X(nrt_init, NrtStatus, (int framework, const char* framework_version, const char* layer_version))                \
  X(nrt_close, void, ())                                                                                           \
  X(nrt_load, NrtStatus, (const void* neff, size_t size, int32_t core, int32_t count, NrtModelHandle** model))     \
  X(nrt_unload, NrtStatus, (NrtModelHandle * model))                                                               \
  X(nrt_get_model_tensor_info, NrtStatus, (NrtModelHandle * model, NrtTensorInfos * *infos))                       \
  X(nrt_free_model_tensor_info, NrtStatus, (NrtTensorInfos * infos))                                               \
  X(nrt_allocate_tensor_set, NrtStatus, (NrtTensorSetHandle * *set))                                               \
  X(nrt_destroy_tensor_set, void, (NrtTensorSetHandle * *set))                                                     \
  X(nrt_add_tensor_to_tensor_set, NrtStatus, (NrtTensorSetHandle * set, const char* name, NrtTensorHandle* t))     \
  X(nrt_execute, NrtStatus, (NrtModelHandle * model, const NrtTensorSetHandle* in, NrtTensorSetHandle* out))       \
  X(nrt_tensor_allocate, NrtStatus, (int placement, int core, size_t size, const char* name, NrtTensorHandle** t)) \
  X(nrt_tensor_free, void, (NrtTensorHandle * *t))                                                                 \
  X(nrt_tensor_read, NrtStatus, (const NrtTensorHandle* t, void* to, size_t offset, size_t size))                  \
  X(nrt_tensor_write, NrtStatus, (NrtTensorHandle * t, const void* from, size_t offset, size_t size))

struct Nrt {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration cannot have any.
#define GN_MEMBER(name, result, arguments) result(*name) arguments = nullptr;
  GN_NRT_FUNCTIONS(GN_MEMBER)
#undef GN_MEMBER
  // Older libraries call them nrt_get_visible_nc_count and nrt_get_total_nc_count.
  NrtStatus (*visible_cores)(uint32_t* count) = nullptr;
  NrtStatus (*total_cores)(uint32_t* count) = nullptr;
  std::string path;
};

// The library, opened when it is first there, and kept. Null when there is none; `why` then says where it was looked for.
// GLUON_NEURON_NRT in the environment is its path, or "none". Throws Error when there is one that lacks a function.
const Nrt* nrt(std::string* why = nullptr);

// A status as its number and published name, and what it means.
std::string nrt_status_text(NrtStatus status);

// A call of libnrt's that failed.
class NrtError : public Error {
 public:
  NrtError(const std::string& doing, NrtStatus status);
  // Whether there was not enough of something, which others may give back.
  bool lacks_room() const { return status_ == kNrtResource || status_ == kNrtNotEnoughCores || status_ == kNrtHostMemory; }

 private:
  const NrtStatus status_;
};

// Throws NrtError unless the status is success; `doing` completes "The Neuron runtime failed to ...".
void nrt_check(NrtStatus status, const std::string& doing);

}  // namespace gn
