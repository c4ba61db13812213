// The double's state: what is alive, what was counted, and what the environment says.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "nrt_double.h"

#define MAX_CORES 64
#define CLOCK_ROOM 4096
#define ALIVE_MODEL 0x600d0001
#define ALIVE_TENSOR 0x600d0002
#define ALIVE_SET 0x600d0003
#define DEAD 0xdeadca7e

typedef struct {
  char name[256];
  int usage, dtype;
  size_t size;
  uint32_t shape[32], ndim;
} port_t;

// Structs are never given back, so that a dead one is recognised.
struct nrt_model {
  unsigned state;
  int worker;  // the socket
  bool virtual_tensors;
  int first, cores;
  port_t* ports;
  uint32_t n_ports;
};

struct nrt_tensor {
  unsigned state;
  int placement, core;
  size_t size;
  uint8_t* data;
};

struct nrt_tensor_set {
  unsigned state;
  struct {
    char name[256];
    nrt_tensor_t* tensor;
  } * entries;
  size_t n;
};

extern pthread_mutex_t state_lock;
extern pthread_mutex_t core_locks[MAX_CORES];

// Counts the call and says what it has to return before it does anything: an injected failure, or the wrong time.
NRT_STATUS enter_call(const char* function, bool needs_runtime);
// The same for functions that return nothing.
bool enter_void(const char* function);

// Notes a breach of the contract, and hands the status through.
NRT_STATUS violated(NRT_STATUS status, const char* format, ...) __attribute__((format(printf, 2, 3)));

void add_count(const char* what, int64_t n);
void note_execution(int first, int cores, double begin, double end);
double now(void);
double exec_seconds(void);
uint64_t memory_limit(void);

// From the environment; -1 when NEURON_RT_VISIBLE_CORES cannot be read.
int total_cores(void);
int visible_cores(void);

bool runtime_is_up(void);
