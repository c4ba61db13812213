// The double's models: loaded and computed by the worker, a process behind a socket.
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "state.h"

#define NEFF_HEADER 1024

static bool say(int worker, const void* bytes, size_t size) {
  for (const char* at = bytes; size > 0;) {
    const ssize_t n = send(worker, at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= (size_t)n;
  }
  return true;
}

static bool hear(int worker, void* bytes, size_t size) {
  for (char* at = bytes; size > 0;) {
    const ssize_t n = recv(worker, at, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= (size_t)n;
  }
  return true;
}

static bool hear_number(int worker, uint32_t* n) { return hear(worker, n, sizeof *n); }

static int connect_worker(void) {
  const char* path = getenv("NRT_DOUBLE_WORKER");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!path || strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  const int worker = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(worker, (struct sockaddr*)&address, sizeof address) == 0) return worker;
  close(worker);
  return -1;
}

// What the worker says went wrong.
static NRT_STATUS refused(int worker, NRT_STATUS status) {
  uint32_t length = 0;
  char text[1024] = "";
  if (hear_number(worker, &length) && length < sizeof text) hear(worker, text, length);
  fprintf(stderr, "libnrt double: %s\n", text);
  return status;
}

static NRT_STATUS hear_ports(nrt_model_t* model) {
  uint32_t status, is_virtual, name;
  if (!hear_number(model->worker, &status)) return NRT_FAILURE;
  if (status) return refused(model->worker, (NRT_STATUS)status);
  if (!hear_number(model->worker, &is_virtual) || !hear_number(model->worker, &model->n_ports)) return NRT_FAILURE;
  model->virtual_tensors = is_virtual;
  model->ports = calloc(model->n_ports, sizeof *model->ports);
  for (uint32_t i = 0; i < model->n_ports; ++i) {
    port_t* port = &model->ports[i];
    uint32_t usage, dtype;
    uint64_t size;
    if (!hear_number(model->worker, &usage) || !hear_number(model->worker, &dtype) || !hear(model->worker, &size, sizeof size) ||
        !hear_number(model->worker, &port->ndim) || port->ndim > 32 ||
        !hear(model->worker, port->shape, port->ndim * sizeof *port->shape) || !hear_number(model->worker, &name) || name > 255 ||
        !hear(model->worker, port->name, name)) {
      return NRT_FAILURE;
    }
    port->usage = (int)usage;
    port->dtype = (int)dtype;
    port->size = size;
  }
  return NRT_SUCCESS;
}

static uint64_t header_number(const uint8_t* header, size_t at, size_t nbytes) {
  uint64_t value = 0;
  memcpy(&value, header + at, nbytes);
  return value;
}

NRT_STATUS nrt_load(const void* neff_bytes, size_t size, int32_t vnc, int32_t vnc_count, nrt_model_t** model) {
  NRT_STATUS status = enter_call("nrt_load", true);
  if (status) return status;
  if (!neff_bytes || !model || vnc < -1)
    return violated(NRT_INVALID, "nrt_load(..., %d, %d) has an invalid argument", vnc, vnc_count);
  if (vnc_count != -1) violated(0, "nrt_load was given a deprecated core count: %d", vnc_count);
  const uint8_t* header = neff_bytes;
  if (size < NEFF_HEADER || header_number(header, 8, 8) != NEFF_HEADER || header_number(header, 16, 8) != size - NEFF_HEADER)
    return NRT_INVALID;
  if (header_number(header, 24, 8) > 2) return NRT_UNSUPPORTED_NEFF_VERSION;
  const int cores = (int)header_number(header, 168, 4);
  if (cores < 1) return NRT_INVALID;
  if (vnc < 0) vnc = 0;
  if (vnc + cores > visible_cores()) return NRT_LOAD_NOT_ENOUGH_NC;
  nrt_model_t made = {.state = ALIVE_MODEL, .worker = connect_worker(), .first = vnc, .cores = cores};
  if (made.worker < 0) {
    fprintf(stderr, "libnrt double: there is no worker at NRT_DOUBLE_WORKER\n");
    return NRT_FAILURE;
  }
  const uint64_t length = size;
  status = NRT_FAILURE;
  if (say(made.worker, &length, sizeof length) && say(made.worker, neff_bytes, size)) status = hear_ports(&made);
  if (status) {
    close(made.worker);
    free(made.ports);
    return status;
  }
  *model = malloc(sizeof made);
  **model = made;
  add_count("alive model", 1);
  return NRT_SUCCESS;
}

static bool is_alive(const nrt_model_t* model) { return model && model->state == ALIVE_MODEL; }

NRT_STATUS nrt_unload(nrt_model_t* model) {
  const NRT_STATUS status = enter_call("nrt_unload", true);
  if (status) return status;
  if (!is_alive(model)) return violated(NRT_INVALID_HANDLE, "nrt_unload of what is no model, or was unloaded before");
  model->state = DEAD;
  close(model->worker);
  free(model->ports);
  add_count("alive model", -1);
  return NRT_SUCCESS;
}

NRT_STATUS nrt_get_model_tensor_info(nrt_model_t* model, nrt_tensor_info_array_t** infos) {
  const NRT_STATUS status = enter_call("nrt_get_model_tensor_info", true);
  if (status) return status;
  if (!is_alive(model) || !infos) return violated(NRT_INVALID, "nrt_get_model_tensor_info has an invalid argument");
  *infos = calloc(1, sizeof **infos + model->n_ports * sizeof(nrt_tensor_info_t));
  (*infos)->tensor_count = model->n_ports;
  for (uint32_t i = 0; i < model->n_ports; ++i) {
    const port_t* port = &model->ports[i];
    nrt_tensor_info_t* info = &(*infos)->tensor_array[i];
    memcpy(info->name, port->name, sizeof info->name);
    info->usage = port->usage;
    info->size = port->size;
    info->dtype = port->dtype;
    info->ndim = port->ndim;
    info->shape = malloc((port->ndim + 1) * sizeof *info->shape);
    memcpy(info->shape, port->shape, port->ndim * sizeof *info->shape);
  }
  add_count("alive info", 1);
  return NRT_SUCCESS;
}

NRT_STATUS nrt_free_model_tensor_info(nrt_tensor_info_array_t* infos) {
  const NRT_STATUS status = enter_call("nrt_free_model_tensor_info", true);
  if (status) return status;
  if (!infos) return violated(NRT_INVALID, "nrt_free_model_tensor_info(NULL)");
  for (uint64_t i = 0; i < infos->tensor_count; ++i) free(infos->tensor_array[i].shape);
  free(infos);
  add_count("alive info", -1);
  return NRT_SUCCESS;
}

// The tensor of a set that is a port's; null, with the status, when it cannot be used.
static nrt_tensor_t* tensor_for(const nrt_model_t* model, const port_t* port, const nrt_tensor_set_t* set, NRT_STATUS* status) {
  for (size_t i = 0; i < set->n; ++i) {
    if (strcmp(set->entries[i].name, port->name) != 0) continue;
    nrt_tensor_t* tensor = set->entries[i].tensor;
    if (tensor->state != ALIVE_TENSOR) {
      *status = violated(NRT_INVALID_HANDLE, "the set holds the freed tensor '%s'", port->name);
    } else if (tensor->size != port->size) {
      *status = violated(NRT_EXEC_BAD_INPUT, "Unexpected size, for %s, expected: %zu, received: %zu", port->name, port->size,
                         tensor->size);
    } else if (tensor->placement != (model->virtual_tensors ? 2 : 0)) {
      *status = violated(NRT_INVALID, "the tensor '%s' has placement %d", port->name, tensor->placement);
    } else if (tensor->core < model->first || tensor->core >= model->first + model->cores) {
      *status = violated(NRT_INVALID, "the tensor '%s' is on core %d, and the model on %d", port->name, tensor->core, model->first);
    } else {
      return tensor;
    }
    return NULL;
  }
  *status = violated(NRT_EXEC_BAD_INPUT, "the set lacks the tensor '%s'", port->name);
  return NULL;
}

static bool holds_nan(const port_t* port, const nrt_tensor_t* tensor) {
  if (port->dtype != 0xA) return false;
  for (size_t i = 0; i < tensor->size / 4; ++i) {
    float value;
    memcpy(&value, tensor->data + 4 * i, 4);
    if (isnan(value)) return true;
  }
  return false;
}

static NRT_STATUS compute(nrt_model_t* model, nrt_tensor_t** tensors) {
  const uint64_t go = 1;
  uint32_t answer;
  if (!say(model->worker, &go, sizeof go)) return NRT_FAILURE;
  for (uint32_t i = 0; i < model->n_ports; ++i) {
    if (model->ports[i].usage == 0 && !say(model->worker, tensors[i]->data, tensors[i]->size)) return NRT_FAILURE;
  }
  if (!hear_number(model->worker, &answer)) return NRT_FAILURE;
  if (answer) return refused(model->worker, (NRT_STATUS)answer);
  NRT_STATUS status = NRT_SUCCESS;
  for (uint32_t i = 0; i < model->n_ports; ++i) {
    if (model->ports[i].usage != 1) continue;
    if (!hear(model->worker, tensors[i]->data, tensors[i]->size)) return NRT_FAILURE;
    if (holds_nan(&model->ports[i], tensors[i])) status = NRT_EXEC_COMPLETED_WITH_NUM_ERR;
  }
  return status;
}

NRT_STATUS nrt_execute(nrt_model_t* model, const nrt_tensor_set_t* input_set, nrt_tensor_set_t* output_set) {
  const NRT_STATUS injected = enter_call("nrt_execute", true);
  const bool completes = injected == NRT_EXEC_COMPLETED_WITH_NUM_ERR || injected == NRT_EXEC_COMPLETED_WITH_ERR;
  if (injected && !completes) return injected;
  if (!is_alive(model)) return violated(NRT_INVALID_HANDLE, "nrt_execute of what is no model, or was unloaded");
  if (!input_set || input_set->state != ALIVE_SET || !output_set || output_set->state != ALIVE_SET) {
    return violated(NRT_INVALID_HANDLE, "nrt_execute with what is no set, or was destroyed");
  }
  NRT_STATUS status = NRT_SUCCESS;
  nrt_tensor_t* tensors[model->n_ports + 1];
  size_t inputs = 0;
  for (uint32_t i = 0; i < model->n_ports; ++i) {
    inputs += model->ports[i].usage == 0;
    tensors[i] = tensor_for(model, &model->ports[i], model->ports[i].usage == 0 ? input_set : output_set, &status);
    if (!tensors[i]) return status;
  }
  if (input_set->n != inputs || output_set->n != model->n_ports - inputs)
    return violated(NRT_INVALID, "a set holds a tensor that the model does not have");
  for (int i = 0; i < model->cores; ++i) pthread_mutex_lock(&core_locks[model->first + i]);
  const double begin = now();
  status = compute(model, tensors);
  const double rest = begin + exec_seconds() - now();
  if (rest > 0) usleep((useconds_t)(rest * 1e6));
  note_execution(model->first, model->cores, begin, now());
  for (int i = model->cores - 1; i >= 0; --i) pthread_mutex_unlock(&core_locks[model->first + i]);
  return injected ? injected : status;
}
