// The allocations behind aligned.h, and the per-thread scratch: small blocks are kept, large ones go back after the
// call.
#include "base/aligned.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace packed_lstm {
namespace {

constexpr std::size_t kKeptBytes = 8u << 20;

// Weights of 33 MB on 4 KiB pages take more translations than the processor remembers; on huge pages 25,1,1024,1024
// runs 1.12x and 25,64,1024,1024 1.04x as fast. Below a few huge pages their rounding costs more memory than it is
// worth.
constexpr std::size_t kHugePage = 2u << 20, kWorthHugePages = 2 * kHugePage;

std::align_val_t alignment_of(std::size_t bytes) {
  return std::align_val_t(bytes >= kWorthHugePages ? kHugePage : kAlignment);
}

// A block that begins at a huge page lies on them from its first byte on. The slack is memory that is never touched.
std::size_t alignment_within(std::size_t bytes) { return static_cast<std::size_t>(alignment_of(bytes)); }

struct Scratch {
  void* data = nullptr;
  std::size_t bytes = 0;

  void release() {
    if (data != nullptr) free_aligned(data, bytes);
    data = nullptr;
    bytes = 0;
  }
  ~Scratch() { release(); }
};

thread_local Scratch scratch;

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  void* const data = ::operator new(bytes, alignment_of(bytes));
  advise_huge_pages(data, bytes);
  return data;
}

void advise_huge_pages(void* data, std::size_t bytes) {
#if defined(__linux__)
  if (bytes < kWorthHugePages) return;
  const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(data) + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / kHugePage * kHugePage;
  // Advice only: where the kernel does not take it, nothing is lost.
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  static_cast<void>(data);
  static_cast<void>(bytes);
#endif
}

std::size_t with_slack(std::size_t bytes) { return bytes + alignment_within(bytes); }

std::byte* align_within(void* block, std::size_t bytes) {
  const std::uintptr_t to = alignment_within(bytes), from = reinterpret_cast<std::uintptr_t>(block);
  return static_cast<std::byte*>(block) + ((from + to - 1) / to * to - from);
}

void free_aligned(void* data, std::size_t bytes) { ::operator delete(data, alignment_of(bytes)); }

template <class T>
T* thread_scratch(std::size_t elements) {
  if (elements > (static_cast<std::size_t>(-1) >> 1) / sizeof(T)) throw std::bad_alloc();
  const std::size_t bytes = elements * sizeof(T);
  if (bytes > scratch.bytes) {
    scratch.release();
    scratch.data = allocate_aligned(bytes);
    scratch.bytes = bytes;
  }
  return static_cast<T*>(scratch.data);
}

void release_large_scratch() {
  if (scratch.bytes > kKeptBytes) scratch.release();
}

template float* thread_scratch<float>(std::size_t);
template double* thread_scratch<double>(std::size_t);

}  // namespace packed_lstm
