// OpenVINO's C library, opened at run time: its functions, with the types of its own headers.
#pragma once

#include <openvino/c/openvino.h>

#include <string>

#define GN_OPENVINO_FUNCTIONS(X)                 \
  X(ov_core_create)                              \
  X(ov_core_read_model_from_memory_buffer)       \
  X(ov_core_compile_model_props)                 \
  X(ov_model_free)                               \
  X(ov_compiled_model_create_infer_request)      \
  X(ov_compiled_model_inputs_size)               \
  X(ov_compiled_model_outputs_size)              \
  X(ov_compiled_model_free)                      \
  X(ov_infer_request_set_input_tensor_by_index)  \
  X(ov_infer_request_set_output_tensor_by_index) \
  X(ov_infer_request_infer)                      \
  X(ov_infer_request_start_async)                \
  X(ov_infer_request_wait)                       \
  X(ov_infer_request_free)                       \
  X(ov_infer_request_get_profiling_info)         \
  X(ov_profiling_info_list_free)                 \
  X(ov_infer_request_get_output_tensor_by_index) \
  X(ov_tensor_create_from_host_ptr)              \
  X(ov_tensor_data)                              \
  X(ov_tensor_get_shape)                         \
  X(ov_shape_free)                               \
  X(ov_tensor_free)                              \
  X(ov_get_last_err_msg)                         \
  X(ov_get_error_info)

namespace gn {

struct OpenVino {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration cannot have any.
#define GN_MEMBER(name) decltype(&::name) name = nullptr;
  GN_OPENVINO_FUNCTIONS(GN_MEMBER)
#undef GN_MEMBER
  ov_core_t* core = nullptr;

  // Throws Error with OpenVINO's own text unless the status is OK; `doing` completes "OpenVINO failed to ...".
  void check(ov_status_e status, const char* doing) const;
};

// The library, opened at the first call and kept; throws Error, which says what to install.
const OpenVino& openvino();

// Where to look for the library; without effect once it is open.
void set_openvino_path(const std::string& path);

}  // namespace gn
