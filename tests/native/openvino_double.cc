// OpenVINO's C library as far as the tests need it: a model adds the sum of its constants' bytes to its input.
#include <openvino/c/openvino.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Place {
  const uint8_t* data;
  size_t size;
};

// The value of an attribute, from `at` on.
size_t number(const std::string& xml, size_t at, const char* attribute) {
  const std::string open = std::string(" ") + attribute + "=\"";
  return std::strtoull(xml.c_str() + xml.find(open, at) + open.size(), nullptr, 10);
}

}  // namespace

struct ov_core {};
struct ov_tensor {
  size_t nbytes;
  void* data;
  std::vector<int64_t> shape;
};
struct ov_model {
  std::string xml;
  const uint8_t* constants;
};
struct ov_compiled_model {
  std::vector<Place> constants;  // read at run time, as OpenVINO does with large ones
};
struct ov_infer_request {
  const ov_compiled_model* model;
  Place input{};
  std::vector<int64_t> shape;  // of the input, and so of the output
  uint8_t* output = nullptr;
};

extern "C" {

ov_status_e ov_core_create(ov_core_t** core) {
  *core = new ov_core;
  return OK;
}

ov_status_e ov_tensor_create_from_host_ptr(const ov_element_type_e, const ov_shape_t shape, void* host_ptr,
                                           ov_tensor_t** tensor) {
  size_t nbytes = 1;
  for (int64_t i = 0; i < shape.rank; ++i) nbytes *= static_cast<size_t>(shape.dims[i]);
  *tensor = new ov_tensor{nbytes, host_ptr, {shape.dims, shape.dims + shape.rank}};
  return OK;
}

void ov_tensor_free(ov_tensor_t* tensor) { delete tensor; }

ov_status_e ov_core_read_model_from_memory_buffer(const ov_core_t*, const char* text, const size_t size,
                                                  const ov_tensor_t* constants, ov_model_t** model) {
  *model = new ov_model{std::string(text, size), static_cast<const uint8_t*>(constants->data)};
  return OK;
}

void ov_model_free(ov_model_t* model) { delete model; }

ov_status_e ov_core_compile_model_props(const ov_core_t*, const ov_model_t* model, const char*, const size_t,
                                        const ov_property_t*, ov_compiled_model_t** compiled) {
  auto* made = new ov_compiled_model;
  for (size_t at = model->xml.find("<data "); at != std::string::npos; at = model->xml.find("<data ", at + 1)) {
    made->constants.push_back({model->constants + number(model->xml, at, "offset"), number(model->xml, at, "size")});
  }
  *compiled = made;
  return OK;
}

ov_status_e ov_infer_request_get_profiling_info(const ov_infer_request_t*, ov_profiling_info_list_t* found) {
  static ov_profiling_info_t kernel{ov_profiling_info_t::EXECUTED, 7, 7, "sum", "double", "Add"};
  *found = {&kernel, 1};
  return OK;
}

void ov_profiling_info_list_free(ov_profiling_info_list_t*) {}

ov_status_e ov_compiled_model_inputs_size(const ov_compiled_model_t*, size_t* size) {
  *size = 1;
  return OK;
}

ov_status_e ov_compiled_model_outputs_size(const ov_compiled_model_t*, size_t* size) {
  *size = 1;
  return OK;
}

void ov_compiled_model_free(ov_compiled_model_t* model) { delete model; }

ov_status_e ov_compiled_model_create_infer_request(const ov_compiled_model_t* model, ov_infer_request_t** request) {
  *request = new ov_infer_request{model, {}, {}, nullptr};
  return OK;
}

void ov_infer_request_free(ov_infer_request_t* request) { delete request; }

ov_status_e ov_infer_request_set_input_tensor_by_index(ov_infer_request_t* request, const size_t, const ov_tensor_t* tensor) {
  request->input = {static_cast<const uint8_t*>(tensor->data), tensor->nbytes};
  request->shape = tensor->shape;
  return OK;
}

ov_status_e ov_infer_request_set_output_tensor_by_index(ov_infer_request_t* request, const size_t, const ov_tensor_t* tensor) {
  request->output = static_cast<uint8_t*>(tensor->data);
  return OK;
}

ov_status_e ov_infer_request_get_output_tensor_by_index(const ov_infer_request_t* request, const size_t, ov_tensor_t** tensor) {
  *tensor = new ov_tensor{request->input.size, request->output, request->shape};
  return OK;
}

ov_status_e ov_tensor_data(const ov_tensor_t* tensor, void** data) {
  *data = tensor->data;
  return OK;
}

ov_status_e ov_tensor_get_shape(const ov_tensor_t* tensor, ov_shape_t* shape) {
  *shape = {static_cast<int64_t>(tensor->shape.size()), new int64_t[tensor->shape.size()]};
  std::memcpy(shape->dims, tensor->shape.data(), tensor->shape.size() * sizeof(int64_t));
  return OK;
}

ov_status_e ov_shape_free(ov_shape_t* shape) {
  delete[] shape->dims;
  shape->dims = nullptr;
  return OK;
}

ov_status_e ov_infer_request_infer(ov_infer_request_t* request) {
  uint8_t sum = 0;
  for (const Place& constant : request->model->constants) {
    for (size_t i = 0; i < constant.size; ++i) sum = static_cast<uint8_t>(sum + constant.data[i]);
  }
  for (size_t i = 0; i < request->input.size; ++i) request->output[i] = static_cast<uint8_t>(request->input.data[i] + sum);
  return OK;
}

ov_status_e ov_infer_request_start_async(ov_infer_request_t* request) { return ov_infer_request_infer(request); }

ov_status_e ov_infer_request_wait(ov_infer_request_t*) { return OK; }

const char* ov_get_last_err_msg() { return "the double of OpenVINO failed"; }

const char* ov_get_error_info(ov_status_e) { return "an error of the double"; }

}  // extern "C"
