// What MXNet's C functions do not tell of an array: its version; and the end of a call that the engine runs at once.
#pragma once

#include <cstddef>
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

// Pushes `run(argument)` to MXNet's engine, which orders it behind the writers of `read` and before later readers of `written`.
// Where nothing is in its way, it runs on this thread before this returns. It must not throw. The result is MXNet's own status.
int push_here(void (*run)(void*), void* argument, Context context, NDArrayHandle* read, int n_read, NDArrayHandle* written,
              int n_written);

// Calls `run(argument)` and returns when it is done; until then the engine lets nobody write `read`. Throws Error.
void wait_while_read(void (*run)(void*), void* argument, std::vector<NDArrayHandle> read);

}  // namespace gn
