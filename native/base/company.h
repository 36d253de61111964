// Whether other work keeps our threads off the machine's cores, as their waits for each other tell, and how many
// workers a call had better have meanwhile. Knows nothing of the threads themselves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace packed_lstm {

/** What this thread has waited for others, in nanoseconds since it began, without what a few pauses bridge. */
std::int64_t& waited_here();

inline std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Company {
 public:
  /** How many of `threads` a call should have now. */
  int workers(int threads);

  /**
   * Of a call that might have had `allowed` workers and had `workers`, two or more: the nanoseconds it took, and those
   * that they waited for each other, added up.
   */
  void note(int allowed, int workers, std::int64_t took, std::int64_t waited);

 private:
  // Written by several callers at once now and then: what is lost of it is a hint.
  std::atomic<std::int64_t> lost_{0};              // lately, by too many workers
  std::atomic<std::int64_t> rest_{0}, rested_{0};  // how long there were fewer of them the last time, and its end
  std::atomic<std::int64_t> until_{0};             // the end of a time with fewer; 0: there are all
  std::atomic<int> fewer_{1};
};

}  // namespace packed_lstm
