// All compiled models of the process, shared by the nodes that use the same program with the same weights.
#include "model/model_cache.h"

#include <unistd.h>

#include <algorithm>

namespace gn {
namespace {

// Whether two nodes that ask at the same time ask for the same model.
bool same(const ModelSpec& a, const ModelSpec& b) {
  if (a.index != b.index || a.core != b.core || a.artifact->digest != b.artifact->digest || a.digests != b.digests) return false;
  if (a.literals_by_reference() && a.artifact_array.data != b.artifact_array.data) return false;
  for (size_t i = 0; i < a.weights.size(); ++i) {
    if (a.by_reference(i) && a.weights[i].data != b.weights[i].data) return false;
  }
  return true;
}

}  // namespace

void ModelCache::Garbage::drop() {
  for (const Entry& entry : *this) {
    if (entry.process != getpid()) new std::shared_ptr<Model>(entry.model);
  }
  clear();
}

ModelCache& ModelCache::get() {
  // Never freed: states may be destroyed after static destructors ran.
  static ModelCache* const instance = new ModelCache;
  return *instance;
}

ModelCache::Entry* ModelCache::find(const ModelSpec& from) {
  for (Entry& entry : entries_) {
    if (entry.model ? entry.model->serves(from) : same(entry.from, from)) return &entry;
  }
  return nullptr;
}

void ModelCache::collect_stale(const ModelSpec& from, Garbage& garbage) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto entry = it++;
    if (!entry->model || entry->users > 0 || entry->model->artifact().digest != from.artifact->digest) continue;
    const auto& bound = entry->model->weights();
    bool stale = false;
    for (size_t i = 0; i < bound.size() && i < from.weights.size(); ++i) {
      stale = stale || (bound[i].source == from.weights[i].data && bound[i].digest != from.digests[i]);
    }
    if (stale) garbage.splice(garbage.end(), entries_, entry);
  }
}

void ModelCache::collect_orphans(const Artifact* of, size_t keep, Garbage& garbage) {
  const auto counts = [&](const Artifact& artifact) {
    if (of) return artifact.digest == of->digest;
    return !artifact.made_here() || artifact.evicted;
  };
  while (true) {
    size_t orphans = 0;
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (!it->model || it->users > 0 || !counts(it->model->artifact())) continue;
      ++orphans;
      if (oldest == entries_.end() || it->last_used < oldest->last_used) oldest = it;
    }
    if (orphans <= keep) return;
    garbage.splice(garbage.end(), entries_, oldest);
  }
}

std::shared_ptr<Model> ModelCache::obtain(const ModelSpec& from) {
  Garbage garbage;
  std::list<Entry>::iterator mine;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    while (Entry* entry = find(from)) {
      if (entry->model) {
        ++entry->users;
        entry->doomed = false;
        return entry->model;
      }
      compiled_.wait(lock);
    }
    collect_stale(from, garbage);
    entries_.emplace_back();
    mine = std::prev(entries_.end());
    mine->from = from;
  }
  std::vector<std::shared_ptr<void>> programs;  // loaded ones, which the new model may run with its other weights
  for (const Entry& entry : garbage) programs.push_back(entry.model->program());
  garbage.drop();  // before the new model needs memory
  std::shared_ptr<Model> model;
  try {
    model = std::make_shared<Model>(from);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.erase(mine);
    compiled_.notify_all();
    throw;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  mine->from = {};
  mine->model = model;
  mine->process = getpid();
  mine->users = 1;
  compiled_.notify_all();
  return model;
}

void ModelCache::release(const std::shared_ptr<Model>& model, bool replaced) {
  Garbage garbage;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.model == model; });
  if (entry == entries_.end()) return;
  entry->doomed = entry->doomed || replaced;
  entry->last_used = ++clock_;
  if (--entry->users > 0) return;
  if (entry->doomed) {
    garbage.splice(garbage.end(), entries_, entry);
  } else {
    const Artifact& artifact = model->artifact();
    const bool in_its_room = artifact.made_here() && !artifact.evicted;
    collect_orphans(in_its_room ? &artifact : nullptr, in_its_room ? kOrphansOfOne : kOrphans, garbage);
  }
}

void ModelCache::evict(Digest artifact) {
  Garbage garbage;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto entry = it++;
    if (!entry->model || entry->model->artifact().digest != artifact) continue;
    entry->doomed = true;
    if (entry->users == 0) garbage.splice(garbage.end(), entries_, entry);
  }
}

void ModelCache::drop_orphans(const std::string* graph) {
  Garbage garbage;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto entry = it++;
    if (!entry->model || (graph && entry->model->artifact().graph != *graph)) continue;
    if (entry->users == 0) garbage.splice(garbage.end(), entries_, entry);
  }
}

void ModelCache::count(size_t* alive, size_t* orphans) {
  const std::lock_guard<std::mutex> lock(mutex_);
  *alive = *orphans = 0;
  for (const Entry& entry : entries_) {
    if (!entry.model) continue;
    ++*alive;
    if (entry.users == 0) ++*orphans;
  }
}

}  // namespace gn
