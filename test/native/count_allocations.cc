// Preloaded into Node by stream-allocation.test.ts: counts what the main thread asks of the allocator, operator new and
// all, between setenv("COUNT_ALLOCATIONS", "start") and "stop", which prints the count. It stands in front of glibc's
// functions and goes on to them by glibc's own names.
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

static volatile bool counting;
static volatile long counted;

static void note() {
  if (counting && syscall(SYS_gettid) == getpid()) counted = counted + 1;
}

void* malloc(std::size_t size) {
  note();
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  note();
  return __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  note();
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  note();
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

int setenv(const char* name, const char* value, int overwrite) {
  using Setenv = int (*)(const char*, const char*, int);
  static const Setenv next = reinterpret_cast<Setenv>(dlsym(RTLD_NEXT, "setenv"));
  if (std::strcmp(name, "COUNT_ALLOCATIONS") == 0) {
    counting = false;
    const long result = counted;
    counted = 0;
    counting = std::strcmp(value, "start") == 0;
    if (!counting) {
      std::printf("allocations %ld\n", result);
      std::fflush(stdout);
    }
  }
  return next(name, value, overwrite);
}
}
