// Included by force ahead of the core's files: in them std's atomics, mutexes, condition variables, threads and clock
// become ones that a schedule decides over. The files themselves stay as they are, whatever of these they use.
//
// Every operation of an atomic is a point, in one order that all threads see: what weaker orders would allow, the
// thread sanitizer looks for (npm run test:tsan).
#pragma once

// All of the standard library that the core includes, before its names mean something else.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "schedule.h"

namespace schedule {

template <class T>
class Atomic {
 public:
  constexpr Atomic() noexcept : value_() {}
  constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const {
    point();
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) { exchange(value); }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    point();
    return std::exchange(value_, value);
  }
  T fetch_add(T by, std::memory_order = std::memory_order_seq_cst) { return exchange_raw(by, 1); }
  T fetch_sub(T by, std::memory_order = std::memory_order_seq_cst) { return exchange_raw(by, -1); }
  bool compare_exchange_strong(T& expected, T wanted, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    point();
    if (value_ == expected) {
      value_ = wanted;
      return true;
    }
    expected = value_;
    return false;
  }
  /** Fails for no reason now and then, as it may. */
  bool compare_exchange_weak(T& expected, T wanted, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) {
    if (draw(4) != 0) return compare_exchange_strong(expected, wanted);
    expected = load();
    return false;
  }
  T operator++(int) { return fetch_add(1); }
  T operator--(int) { return fetch_sub(1); }
  T operator++() { return fetch_add(1) + 1; }
  T operator--() { return fetch_sub(1) - 1; }
  T operator=(T value) {
    store(value);
    return value;
  }
  operator T() const { return load(); }

 private:
  T exchange_raw(T by, int sign) {
    point();
    const T before = value_;
    value_ = static_cast<T>(sign > 0 ? before + by : before - by);
    return before;
  }
  T value_;
};

class Mutex {
 public:
  void lock() {
    point();
    if (locked_) wait_until("a mutex", [](void* mutex) { return !static_cast<Mutex*>(mutex)->locked_; }, this);
    locked_ = true;
  }
  bool try_lock() {
    point();
    return !std::exchange(locked_, true);
  }
  void unlock() {
    locked_ = false;
    point();
  }

 private:
  bool locked_ = false;
};

class ConditionVariable {
 public:
  template <class Lock>
  void wait(Lock& lock) {
    point();  // between what the caller looked at and its sleep
    Waiter waiter{false, waiters_};
    waiters_ = &waiter;
    lock.unlock();
    // Now and then it returns for no reason, as it may.
    if (draw(16) != 0) {
      wait_until("a condition variable", [](void* w) { return static_cast<Waiter*>(w)->woken; }, &waiter);
    }
    for (Waiter** at = &waiters_; *at != nullptr; at = &(*at)->next) {
      if (*at == &waiter) {
        *at = waiter.next;
        break;
      }
    }
    lock.lock();
  }
  template <class Lock, class Ready>
  void wait(Lock& lock, Ready ready) {
    while (!ready()) wait(lock);
  }
  void notify_one() {
    point();
    int sleeping = 0;
    for (Waiter* w = waiters_; w != nullptr; w = w->next) sleeping += !w->woken;
    if (sleeping == 0) return;
    int lucky = draw(sleeping);
    for (Waiter* w = waiters_; w != nullptr; w = w->next) {
      if (!w->woken && lucky-- == 0) w->woken = true;
    }
  }
  void notify_all() {
    point();
    for (Waiter* w = waiters_; w != nullptr; w = w->next) w->woken = true;
  }

 private:
  struct Waiter {
    bool woken;
    Waiter* next;
  };
  Waiter* waiters_ = nullptr;
};

class StartedThread {
 public:
  template <class F>
  explicit StartedThread(F f) {
    auto* const kept = new F(std::move(f));
    try {
      start(
          [](void* argument) {
            const std::unique_ptr<F> run(static_cast<F*>(argument));
            (*run)();
          },
          kept);
    } catch (...) {
      delete kept;
      throw;
    }
  }
  void detach() {}
  static unsigned hardware_concurrency() { return 2; }
};

struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  static time_point now() { return time_point(duration(schedule::now())); }
};

}  // namespace schedule

// Not allowed by the standard, and what every compiler takes: the only way in that leaves the core's text as it is.
namespace std {
template <class T>
using scheduled_atomic = schedule::Atomic<T>;
using scheduled_mutex = schedule::Mutex;
using scheduled_condition_variable = schedule::ConditionVariable;
using scheduled_thread = schedule::StartedThread;
namespace scheduled_this_thread {
inline void yield() { schedule::yield(); }
}  // namespace scheduled_this_thread
namespace chrono {
using scheduled_steady_clock = schedule::Clock;
}
}  // namespace std

#define atomic scheduled_atomic
#define mutex scheduled_mutex
#define condition_variable scheduled_condition_variable
#define thread scheduled_thread
#define this_thread scheduled_this_thread
#define steady_clock scheduled_steady_clock
