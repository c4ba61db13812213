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

// How many specialised programs are kept for each graph; one that goes takes its compiled model along.
constexpr size_t kSpecialised = 2;

void set_program_callback(gn_program_callback_t callback);

// What is asked for: a program for other inputs, of which kSpecialised are kept, or one in the place of a program that the
// artifact holds, of which there are as many as the artifact has programs.
enum class Purpose { other_inputs, other_machine };

// An artifact whose first program fits `inputs`. Throws Error, with the callback's reason.
std::shared_ptr<const Artifact> specialise(const Artifact& artifact, const std::string& graph_json,
                                           const std::vector<Spec>& inputs, const std::vector<Spec>& outputs, Purpose purpose);

// Forgets the specialised programs of a graph, or all (null): at once, or when the callback that is running is done.
void drop_specialised(const std::string* graph);

}  // namespace gn
