// What MXNet's C functions do not tell of an array: its version; and the end of a call that the engine runs at once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "call/mxnet_api.h"
#include "support/tensor.h"

namespace gn {

// Whether the next functions may be called: they see MXNet's own classes as this build does, so MXNet must be the one of the
// build. To be called after set_mxnet.
bool sees_arrays();

// The array's shape and dtype. Throws Error for a dtype that cannot cross the boundary.
Spec spec_of(NDArrayHandle array);

// How many writes to the array (and whatever shares its memory) the engine has completed.
size_t version_of(NDArrayHandle array);

// Where the array's data is, in the usual layout, and at which version, once what is written to it is there. No: it is sparse, or
// others write it all the time. Error: of MXNet's own, in the data.
enum class Seen { yes, no, error };
Seen see_array(NDArrayHandle array, Array& seen);

// The same for a dense array that nobody writes meanwhile, which stays as it is: false where it is in a layout of MXNet's own.
bool see_while_read(NDArrayHandle array, Array& seen);

// Calls `run(argument)` on this thread where MXNet's engine puts it: behind the writers of `read`, and before later readers of
// `written`. It must not throw. MXNet's own status; not 0 where an error in the data is in the way.
int run_in_order(void (*run)(void*), void* argument, Context context, const std::vector<NDArrayHandle>& read,
                 const std::vector<NDArrayHandle>& written);

// Has MXNet's engine call `run` with the data of `read`, in that order, on a thread of its own: behind the writers of `read`, and
// before readers of `written`, which do not wait for it here. What it throws is an error in the data of `written`. An array that
// is in a layout of MXNet's own is copied for it, with version 0. `held` lives until then; the arrays are held by others. MXNet's
// own status.
int run_in_engine(std::function<void(const std::vector<Array>&)> run, std::shared_ptr<void> held, Context context,
                  const std::vector<NDArrayHandle>& read, const std::vector<NDArrayHandle>& written, const char* name);

// As `run_in_order` while nobody writes `read`, for a thread that nobody knows of: it is in nobody's way for long before it
// begins. False, and nothing was called, where others write all the time, or with an error.
bool run_while_read(void (*run)(void*), void* argument, std::vector<NDArrayHandle> read);

}  // namespace gn
