// OpenVINO's C library, opened at run time: its functions, with the types of its own headers.
#include "openvino/api.h"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "support/errors.h"

namespace gn {
namespace {

constexpr char kInstall[] = "The CPU engine needs OpenVINO: pip install 'openvino>=2026.4'";

// Never freed: states may be destroyed after static destructors ran.
struct Loader {
  std::mutex mutex;
  std::string path;
  bool ready = false;
  OpenVino api;
};

Loader& loader() {
  static Loader* const instance = new Loader;
  return *instance;
}

void add_matches(std::vector<std::string>& out, const std::string& pattern) {
  glob_t found;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) out.push_back(found.gl_pathv[i]);
  }
  globfree(&found);
}

std::vector<std::string> usual_places() {
  std::vector<std::string> out = {"libopenvino_c.so"};
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&openvino), &self) && self.dli_fname) {
    // .../site-packages/gluon_neuron/engine/libgluon_neuron.so, beside which the openvino package is installed.
    std::string folder = self.dli_fname;
    for (int up = 0; up < 3 && folder.find('/') != std::string::npos; ++up) folder.resize(folder.rfind('/'));
    add_matches(out, folder + "/openvino/libs/libopenvino_c.so*");
  }
  for (const char* folder :
       {"/usr/lib", "/usr/lib64", "/usr/lib/*-linux-gnu", "/usr/local/lib", "/opt/intel/openvino*/runtime/lib/*"}) {
    add_matches(out, std::string(folder) + "/libopenvino_c.so*");
  }
  return out;
}

void* open_first(const std::vector<std::string>& candidates) {
  std::string reasons;
  for (const std::string& candidate : candidates) {
    if (void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    const char* why = dlerror();
    reasons += text("\n  ", why ? why : candidate);
  }
  throw Error(text("OpenVINO's C library could not be opened. ", kInstall,
                   ", or set GLUON_NEURON_OPENVINO to the path of libopenvino_c.so. Tried:", reasons));
}

void open(Loader& state) {
  std::vector<std::string> candidates;
  const char* named = std::getenv("GLUON_NEURON_OPENVINO");
  if (!state.path.empty()) {
    candidates = {state.path};
  } else if (named && *named) {
    candidates = {named};
  } else {
    candidates = usual_places();
  }
  void* handle = open_first(candidates);
#define GN_LOOK_UP(name)                                                      \
  state.api.name = reinterpret_cast<decltype(&::name)>(dlsym(handle, #name)); \
  if (!state.api.name) throw Error(text("This OpenVINO lacks ", #name, ". ", kInstall));
  GN_OPENVINO_FUNCTIONS(GN_LOOK_UP)
#undef GN_LOOK_UP
  state.api.check(state.api.ov_core_create(&state.api.core), "start");
}

}  // namespace

void OpenVino::check(ov_status_e status, const char* doing) const {
  if (status == OK) return;
  const char* why = ov_get_last_err_msg();
  if (!why || !*why) why = ov_get_error_info(status);
  throw Error(text("OpenVINO failed to ", doing, ": ", why));
}

const OpenVino& openvino() {
  Loader& state = loader();
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (!state.ready) {
    open(state);
    state.ready = true;
  }
  return state.api;
}

void set_openvino_path(const std::string& path) {
  Loader& state = loader();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.path = path;
}

}  // namespace gn
