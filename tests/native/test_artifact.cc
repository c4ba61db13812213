// The reader of the container: right ones, and all the ways in which one may be wrong.
#include "artifact/artifact.h"

#include <cstring>
#include <memory>

#include "artifact/artifact_cache.h"
#include "container.h"
#include "errors.h"
#include "support/stats.h"

using container::Bytes;
using container::replaced;
using gn::Artifact;
using gn::ArtifactError;

namespace {

std::shared_ptr<Artifact> read(const Bytes& bytes) {
  // In memory of just its size, so that a sanitizer sees what is read beside it.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
  return gn::read_artifact(exact.get(), bytes.size(), gn::content_hash(exact.get(), bytes.size()));
}

std::string refusal(const Bytes& bytes) {
  return error_of<ArtifactError>([&] { read(bytes); });
}

// What is said of a container whose header was changed.
std::string refusal(const std::vector<container::Payload>& payloads, const std::string& from, const std::string& to) {
  return refusal(container::join(replaced(container::header(payloads), from, to), container::data(payloads)));
}

void verify(const Artifact& artifact, const Bytes& bytes) {
  for (size_t i = 0; i < artifact.programs.size(); ++i) gn::verify_payload(artifact, i, bytes.data());
}

std::string refusal_of_payload(const Bytes& bytes) {
  return error_of<ArtifactError>([&] { verify(*read(bytes), bytes); });
}

const std::vector<container::Payload> kOne = {container::cpu(2, 100)};

}  // namespace

TEST_SUITE_BEGIN("artifact");

TEST_CASE("a right one, field by field") {
  const Bytes bytes =
      container::artifact({container::neff("inf2", 2, 100), container::cpu(2, 100), container::cpu(4, 100)}, "the graph");
  const auto artifact = read(bytes);
  CHECK(artifact->graph == "the graph");
  CHECK(artifact->options == "{\"a\": [1, 2]}");
  CHECK(artifact->digest == gn::content_hash(bytes.data(), bytes.size()));
  REQUIRE(artifact->programs.size() == 3);
  CHECK(artifact->cpu_programs == 2);
  const gn::Program& cpu = *artifact->programs[0];
  CHECK(cpu.engine == gn::Engine::openvino);
  REQUIRE(cpu.inputs.size() == 2);
  CHECK(cpu.inputs[0].name == "x");
  CHECK(cpu.inputs[0].role == gn::Role::data);
  CHECK(cpu.inputs[1].role == gn::Role::weight);
  CHECK(cpu.inputs[0].spec.str() == "uint8[2,4]");
  CHECK(cpu.outputs.at(0).str() == "uint8[2,4]");
  CHECK(cpu.weights.at(0).input == 1);
  CHECK(cpu.literal_uses.at(0).nbytes == 8);
  CHECK(cpu.data == std::vector<size_t>{0});
  CHECK(cpu.parts == 1);
  CHECK(cpu.config.at(0).first == "INFERENCE_PRECISION_HINT");
  const gn::Program& chip = *artifact->programs[2];
  CHECK(chip.engine == gn::Engine::nrt);
  CHECK(chip.target == "inf2");
  CHECK(chip.cores == 1);
  CHECK(chip.input_tensors == std::vector<std::string>{"in0", "in1"});
  CHECK(chip.output_tensors == std::vector<std::string>{"out0"});
  verify(*artifact, bytes);
}

TEST_CASE("programs fit inputs of their shapes, and unused ones of any dtype") {
  auto payload = kOne[0];
  payload.signature = replaced(payload.signature, "],\"outputs\"",
                               ",{\"name\":\"u\",\"shape\":[7],\"dtype\":\"int8\",\"role\":\"unused\"}],\"outputs\"");
  const auto artifact = read(container::artifact({payload}));
  const gn::Program& program = *artifact->programs[0];
  const auto spec = [](std::vector<int64_t> shape, const char* dtype) {
    return gn::Spec{std::move(shape), gn::dtype_by_name(dtype)};
  };
  const gn::Spec x = spec({2, 4}, "uint8"), w = spec({100}, "uint8");
  CHECK(program.fits({x, w, spec({7}, "int8")}));
  CHECK(program.fits({x, w, spec({7}, "float32")}));
  CHECK_FALSE(program.fits({x, w, spec({8}, "int8")}));  // a value may follow from its shape
  CHECK_FALSE(program.fits({x, w}));
  CHECK_FALSE(program.fits({x, w, w, w}));
  CHECK_FALSE(program.fits({spec({3, 4}, "uint8"), w, w}));
  CHECK_FALSE(program.fits({spec({2, 4}, "int8"), w, w}));
}

TEST_CASE("a program for any shape fits what is in its range, whole steps away, with all else as it was") {
  const gn::DType *u8 = gn::dtype_by_name("uint8"), *f32 = gn::dtype_by_name("float32");
  const auto fits = [&](const std::string& free, std::vector<int64_t> x, const gn::DType* type) {
    const auto artifact = read(container::artifact({container::cpu(2, 100), container::any(2, 100, free)}));
    REQUIRE(artifact->cpu_programs == 2);
    REQUIRE(artifact->programs[1]->dynamic());
    return artifact->programs[1]->fits({{std::move(x), type}, {{100}, u8}});
  };
  const std::string first = R"([{"axes":[[0,0]],"low":2,"high":9,"step":1}])";
  for (int64_t n = 0; n < 12; ++n) CHECK(fits(first, {n, 4}, u8) == (n >= 2 && n <= 9));
  CHECK_FALSE(fits(first, {3, 5}, u8));
  CHECK_FALSE(fits(first, {3, 4, 1}, u8));
  CHECK_FALSE(fits(first, {3, 4}, f32));
  const std::string steps = R"([{"axes":[[0,0]],"low":1,"high":9,"step":3}])";
  for (int64_t n = 1; n < 12; ++n) CHECK(fits(steps, {n, 4}, u8) == (n == 2 || n == 5 || n == 8));
  const std::string both = R"([{"axes":[[0,0]],"low":1,"high":9,"step":1},{"axes":[[0,1]],"low":4,"high":5,"step":1}])";
  CHECK(fits(both, {9, 5}, u8));
  CHECK_FALSE(fits(both, {9, 6}, u8));
}

TEST_CASE("axes that are free together have one extent") {
  auto payload = container::any(2, 100, R"([{"axes":[[0,0],[0,1]],"low":1,"high":9,"step":1}])");
  payload.signature = replaced(payload.signature, "[2,4]", "[4,4]");
  const auto artifact = read(container::artifact({payload}));
  const gn::DType* u8 = gn::dtype_by_name("uint8");
  CHECK(artifact->programs[0]->fits({{{3, 3}, u8}, {{100}, u8}}));
  CHECK_FALSE(artifact->programs[0]->fits({{{3, 4}, u8}, {{100}, u8}}));
}

TEST_CASE("what is free has to be there") {
  const char* const kWrong[] = {
      "[]",
      R"([{"axes":[],"low":1,"high":9,"step":1}])",
      R"([{"axes":[[0,2]],"low":1,"high":9,"step":1}])",
      R"([{"axes":[[2,0]],"low":1,"high":9,"step":1}])",
      R"([{"axes":[[1,0]],"low":1,"high":9,"step":1}])",  // a weight
      R"([{"axes":[[0,0]],"low":0,"high":9,"step":1}])",
      R"([{"axes":[[0,0]],"low":9,"high":8,"step":1}])",
      R"([{"axes":[[0,0]],"low":1,"high":9,"step":0}])",
      R"([{"axes":[[0,0],[0,0]],"low":1,"high":9,"step":1}])",
      R"([{"axes":[[0,0],[0,1]],"low":1,"high":9,"step":1}])",  // 2 and 4
      R"([{"axes":[[0,0]],"low":1,"high":9,"step":1},{"axes":[[0,0]],"low":1,"high":9,"step":1}])",
      R"([{"axes":[[0]],"low":1,"high":9,"step":1}])",
      R"([{"axes":[[0,0]],"low":1,"high":9}])",
      R"([7])",
      R"({})",
  };
  for (const char* free : kWrong) {
    CAPTURE(free);
    CHECK(has(refusal(container::artifact({container::cpu(2, 100), container::any(2, 100, free)})), "is damaged"));
  }
  auto parts = container::any(2, 100);
  parts.program = replaced(parts.program, "\"data\":", "\"parts\":2,\"data\":");
  CHECK(has(refusal(container::artifact({parts})), "is in parts"));
}

TEST_CASE("payloads for engines that are not known are left out") {
  auto other = kOne[0];
  other.engine = "another";
  CHECK(read(container::artifact({other, kOne[0]}))->programs.size() == 1);
  auto cpu_elsewhere = kOne[0];
  cpu_elsewhere.target = "gpu";
  CHECK(read(container::artifact({cpu_elsewhere}))->programs.empty());
}

TEST_CASE("every beginning of a container is refused") {
  const Bytes bytes = container::artifact(kOne);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(has(refusal(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))), "is damaged: "));
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK(has(refusal(longer), "promises"));
}

TEST_CASE("every bit of the header is watched") {
  const Bytes bytes = container::artifact(kOne);
  const size_t end = 24 + container::split(bytes).first.size();
  for (size_t at = 24; at < end; ++at) {
    CAPTURE(at);
    Bytes changed = bytes;
    changed[at] ^= static_cast<uint8_t>(1 << at % 8);
    CHECK(has(refusal(changed), "the checksum of its header does not match"));
  }
}

TEST_CASE("the fields before the header") {
  const Bytes bytes = container::artifact(kOne);
  const auto with = [&](size_t at, uint64_t value, int nbytes) {
    Bytes changed = bytes;
    container::put(changed, at, value, nbytes);
    return changed;
  };
  CHECK(has(refusal(with(0, 'X', 1)), "does not begin with GLUONNRN"));
  CHECK(has(refusal(with(8, 0, 4)), "format version 0"));
  CHECK(has(refusal(with(8, 2, 4)), "was written in format version 2; this library reads up to 1"));
  CHECK(has(refusal(with(8, 0xffffffff, 4)), "was written in format version 4294967295"));
  for (uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{bytes.size() - 24}, uint64_t{bytes.size() - 23}, uint64_t{1} << 26,
                          uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 23}) {
    CAPTURE(length);
    CHECK(has(refusal(with(16, length, 8)), "is damaged"));
    Bytes unsealed = with(16, length, 8);
    container::put(unsealed, 12, 0, 4);
    CHECK(has(refusal(unsealed), "is damaged"));
  }
  CHECK(read(with(12, 0, 4))->programs.size() == 1);  // written before there were checksums
  CHECK(has(refusal(Bytes(1000)), "all zeros"));
}

TEST_CASE("a header that lacks something, or has it twice, or as another kind") {
  for (const char* key : {"format",
                          "graph",
                          "data_size",
                          "options",
                          "payloads",
                          "target",
                          "engine",
                          "engine_version",
                          "offset",
                          "size",
                          "sha256",
                          "signature",
                          "program",
                          "inputs",
                          "outputs",
                          "name",
                          "shape",
                          "dtype",
                          "role",
                          "xml",
                          "literals",
                          "weights",
                          "literal_positions",
                          "data",
                          "config"}) {
    CAPTURE(key);
    const std::string quoted = gn::text("\"", key, "\":");
    CHECK(has(refusal(kOne, quoted, "\"other\":"), "is damaged"));
    CHECK(has(refusal(kOne, quoted, quoted + "1," + quoted), "twice"));
    if (std::strcmp(key, "options") == 0) continue;  // whatever they are
    CHECK(has(refusal(kOne, quoted, quoted + "null,\"other\":"), "is damaged"));
  }
  CHECK(has(refusal(kOne, "\"format\":1", "\"format\":2"), "another format version"));
  CHECK(has(refusal(container::join("[]", {})), "is damaged"));
  CHECK(has(refusal(container::join("", {})), "not valid JSON"));
  CHECK(has(refusal(container::join(std::string(100, '['), {})), "nested too deeply"));
}

TEST_CASE("extents that overflow, or are none") {
  for (const char* shape : {"[9223372036854775799]", "[4294967296,4294967296]", "[65536,65536,65536,65536]",
                            "[3037000500,3037000500,2]", "[140737488355328]", "[-1,4]", "[1.0,4]", "[\"2\",4]", "[null]", "2"}) {
    CAPTURE(shape);
    CHECK(has(refusal(kOne, "\"shape\":[2,4]", gn::text("\"shape\":", shape)), "is damaged"));
  }
  std::string axes = "1";
  for (int i = 0; i < 32; ++i) axes += ",1";
  CHECK(has(refusal(kOne, "\"shape\":[100]", "\"shape\":[" + axes + "]"), "too many axes"));
  CHECK(has(refusal(kOne, "\"dtype\":\"uint8\"", "\"dtype\":\"complex64\""), "unknown dtype 'complex64'"));
  CHECK(has(refusal(kOne, "\"role\":\"weight\"", "\"role\":\"none\""), "unknown role 'none'"));
}

TEST_CASE("payloads and their parts lie within the bytes") {
  const auto& payload = kOne[0];
  const std::string size = gn::text("\"size\":", payload.data.size());
  for (const char* other : {"\"size\":9223372036854775799", "\"size\":100000", "\"size\":-1"})
    CHECK(has(refusal(kOne, size, other), "is damaged"));
  for (const char* other : {"\"offset\":9223372036854775799", "\"offset\":100000", "\"offset\":64"}) {
    CAPTURE(other);
    CHECK(has(refusal(kOne, "\"offset\":0", other), "is damaged"));
  }
  // Four bytes, of 64.
  const std::vector<container::Payload> chip = {container::neff("trn1", 2, 100)};
  for (size_t offset : {61, 64, 65, 1000}) {
    CAPTURE(offset);
    CHECK(has(refusal(chip, "\"offset\":0", gn::text("\"offset\":", offset)), "a payload lies outside its bytes"));
  }
  CHECK(has(refusal(chip, "\"size\":4", "\"size\":65"), "a payload lies outside its bytes"));
  CHECK(read(container::join(replaced(container::header(chip), "\"offset\":0", "\"offset\":60"), container::data(chip)))
            ->programs.size() == 1);
  for (const char* other : {"\"xml\":[9223372036854775799,", "\"xml\":[1000000,", "\"xml\":[1000,",
                            "\"xml\":[0,9223372036854775799],\"o\":[", "\"xml\":[0],\"o\":[", "\"xml\":[0,1,"}) {
    CAPTURE(other);
    CHECK(has(refusal(kOne, "\"xml\":[0,", other), "is damaged"));
  }
  CHECK(has(refusal(kOne, ",8],\"weights\"", ",9],\"weights\""), "'literals' lies outside its bytes"));
  CHECK(has(refusal(kOne, "\"literal_positions\":[[0,8,", "\"literal_positions\":[[1,8,"), "a literal lies outside its bytes"));
  CHECK(has(refusal(kOne, "\"literal_positions\":[[0,8,", "\"literal_positions\":[[8,1,"), "a literal lies outside its bytes"));
  CHECK(has(refusal(kOne, "\"literal_positions\":[[0,8,", "\"literal_positions\":[[0,9223372036854775799,"),
            "a literal lies outside its bytes"));
  CHECK(has(refusal(kOne, "\"literal_positions\":[[0,8,", "\"literal_positions\":[[9223372036854775799,1,"),
            "a literal lies outside its bytes"));
}

TEST_CASE("positions are those of an offset's digits") {
  const std::string& program = kOne[0].program;
  const size_t begin = program.find("[[1,[") + 5;
  const size_t position = std::stoul(program.substr(begin));
  const std::string now = gn::text("[[1,[", position);
  for (size_t other :
       {size_t{0}, size_t{7}, position - 1, position + 1, position + 19, position + 20, kOne[0].data.size(), size_t{1000000}}) {
    CAPTURE(other);
    CHECK(has(refusal(kOne, now, gn::text("[[1,[", other)), "not that of an offset"));
  }
  CHECK(has(refusal(kOne, now, "[[1,[9223372036854775799"), "not that of an offset"));
  // Right digits at the very end of the text, where nothing may follow them.
  auto cut = kOne[0];
  const size_t literal = std::stoul(cut.program.substr(cut.program.find("[[0,8,[") + 7));
  const std::string xml_size = cut.program.substr(10, cut.program.find(']') - 10);
  cut.program = replaced(cut.program, "\"xml\":[0," + xml_size, gn::text("\"xml\":[0,", literal + 20));
  CHECK(has(refusal(container::artifact({cut})), "not that of an offset"));
}

TEST_CASE("the program and the signature agree about the inputs") {
  CHECK(has(refusal(kOne, "\"weights\":[[1,", "\"weights\":[[2,"), "disagree about the inputs"));
  CHECK(has(refusal(kOne, "\"weights\":[[1,", "\"weights\":[[0,"), "disagree about the inputs"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[0,0]"), "disagree about the inputs"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[1]"), "disagree about the inputs"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[]"), "does not read the input x"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[0],\"parts\":0"), "parts"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[0],\"halves\":[0]"), "halves of an input that has none"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[0],\"halves\":[9]"), "halves of an input that has none"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[0],\"parts\":3"), "parts"));
  CHECK(has(refusal(kOne, "\"data\":[0]", "\"data\":[0],\"parts\":1048577"), "parts"));
  CHECK(
      read(container::join(replaced(container::header(kOne), "\"data\":[0]", "\"data\":[0],\"parts\":2"), container::data(kOne)))
          ->programs[0]
          ->parts == 2);
}

TEST_CASE("a NEFF's tensors") {
  const std::vector<container::Payload> one = {container::neff("trn1", 2, 100)};
  CHECK(has(refusal(one, "\"format\":\"neff\"", "\"format\":\"elf\""), "a format that this version does not read"));
  for (const char* cores : {"0", "65", "-1", "9223372036854775799"})
    CHECK(has(refusal(one, "\"cores\":1", gn::text("\"cores\":", cores)), "is damaged"));
  CHECK(has(refusal(one, "{\"name\":\"x\",\"tensor\"", "{\"name\":\"z\",\"tensor\""), "disagree about the tensors"));
  CHECK(has(refusal(one, "{\"name\":\"x\",\"tensor\"", "{\"name\":\"w\",\"tensor\""), "disagree about the tensors"));
  CHECK(has(refusal(one, "\"tensor\":\"in0\"", "\"tensor\":\"\""), "without a name"));
  CHECK(has(refusal(one, "{\"name\":\"x\",\"tensor\":\"in0\"},", ""), "does not read the input x"));
  CHECK(has(refusal(one, "{\"name\":\"y\",\"tensor\":\"out0\"}", ""), "does not write all outputs"));
  // A weight that is inside the NEFF has no tensor.
  const std::string baked = replaced(replaced(container::header(one), ",{\"name\":\"w\",\"tensor\":\"in1\"}", ""), "\"cores\":1",
                                     "\"cores\":1,\"baked\":{\"w\":\"00\"}");
  CHECK(read(container::join(baked, container::data(one)))->programs[0]->baked == std::vector<std::string>{"", "00"});
}

TEST_CASE("every bit of a payload is watched, once") {
  const Bytes bytes = container::artifact(kOne);
  const size_t start = bytes.size() - container::data(kOne).size();
  for (size_t at = 0; at < kOne[0].data.size(); ++at) {
    CAPTURE(at);
    Bytes changed = bytes;
    changed[start + at] ^= static_cast<uint8_t>(1 << at % 8);
    CHECK(has(refusal_of_payload(changed), "is damaged"));
  }
  const auto artifact = read(bytes);
  verify(*artifact, bytes);
  const uint64_t before = gn::stats().bytes_digested;
  verify(*artifact, bytes);
  verify(*read(bytes), bytes);
  CHECK(gn::stats().bytes_digested == before);
}

TEST_CASE("constants are those that the header names, at their size") {
  const auto with_text = [](const std::string& from, const std::string& to) {
    auto payload = kOne[0];
    std::string xml(payload.data.begin(), payload.data.end());
    REQUIRE(from.size() == to.size());
    xml = replaced(xml, from, to);
    payload.data.assign(xml.begin(), xml.end());
    return refusal_of_payload(container::artifact({payload}));
  };
  CHECK(has(with_text("size=\"100\"", "size=\"101\""), "a constant of its program has 101 bytes, the array it stands for 100"));
  CHECK(has(with_text("size=\"8\"", "size=\"9\""), "has 9 bytes"));
  CHECK(has(with_text("type=\"Result\"", "type=\"Const\" "), "a constant that its header does not name"));
  auto twice = kOne[0];
  const std::string weight = twice.program.substr(twice.program.find("[[1,[") + 5, 3);
  const std::string literal = twice.program.substr(twice.program.find("[[0,8,[") + 7, 3);
  twice.program = replaced(twice.program, "[[0,8,[" + literal, "[[0,8,[" + weight);
  CHECK(has(refusal_of_payload(container::artifact({twice})), "two arrays claim one constant"));
}

TEST_CASE("an artifact is read once while it is among the last ones used") {
  const auto obtain = [](const Bytes& bytes) {
    return gn::artifact_of(bytes.data(), bytes.size(), gn::content_hash(bytes.data(), bytes.size()));
  };
  const Bytes first = container::artifact(kOne, "cached");
  const auto one = obtain(first);
  CHECK(obtain(first) == one);
  CHECK(obtain(Bytes(first)) == one);
  for (int i = 0; i < 63; ++i) obtain(container::artifact(kOne, gn::text("other ", i)));
  CHECK(obtain(first) == one);
  for (int i = 0; i < 64; ++i) obtain(container::artifact(kOne, gn::text("another ", i)));
  CHECK(obtain(first) != one);
  // What is refused is not kept.
  Bytes damaged = container::artifact(kOne, "damaged");
  damaged[30] ^= 1;
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(obtain(damaged), ArtifactError);
}

TEST_SUITE_END();
