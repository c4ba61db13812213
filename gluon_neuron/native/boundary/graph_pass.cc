// MXNet's graph pass "neuron": `optimize_for(..., backend="neuron")` in every language, answered by the process (Python).
#include "boundary/graph_pass.h"

#include <mxnet/lib_api.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "artifact/json.h"
#include "boundary/guard.h"
#include "support/errors.h"
#include "support/tensor.h"

namespace gn {
namespace {

constexpr char kPass[] = "neuron";

std::atomic<gn_pass_callback_t> pass_callback{nullptr};

struct Answer {
  std::string bytes;
  mxnet::ext::nd_malloc_t allocate;
  const void* allocator;
  bool failed = false;
};

void emit(void* sink, const char* bytes, size_t nbytes) {
  auto& answer = *static_cast<Answer*>(sink);
  try {
    answer.bytes.append(bytes, nbytes);
  } catch (...) {
    answer.failed = true;
  }
}

void argument(void* sink, const char* name, int device, const char* bytes, size_t nbytes) {
  auto& answer = *static_cast<Answer*>(sink);
  try {
    const int64_t shape[] = {static_cast<int64_t>(nbytes)};
    void* data = nullptr;
    answer.allocate(answer.allocator, shape, 1, "cpu", device, mxnet::ext::kUint8, name, 1, &data);
    std::memcpy(data, bytes, nbytes);
  } catch (...) {
    answer.failed = true;
  }
}

std::string arrays_json(const char* const* names, int count, void* const* data, const int64_t* const* shapes, const int* dims,
                        const int* types, const int* devices) {
  std::string out = "[";
  for (int i = 0; i < count; ++i) {
    const DType* type = dtype_by_flag(types[i]);
    out += text(i ? "," : "", "{\"name\":", json::quote(names[i]), ",\"dtype\":", type ? json::quote(type->name) : "null",
                ",\"address\":", reinterpret_cast<uintptr_t>(data[i]), ",\"device\":", devices[i], ",\"shape\":[");
    for (int k = 0; k < dims[i]; ++k) out += text(k ? "," : "", shapes[i][k]);
    out += "]}";
  }
  return out + "]";
}

// The registration needs a function; MXNet hands it back to _passCallGraphPass, which needs none.
mxnet::ext::MXReturnValue no_pass(mxnet::ext::Graph*, const std::unordered_map<std::string, std::string>&) {
  return mxnet::ext::MX_FAIL;
}

}  // namespace

void set_pass_callback(gn_pass_callback_t callback) { pass_callback = callback; }

}  // namespace gn

extern "C" {

int _passRegSize() { return 1; }

void _passRegGet(int, mxnet::ext::graphPass_t* graphPass, const char** pass_name) {
  *graphPass = gn::no_pass;
  *pass_name = gn::kPass;
}

int _passCallGraphPass(mxnet::ext::graphPass_t, const char* in_graph, char** out_graph, const char* const* opt_keys,
                       const char* const* opt_vals, int num_opts, const char*, const char* const* arg_names, int num_args,
                       void* const* arg_data, const int64_t* const* arg_shapes, const int* arg_dims, const int* arg_types,
                       const size_t*, const char* const*, const int* arg_dev_id, const char* const* aux_names, int num_aux,
                       void* const* aux_data, const int64_t* const* aux_shapes, const int* aux_dims, const int* aux_types,
                       const size_t*, const char* const*, const int* aux_dev_id, mxnet::ext::nd_malloc_t nd_malloc,
                       const void* nd_alloc) {
  return gn::guarded([&] {
    const gn_pass_callback_t callback = gn::pass_callback.load();
    if (!callback) throw gn::Error("gluon_neuron: nothing in this process can compile. Import gluon_neuron in Python.");
    std::string request = "{\"options\":{";
    for (int i = 0; i < num_opts; ++i) {
      request += gn::text(i ? "," : "", gn::json::quote(opt_keys[i]), ":", gn::json::quote(opt_vals[i]));
    }
    request += "},\"args\":" + gn::arrays_json(arg_names, num_args, arg_data, arg_shapes, arg_dims, arg_types, arg_dev_id);
    request += ",\"aux\":" + gn::arrays_json(aux_names, num_aux, aux_data, aux_shapes, aux_dims, aux_types, aux_dev_id) + "}";
    gn::Answer answer;
    answer.allocate = nd_malloc;
    answer.allocator = nd_alloc;
    const int status = callback(in_graph, request.c_str(), &answer, gn::emit, gn::argument);
    if (status != 0) throw gn::Error("gluon_neuron: " + answer.bytes);
    if (answer.failed) throw gn::Error("gluon_neuron: out of memory");
    *out_graph = static_cast<char*>(std::malloc(answer.bytes.size() + 1));  // MXNet gives it to _opCallFree
    if (!*out_graph) throw gn::Error("gluon_neuron: out of memory");
    std::memcpy(*out_graph, answer.bytes.c_str(), answer.bytes.size() + 1);
  });
}

}  // extern "C"
