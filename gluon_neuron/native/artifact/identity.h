// The identity of a node's graph, computed as `graph/identity.py` does, and whether an artifact was compiled for it.
#pragma once

#include <string>

#include "artifact/artifact.h"

namespace gn {

// "structure:" and a SHA-256 over operators, attributes, edges, outputs and the names of variables. Throws Error.
std::string graph_identity(const std::string& graph_json);

// Throws ArtifactError when the artifact is another node's. One of a release that hashed the JSON's text, which MXNet
// writes anew, is taken for the node's own when its programs name the same inputs. What was checked lately costs a digest of the
// text.
void check_belongs(const Artifact& artifact, const std::string& graph_json);

}  // namespace gn
