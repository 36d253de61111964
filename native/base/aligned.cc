// The per-thread scratch behind aligned.h; small blocks are kept, large ones go back after the call.
#include "base/aligned.h"

namespace packed_lstm {
namespace {

constexpr std::size_t kKeptBytes = 8u << 20;

struct Scratch {
  void* data = nullptr;
  std::size_t bytes = 0;

  void release() {
    if (data != nullptr) ::operator delete(data, std::align_val_t(kAlignment));
    data = nullptr;
    bytes = 0;
  }
  ~Scratch() { release(); }
};

thread_local Scratch scratch;

}  // namespace

template <class T>
T* thread_scratch(std::size_t elements) {
  if (elements > (static_cast<std::size_t>(-1) >> 1) / sizeof(T)) throw std::bad_alloc();
  const std::size_t bytes = elements * sizeof(T);
  if (bytes > scratch.bytes) {
    scratch.release();
    scratch.data = ::operator new(bytes, std::align_val_t(kAlignment));
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
