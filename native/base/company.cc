// A member that loses its core holds up all others for a slice of the scheduler's, 3 ms or more, where a step takes
// microseconds. Whoever waits half of a call would not have been slower with half as many: so many there are for a
// while.
#include "base/company.h"

#include <algorithm>

namespace packed_lstm {
namespace {

constexpr std::int64_t kMicrosecond = 1000, kMillisecond = 1000 * kMicrosecond;

// A lost slice is a sign; an interrupt, or a helper that took long to wake, is one only if it comes again and again.
constexpr std::int64_t kTolerated = 500 * kMicrosecond;

// Fewer workers for a first time is a loss should the machine be free again at once, so it lasts a few times what was
// lost; twice as long each time that all of them together soon fail again, until their tries cost a few percent.
constexpr std::int64_t kLeast = 4, kMost = 32, kSoon = 4;
constexpr std::int64_t kLongestRest = 2000 * kMillisecond;

}  // namespace

std::int64_t& waited_here() {
  thread_local std::int64_t waited = 0;
  return waited;
}

int Company::workers(int threads) {
  const std::int64_t until = until_.load(std::memory_order_relaxed);
  if (until == 0) return threads;
  if (nanoseconds_now() < until) return std::min(threads, fewer_.load(std::memory_order_relaxed));
  until_.store(0, std::memory_order_relaxed);
  return threads;
}

void Company::note(int allowed, int workers, std::int64_t took, std::int64_t waited) {
  // Negative where the many were of use: then they have credit, but never more than none lost.
  const std::int64_t lost = lost_.load(std::memory_order_relaxed) + waited / (workers - 1) - took / 2;
  if (lost < kTolerated) return lost_.store(std::max<std::int64_t>(lost, 0), std::memory_order_relaxed);
  const std::int64_t now = nanoseconds_now(), before = rest_.load(std::memory_order_relaxed);
  const bool again = now - rested_.load(std::memory_order_relaxed) < kSoon * before;
  const std::int64_t rest = std::min(std::clamp(again ? 2 * before : 0, kLeast * lost, kMost * lost), kLongestRest);
  lost_.store(0, std::memory_order_relaxed);
  rest_.store(rest, std::memory_order_relaxed);
  rested_.store(now + rest, std::memory_order_relaxed);
  fewer_.store(std::max(allowed / 2, 1), std::memory_order_relaxed);
  until_.store(now + rest, std::memory_order_relaxed);
}

}  // namespace packed_lstm
