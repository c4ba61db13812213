// The double's tensors and tensor sets.
#include <stdlib.h>
#include <string.h>

#include "state.h"

static bool is_alive(const nrt_tensor_t* tensor) { return tensor && tensor->state == ALIVE_TENSOR; }

NRT_STATUS nrt_tensor_allocate(int placement, int vnc, size_t size, const char* name, nrt_tensor_t** tensor) {
  const NRT_STATUS status = enter_call("nrt_tensor_allocate", true);
  if (status) return status;
  if (!tensor || placement < 0 || placement > 2 || vnc < 0 || vnc >= visible_cores() || size == 0 || (name && strlen(name) > 255)) {
    return violated(NRT_INVALID, "nrt_tensor_allocate(%d, %d, %zu, ...) has an invalid argument", placement, vnc, size);
  }
  if (double_count("alive bytes") + size > memory_limit()) return NRT_RESOURCE;
  nrt_tensor_t* made = calloc(1, sizeof *made);
  made->state = ALIVE_TENSOR;
  made->placement = placement;
  made->core = vnc;
  made->size = size;
  made->data = malloc(size);
  memset(made->data, 0xa5, size);  // nobody may count on zeros
  add_count("alive tensor", 1);
  add_count("alive bytes", (int64_t)size);
  *tensor = made;
  return NRT_SUCCESS;
}

void nrt_tensor_free(nrt_tensor_t** tensor) {
  if (!enter_void("nrt_tensor_free")) return;
  if (!tensor || !is_alive(*tensor)) {
    violated(0, "nrt_tensor_free of what is no tensor, or was freed before");
    return;
  }
  (*tensor)->state = DEAD;
  free((*tensor)->data);
  add_count("alive tensor", -1);
  add_count("alive bytes", -(int64_t)(*tensor)->size);
  *tensor = NULL;
}

static NRT_STATUS check_range(const nrt_tensor_t* tensor, const void* buffer, size_t offset, size_t size, const char* function) {
  if (!is_alive(tensor)) return violated(NRT_INVALID_HANDLE, "%s of what is no tensor, or was freed", function);
  if (!buffer || offset > tensor->size || size > tensor->size - offset) {
    return violated(NRT_INVALID, "%s of %zu bytes at %zu; the tensor has %zu", function, size, offset, tensor->size);
  }
  return NRT_SUCCESS;
}

NRT_STATUS nrt_tensor_read(const nrt_tensor_t* tensor, void* buf, size_t offset, size_t size) {
  NRT_STATUS status = enter_call("nrt_tensor_read", true);
  if (!status) status = check_range(tensor, buf, offset, size, "nrt_tensor_read");
  if (status) return status;
  memcpy(buf, tensor->data + offset, size);
  add_count("read", (int64_t)size);
  return NRT_SUCCESS;
}

NRT_STATUS nrt_tensor_write(nrt_tensor_t* tensor, const void* buf, size_t offset, size_t size) {
  NRT_STATUS status = enter_call("nrt_tensor_write", true);
  if (!status) status = check_range(tensor, buf, offset, size, "nrt_tensor_write");
  if (status) return status;
  memcpy(tensor->data + offset, buf, size);
  add_count("written", (int64_t)size);
  return NRT_SUCCESS;
}

size_t nrt_tensor_get_size(const nrt_tensor_t* tensor) {
  if (enter_call("nrt_tensor_get_size", true)) return 0;
  if (is_alive(tensor)) return tensor->size;
  violated(0, "nrt_tensor_get_size of what is no tensor, or was freed");
  return 0;
}

NRT_STATUS nrt_allocate_tensor_set(nrt_tensor_set_t** result) {
  const NRT_STATUS status = enter_call("nrt_allocate_tensor_set", true);
  if (status) return status;
  if (!result) return violated(NRT_INVALID, "nrt_allocate_tensor_set(NULL)");
  *result = calloc(1, sizeof **result);
  (*result)->state = ALIVE_SET;
  add_count("alive set", 1);
  return NRT_SUCCESS;
}

void nrt_destroy_tensor_set(nrt_tensor_set_t** set) {
  if (!enter_void("nrt_destroy_tensor_set")) return;
  if (!set || !*set || (*set)->state != ALIVE_SET) {
    violated(0, "nrt_destroy_tensor_set of what is no set, or was destroyed before");
    return;
  }
  for (size_t i = 0; i < (*set)->n; ++i) {
    if (!is_alive((*set)->entries[i].tensor))
      violated(0, "the tensor '%s' was freed before the set that holds it", (*set)->entries[i].name);
  }
  (*set)->state = DEAD;
  free((*set)->entries);
  add_count("alive set", -1);
  *set = NULL;
}

NRT_STATUS nrt_add_tensor_to_tensor_set(nrt_tensor_set_t* set, const char* name, nrt_tensor_t* tensor) {
  const NRT_STATUS status = enter_call("nrt_add_tensor_to_tensor_set", true);
  if (status) return status;
  if (!set || set->state != ALIVE_SET) return violated(NRT_INVALID_HANDLE, "nrt_add_tensor_to_tensor_set to what is no set");
  if (!is_alive(tensor)) return violated(NRT_INVALID_HANDLE, "nrt_add_tensor_to_tensor_set of what is no tensor, or was freed");
  if (!name || !*name || strlen(name) > 255) return violated(NRT_INVALID, "nrt_add_tensor_to_tensor_set without a name");
  for (size_t i = 0; i < set->n; ++i) {
    if (strcmp(set->entries[i].name, name) == 0) return violated(NRT_INVALID, "the set has a tensor '%s' already", name);
  }
  set->entries = realloc(set->entries, (set->n + 1) * sizeof *set->entries);
  strcpy(set->entries[set->n].name, name);
  set->entries[set->n++].tensor = tensor;
  return NRT_SUCCESS;
}

NRT_STATUS nrt_get_tensor_from_tensor_set(nrt_tensor_set_t* set, const char* name, nrt_tensor_t** tensor) {
  const NRT_STATUS status = enter_call("nrt_get_tensor_from_tensor_set", true);
  if (status) return status;
  if (!set || set->state != ALIVE_SET || !name || !tensor)
    return violated(NRT_INVALID, "nrt_get_tensor_from_tensor_set has an invalid argument");
  for (size_t i = 0; i < set->n; ++i) {
    if (strcmp(set->entries[i].name, name) != 0) continue;
    *tensor = set->entries[i].tensor;
    return NRT_SUCCESS;
  }
  return NRT_INVALID;
}
