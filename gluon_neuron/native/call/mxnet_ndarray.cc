// What MXNet's C functions do not tell of an array: its version; and the end of a call that the engine runs at once.
//
// All that is taken from MXNet's C++ header is inline and reads members: nothing is linked. The one method that is no inline one
// is looked up where MXNet is loaded.
#include "call/mxnet_ndarray.h"

#include <mxnet/ndarray.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "boundary/guard.h"
#include "call/push_order.h"
#include "support/errors.h"
#include "support/fork_gate.h"

namespace gn {
namespace {

// The engine takes a Context of ours for its own.
static_assert(std::is_standard_layout<mxnet::Context>::value && sizeof(Context) == sizeof(mxnet::Context) &&
                  alignof(Context) == alignof(mxnet::Context),
              "Context is not laid out as MXNet's");
static_assert(offsetof(Context, device) == offsetof(mxnet::Context, dev_type) &&
                  sizeof(mxnet::Context::dev_type) == sizeof(Context::device),
              "Context::device is not MXNet's dev_type");
static_assert(offsetof(Context, number) == offsetof(mxnet::Context, dev_id) &&
                  sizeof(mxnet::Context::dev_id) == sizeof(Context::number),
              "Context::number is not MXNet's dev_id");

// An array's memory is a private member; an explicit instantiation may name it.
const void* memory_of(const mxnet::NDArray& array);
const uint8_t* place_of(const mxnet::NDArray& array);

mxnet::NDArray in_usual_layout(const mxnet::NDArray& array) {
  // A method is called as a function of its object.
  const auto make = reinterpret_cast<mxnet::NDArray (*)(const mxnet::NDArray*)>(mxnet_api().in_usual_layout);
  return make(&array);
}

template <auto Member>
struct Private {
  friend const void* memory_of(const mxnet::NDArray& array) { return (array.*Member).get(); }
  friend const uint8_t* place_of(const mxnet::NDArray& array) {
    return static_cast<const uint8_t*>((array.*Member)->shandle.dptr) + array.byte_offset();
  }
};
template struct Private<&mxnet::NDArray::ptr_>;

// An operation of MXNet's engine that has begun, and ends with this, on whatever thread: what it reads, nobody writes until then.
class Hold {
 public:
  Hold() : grant_(std::make_shared<Grant>()) {}
  ~Hold() {
    std::unique_lock<std::mutex> lock(grant_->mutex);
    grant_->wanted = false;
    const auto completed = std::exchange(grant_->completed, std::nullopt);
    lock.unlock();
    if (completed) (*completed)();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  // MXNet's own status. Once.
  int ask(Context context, std::vector<NDArrayHandle> read, std::vector<NDArrayHandle> written) {
    // The engine runs what calls itself asynchronous on the thread that pushes it, unless it has to wait.
    static const mxnet::FnProperty here = mxnet::FnProperty::kAsync;
    return mxnet_api().MXEnginePushAsyncND(begin, new std::shared_ptr<Grant>(grant_), end, &context, read.data(),
                                           static_cast<int>(read.size()), written.data(), static_cast<int>(written.size()),
                                           const_cast<mxnet::FnProperty*>(&here), 0, "gluon_neuron call", false);
  }

  // Until it has begun; false where it does not, for there is an error in what it reads, or not before `end`.
  bool wait(std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max()) {
    std::unique_lock<std::mutex> lock(grant_->mutex);
    const auto decided = [this] { return grant_->completed || grant_->over; };
    if (end == std::chrono::steady_clock::time_point::max()) {
      grant_->changed.wait(lock, decided);
    } else {
      grant_->changed.wait_until(lock, end, decided);
    }
    return grant_->completed.has_value();
  }

 private:
  struct Grant {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<mxnet::engine::CallbackOnComplete> completed;
    bool wanted = true, over = false;
  };

  static void begin(void*, void* on_complete, void* argument) {
    const std::shared_ptr<Grant> grant = *static_cast<std::shared_ptr<Grant>*>(argument);
    const auto completed = *static_cast<mxnet::engine::CallbackOnComplete*>(on_complete);
    bool wanted = false;
    {
      const std::lock_guard<std::mutex> lock(grant->mutex);
      wanted = grant->wanted;
      if (wanted) grant->completed = completed;
      grant->changed.notify_all();
    }
    // From here on, whoever waits may have ended it, and the engine have freed `argument`.
    if (!wanted) completed();
  }

  // The engine calls it when it is done with the operation, which it leaves out when there is an error in what that reads.
  static void end(void* argument) {
    const std::unique_ptr<std::shared_ptr<Grant>> grant(static_cast<std::shared_ptr<Grant>*>(argument));
    const std::lock_guard<std::mutex> lock((*grant)->mutex);
    (*grant)->over = true;
    (*grant)->changed.notify_all();
  }

  const std::shared_ptr<Grant> grant_;
};

// A call that the engine makes.
struct Operation {
  std::function<void(const std::vector<Array>&)> run;
  std::shared_ptr<void> held;
  std::vector<NDArrayHandle> read;

  // The text of an error.
  std::string call() const {
    std::string why;
    guarded(
        [this] {
          std::deque<mxnet::NDArray> copies;
          std::vector<Array> arrays(read.size());
          for (size_t i = 0; i < read.size(); ++i) {
            if (see_while_read(read[i], arrays[i])) continue;
            const auto& array = *static_cast<mxnet::NDArray*>(read[i]);
            if (array.shape().Size() == 0) {
              arrays[i] = {nullptr, version_of(read[i])};
              continue;
            }
            copies.push_back(in_usual_layout(array));
            arrays[i] = {place_of(copies.back()), 0};
            if (!arrays[i].data) throw Error("gluon_neuron: an array that is read has no memory yet");
          }
          run(arrays);
        },
        [&why](const char* text) { why = *text ? text : "gluon_neuron: an unknown error"; });
    return why;
  }

  static void begin(void*, void* on_complete, void* operation) {
    const auto completed = *static_cast<mxnet::engine::CallbackOnComplete*>(on_complete);
    std::string why;
    {
      const InSection section(Section::engine);
      why = static_cast<const Operation*>(operation)->call();
    }
    if (why.empty()) return completed();
    const dmlc::Error error(why);
    completed(&error);
  }

  static void end(void* operation) { delete static_cast<Operation*>(operation); }
};

bool same_build() {
  if (!mxnet_api().is_laid_out || !mxnet_api().in_usual_layout) return false;
  int version = 0;
  const LibFeature* features = nullptr;
  size_t count = 0;
  if (mxnet_api().MXGetVersion(&version) != 0 || version != MXNET_VERSION) return false;
  if (mxnet_api().MXLibInfoFeatures(&features, &count) != 0) return false;
  for (size_t i = 0; i < count; ++i) {
    // With it, arrays have one member more.
    if (std::strcmp(features[i].name, "MKLDNN") == 0) return features[i].enabled;
  }
  return false;
}

// Whether a write raises the version by one, of a view's array too, and both are where MXNet says that they are.
bool counts_writes() {
  const MxNet& mxnet = mxnet_api();
  const int64_t shape[] = {2};
  NDArrayHandle to = nullptr, view = nullptr;
  int status = mxnet.MXNDArrayCreateEx64(shape, 1, 1, 0, 0, 0, &to);
  if (status == 0) status = mxnet.MXNDArraySlice64(to, 0, 2, &view);
  bool right = false;
  if (status == 0) {
    const size_t before = version_of(to);
    const float values[] = {1, 2};
    status = mxnet.MXNDArraySyncCopyFromCPU(view, values, 2);
    if (status == 0) status = mxnet.MXNDArrayWaitToRead(to);
    right = status == 0 && version_of(to) == before + 1 && version_of(view) == before + 1;
    for (NDArrayHandle array : {to, view}) {
      void* data = nullptr;
      Array seen{};
      right = right && mxnet.MXNDArrayGetData(array, &data) == 0 && see_while_read(array, seen) && seen.data == data;
    }
  }
  for (NDArrayHandle array : {to, view}) {
    if (array) mxnet.MXNDArrayFree(array);
  }
  return right;
}

}  // namespace

bool sees_arrays() {
  static const bool right = same_build() && counts_writes();
  return right;
}

Spec spec_of(NDArrayHandle array) {
  int rank = 0, flag = -1;
  const int64_t* shape = nullptr;
  if (mxnet_api().MXNDArrayGetShapeEx64(array, &rank, &shape) != 0 || mxnet_api().MXNDArrayGetDType(array, &flag) != 0) flag = -1;
  Spec spec;
  spec.dtype = dtype_by_flag(flag);
  if (!spec.dtype) throw Error(text("an array has MXNet's dtype number ", flag, ", which compiled regions cannot pass"));
  spec.shape.assign(shape, shape + (rank > 0 ? rank : 0));
  return spec;
}

size_t version_of(NDArrayHandle array) { return static_cast<mxnet::NDArray*>(array)->version(); }

Seen see_array(NDArrayHandle array, Array& seen) {
  if (!is_dense(array)) return Seen::no;
  const bool counted = sees_arrays();
  for (int attempt = 0; attempt < 3; ++attempt) {
    void* data = nullptr;
    if (mxnet_api().MXNDArrayWaitToRead(array) != 0) return Seen::error;
    const size_t before = counted ? version_of(array) : 0;
    // Lays it out; not where another thread's convolution lays it out for itself at the same time.
    if (mxnet_api().MXNDArrayGetData(array, &data) != 0) return Seen::no;
    seen = {static_cast<const uint8_t*>(data), counted ? version_of(array) : 0};
    if (seen.version == before) return Seen::yes;
  }
  return Seen::no;
}

bool see_while_read(NDArrayHandle array, Array& seen) {
  const auto& known = *static_cast<mxnet::NDArray*>(array);
  const void* memory = memory_of(known);
  if (!memory || mxnet_api().is_laid_out(memory) || !place_of(known)) return false;
  seen = {place_of(known), version_of(array)};
  return true;
}

int run_in_order(void (*run)(void*), void* argument, Context context, const std::vector<NDArrayHandle>& read,
                 const std::vector<NDArrayHandle>& written) {
  if (runs_at_once()) {
    run(argument);
    return 0;
  }
  Hold hold;
  {
    const PushesInOrder ordered;
    const int status = hold.ask(context, read, written);
    if (status != 0) return status;
  }
  if (!hold.wait()) return -1;
  run(argument);
  return 0;
}

int run_in_engine(std::function<void(const std::vector<Array>&)> run, std::shared_ptr<void> held, Context context,
                  const std::vector<NDArrayHandle>& read, const std::vector<NDArrayHandle>& written, const char* name) {
  auto operation = std::make_unique<Operation>(Operation{std::move(run), std::move(held), read});
  if (runs_at_once()) {
    const std::string why = operation->call();
    if (!why.empty()) set_mxnet_error(why.c_str());
    return why.empty() ? 0 : -1;
  }
  std::vector<NDArrayHandle> reads = read, writes = written;
  const PushesInOrder ordered;
  return mxnet_api().MXEnginePushAsyncND(Operation::begin, operation.release(), Operation::end, &context, reads.data(),
                                         static_cast<int>(reads.size()), writes.data(), static_cast<int>(writes.size()), nullptr,
                                         0, name, false);
}

// Array by array, so that it cannot be before and behind an operation of others; and given up soon, since what waits for one that
// is held may be what the next is waited for.
bool run_while_read(void (*run)(void*), void* argument, std::vector<NDArrayHandle> read) {
  constexpr std::chrono::milliseconds kPatience{50};
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  std::deque<Hold> holds;
  for (NDArrayHandle array : runs_at_once() ? std::vector<NDArrayHandle>{} : read) {
    holds.emplace_back();
    if (holds.back().ask({1, 0}, {array}, {}) != 0) throw Error(mxnet_api().MXGetLastError());
  }
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (Hold& hold : holds) {
    if (!hold.wait(end)) return false;
  }
  run(argument);
  return true;
}

}  // namespace gn
