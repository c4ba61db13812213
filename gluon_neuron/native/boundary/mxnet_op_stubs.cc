// The exports that MXNet looks up but that serve nothing here: plain operators and partitioners.
#include <mxnet/lib_api.h>

#include <cstdlib>

extern "C" {

void _opCallFree(void* ptr) { std::free(ptr); }

int _opCallParseAttrs(mxnet::ext::parseAttrs_t, const char* const*, const char* const*, int, int*, int*) { return 0; }

int _opCallInferShape(mxnet::ext::inferShape_t, const char* const*, const char* const*, int, unsigned int**, int*, int,
                      unsigned int***, int**, unsigned int***, int**, int) {
  return 0;
}

int _opCallInferType(mxnet::ext::inferType_t, const char* const*, const char* const*, int, int*, int, int*, int) { return 0; }

int _opCallInferSType(mxnet::ext::inferSType_t, const char* const*, const char* const*, int, int*, int, int*, int) { return 0; }

int _opCallFCompute(mxnet::ext::fcomp_t, const char* const*, const char* const*, int, const int64_t**, int*, void**, int*,
                    size_t*, const char**, int*, int, const int64_t**, int*, void**, int*, size_t*, const char**, int*, int,
                    mxnet::ext::xpu_malloc_t, void*, mxnet::ext::xpu_malloc_t, void*, void*, mxnet::ext::sparse_malloc_t, void*,
                    int*, int*, void**, void**, void**, void**, int64_t*, int64_t*, int64_t*, int64_t*, void*, void*) {
  return 0;
}

int _opCallMutateInputs(mxnet::ext::mutateInputs_t, const char* const*, const char* const*, int, int**, int*) { return 0; }

int _partRegSize() { return 0; }

int _partRegGetCount(int, const char**) { return 0; }

void _partRegGet(int, int, const char**, mxnet::ext::supportedOps_t*, mxnet::ext::createSelector_t*,
                 mxnet::ext::reviewSubgraph_t*, const char**) {}

int _partCallSupportedOps(mxnet::ext::supportedOps_t, const char*, int, int*, const char* const*, const char* const*, int) {
  return 0;
}

int _partCallCreateSelector(mxnet::ext::createSelector_t, const char*, void**, const char* const*, const char* const*, int) {
  return 0;
}

void _partCallSelect(void*, int, int*) {}

void _partCallSelectInput(void*, int, int, int*) {}

void _partCallSelectOutput(void*, int, int, int*) {}

void _partCallFilter(void*, int*, int, int**, int*) {}

void _partCallReset(void*) {}

int _partCallReviewSubgraph(mxnet::ext::reviewSubgraph_t, const char*, int, int*, const char* const*, const char* const*, int,
                            char***, char***, int*, const char* const*, int, void* const*, const int64_t* const*, const int*,
                            const int*, const size_t*, const char* const*, const int*, const char* const*, int, void* const*,
                            const int64_t* const*, const int*, const int*, const size_t*, const char* const*, const int*) {
  return 0;
}

}  // extern "C"
