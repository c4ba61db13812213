# Cross-compiles for Linux on Arm with Debian's g++-aarch64-linux-gnu; `make wheel-aarch64` uses it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# What ctest runs the tests with, where it is installed.
find_program(GLUON_NEURON_QEMU NAMES qemu-aarch64 qemu-aarch64-static)
if(GLUON_NEURON_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${GLUON_NEURON_QEMU} -L /usr/aarch64-linux-gnu)
endif()
