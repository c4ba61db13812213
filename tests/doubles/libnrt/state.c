// The double's state: what is alive, what was counted, and what the environment says.
#define _GNU_SOURCE
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_NAMES 64
#define MAX_FAULTS 64

pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t core_locks[MAX_CORES];

static struct {
  const char* name;
  int64_t n;
} counts[MAX_NAMES];
static struct {
  char function[64];
  NRT_STATUS status;
  int nth;
} faults[MAX_FAULTS];
static int n_faults;
static char first_violation[512];
static enum { NOT_YET, UP, CLOSED } phase;
static pid_t owner;
static double exec_ms;
static double clocks[MAX_CORES][CLOCK_ROOM][2];
static size_t clocked[MAX_CORES];

static int64_t* count_of(const char* what) {
  for (int i = 0; i < MAX_NAMES; ++i) {
    if (!counts[i].name) counts[i].name = strdup(what);
    if (strcmp(counts[i].name, what) == 0) return &counts[i].n;
  }
  abort();
}

void add_count(const char* what, int64_t n) {
  pthread_mutex_lock(&state_lock);
  *count_of(what) += n;
  pthread_mutex_unlock(&state_lock);
}

uint64_t double_count(const char* what) {
  pthread_mutex_lock(&state_lock);
  const uint64_t n = (uint64_t)*count_of(what);
  pthread_mutex_unlock(&state_lock);
  return n;
}

NRT_STATUS violated(NRT_STATUS status, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "libnrt double: %s\n", text);
  pthread_mutex_lock(&state_lock);
  if (!first_violation[0]) strcpy(first_violation, text);
  ++*count_of("violations");
  pthread_mutex_unlock(&state_lock);
  return status;
}

const char* double_violation(void) { return first_violation; }

void double_fail(const char* function, NRT_STATUS status, int nth) {
  pthread_mutex_lock(&state_lock);
  if (n_faults == MAX_FAULTS) abort();
  snprintf(faults[n_faults].function, sizeof faults[n_faults].function, "%s", function);
  faults[n_faults].status = status;
  faults[n_faults++].nth = nth;
  pthread_mutex_unlock(&state_lock);
}

static NRT_STATUS injected(const char* function) {
  NRT_STATUS found = NRT_SUCCESS;
  for (int i = 0; i < n_faults; ++i) {
    if (strcmp(faults[i].function, function) != 0) continue;
    if (--faults[i].nth == 0) found = faults[i].status;
  }
  return found;
}

// NRT_DOUBLE_FAIL: "nrt_load:4:1,nrt_execute:1003:2".
__attribute__((constructor)) static void read_environment(void) {
  for (int i = 0; i < MAX_CORES; ++i) pthread_mutex_init(&core_locks[i], NULL);
  const char* ms = getenv("NRT_DOUBLE_EXEC_MS");
  if (ms) exec_ms = atof(ms);
  const char* given = getenv("NRT_DOUBLE_FAIL");
  char* text = strdup(given ? given : "");
  for (char *rest = text, *item; (item = strsep(&rest, ","));) {
    char function[64];
    int status, nth;
    if (sscanf(item, "%63[^:]:%d:%d", function, &status, &nth) == 3) double_fail(function, status, nth);
  }
  free(text);
}

NRT_STATUS enter_call(const char* function, bool needs_runtime) {
  pthread_mutex_lock(&state_lock);
  ++*count_of(function);
  const NRT_STATUS fault = injected(function);
  const bool forked = phase == UP && owner != getpid();
  const int now_in = phase;
  pthread_mutex_unlock(&state_lock);
  if (forked) return violated(NRT_FAILURE, "%s called in a child of the process that called nrt_init", function);
  if (needs_runtime && now_in == NOT_YET) return violated(NRT_UNINITIALIZED, "%s called before nrt_init", function);
  if (needs_runtime && now_in == CLOSED) return violated(NRT_CLOSED, "%s called after nrt_close", function);
  return fault;
}

bool enter_void(const char* function) { return enter_call(function, true) == NRT_SUCCESS; }

bool runtime_is_up(void) { return phase == UP; }

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double exec_seconds(void) { return exec_ms / 1000; }
void double_set_exec_ms(double ms) { exec_ms = ms; }

void note_execution(int first, int cores, double begin, double end) {
  pthread_mutex_lock(&state_lock);
  for (int i = first; i < first + cores; ++i) {
    if (clocked[i] == CLOCK_ROOM) continue;
    clocks[i][clocked[i]][0] = begin;
    clocks[i][clocked[i]++][1] = end;
  }
  pthread_mutex_unlock(&state_lock);
}

size_t double_clock(int core, double* pairs, size_t room) {
  pthread_mutex_lock(&state_lock);
  const size_t n = clocked[core];
  memcpy(pairs, clocks[core], sizeof clocks[core][0] * (n < room ? n : room));
  pthread_mutex_unlock(&state_lock);
  return n;
}

void double_reset(void) {
  pthread_mutex_lock(&state_lock);
  for (int i = 0; i < MAX_NAMES && counts[i].name; ++i) {
    if (strncmp(counts[i].name, "alive ", 6) != 0) counts[i].n = 0;
  }
  n_faults = 0;
  first_violation[0] = 0;
  memset(clocked, 0, sizeof clocked);
  exec_ms = 0;
  pthread_mutex_unlock(&state_lock);
}

uint64_t memory_limit(void) {
  const char* given = getenv("NRT_DOUBLE_MEMORY");
  return given ? strtoull(given, NULL, 10) : (uint64_t)1 << 40;
}

int total_cores(void) {
  const char* given = getenv("NRT_DOUBLE_CORES");
  const int n = given ? atoi(given) : 2;
  return n < 0 || n > MAX_CORES ? 0 : n;
}

// "2", "0-3", "0,2-4".
static int count_listed(const char* given) {
  int found = 0;
  char* text = strdup(given);
  for (char *rest = text, *item; (item = strsep(&rest, ","));) {
    int first, last, used = 0;
    if (sscanf(item, "%d-%d%n", &first, &last, &used) != 2 || item[used]) {
      used = 0;
      if (sscanf(item, "%d%n", &first, &used) != 1 || item[used]) found = -1;
      last = first;
    }
    if (found < 0 || first < 0 || last < first || last >= total_cores()) {
      found = -1;
      break;
    }
    found += last - first + 1;
  }
  free(text);
  return found;
}

int visible_cores(void) {
  const char* listed = getenv("NEURON_RT_VISIBLE_CORES");
  if (listed && *listed) return count_listed(listed);
  const char* wanted = getenv("NEURON_RT_NUM_CORES");
  const int n = wanted ? atoi(wanted) : 0;
  if (n < 0 || n > total_cores()) return -1;
  return n ? n : total_cores();
}

NRT_STATUS nrt_init(int framework, const char* fw_version, const char* fal_version) {
  const NRT_STATUS status = enter_call("nrt_init", false);
  if (status) return status;
  if (framework < 1 || framework > 5 || !fw_version || !fal_version)
    return violated(NRT_INVALID, "nrt_init(%d, ...) has an invalid argument", framework);
  if (phase == UP) return violated(NRT_FAILURE, "nrt_init called twice");
  if (visible_cores() <= 0) {
    fprintf(stderr, "2022-Jul-21 11:15:58.0121 1:1 ERROR   NRT:nrt_allocate_neuron_cores   NeuronCore(s) not available\n");
    return NRT_FAILURE;
  }
  phase = UP;
  owner = getpid();
  return NRT_SUCCESS;
}

// With NRT_DOUBLE_REPORT in the environment, what was left and done is written there.
void nrt_close(void) {
  if (!enter_void("nrt_close")) return;
  phase = CLOSED;
  const char* path = getenv("NRT_DOUBLE_REPORT");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  pthread_mutex_lock(&state_lock);
  for (int i = 0; i < MAX_NAMES && counts[i].name; ++i) fprintf(file, "%s=%ld\n", counts[i].name, (long)counts[i].n);
  pthread_mutex_unlock(&state_lock);
  fclose(file);
}

NRT_STATUS nrt_get_version(nrt_version_t* version, size_t size) {
  const NRT_STATUS status = enter_call("nrt_get_version", false);
  if (status) return status;
  if (!version || size != sizeof *version) return violated(NRT_INVALID, "nrt_get_version has an invalid argument");
  memset(version, 0, size);
  version->rt_major = 2;
  strcpy(version->rt_detail, "double");
  return NRT_SUCCESS;
}

NRT_STATUS nrt_get_total_vnc_count(uint32_t* count) {
  const NRT_STATUS status = enter_call("nrt_get_total_vnc_count", false);
  if (status) return status;
  if (!count) return violated(NRT_INVALID, "nrt_get_total_vnc_count(NULL)");
  *count = (uint32_t)total_cores();
  return NRT_SUCCESS;
}

NRT_STATUS nrt_get_visible_vnc_count(uint32_t* count) {
  const NRT_STATUS status = enter_call("nrt_get_visible_vnc_count", false);
  if (status) return status;
  if (!count) return violated(NRT_INVALID, "nrt_get_visible_vnc_count(NULL)");
  if (visible_cores() < 0) return NRT_INVALID;
  *count = (uint32_t)visible_cores();
  return NRT_SUCCESS;
}
