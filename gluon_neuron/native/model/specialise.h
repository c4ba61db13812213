// Programs for signatures that a node's artifact does not hold, asked of the process (Python) and kept for a while.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "artifact/artifact.h"

extern "C" {
// Hands over an artifact, or with a nonzero result of the callback the reason why there is none, in UTF-8.
typedef void (*gn_emit_t)(void* sink, const char* bytes, size_t nbytes);
// Called on MXNet's own thread, one call at a time: it must neither run MXNet operators nor wait for arrays.
typedef int (*gn_program_callback_t)(const char* graph_json, const char* request_json, void* sink, gn_emit_t emit);
}

namespace gn {

// How many bytes the programs for other inputs, of all graphs, may take with their models: `given` with its unit (K, M, G or T),
// or without it twice the weights of the largest, and `kLeastRoom` at least. Throws Error for another text.
constexpr size_t kLeastRoom = size_t{256} << 20;
size_t room_for_specialised(const char* given, size_t largest);

void set_program_callback(gn_program_callback_t callback);

// What is asked for: a program for other inputs, which stays while there is room, or one in the place of a program that the
// artifact holds, of which there are as many as the artifact has programs.
enum class Purpose { other_inputs, other_machine };

// An artifact whose first program fits `inputs`. Throws Error, with the callback's reason.
std::shared_ptr<const Artifact> specialise(const Artifact& artifact, const std::string& graph_json,
                                           const std::vector<Spec>& inputs, const std::vector<Spec>& outputs, Purpose purpose);

// Whether what is asked for on this thread is made beforehand, and nobody waits for it.
bool in_background();
class Background {
 public:
  Background();
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
};

// Forgets the specialised programs of a graph, or all (null): at once, or when the callback that is running is done.
void drop_specialised(const std::string* graph);

}  // namespace gn
