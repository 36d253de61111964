// Waiting without the kernel: the pause instruction, a spin that yields after a while, and a barrier made of it.
#pragma once

#include <atomic>
#include <thread>

#include "base/company.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace packed_lstm {

inline void cpu_pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ volatile("yield");
#endif
}

/**
 * Waits until `done()`. Yields after a while, so that a waiter whose partner has lost its core (more threads than
 * cores, a busy neighbour) gives that core back. What it waits beyond a few pauses is added to `waited_here()`.
 */
template <class Done>
inline void spin_until(const Done& done) {
  constexpr int kPauses = 100;  // a few µs
  for (int i = 0; i < kPauses; ++i) {
    if (done()) return;
    cpu_pause();
  }
  const std::int64_t began = nanoseconds_now();
  while (!done()) std::this_thread::yield();
  waited_here() += nanoseconds_now() - began;
}

/** A reusable barrier for `count` threads. */
class SpinBarrier {
 public:
  void reset(int count) {
    count_ = count;
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(0, std::memory_order_relaxed);
  }

  /** Returns early, with the others possibly still on their way, once `stop` is set: then nobody waits here again. */
  void wait(const std::atomic<bool>& stop) {
    if (count_ == 1) return;
    const unsigned phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count_ - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      return;
    }
    spin_until([&] { return phase_.load(std::memory_order_acquire) != phase || stop.load(std::memory_order_relaxed); });
  }

 private:
  int count_ = 1;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<unsigned> phase_{0};
};

}  // namespace packed_lstm
