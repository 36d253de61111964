// Memory aligned to a cache line and a vector register: owned and zeroed, a thread's scratch that is kept between
// calls so that small ones neither allocate nor fault pages in again, or parts of a block that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace packed_lstm {

constexpr std::size_t kAlignment = 64;

/** Uninitialised, aligned to kAlignment at least; large blocks lie on huge pages where there are any. Throws
 * std::bad_alloc. */
void* allocate_aligned(std::size_t bytes);
/** `bytes` as it was asked for. */
void free_aligned(void* data, std::size_t bytes);

/**
 * Asks for huge pages under memory of someone else's that is about to be written for the first time: zeroing 8 MB of
 * fresh 4 KiB pages took 3.8 ms, of huge ones 0.24. Does nothing for less than a few megabytes, or where there are
 * none; memory that is in use already is not changed.
 */
void advise_huge_pages(void* data, std::size_t bytes);

/**
 * How long a block of someone else's must be for `align_within` to find `bytes` in it, wherever it begins: aligned as
 * `allocate_aligned` aligns.
 */
std::size_t with_slack(std::size_t bytes);
std::byte* align_within(void* block, std::size_t bytes);

/**
 * Deals out a block in parts that follow each other, each aligned to kAlignment. Without a block it only counts, and
 * every part is null.
 */
class Parts {
 public:
  explicit Parts(std::byte* block) : block_(block) {}

  /** Room for rows · width elements. Throws std::bad_alloc where the parts together are more than any memory. */
  template <class T>
  T* take(std::size_t rows, std::size_t width = 1) {
    constexpr std::size_t kMost = std::size_t{1} << (sizeof(std::size_t) == 8 ? 52 : 31);
    if (rows > kMost / width || rows * width > (kMost - bytes_) / sizeof(T)) throw std::bad_alloc();
    const std::size_t elements = rows * width;
    std::byte* const part = block_ == nullptr ? nullptr : block_ + bytes_;
    bytes_ += (elements * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return reinterpret_cast<T*>(part);
  }

  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* const block_;
  std::size_t bytes_ = 0;
};

template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  /** Throws std::bad_alloc. */
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    if (size > (static_cast<std::size_t>(-1) >> 1) / sizeof(T)) throw std::bad_alloc();
    data_ = static_cast<T*>(allocate_aligned(size * sizeof(T)));
    std::memset(static_cast<void*>(data_), 0, size * sizeof(T));
  }

  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  ~AlignedBuffer() {
    if (data_ != nullptr) free_aligned(data_, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/**
 * This thread's scratch, uninitialised, valid until the thread asks again or `release_large_scratch` is called.
 * Throws std::bad_alloc.
 */
template <class T>
T* thread_scratch(std::size_t elements);

/** Gives back more than a few megabytes of scratch; less is kept for the next call. */
void release_large_scratch();

}  // namespace packed_lstm
