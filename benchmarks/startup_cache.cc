// For `benchmarks.startup`: OpenVINO's C library with CACHE_DIR set in every compilation, to the folder that STARTUP_CACHE names.
#include <dlfcn.h>
#include <openvino/c/openvino.h>

#include <cstdlib>
#include <vector>

// All other functions are those of the library that this one is linked with.
OPENVINO_C_API(ov_status_e)
ov_core_compile_model_props(const ov_core_t* core, const ov_model_t* model, const char* device, size_t size,
                            const ov_property_t* properties, ov_compiled_model_t** compiled) {
  static const auto original =
      reinterpret_cast<decltype(&ov_core_compile_model_props)>(dlsym(RTLD_NEXT, "ov_core_compile_model_props"));
  std::vector<ov_property_t> all(properties, properties + size);
  const char* folder = std::getenv("STARTUP_CACHE");
  if (folder && *folder) all.push_back({"CACHE_DIR", folder});
  return original(core, model, device, all.size(), all.data(), compiled);
}
