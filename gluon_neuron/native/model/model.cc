// A program compiled with its weights, and what exactly it was compiled from.
#include "model/model.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <cstring>

#include "artifact/checksums.h"
#include "boundary/log.h"
#include "call/array_substitution.h"
#include "model/model_cache.h"
#include "model/timing.h"
#include "nrt/engine.h"
#include "openvino/engine.h"
#include "support/stats.h"

namespace gn {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kTrimFrom = size_t{8} << 20;

size_t aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Writes `offset` as the 20 digits that stand at `position`.
void patch(std::string& xml, size_t position, size_t offset) {
  for (int i = 19; i >= 0; --i, offset /= 10) xml[position + i] = static_cast<char>('0' + offset % 10);
}

// Gives memory that was freed back to the system, which takes milliseconds.
void trim() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// The range of addresses that all constants lie in. OpenVINO sees it as one buffer and reads only the constants, so
// no weight has to be copied into one.
class Range {
 public:
  void add(const uint8_t* data, size_t nbytes) {
    if (nbytes == 0) return;
    const auto begin = reinterpret_cast<uintptr_t>(data);
    low_ = std::min(low_, begin);
    high_ = std::max(high_, begin + nbytes);
  }
  size_t offset(const uint8_t* data) const {
    const auto at = reinterpret_cast<uintptr_t>(data);
    return at < low_ ? 0 : at - low_;  // only an empty array stands outside
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the range is of several arrays, so there is no pointer to compute it from.
  Window window() const { return {reinterpret_cast<const uint8_t*>(low_), high_ - low_}; }

 private:
  uintptr_t low_ = UINTPTR_MAX, high_ = 0;
};

}  // namespace

bool ModelSpec::by_reference(size_t weight) const {
  if (program().engine == Engine::nrt) return false;  // it has them on the device
  const size_t nbytes = program().inputs[program().weights[weight].input].spec.nbytes();
  return nbytes > kOwnedBytes && weights[weight].version != 0;
}

bool ModelSpec::literals_by_reference() const {
  const bool stays = !artifact->bytes.empty() || artifact_array.version != 0;
  return program().literals.size > kOwnedBytes && stays;
}

Model::Model(const ModelSpec& from) : artifact_(from.artifact), index_(from.index), core_(from.core) {
  verify_payload(*artifact_, index_, from.artifact_array.data);
  if (from.program().engine == Engine::nrt) {
    load(from);
  } else {
    compile(from);
  }
}

Model::~Model() {
  if (runner_) timing::forget(*runner_);
}

void Model::reserve(size_t total) {
  owned_.reset(new uint8_t[total + kAlignment]);
  free_ = owned_.get() + (kAlignment - reinterpret_cast<uintptr_t>(owned_.get()) % kAlignment) % kAlignment;
}

const uint8_t* Model::copy(const uint8_t* data, size_t nbytes) {
  const uint8_t* at = free_;
  if (nbytes > 0) std::memcpy(free_, data, nbytes);
  free_ += aligned(nbytes);
  return at;
}

void Model::load(const ModelSpec& from) {
  const Program& program = from.program();
  size_t total = kAlignment;
  std::vector<const uint8_t*> sources;
  for (size_t i = 0; i < program.weights.size(); ++i) {
    const Input& input = program.inputs[program.weights[i].input];
    const size_t nbytes = input.spec.nbytes();
    const std::string& baked = program.baked[program.weights[i].input];
    if (!baked.empty() && sha256_of_part(from.digests[i], 0, from.weights[i].data, nbytes) != baked) {
      throw NoChip(text("the program for ", program.target, " has its weights inside, and '", input.name,
                        "' has changed since. Compile the model again"));
    }
    if (nbytes <= kOwnedBytes) total += aligned(nbytes);
    sources.push_back(from.weights[i].data);
  }
  reserve(total);
  for (size_t i = 0; i < sources.size(); ++i) {
    const size_t nbytes = program.inputs[program.weights[i].input].spec.nbytes();
    // What is small is compared by a copy at the next call, sooner than hashed.
    weights_.push_back({sources[i], from.digests[i], nbytes, nbytes <= kOwnedBytes ? copy(sources[i], nbytes) : nullptr, false});
  }
  const auto make = [&] {
    auto neff = LoadedNeff::obtain(*from.artifact, index_, from.artifact_array.data + program.payload.offset, core_);
    runner_ = std::make_unique<NeffModel>(program, neff, NeffModel::write(program, *neff, sources, from.digests));
    program_ = neff;
  };
  try {
    make();
  } catch (const NrtError& error) {
    if (!error.lacks_room()) throw;
    // ModelCache that nobody uses may hold what it needs.
    ModelCache::get().drop_orphans(nullptr);
    make();
  }
  ++stats().compiles;
}

void Model::compile(const ModelSpec& from) {
  const Program& program = from.program();
  const uint8_t* payload = from.artifact_array.data + program.payload.offset;
  std::string xml(reinterpret_cast<const char*>(payload) + program.xml.offset, program.xml.size);

  size_t total = kAlignment;  // never empty
  const bool refer = from.literals_by_reference();
  if (!refer) total += aligned(program.literals.size);
  for (size_t i = 0; i < program.weights.size(); ++i) {
    if (!from.by_reference(i)) total += aligned(program.inputs[program.weights[i].input].spec.nbytes());
  }
  reserve(total);
  Range range;
  range.add(free_, total);

  const uint8_t* literals = payload + program.literals.offset;
  if (refer) {
    literals_ = literals;
    range.add(literals, program.literals.size);
  } else {
    literals = copy(literals, program.literals.size);
  }
  for (size_t i = 0; i < program.weights.size(); ++i) {
    const size_t nbytes = program.inputs[program.weights[i].input].spec.nbytes();
    const uint8_t* source = from.weights[i].data;
    const bool refers = from.by_reference(i);
    weights_.push_back({source, from.digests[i], nbytes, refers ? nullptr : copy(source, nbytes), refers});
    if (!weights_.back().copy) range.add(source, nbytes);
  }
  for (size_t i = 0; i < program.weights.size(); ++i) {
    const Bound& bound = weights_[i];
    for (size_t position : program.weights[i].positions)
      patch(xml, position, range.offset(bound.copy ? bound.copy : bound.source));
  }
  for (const LiteralUse& use : program.literal_uses) {
    for (size_t position : use.positions) patch(xml, position, range.offset(literals + use.offset));
  }

  size_t bytes = program.literals.size;
  for (const Bound& bound : weights_) bytes += bound.nbytes;
  if (bytes > kTrimFrom) trim();  // the peak of memory is in what follows
  std::vector<Spec> inputs;
  inputs.reserve(program.data.size());
  for (size_t i : program.data) {
    Spec spec = program.inputs[i].spec;
    if (std::find(program.halves.begin(), program.halves.end(), i) != program.halves.end()) spec = spec.halves();
    inputs.push_back(spec);
  }
  runner_ = std::make_unique<CompiledModel>(xml, range.window(), program.config, program.parts, program.dynamic(), inputs,
                                            program.outputs);
  ++stats().compiles;
  if (bytes > kTrimFrom) trim();  // compiling needs much more than its result holds
}

bool Model::serves(const ModelSpec& from) const {
  if (from.index != index_ || from.core != core_ || from.artifact->digest != artifact_->digest) return false;
  if (literals_ && literals_ != from.artifact_array.data + from.program().payload.offset + from.program().literals.offset)
    return false;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (!weights_[i].serves(from.weights[i].data, from.digests[i])) return false;
  }
  return true;
}

std::vector<std::string> Model::data_names() const {
  const Program& program = *artifact_->programs[index_];
  std::vector<std::string> names;
  names.reserve(program.data.size());
  for (size_t i : program.data) names.push_back(program.inputs[i].name);
  return names;
}

void Model::run(const std::vector<Array>& inputs, const std::vector<uint8_t*>& outputs, const std::vector<Spec>& input_specs,
                const std::vector<Spec>& output_specs, const std::string& graph) {
  std::vector<const uint8_t*> data;
  for (size_t i : artifact_->programs[index_]->data) data.push_back(substitute_for(inputs[i].data));
  CallShapes shapes;
  if (dynamic()) {
    for (size_t i : artifact_->programs[index_]->data) shapes.inputs.push_back(&input_specs[i]);
    for (const Spec& spec : output_specs) shapes.outputs.push_back(&spec);
  }
  const bool timed = timing::is_on();
  const std::shared_ptr<Runner> twin = timed ? timing::twin_of(*runner_) : nullptr;
  const auto begin = std::chrono::steady_clock::now();
  (twin ? *twin : *runner_).run(data, outputs, shapes);
  const auto end = std::chrono::steady_clock::now();
  const int64_t taken = std::chrono::nanoseconds(end - begin).count();
  if (timed) {
    const auto since = [](auto time) { return int64_t{std::chrono::nanoseconds(time.time_since_epoch()).count()}; };
    timing::note(node_name_here(), twin ? twin->number() : 0, since(begin), since(end), graph, data_names());
  }
  int64_t shortest = shortest_run_;
  while (taken < shortest && !shortest_run_.compare_exchange_weak(shortest, taken)) {
  }
  ++runs_;
}

}  // namespace gn
