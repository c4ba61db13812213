// The program of all tests: doctest's main function, and memory that can be made to run out.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "third_party/doctest/doctest.h"

#include <cstdlib>
#include <new>

#include "scarce_memory.h"

namespace {

thread_local long left = -1;  // allocations until one fails; negative for never

void* allocate(std::size_t size) {
  if (left == 0) throw std::bad_alloc();
  if (left > 0) --left;
  if (void* made = std::malloc(size ? size : 1)) return made;
  throw std::bad_alloc();
}

}  // namespace

ScarceMemory::ScarceMemory(long allocations) { left = allocations; }
ScarceMemory::~ScarceMemory() { left = -1; }

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
// Also these: a sanitizer's own would not call those above.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size ? size : 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size ? size : 1); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }
