// The artifact's container, read and checked: the programs of a node and the signatures they were compiled for.
#include "artifact/artifact.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "artifact/checksums.h"
#include "artifact/ir.h"
#include "artifact/json.h"
#include "support/errors.h"
#include "support/stats.h"

namespace gn {
namespace {

constexpr char kMagic[] = "GLUONNRN";
constexpr uint64_t kVersion = 1;
constexpr size_t kPrefix = 24, kAlignment = 64, kMaxHeader = size_t{64} << 20, kDigits = 20;
constexpr char kAttribute[] = "offset=\"";
constexpr size_t kMaxRank = 32, kMaxCores = 64, kMaxParts = size_t{1} << 20;

[[noreturn]] void damaged(const std::string& why) { throw ArtifactError("is damaged: " + why + ". Compile the model again."); }

uint64_t little_endian(const uint8_t* at, int nbytes) {
  uint64_t value = 0;
  for (int i = nbytes - 1; i >= 0; --i) value = value << 8 | at[i];
  return value;
}

Span span(const json::Value& value, const char* what, size_t limit) {
  const auto& pair = value.array(what);
  if (pair.size() != 2) throw Error(text("'", what, "' in its header must be a pair"));
  const Span out = {pair[0].index(what), pair[1].index(what)};
  if (out.offset > limit || out.size > limit - out.offset) throw Error(text("'", what, "' lies outside its bytes"));
  return out;
}

Spec read_spec(const json::Value& value) {
  Spec spec;
  const std::string& name = value.at("dtype").str("dtype");
  spec.dtype = dtype_by_name(name);
  if (!spec.dtype) throw Error(text("its header names the unknown dtype '", name, "'"));
  size_t elements = 1;
  for (const json::Value& extent : value.at("shape").array("shape")) {
    const size_t n = extent.index("shape");
    if (n != 0 && elements > (size_t{1} << 46) / n) throw Error("its header has a shape that is too large");
    elements *= n;
    spec.shape.push_back(static_cast<int64_t>(n));
  }
  if (spec.shape.size() > kMaxRank) throw Error("its header has a shape with too many axes");
  return spec;
}

Role read_role(const json::Value& value) {
  const std::string& role = value.str("role");
  if (role == "data") return Role::data;
  if (role == "weight") return Role::weight;
  if (role == "unused") return Role::unused;
  throw Error(text("its header names the unknown role '", role, "'"));
}

std::vector<size_t> read_positions(const json::Value& value, const char* xml, size_t xml_size) {
  std::vector<size_t> out;
  const size_t before = sizeof kAttribute - 1;
  for (const json::Value& item : value.array("positions")) {
    const size_t at = item.index("positions");
    if (at < before || at > xml_size || xml_size - at <= kDigits || std::memcmp(xml + at - before, kAttribute, before) != 0) {
      throw Error("a position in its header is not that of an offset");
    }
    for (size_t i = 0; i < kDigits; ++i) {
      if (xml[at + i] < '0' || xml[at + i] > '9') throw Error("a position in its header is not that of an offset");
    }
    if (xml[at + kDigits] != '"') throw Error("a position in its header is not that of an offset");
    out.push_back(at);
  }
  return out;
}

int64_t compiled_extent(const Program& program, const std::pair<size_t, size_t>& place) {
  return program.inputs[place.first].spec.shape[place.second];
}

void read_program(Program& out, const json::Value& program, const uint8_t* payload) {
  out.xml = span(program.at("xml"), "xml", out.payload.size);
  out.literals = span(program.at("literals"), "literals", out.payload.size);
  const char* xml = reinterpret_cast<const char*>(payload) + out.xml.offset;
  std::vector<bool> taken(out.inputs.size());
  const auto input = [&](const json::Value& value, Role role) {
    const size_t i = value.index("input");
    if (i >= out.inputs.size() || taken[i] || out.inputs[i].role != role) {
      throw Error("its program and its signature disagree about the inputs");
    }
    taken[i] = true;
    return i;
  };
  for (const json::Value& item : program.at("weights").array("weights")) {
    const auto& pair = item.array("weights");
    if (pair.size() != 2) throw Error("'weights' in its header must be a list of pairs");
    out.weights.push_back({input(pair[0], Role::weight), read_positions(pair[1], xml, out.xml.size)});
  }
  for (const json::Value& item : program.at("literal_positions").array("literal_positions")) {
    const auto& triple = item.array("literal_positions");
    if (triple.size() != 3) throw Error("'literal_positions' in its header must be a list of triples");
    const LiteralUse use = {triple[0].index("literal_positions"), triple[1].index("literal_positions"),
                            read_positions(triple[2], xml, out.xml.size)};
    if (use.offset > out.literals.size || use.nbytes > out.literals.size - use.offset) {
      throw Error("a literal lies outside its bytes");
    }
    out.literal_uses.push_back(use);
  }
  for (const json::Value& item : program.at("data").array("data")) out.data.push_back(input(item, Role::data));
  for (size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i] && out.inputs[i].role != Role::unused) throw Error("its program does not read the input " + out.inputs[i].name);
  }
  const json::Value& config = program.at("config");
  if (config.kind != json::Value::Kind::object) throw Error("'config' in its header must be an object");
  if (const json::Value* halves = program.find("halves")) {
    for (const json::Value& item : halves->array("halves")) {
      const size_t i = item.index("halves");
      const bool fits =
          i < out.inputs.size() && out.inputs[i].role == Role::data && out.inputs[i].spec.dtype == dtype_by_name("int64");
      if (!fits) throw Error("its program reads the halves of an input that has none");
      out.halves.push_back(i);
    }
  }
  if (const json::Value* parts = program.find("parts")) {
    out.parts = parts->index("parts");
    const auto cut = [&](const Spec& spec) {
      return !spec.shape.empty() && spec.shape[0] % static_cast<int64_t>(out.parts) == 0;
    };
    bool even = out.parts > 0 && out.parts <= kMaxParts;
    for (size_t i : out.data) even = even && cut(out.inputs[i].spec);
    for (const Spec& spec : out.outputs) even = even && cut(spec);
    if (!even) throw Error("its program's parts do not make up its signature");
  }
  if (const json::Value* made_for = program.find("made_for")) {
    for (const json::Value& feature : made_for->array("made_for")) out.made_for.push_back(feature.str("made_for"));
  }
  for (size_t i = 0; i < config.keys.size(); ++i) out.config.emplace_back(config.keys[i], config.items[i].str("config"));
}

void read_free(Program& out, const json::Value& program) {
  if (out.parts != 1) throw Error("its program for any shape is in parts");
  std::vector<std::vector<bool>> taken;
  taken.reserve(out.inputs.size());
  for (const Input& input : out.inputs) taken.emplace_back(input.spec.shape.size());
  for (const json::Value& item : program.at("free").array("free")) {
    FreeExtent extent;
    extent.low = static_cast<int64_t>(item.at("low").index("low"));
    extent.high = static_cast<int64_t>(item.at("high").index("high"));
    extent.step = static_cast<int64_t>(item.at("step").index("step"));
    bool right = extent.low >= 1 && extent.low <= extent.high && extent.step >= 1;
    const auto& places = item.at("axes").array("axes");
    extent.axes.reserve(places.size());
    for (const json::Value& place : places) {
      const auto& pair = place.array("axes");
      if (pair.size() != 2) throw Error("'axes' in its header must be a list of pairs");
      const size_t i = pair[0].index("axes"), axis = pair[1].index("axes");
      right = right && i < out.inputs.size() && axis < taken[i].size() && !taken[i][axis] && out.inputs[i].role != Role::weight;
      if (!right) break;
      taken[i][axis] = true;
      extent.axes.emplace_back(i, axis);
    }
    right = right && !extent.axes.empty();
    for (const auto& place : extent.axes) right = right && compiled_extent(out, place) == compiled_extent(out, extent.axes[0]);
    if (!right) throw Error("what is free in its program does not fit its signature");
    out.free.push_back(extent);
  }
  if (out.free.empty()) throw Error("nothing is free in its program for any shape");
}

// The tensors of a NEFF, by the names that the signature has for them.
void read_neff(Program& out, const json::Value& program, const json::Value& signature) {
  if (program.at("format").str("format") != "neff") throw Error("its program is in a format that this version does not read");
  out.cores = program.at("cores").index("cores");
  if (out.cores < 1 || out.cores > kMaxCores) throw Error("its program takes an impossible number of NeuronCores");
  const auto read = [&](const char* kind, std::vector<std::string>& tensors) {
    std::unordered_map<std::string, size_t> place;
    const auto& known = signature.at(kind).array(kind);
    for (size_t i = 0; i < known.size(); ++i) place[known[i].at("name").str("name")] = i;
    tensors.resize(known.size());
    for (const json::Value& item : program.at(kind).array(kind)) {
      const auto found = place.find(item.at("name").str("name"));
      if (found == place.end() || !tensors[found->second].empty())
        throw Error("its program and its signature disagree about the tensors");
      tensors[found->second] = item.at("tensor").str("tensor");
      if (tensors[found->second].empty()) throw Error("its program has a tensor without a name");
    }
  };
  read("inputs", out.input_tensors);
  read("outputs", out.output_tensors);
  out.baked.resize(out.inputs.size());
  if (const json::Value* baked = program.find("baked")) {
    for (size_t i = 0; i < out.inputs.size(); ++i) {
      const json::Value* digest = baked->find(out.inputs[i].name.c_str());
      if (digest) out.baked[i] = digest->str("baked");
    }
  }
  for (size_t i = 0; i < out.inputs.size(); ++i) {
    const Role role = out.inputs[i].role;
    const bool held = role == Role::weight && !out.baked[i].empty();
    if (role != Role::unused && out.input_tensors[i].empty() && !held) {
      throw Error("its program does not read the input " + out.inputs[i].name);
    }
    if (role == Role::weight) out.weights.push_back({i, {}});
    if (role == Role::data) out.data.push_back(i);
  }
  for (const std::string& tensor : out.output_tensors) {
    if (tensor.empty()) throw Error("its program does not write all outputs");
  }
}

std::unique_ptr<Program> read_payload(const json::Value& entry, const uint8_t* data, size_t data_start, size_t data_size) {
  const size_t offset = entry.at("offset").index("offset"), size = entry.at("size").index("size");
  if (offset > data_size || size > data_size - offset) throw Error("a payload lies outside its bytes");
  const std::string& target = entry.at("target").str("target");
  const std::string& engine = entry.at("engine").str("engine");
  const bool dynamic = target == "cpu" && engine == "openvino-dynamic";
  const bool on_cpu = dynamic || (target == "cpu" && engine == "openvino");
  if (!on_cpu && engine != "nrt") return nullptr;
  auto out = std::make_unique<Program>();
  out->engine = on_cpu ? Engine::openvino : Engine::nrt;
  out->target = target;
  out->engine_version = entry.at("engine_version").str("engine_version");
  out->sha256 = entry.at("sha256").str("sha256");
  out->payload = {data_start + offset, size};
  const json::Value& signature = entry.at("signature");
  for (const json::Value& item : signature.at("inputs").array("inputs")) {
    out->inputs.push_back({item.at("name").str("name"), read_spec(item), read_role(item.at("role"))});
  }
  for (const json::Value& item : signature.at("outputs").array("outputs")) out->outputs.push_back(read_spec(item));
  if (on_cpu) {
    read_program(*out, entry.at("program"), data + out->payload.offset);
    if (dynamic) read_free(*out, entry.at("program"));
  } else {
    read_neff(*out, entry.at("program"), signature);
  }
  return out;
}

std::shared_ptr<Artifact> read_checked(const uint8_t* data, size_t size, Digest digest) {
  if (size < kPrefix) throw Error(text("it has only ", size, " bytes"));
  if (std::memcmp(data, kMagic, sizeof kMagic - 1) != 0) {
    throw Error(text("it does not begin with ", kMagic,
                     ". One of the archived Neuron package runs on Inf1 only: compile "
                     "what load_checkpoint gives again with mx.contrib.neuron.compile(sym, args, aux, inputs)"));
  }
  const size_t length = little_endian(data + 16, 8);
  if (length > kMaxHeader || length > size - kPrefix) throw Error("its header is truncated");
  // A writer that knows the header's CRC-32 puts it here; 0 stands for none.
  const uint64_t crc = little_endian(data + 12, 4);
  if (crc != 0 && crc != crc32(data + kPrefix, length)) throw Error("the checksum of its header does not match");
  const char* header_text = reinterpret_cast<const char*>(data) + kPrefix;
  const json::Value header = json::parse(header_text, length);
  const size_t start = (kPrefix + length + kAlignment - 1) / kAlignment * kAlignment;
  const size_t data_size = header.at("data_size").index("data_size");
  if (start > size || data_size != size - start) {
    throw Error(text("it has ", size, " bytes, but its header promises ", start, " and ", data_size));
  }
  if (header.at("format").index("format") != kVersion) throw Error("its header names another format version");
  auto out = std::make_shared<Artifact>();
  out->digest = digest;
  out->graph = header.at("graph").str("graph");
  const json::Value& options = header.at("options");
  out->options.assign(header_text + options.begin, options.end - options.begin);
  for (const json::Value& entry : header.at("payloads").array("payloads")) {
    auto program = read_payload(entry, data, start, data_size);
    if (program) out->programs.push_back(std::move(program));
  }
  const auto chips = std::stable_partition(out->programs.begin(), out->programs.end(),
                                           [](const auto& program) { return program->engine == Engine::openvino; });
  out->cpu_programs = chips - out->programs.begin();
  return out;
}

// The header gives the places of the arrays, the text their sizes; OpenVINO believes both.
void check_constants(const Program& program, const uint8_t* payload) {
  std::unordered_map<size_t, size_t> known;
  const auto add = [&](const std::vector<size_t>& positions, size_t nbytes) {
    for (size_t position : positions) {
      if (!known.emplace(position, nbytes).second) throw Error("two arrays claim one constant of its program");
    }
  };
  for (const WeightUse& use : program.weights) add(use.positions, program.inputs[use.input].spec.nbytes());
  for (const LiteralUse& use : program.literal_uses) add(use.positions, use.nbytes);
  const std::string xml(reinterpret_cast<const char*>(payload) + program.xml.offset, program.xml.size);
  for (const Constant& constant : constants(xml)) {
    const auto found = known.find(constant.position);
    if (found == known.end()) throw Error("its program has a constant that its header does not name");
    if (found->second != constant.nbytes) {
      throw Error(text("a constant of its program has ", constant.nbytes, " bytes, the array it stands for ", found->second));
    }
  }
}

// The program has the values that follow from shapes alone computed from the inputs that it reads, so others must fit too.
bool fits_range(const Program& program, const std::vector<Spec>& given) {
  std::vector<Spec> rest;
  for (size_t i = 0; i < given.size(); ++i) {
    rest.push_back(given[i]);
    if (given[i].shape.size() != program.inputs[i].spec.shape.size()) return false;
  }
  for (const FreeExtent& extent : program.free) {
    const auto of = [&](const std::pair<size_t, size_t>& place) -> int64_t& { return rest[place.first].shape[place.second]; };
    const int64_t n = of(extent.axes[0]), compiled = compiled_extent(program, extent.axes[0]);
    if (n < extent.low || n > extent.high || (n - compiled) % extent.step != 0) return false;
    for (const auto& place : extent.axes) {
      if (of(place) != n) return false;
      of(place) = compiled;
    }
  }
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != program.inputs[i].spec) return false;
  }
  return true;
}

}  // namespace

void Artifact::touch() const {
  static std::atomic<uint64_t> clock{0};
  if (made_here()) last_used = ++clock;
}

bool Program::fits(const std::vector<Spec>& given) const {
  if (given.size() != inputs.size()) return false;
  if (dynamic()) return fits_range(*this, given);
  for (size_t i = 0; i < given.size(); ++i) {
    // Values may have been computed from the shape alone of what the program does not read.
    if (given[i].shape != inputs[i].spec.shape) return false;
    if (inputs[i].role != Role::unused && given[i] != inputs[i].spec) return false;
  }
  return true;
}

std::shared_ptr<Artifact> read_artifact(const uint8_t* data, size_t size, Digest digest) {
  if (size >= kPrefix && std::memcmp(data, kMagic, sizeof kMagic - 1) == 0) {
    const uint64_t version = little_endian(data + 8, 4);
    if (version > kVersion) {
      throw ArtifactError(text("was written in format version ", version, "; this library reads up to ", kVersion,
                               ": upgrade gluon_neuron, or compile the model again."));
    }
    if (version < 1) damaged("it names format version 0");
  }
  if (size >= kPrefix && std::all_of(data, data + kPrefix, [](uint8_t byte) { return byte == 0; })) {
    throw ArtifactError(
        "is all zeros: the model's parameters were not set (allow_missing=True lets them be; Module.set_params and "
        "Executor.copy_params_from set them). Load them from the files that were exported with the model.");
  }
  ++stats().artifacts_parsed;
  try {
    return read_checked(data, size, digest);
  } catch (const Error& error) {
    damaged(error.what());
  }
}

void verify_payload(const Artifact& artifact, size_t index, const uint8_t* bytes) {
  const Program& program = *artifact.programs[index];
  const std::lock_guard<std::mutex> lock(program.verifying);
  if (program.verified) return;
  const uint8_t* payload = bytes + program.payload.offset;
  if (sha256_of_part(artifact.digest, program.payload.offset, payload, program.payload.size) != program.sha256) {
    damaged("the SHA-256 of its program does not match");
  }
  try {
    if (program.engine == Engine::openvino) check_constants(program, payload);
  } catch (const Error& error) {
    damaged(error.what());
  }
  program.verified = true;
}

}  // namespace gn
