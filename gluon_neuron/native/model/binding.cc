// What a node's compiled model is valid for, checked at each call: its program, its weights' places and their contents.
#include "model/binding.h"

#include <unistd.h>

#include <cstring>

#include "artifact/artifact_cache.h"
#include "artifact/identity.h"
#include "boundary/log.h"
#include "model/epoch.h"
#include "model/model_cache.h"
#include "model/specialise.h"
#include "support/cpu_features.h"
#include "support/errors.h"
#include "support/stats.h"

namespace gn {
namespace {

constexpr size_t kKeptWeights = size_t{8} << 20;

Digest checked_hash(const uint8_t* data, size_t nbytes) {
  ++stats().content_checks;
  return content_hash(data, nbytes);
}

std::string no_program(const Artifact& artifact, const std::vector<Spec>& given, const std::string& why) {
  const Program& first = *artifact.programs.front();
  if (given.size() != first.inputs.size()) {
    return text("the node has ", given.size(), " inputs, its program ", first.inputs.size(), ". Compile the model again.");
  }
  std::string out;
  for (size_t i = 0; i < given.size(); ++i) {
    const bool unread = first.inputs[i].role == Role::unused && given[i].shape == first.inputs[i].spec.shape;
    if (unread || given[i] == first.inputs[i].spec) continue;
    out += text(out.empty() ? "" : "; ", "input '", first.inputs[i].name, "' is ", given[i].str(), ", compiled were ");
    for (size_t k = 0; k < artifact.cpu_programs; ++k) {
      if (!artifact.programs[k]->dynamic()) out += text(k ? ", " : "", artifact.programs[k]->inputs[i].spec.str());
    }
  }
  return text(out, "; ", why);
}

}  // namespace

Binding::Binding(std::string graph_json, std::vector<Spec> inputs, size_t artifact_size, Placement placement, bool may_share_bulk)
    : graph_json_(std::move(graph_json)),
      specs_(std::move(inputs)),
      artifact_size_(artifact_size),
      placement_(placement),
      may_share_bulk_(may_share_bulk),
      process_(getpid()) {}

Binding::~Binding() {
  if (!model_) return;
  // Gluon's cached operator calls a state once and makes another, which will want the model. One that was called more often
  // belonged to an executor: with it, a large model goes, and one that holds a NeuronCore. In a forked child it stays: its
  // threads did not come along.
  size_t bytes = 0;
  for (const Model::Bound& bound : model_->weights()) bytes += bound.nbytes;
  // A dynamic one is what the next executor, for another shape, will want; one that was made here has its room.
  const bool stays = model_->dynamic() || (used_->made_here() && !used_->evicted);
  const bool last = calls_ > 1 && !stays && (bytes > kKeptWeights || model_->program()) && process_ == getpid();
  ModelCache::get().release(model_, last);
}

void Binding::drop_model() {
  if (!model_) return;
  ModelCache::get().release(model_, true);
  model_.reset();
}

bool Binding::trusted(size_t input, const Array& array) const {
  // Version 0: MXNet made a copy for this call, or nobody ordered the write that filled it.
  return same_epoch_ && array.version != 0 && seen_[input].data == array.data && seen_[input].version == array.version;
}

void Binding::find_program(const Array& artifact, const std::vector<Spec>& outputs) {
  if (given_ && used_ && trusted(specs_.size(), artifact)) return;
  const Digest digest = checked_hash(artifact.data, artifact_size_);
  if (given_ && used_ && given_->digest == digest) return;
  drop_model();
  used_.reset();
  given_ = artifact_of(artifact.data, artifact_size_, digest);
  check_belongs(*given_, graph_json_);
  use_chip();
  if (!used_) use_cpu(outputs);
  // What a dynamic program gives, its engine compares.
  if (!used_->programs[index_]->dynamic() && used_->programs[index_]->outputs != outputs) {
    used_.reset();
    throw Error("its program's outputs are not those that MXNet infers for the graph. Compile the model again.");
  }
}

void Binding::use_chip() {
  if (given_->cpu_programs == given_->programs.size()) return;  // there is none for a chip
  try {
    index_ = chip_program(*given_, specs_, placement_);
    used_ = given_;
  } catch (const NoChip& error) {
    fall_back(error, placement_);
  }
}

void Binding::use_cpu(const std::vector<Spec>& outputs) {
  for (size_t i = 0; i < given_->cpu_programs; ++i) {
    if (given_->programs[i]->dynamic() || !given_->programs[i]->fits(specs_)) continue;
    used_ = given_;
    index_ = i;
  }
  if (given_->cpu_programs == 0) throw Error("its artifact holds no program for the CPU. Compile the model again.");
  if (used_) return use_for_this_processor(outputs);
  for (size_t i = 0; i < given_->cpu_programs; ++i) {
    if (!given_->programs[i]->dynamic() || !given_->programs[i]->fits(specs_)) continue;
    used_ = given_;
    index_ = i;
    return;
  }
  try {
    if (given_->programs.front()->inputs.size() != specs_.size()) throw Error("");
    used_ = specialise(*given_, graph_json_, specs_, outputs, Purpose::other_inputs);
  } catch (const Error& error) {
    throw Error("no program for these inputs: " + no_program(*given_, specs_, error.what()));
  }
  index_ = 0;
}

// A program that was written for more than this processor has gives the same numbers here, but slowly: another takes its place.
void Binding::use_for_this_processor(const std::vector<Spec>& outputs) {
  std::string lacking;
  for (const std::string& feature : lacking_features(used_->programs[index_]->made_for)) {
    lacking += text(lacking.empty() ? "" : ", ", feature);
  }
  if (lacking.empty()) return;
  try {
    used_ = specialise(*given_, graph_json_, specs_, outputs, Purpose::other_machine);
    index_ = 0;
    inform_once("made again for " + given_->graph, text("its program was made for a processor with ", lacking,
                                                        ", which this one lacks: it was made again for this machine."));
  } catch (const Error& error) {
    warn_once("not made again for " + given_->graph,
              text("its program was made for a processor with ", lacking,
                   ", which this one lacks, so it may be slow here, and it cannot be made again: ", error.what()));
  }
}

// Fills in the digests; the result says whether the model at hand serves these arrays.
bool Binding::check_weights(const std::vector<Array>& inputs, std::vector<Digest>& digests) const {
  const auto& uses = used_->programs[index_]->weights;
  digests.resize(uses.size());
  bool valid = model_ != nullptr;
  for (size_t i = 0; i < uses.size(); ++i) {
    const Array& array = inputs[uses[i].input];
    const Model::Bound* bound = model_ ? &model_->weights()[i] : nullptr;
    if (array.version == 0) ++stats().relayouts;
    if (bound && trusted(uses[i].input, array)) {
      digests[i] = bound->digest;
    } else if (bound && bound->copy && bound->nbytes <= kOwnedBytes && std::memcmp(bound->copy, array.data, bound->nbytes) == 0) {
      // Cheap, because Gluon's cached operator raises the versions of all auxiliary states at every call.
      ++stats().content_checks;
      digests[i] = bound->digest;
    } else {
      digests[i] = checked_hash(array.data, specs_[uses[i].input].nbytes());
    }
    valid = valid && bound->serves(array.data, digests[i]);
  }
  return valid;
}

const Program* Binding::held_program(const Array& artifact) const {
  const auto held = artifact_of(artifact.data, artifact_size_, checked_hash(artifact.data, artifact_size_));
  const Program* found = nullptr;
  for (size_t i = 0; i < held->cpu_programs; ++i) {
    const Program& program = *held->programs[i];
    if (program.fits(specs_) && (!found || found->dynamic())) found = &program;
  }
  return found;
}

std::shared_ptr<Model> Binding::model(const std::vector<Array>& inputs, const std::vector<Spec>& outputs) {
  if (used_) used_->touch();
  if (output_specs_ != outputs) output_specs_ = outputs;  // once: a state's are always the same
  const uint64_t now = epoch();
  same_epoch_ = now == epoch_ && seen_.size() == inputs.size() && !(may_share_bulk_ && writes_in_bulk());
  bool all = model_ && same_epoch_;
  for (size_t i = 0; all && i < inputs.size(); ++i) {
    // Data inputs are another matter at each call.
    all = (i < specs_.size() && used_->programs[index_]->inputs[i].role != Role::weight) || trusted(i, inputs[i]);
  }
  if (all) {
    ++stats().trusted_calls;
    ++calls_;
    return model_;
  }
  try {
    update_model(inputs, outputs);
  } catch (...) {
    seen_.clear();  // what was seen before may belong to another program than the one at hand now
    throw;
  }
  seen_ = inputs;
  epoch_ = now;
  ++calls_;
  return model_;
}

void Binding::update_model(const std::vector<Array>& inputs, const std::vector<Spec>& outputs) {
  find_program(inputs.back(), outputs);
  try {
    obtain_model(inputs);
  } catch (const NoChip& error) {
    drop_model();
    used_.reset();
    fall_back(error, placement_);
    use_cpu(outputs);
    obtain_model(inputs);
  }
}

void Binding::obtain_model(const std::vector<Array>& inputs) {
  const Array& artifact = inputs.back();
  ModelSpec from;
  const bool valid = check_weights(inputs, from.digests);
  from.artifact = used_;
  from.index = index_;
  from.artifact_array = used_->bytes.empty() ? artifact : Array{used_->bytes.data(), 1};
  if (from.program().engine == Engine::nrt) from.core = placement_.core;
  for (const WeightUse& use : from.program().weights) from.weights.push_back(inputs[use.input]);
  if (!valid || !model_->serves(from)) {
    const std::shared_ptr<void> program = model_ ? model_->program() : nullptr;
    drop_model();
    model_ = ModelCache::get().obtain(from);
  }
}

}  // namespace gn
