// The exports by which MXNet 1.9 finds `_neuron_subgraph_op` and calls it, typed by its own header.
#include <mxnet/lib_api.h>

#include <string>
#include <vector>

#include "boundary/forks.h"
#include "boundary/guard.h"
#include "boundary/messages.h"
#include "call/node.h"
#include "support/errors.h"
#include "support/fork_gate.h"
#include "support/tensor.h"

namespace gn {
namespace {

constexpr char kOperator[] = "_neuron_subgraph_op";

const DType* dtype(int flag, const std::string& node) {
  const DType* type = dtype_by_flag(flag);
  if (type) return type;
  throw Error(text("gluon_neuron: node ", node, " has an array of MXNet's dtype number ", flag,
                   ", which compiled regions cannot pass. Compile the model again."));
}

std::string attribute(const char* const* keys, const char* const* values, int count, const std::string& name) {
  for (int i = 0; i < count; ++i) {
    if (name == keys[i]) return values[i];
  }
  return "";
}

Placement placement(const std::string& node, const std::string& core, const std::string& strict) {
  Placement out;
  out.strict = strict == "1";
  if (core.empty()) return out;
  if (core.size() > 4 || core.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(text("gluon_neuron: node ", node, " is to run on NeuronCore '", core, "', which is not the index of one."));
  }
  out.core = std::stoi(core);
  return out;
}

// MXNet takes the operator's maker by address and hands it back to _opCallCreateOpState, which needs none.
// NOLINTBEGIN(performance-unnecessary-value-param): the type is MXNet's.
mxnet::ext::MXReturnValue make_nothing(const std::unordered_map<std::string, std::string>&, const mxnet::ext::MXContext&,
                                       const std::vector<std::vector<unsigned int>>&, const std::vector<int>,
                                       mxnet::ext::CustomStatefulOp**) {
  return mxnet::ext::MX_FAIL;
}
// NOLINTEND(performance-unnecessary-value-param)

// The types of the arguments alone: the header's declarations return void where its typedefs say int.
template <class Function>
struct Arguments;
template <class Result, class... Args>
struct Arguments<Result (*)(Args...)> {
  using type = void (*)(Args...);
};

}  // namespace
}  // namespace gn

// NOLINTBEGIN(bugprone-macro-parentheses): a name within a namespace cannot have any.
#define GN_HAS_TYPE(function, expected)                                                                                   \
  static_assert(std::is_same<gn::Arguments<decltype(&function)>::type, gn::Arguments<mxnet::ext::expected>::type>::value, \
                #function " has not the signature that MXNet calls")
// NOLINTEND(bugprone-macro-parentheses)

GN_HAS_TYPE(_opVersion, opVersion_t);
GN_HAS_TYPE(_opRegSize, opRegSize_t);
GN_HAS_TYPE(_opRegGet, opRegGet_t);
GN_HAS_TYPE(_opCallCreateOpState, opCallCreateOpState_t);
GN_HAS_TYPE(_opCallDestroyOpState, opCallDestroyOpState_t);
GN_HAS_TYPE(_opCallFStatefulCompute, opCallFStatefulComp_t);
GN_HAS_TYPE(initialize, initialize_t);
GN_HAS_TYPE(_msgSize, msgSize_t);
GN_HAS_TYPE(_msgGet, msgGet_t);

extern "C" {

int _opVersion() { return MX_LIBRARY_VERSION; }

mxnet::ext::MXReturnValue initialize(int version) {
  const bool right = gn::guarded([&] {
                       if (version < 10900 || version >= 11000) {
                         throw gn::Error(gn::text("gluon_neuron works with MXNet 1.9, not with version number ", version));
                       }
                       gn::forks::install();
                     }) == mxnet::ext::MX_SUCCESS;
  return right ? mxnet::ext::MX_SUCCESS : mxnet::ext::MX_FAIL;
}

int _msgSize() { return gn::messages::count(); }

void _msgGet(int idx, const char** msg) { *msg = gn::messages::take(idx); }

int _opRegSize() { return 1; }

void _opRegGet(int, const char** name, int* isSGop, const char*** forward_ctx, mxnet::ext::fcomp_t** forward_fp,
               int* forward_count, const char*** backward_ctx, mxnet::ext::fcomp_t** backward_fp, int* backward_count,
               const char*** create_op_ctx, mxnet::ext::createOpState_t** create_op_fp, int* create_op_count,
               mxnet::ext::parseAttrs_t* parse, mxnet::ext::inferType_t* type, mxnet::ext::inferSType_t* stype,
               mxnet::ext::inferShape_t* shape, mxnet::ext::mutateInputs_t* mutate) {
  static const char* contexts[] = {"cpu"};
  static mxnet::ext::createOpState_t makers[] = {gn::make_nothing};
  *name = gn::kOperator;
  *isSGop = 1;  // MXNet infers shapes and types over the node's subgraph by itself
  *forward_ctx = *backward_ctx = nullptr;
  *forward_fp = *backward_fp = nullptr;
  *forward_count = *backward_count = 0;
  *create_op_ctx = contexts;
  *create_op_fp = makers;
  *create_op_count = 1;
  *parse = nullptr;
  *type = nullptr;
  *stype = nullptr;
  *shape = nullptr;
  *mutate = nullptr;
}

int _opCallCreateOpState(mxnet::ext::createOpState_t, const char* const* keys, const char* const* vals, int num, const char*, int,
                         unsigned int** inshapes, int* indims, int num_in, const int* intypes, void** state_op) {
  const gn::fork_gate::MakesNode section;
  return gn::guarded([&] {
    std::string name = gn::attribute(keys, vals, num, "__node_name__");
    if (name.empty()) name = gn::kOperator;
    std::vector<gn::Spec> inputs(num_in);
    for (int i = 0; i < num_in; ++i) {
      inputs[i].dtype = gn::dtype(intypes[i], name);
      inputs[i].shape.assign(inshapes[i], inshapes[i] + indims[i]);
    }
    const gn::Placement placement = gn::placement(name, gn::attribute(keys, vals, num, "__gluon_neuron_core__"),
                                                  gn::attribute(keys, vals, num, "__gluon_neuron_strict__"));
    auto* node = new gn::Node(name, gn::attribute(keys, vals, num, "subgraph_sym_json"), std::move(inputs), placement);
    *state_op = static_cast<mxnet::ext::CustomStatefulOp*>(node);
  });
}

void _opCallDestroyOpState(void* state_op) {
  const gn::InSection section(gn::Section::engine);
  delete static_cast<mxnet::ext::CustomStatefulOp*>(state_op);
}

// The inputs' shapes are those of the state: the ones passed here point into a vector that MXNet may have moved
// (README.md, "dangling shapes").
int _opCallFStatefulCompute(int is_forward, void* state_op, const int64_t**, int*, void** indata, int*, size_t* inIDs,
                            const char**, int*, int num_in, const int64_t** outshapes, int* outdims, void** outdata,
                            int* outtypes, size_t*, const char**, int*, int num_out, mxnet::ext::xpu_malloc_t, void*,
                            mxnet::ext::xpu_malloc_t, void*, void*, mxnet::ext::sparse_malloc_t, void*, int* instypes,
                            int* outstypes, void**, void**, void**, void**, int64_t*, int64_t*, int64_t*, int64_t*, void*,
                            void*) {
  const gn::InSection section(gn::Section::engine);
  return gn::guarded([&] {
    if (!is_forward) {
      throw gn::Error(
          "gluon_neuron: _neuron_subgraph_op is inference only: no gradient. Train the block that was compiled; the "
          "compiled one shares its parameters and follows them.");
    }
    auto* node = static_cast<gn::Node*>(static_cast<mxnet::ext::CustomStatefulOp*>(state_op));
    if (static_cast<size_t>(num_in) != node->inputs())
      throw gn::Error("gluon_neuron: MXNet passed another number of inputs than it announced");
    std::vector<gn::Array> inputs(num_in);
    for (int i = 0; i < num_in; ++i) {
      if (instypes[i] != 0)
        throw gn::Error("gluon_neuron: compiled regions take dense arrays only. Call tostype('default') on the input.");
      inputs[i] = {static_cast<const uint8_t*>(indata[i]), inIDs[i]};
    }
    std::vector<gn::Spec> specs(num_out);
    std::vector<uint8_t*> outputs(num_out);
    for (int i = 0; i < num_out; ++i) {
      if (outstypes[i] != 0) throw gn::Error("gluon_neuron: compiled regions write dense arrays only");
      specs[i].dtype = gn::dtype(outtypes[i], gn::kOperator);
      specs[i].shape.assign(outshapes[i], outshapes[i] + outdims[i]);
      outputs[i] = static_cast<uint8_t*>(outdata[i]);
    }
    node->forward(inputs, specs, outputs);
  });
}

}  // extern "C"
