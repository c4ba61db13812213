// The Neuron runtime of this process: started once, its NeuronCores, what lives on them, and its end.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "nrt/api.h"
#include "support/errors.h"

namespace gn {

// A NeuronCore cannot be had here, for a reason that another place to run does not share.
class NoChip : public Error {
 public:
  using Error::Error;
};

class NrtResource;

class NrtRuntime {
 public:
  static NrtRuntime& get();

  // Starts the runtime, unless it runs, and checks that a program that takes `count` cores can be placed: on `first` and those
  // behind it, or anywhere (-1). Throws NoChip when there is no runtime or core; Error when the cores that were asked for
  // do not exist, and in a child of the process that started the runtime.
  const Nrt& start(size_t count, int first);

  // Takes cores, the least used ones if any will do; the result is the first, which is to be given back by `leave`.
  int enter(size_t count, int first);
  void leave(int first, size_t count);

  // libnrt, for those who hold its gate.
  const Nrt* api() const { return api_; }

  // How many cores the process may use (-1 when that cannot be known), and how many of them no model of it has.
  int visible() const;
  int free() const;
  // The same as a clause: "this process may use ...".
  std::string cores_text() const;

 private:
  friend class NrtResource;
  friend class NrtUse;

  void close();
  // With `mutex_` held: how many of the visible ones nobody uses, and the clause.
  int unused() const;
  std::string describe() const;

  mutable std::mutex mutex_;     // of what follows
  std::shared_mutex gate_;       // held, shared, while libnrt is called, and alone when it ends
  const Nrt* api_ = nullptr;     // once it is started
  std::atomic<int> process_{0};  // that started it
  std::atomic<bool> closing_{false}, closed_{false};
  std::vector<int> users_;             // of each core
  std::list<NrtResource*> resources_;  // in the order in which they were made
};

// Lets libnrt be called while it lives. Throws Error in a forked child and after the end.
class NrtUse {
 public:
  NrtUse();
  const Nrt* operator->() const { return NrtRuntime::get().api(); }

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

// Something that libnrt holds for us. It ends by its destructor, or when the process does.
class NrtResource {
 public:
  NrtResource();
  virtual ~NrtResource();
  NrtResource(const NrtResource&) = delete;
  NrtResource& operator=(const NrtResource&) = delete;

 protected:
  // Frees it unless that was done; called with the gate held.
  virtual void free() = 0;
  // To be called by the destructor of a derived class.
  void end();

 private:
  friend class NrtRuntime;
};

}  // namespace gn
