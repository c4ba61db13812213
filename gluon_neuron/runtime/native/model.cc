// A program compiled with its weights, and what exactly it was compiled from.
#include "model.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <cstring>

#include "lending.h"
#include "stats.h"

namespace gn {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kTrimFrom = size_t{8} << 20;

size_t aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Writes `offset` as the 20 digits that stand at `position`.
void patch(std::string& xml, size_t position, size_t offset) {
  for (int i = 19; i >= 0; --i, offset /= 10) xml[position + i] = static_cast<char>('0' + offset % 10);
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
  Window window() const { return {reinterpret_cast<const uint8_t*>(low_), high_ - low_}; }

 private:
  uintptr_t low_ = UINTPTR_MAX, high_ = 0;
};

}  // namespace

bool Ingredients::by_reference(size_t weight) const {
  const size_t nbytes = program().inputs[program().weights[weight].input].spec.nbytes();
  return nbytes > kOwnedBytes && weights[weight].version != 0;
}

bool Ingredients::literals_by_reference() const {
  const bool stays = !artifact->bytes.empty() || artifact_array.version != 0;
  return program().literals.size > kOwnedBytes && stays;
}

Model::Model(const Ingredients& from) : artifact_(from.artifact), index_(from.index) {
  const Program& program = from.program();
  verify_payload(program, from.artifact_array.data);
  const uint8_t* payload = from.artifact_array.data + program.payload.offset;
  std::string xml(reinterpret_cast<const char*>(payload) + program.xml.offset, program.xml.size);

  size_t total = kAlignment;  // never empty
  const bool refer = from.literals_by_reference();
  if (!refer) total += aligned(program.literals.size);
  for (size_t i = 0; i < program.weights.size(); ++i) {
    if (!from.by_reference(i)) total += aligned(program.inputs[program.weights[i].input].spec.nbytes());
  }
  owned_.reset(new uint8_t[total + kAlignment]);
  uint8_t* free = owned_.get() + (kAlignment - reinterpret_cast<uintptr_t>(owned_.get()) % kAlignment) % kAlignment;
  Range range;
  range.add(free, total);
  const auto copy = [&](const uint8_t* data, size_t nbytes) {
    const uint8_t* at = free;
    if (nbytes > 0) std::memcpy(free, data, nbytes);
    free += aligned(nbytes);
    return at;
  };

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
    weights_.push_back({source, from.digests[i], nbytes, from.by_reference(i) ? nullptr : copy(source, nbytes)});
    if (!weights_.back().copy) range.add(source, nbytes);
  }
  for (size_t i = 0; i < program.weights.size(); ++i) {
    const Bound& bound = weights_[i];
    for (size_t position : program.weights[i].positions) patch(xml, position, range.offset(bound.copy ? bound.copy : bound.source));
  }
  for (const LiteralUse& use : program.literal_uses) {
    for (size_t position : use.positions) patch(xml, position, range.offset(literals + use.offset));
  }

  std::vector<Spec> inputs;
  for (size_t i : program.data) inputs.push_back(program.inputs[i].spec);
  compiled_ = std::make_unique<CompiledModel>(xml, range.window(), program.config, inputs, program.outputs);
  ++stats().compiles;
#ifdef __GLIBC__
  // Compiling needs much more memory than its result holds; giving it back takes milliseconds.
  size_t bytes = program.literals.size;
  for (const Bound& bound : weights_) bytes += bound.nbytes;
  if (bytes > kTrimFrom) malloc_trim(0);
#endif
}

bool Model::serves(const Ingredients& from) const {
  if (from.index != index_ || from.artifact->digest != artifact_->digest) return false;
  if (literals_ && literals_ != from.artifact_array.data + from.program().payload.offset + from.program().literals.offset) return false;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (!weights_[i].serves(from.weights[i].data, from.digests[i])) return false;
  }
  return true;
}

void Model::run(const std::vector<Array>& inputs, const std::vector<uint8_t*>& outputs) {
  std::vector<const uint8_t*> data;
  for (size_t i : artifact_->programs[index_]->data) data.push_back(lent_for(inputs[i].data));
  compiled_->run(data, outputs);
}

}  // namespace gn
