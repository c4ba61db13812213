// All compiled models of the process, shared by the nodes that use the same program with the same weights.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "model/model.h"

namespace gn {

// Gluon's cached operator makes a new state for each call unless it is static, so models outlive the states that use
// them: up to `kOrphans` without any user are kept, the least recently used goes first. A program that was made here has
// `kOrphansOfOne` of its own, for nets with other weights, as long as it has room.
class ModelCache {
 public:
  static constexpr size_t kOrphans = 4, kOrphansOfOne = 2;

  static ModelCache& get();

  // A model that serves, compiled now unless there is one; threads that ask for the same one compile it once. Every
  // call is to be matched by `release`. Throws Error.
  std::shared_ptr<Model> obtain(const ModelSpec& from);

  // `replaced`: the user's weights have changed, so that the model is not worth keeping.
  void release(const std::shared_ptr<Model>& model, bool replaced);

  // Drops the models of an artifact, those in use as soon as they no longer are.
  void evict(Digest artifact);
  // Drops what has no user, of one graph or of all (null).
  void drop_orphans(const std::string* graph);

  void count(size_t* alive, size_t* orphans);

 private:
  struct Entry {
    ModelSpec from;  // while it is being compiled
    std::shared_ptr<Model> model;  // null while it is being compiled
    size_t users = 0;
    uint64_t last_used = 0;
    bool doomed = false;  // to go when the last user does
    int process = 0;  // in which it was compiled
  };
  // Destroyed outside the lock, for it takes long. In a forked child the parent's models stay: their threads did not come along,
  // and their end would wait for these.
  struct Garbage : std::list<Entry> {
    Garbage() = default;
    ~Garbage() { drop(); }
    Garbage(const Garbage&) = delete;
    Garbage& operator=(const Garbage&) = delete;
    void drop();
  };

  Entry* find(const ModelSpec& from);
  void collect_stale(const ModelSpec& from, Garbage& garbage);
  // Of one artifact, or of all those that are not counted by themselves (null).
  void collect_orphans(const Artifact* of, size_t keep, Garbage& garbage);

  std::mutex mutex_;
  std::condition_variable compiled_;
  std::list<Entry> entries_;
  uint64_t clock_ = 0;
};

}  // namespace gn
