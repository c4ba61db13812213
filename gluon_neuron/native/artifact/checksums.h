// SHA-256 and CRC-32, the checksums of the artifact's container.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gn {

std::string sha256_hex(const uint8_t* data, size_t nbytes);
uint32_t crc32(const uint8_t* data, size_t nbytes);

}  // namespace gn
