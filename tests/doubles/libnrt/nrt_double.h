// The published functions of libnrt that the double exports, and the functions by which tests ask and tell it.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef int NRT_STATUS;
enum {
  NRT_SUCCESS = 0,
  NRT_FAILURE = 1,
  NRT_INVALID = 2,
  NRT_INVALID_HANDLE = 3,
  NRT_RESOURCE = 4,
  NRT_LOAD_NOT_ENOUGH_NC = 9,
  NRT_UNSUPPORTED_NEFF_VERSION = 10,
  NRT_UNINITIALIZED = 13,
  NRT_CLOSED = 14,
  NRT_EXEC_BAD_INPUT = 1002,
  NRT_EXEC_COMPLETED_WITH_NUM_ERR = 1003,
  NRT_EXEC_COMPLETED_WITH_ERR = 1004,
};

typedef struct nrt_model nrt_model_t;
typedef struct nrt_tensor nrt_tensor_t;
typedef struct nrt_tensor_set nrt_tensor_set_t;

typedef struct {
  char name[256];
  int usage;  // 0 input, 1 output
  size_t size;
  int dtype;
  uint32_t* shape;
  uint32_t ndim;
} nrt_tensor_info_t;

typedef struct {
  uint64_t tensor_count;
  nrt_tensor_info_t tensor_array[];
} nrt_tensor_info_array_t;

typedef struct {
  uint64_t rt_major, rt_minor, rt_patch, rt_maintenance;
  char rt_detail[128];
  char git_hash[64];
} nrt_version_t;

#define PUBLISHED __attribute__((visibility("default")))

PUBLISHED NRT_STATUS nrt_init(int framework, const char* fw_version, const char* fal_version);
PUBLISHED void nrt_close(void);
PUBLISHED NRT_STATUS nrt_get_version(nrt_version_t* version, size_t size);
PUBLISHED NRT_STATUS nrt_get_total_vnc_count(uint32_t* count);
PUBLISHED NRT_STATUS nrt_get_visible_vnc_count(uint32_t* count);
PUBLISHED NRT_STATUS nrt_load(const void* neff_bytes, size_t size, int32_t vnc, int32_t vnc_count, nrt_model_t** model);
PUBLISHED NRT_STATUS nrt_unload(nrt_model_t* model);
PUBLISHED NRT_STATUS nrt_get_model_tensor_info(nrt_model_t* model, nrt_tensor_info_array_t** infos);
PUBLISHED NRT_STATUS nrt_free_model_tensor_info(nrt_tensor_info_array_t* infos);
PUBLISHED NRT_STATUS nrt_allocate_tensor_set(nrt_tensor_set_t** result);
PUBLISHED void nrt_destroy_tensor_set(nrt_tensor_set_t** set);
PUBLISHED NRT_STATUS nrt_add_tensor_to_tensor_set(nrt_tensor_set_t* set, const char* name, nrt_tensor_t* tensor);
PUBLISHED NRT_STATUS nrt_get_tensor_from_tensor_set(nrt_tensor_set_t* set, const char* name, nrt_tensor_t** tensor);
PUBLISHED NRT_STATUS nrt_execute(nrt_model_t* model, const nrt_tensor_set_t* input_set, nrt_tensor_set_t* output_set);
PUBLISHED NRT_STATUS nrt_tensor_allocate(int placement, int vnc, size_t size, const char* name, nrt_tensor_t** tensor);
PUBLISHED void nrt_tensor_free(nrt_tensor_t** tensor);
PUBLISHED NRT_STATUS nrt_tensor_read(const nrt_tensor_t* tensor, void* buf, size_t offset, size_t size);
PUBLISHED NRT_STATUS nrt_tensor_write(nrt_tensor_t* tensor, const void* buf, size_t offset, size_t size);
PUBLISHED size_t nrt_tensor_get_size(const nrt_tensor_t* tensor);

// What tests ask and tell. How often a function was called; what is alive ("model", "tensor", "set", "info"); bytes "written"
// and "read"; "violations" of the contract.
PUBLISHED uint64_t double_count(const char* what);
// The first violation's text, or an empty one.
PUBLISHED const char* double_violation(void);
// The `nth` call of the function from now (1: the next) has this status.
PUBLISHED void double_fail(const char* function, NRT_STATUS status, int nth);
// How long an execution keeps its cores, at least; as NRT_DOUBLE_EXEC_MS in the environment.
PUBLISHED void double_set_exec_ms(double ms);
// When a core computed: pairs of begin and end, in seconds; returns how many pairs there are.
PUBLISHED size_t double_clock(int core, double* pairs, size_t room);
PUBLISHED void double_reset(void);
