// The process's compute threads: one pool, never libuv's, shared by every environment (main thread, worker_threads).
// Knows nothing of models or JavaScript. It is never destroyed: a detached thread outlives static destructors safely.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/company.h"
#include "base/limits.h"

namespace packed_lstm {

/** The most threads that can be asked for. */
constexpr int kMaxThreads = 1024;

class Pool {
 public:
  /** Throws std::runtime_error, at the first call, if PACKED_LSTM_NUM_THREADS is not a number of threads. */
  static Pool& get();

  /** Compute threads a call may use, the calling one included. */
  int threads() const { return threads_.load(std::memory_order_relaxed); }
  void set_threads(int n);
  /** What that number follows from. */
  ThreadsFrom threads_from() const { return from_.load(std::memory_order_relaxed); }

  /**
   * How many of these a call had better have now: no more than there are processors, and fewer while other work keeps
   * them busy. All of them where the environment has PACKED_LSTM_ALL_THREADS, for tests of what no machine at rest
   * shows.
   */
  int workers();

  /**
   * Calls task(worker, workers) for worker = 0 … workers − 1, all at once, worker 0 on the calling thread, and returns
   * when all have. `workers` is at most `wanted`: as many pool threads as are idle now join in, so tasks may wait for
   * each other. `prepare(workers)` runs first, on the calling thread, and may throw; the task may not.
   */
  void run(int wanted, const std::function<void(int)>& prepare, const std::function<void(int, int)>& task);

  /** Runs the job on a pool thread as soon as one is free, in order of posting. */
  void post(std::function<void()> job);

 private:
  struct Helper;
  using Task = std::function<void(int, int)>;

  explicit Pool(const ThreadLimit& limit);
  void start_helpers(int n);
  Helper* claim();
  void serve(Helper& helper);
  bool take_job(std::function<void()>& job);

  const ThreadLimit limit_;
  const bool all_threads_;
  std::atomic<int> threads_;
  std::atomic<ThreadsFrom> from_;
  Company company_;
  std::mutex mutex_;  // guards jobs_ and the growth of helpers_
  std::deque<std::function<void()>> jobs_;
  std::atomic<int> job_count_{0};
  std::unique_ptr<Helper> helpers_[kMaxThreads];
  std::atomic<int> helper_count_{0};
};

}  // namespace packed_lstm
