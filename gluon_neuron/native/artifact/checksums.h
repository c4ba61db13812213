// SHA-256 and CRC-32, the checksums of the artifact's container.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/content_hash.h"

namespace gn {

std::string sha256_hex(const uint8_t* data, size_t nbytes);

// The same of bytes that are a part, at `offset`, of something whose contents have this digest. It is computed once: what was
// asked last is remembered, for other models of a program, other programs of an artifact and artifacts that are read again.
std::string sha256_of_part(Digest whole, size_t offset, const uint8_t* data, size_t nbytes);
// For bytes of which the caller knows it already.
void remember_sha256(Digest whole, size_t offset, size_t nbytes, std::string sha256);
uint32_t crc32(const uint8_t* data, size_t nbytes);

}  // namespace gn
