// Artifacts made in the tests: right ones, and whatever a test makes of them.
#include "container.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "artifact/checksums.h"
#include "artifact/json.h"
#include "support/errors.h"

namespace container {
namespace {

using gn::text;

constexpr size_t kPrefix = 24, kAlignment = 64;
constexpr char kDigits[] = "00000000000000000000";

size_t aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

std::string signature(size_t batch, size_t weights) {
  return text("{\"inputs\":[{\"name\":\"x\",\"shape\":[", batch,
              ",4],\"dtype\":\"uint8\",\"role\":\"data\"},{\"name\":\"w\",\"shape\":[", weights,
              "],\"dtype\":\"uint8\",\"role\":\"weight\"}],\"outputs\":[{\"name\":\"y\",\"shape\":[", batch,
              ",4],\"dtype\":\"uint8\"}]}");
}

uint64_t little_endian(const Bytes& bytes, size_t at, int nbytes) {
  uint64_t value = 0;
  for (int i = nbytes - 1; i >= 0; --i) value = value << 8 | bytes[at + i];
  return value;
}

}  // namespace

Payload cpu(size_t batch, size_t weights, size_t literals) {
  std::string xml = "<net name=\"n\"><layers><layer id=\"0\" name=\"x\" type=\"Parameter\"></layer>";
  const auto constant = [&xml](int id, size_t size) {
    xml += text("<layer id=\"", id, "\" name=\"c\" type=\"Const\"><data element_type=\"u8\" offset=\"");
    const size_t position = xml.size();
    xml += text(kDigits, "\" size=\"", size, "\"/></layer>");
    return position;
  };
  const size_t weight = constant(1, weights), literal = constant(2, literals);
  xml += "<layer id=\"3\" name=\"y\" type=\"Result\"></layer></layers><edges></edges></net>";
  const size_t start = aligned(xml.size());
  Payload out{"cpu", "openvino", signature(batch, weights), "", {}};
  out.program = text("{\"xml\":[0,", xml.size(), "],\"literals\":[", start, ",", literals, "],\"weights\":[[1,[", weight,
                     "]]],\"literal_positions\":[[0,", literals, ",[", literal,
                     "]]],\"data\":[0],\"config\":{\"INFERENCE_PRECISION_HINT\":\"f32\"}}");
  out.data.assign(xml.begin(), xml.end());
  out.data.resize(start);
  for (size_t value = 1; value <= literals; ++value) out.data.push_back(static_cast<uint8_t>(value));
  return out;
}

Payload any(size_t batch, size_t weights, const std::string& free) {
  Payload out = cpu(batch, weights);
  out.engine = "openvino-dynamic";
  out.program.back() = ',';
  out.program += "\"free\":" + free + "}";
  return out;
}

Payload neff(const std::string& target, size_t batch, size_t weights) {
  Payload out{target, "nrt", signature(batch, weights), "", {'N', 'E', 'F', 'F'}};
  out.program =
      "{\"format\":\"neff\",\"cores\":1,\"inputs\":[{\"name\":\"x\",\"tensor\":\"in0\"},{\"name\":\"w\",\"tensor\":\"in1\"}],"
      "\"outputs\":[{\"name\":\"y\",\"tensor\":\"out0\"}]}";
  return out;
}

std::string header(const std::vector<Payload>& payloads, const std::string& graph, const std::string& options) {
  std::string entries;
  size_t offset = 0;
  for (const Payload& payload : payloads) {
    entries += text(entries.empty() ? "" : ",", "{\"target\":\"", payload.target, "\",\"engine\":\"", payload.engine,
                    "\",\"engine_version\":\"1\",\"offset\":", offset, ",\"size\":", payload.data.size(), ",\"sha256\":\"",
                    gn::sha256_hex(payload.data.data(), payload.data.size()), "\",\"signature\":", payload.signature,
                    ",\"program\":", payload.program, "}");
    offset += aligned(payload.data.size());
  }
  return text("{\"format\":1,\"gluon_neuron\":\"0\",\"graph\":\"", graph, "\",\"data_size\":", offset, ",\"options\":", options,
              ",\"payloads\":[", entries, "]}");
}

Bytes data(const std::vector<Payload>& payloads) {
  Bytes out;
  for (const Payload& payload : payloads) {
    out.insert(out.end(), payload.data.begin(), payload.data.end());
    out.resize(aligned(out.size()));
  }
  return out;
}

void put(Bytes& out, size_t at, uint64_t value, int nbytes) {
  for (int i = 0; i < nbytes && at + i < out.size(); ++i) out[at + i] = static_cast<uint8_t>(value >> 8 * i);
}

Bytes join(const std::string& header, const Bytes& data) {
  Bytes out(kPrefix);
  std::memcpy(out.data(), "GLUONNRN", 8);
  put(out, 8, 1, 4);
  put(out, 16, header.size(), 8);
  out.insert(out.end(), header.begin(), header.end());
  put(out, 12, gn::crc32(out.data() + kPrefix, header.size()), 4);
  out.resize(aligned(out.size()));
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

Bytes artifact(const std::vector<Payload>& payloads, const std::string& graph) {
  return join(header(payloads, graph), data(payloads));
}

std::pair<std::string, Bytes> split(const Bytes& artifact) {
  const size_t end = kPrefix + little_endian(artifact, 16, 8), start = std::min(aligned(end), artifact.size());
  return {std::string(artifact.begin() + kPrefix, artifact.begin() + static_cast<std::ptrdiff_t>(end)),
          Bytes(artifact.begin() + static_cast<std::ptrdiff_t>(start), artifact.end())};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to replace: " + from);
  for (; at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

void seal(Bytes& artifact) {
  if (artifact.size() < kPrefix) return;
  const uint64_t length = little_endian(artifact, 16, 8);
  if (length > artifact.size() - kPrefix) return;
  const size_t start = aligned(kPrefix + length);
  try {
    const auto parsed = gn::json::parse(reinterpret_cast<const char*>(artifact.data()) + kPrefix, length);
    for (const auto& entry : parsed.at("payloads").array("payloads")) {
      const size_t offset = entry.at("offset").index("offset"), size = entry.at("size").index("size");
      const auto& sum = entry.at("sha256");
      if (sum.end - sum.begin != 66 || start > artifact.size() || offset > artifact.size() - start ||
          size > artifact.size() - start - offset) {
        continue;
      }
      const std::string right = gn::sha256_hex(artifact.data() + start + offset, size);
      std::memcpy(artifact.data() + kPrefix + sum.begin + 1, right.data(), right.size());
    }
  } catch (const gn::Error&) {  // NOLINT(bugprone-empty-catch): what cannot be read gets past no checksum but the header's.
  }
  put(artifact, 12, gn::crc32(artifact.data() + kPrefix, length), 4);
}

}  // namespace container
