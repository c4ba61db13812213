// Artifacts that were read before, found by their bytes' digest.
#pragma once

#include <memory>

#include "artifact/artifact.h"

namespace gn {

// The artifact in these bytes, whose digest is given; read now, unless it is among the last ones used. Throws Error.
std::shared_ptr<const Artifact> artifact_of(const uint8_t* data, size_t size, Digest digest);

}  // namespace gn
