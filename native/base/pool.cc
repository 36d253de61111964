// A helper spins for a short while after its work, for the next call of a busy caller, then sleeps on its own
// condition variable. Claiming is a compare-and-swap per helper, so a call never waits for a helper that is busy.
#include "base/pool.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/spin.h"

namespace packed_lstm {
namespace {

enum State : int { kIdle, kClaimed, kAssigned };

// Long enough to catch the next call of a loop in JavaScript, short enough to leave the core to others.
constexpr auto kSpin = std::chrono::microseconds(50);

ThreadLimit chosen_threads(const ThreadLimit& limit) {
  const char* text = std::getenv("PACKED_LSTM_NUM_THREADS");
  if (text == nullptr || *text == '\0') return limit;
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  if (*end != '\0' || n < 1 || n > kMaxThreads) {
    throw std::runtime_error("PACKED_LSTM_NUM_THREADS: expected an integer from 1 to " + std::to_string(kMaxThreads) +
                             ", but got \"" + text + "\"");
  }
  return {static_cast<int>(n), ThreadsFrom::kEnvironment, limit.processors};
}

/** A run's own account of its helpers. */
struct Tally {
  std::atomic<int> left;
  std::atomic<std::int64_t> waited{0};  // less the time at which each was ready

  void leave(std::int64_t waited_before) {
    waited.fetch_add(waited_here() - waited_before - nanoseconds_now(), std::memory_order_relaxed);
    left.fetch_sub(1, std::memory_order_release);
  }
};

}  // namespace

struct Pool::Helper {
  alignas(64) std::atomic<int> state{kIdle};
  std::atomic<bool> asleep{false};
  const Task* task = nullptr;  // with kAssigned: a share of a run …
  Tally* tally = nullptr;
  int worker = 0, workers = 0;  // … or, with task null, "look at the job queue"
  std::mutex mutex;
  std::condition_variable wake;

  void assign() {
    state.store(kAssigned, std::memory_order_seq_cst);
    if (asleep.load(std::memory_order_seq_cst)) {
      std::lock_guard<std::mutex> lock(mutex);
      wake.notify_one();
    }
  }

  void await_assignment(bool may_spin) {
    if (may_spin) {
      const auto deadline = std::chrono::steady_clock::now() + kSpin;
      do {
        for (int i = 0; i < 32; ++i) {
          if (state.load(std::memory_order_acquire) == kAssigned) return;
          cpu_pause();
        }
      } while (std::chrono::steady_clock::now() < deadline);
    }
    std::unique_lock<std::mutex> lock(mutex);
    asleep.store(true, std::memory_order_seq_cst);
    wake.wait(lock, [&] { return state.load(std::memory_order_seq_cst) == kAssigned; });
    asleep.store(false, std::memory_order_relaxed);
  }
};

Pool& Pool::get() {
  static Pool* pool = new Pool(thread_limit());
  return *pool;
}

Pool::Pool(const ThreadLimit& limit) : limit_(limit), all_threads_(std::getenv("PACKED_LSTM_ALL_THREADS") != nullptr) {
  const ThreadLimit chosen = chosen_threads(limit);
  threads_.store(std::min(chosen.threads, kMaxThreads));
  from_.store(chosen.from);
}

void Pool::set_threads(int n) {
  threads_.store(std::max(1, std::min(n, kMaxThreads)));
  from_.store(ThreadsFrom::kCaller);
}

int Pool::workers() {
  // More workers than processors would only wait for each other: 64 of them on two cores took 8 times as long as two.
  return all_threads_ ? threads() : company_.workers(std::min(threads(), limit_.processors));
}

void Pool::start_helpers(int n) {
  if (helper_count_.load(std::memory_order_acquire) >= n) return;
  std::lock_guard<std::mutex> lock(mutex_);
  for (int i = helper_count_.load(std::memory_order_relaxed); i < n; ++i) {
    helpers_[i].reset(new Helper());
    try {
      std::thread([this, i] { serve(*helpers_[i]); }).detach();
    } catch (...) {  // no more threads to be had: work with those there are
      helpers_[i].reset();
      return;
    }
    helper_count_.store(i + 1, std::memory_order_release);
  }
}

Pool::Helper* Pool::claim() {
  const int count = helper_count_.load(std::memory_order_acquire), limit = threads();
  for (int i = 0; i < count && i < limit; ++i) {
    int idle = kIdle;
    if (helpers_[i]->state.compare_exchange_strong(idle, kClaimed, std::memory_order_acquire)) return helpers_[i].get();
  }
  return nullptr;
}

void Pool::run(int wanted, const std::function<void(int)>& prepare, const Task& task) {
  Helper* claimed[kMaxThreads];
  int helpers = 0;
  if (wanted > 1) {
    if (wanted > kMaxThreads) wanted = kMaxThreads;
    start_helpers(wanted - 1);
    while (helpers < wanted - 1 && (claimed[helpers] = claim()) != nullptr) ++helpers;
  }
  const int workers = helpers + 1;
  try {
    prepare(workers);
  } catch (...) {
    for (int i = 0; i < helpers; ++i) {
      claimed[i]->task = nullptr;
      claimed[i]->assign();
    }
    throw;
  }
  if (helpers == 0) return task(0, 1);
  Tally tally{{helpers}};
  const std::int64_t began = nanoseconds_now(), waited_before = waited_here();
  for (int i = 0; i < helpers; ++i) {
    claimed[i]->task = &task;
    claimed[i]->tally = &tally;
    claimed[i]->worker = i + 1;
    claimed[i]->workers = workers;
    claimed[i]->assign();
  }
  task(0, workers);
  spin_until([&] { return tally.left.load(std::memory_order_acquire) == 0; });
  const std::int64_t ended = nanoseconds_now();
  const std::int64_t waited = tally.waited.load(std::memory_order_relaxed) + helpers * ended;
  company_.note(Pool::workers(), workers, ended - began, waited + waited_here() - waited_before);
}

void Pool::post(std::function<void()> job) {
  start_helpers(threads());
  if (helper_count_.load(std::memory_order_acquire) == 0) return job();  // no thread to be had
  {
    std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(job));
    job_count_.fetch_add(1, std::memory_order_seq_cst);
  }
  if (Helper* helper = claim()) {
    helper->task = nullptr;
    helper->assign();
  }
}

bool Pool::take_job(std::function<void()>& job) {
  if (job_count_.load(std::memory_order_seq_cst) == 0) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  if (jobs_.empty()) return false;
  job = std::move(jobs_.front());
  jobs_.pop_front();
  job_count_.fetch_sub(1, std::memory_order_seq_cst);
  return true;
}

void Pool::serve(Helper& helper) {
  std::function<void()> job;
  for (;;) {
    // With more threads than there is room for a spinning helper only keeps a working one off its core.
    helper.await_assignment(threads() <= limit_.threads);
    if (helper.task != nullptr) {
      const std::int64_t waited_before = waited_here();
      (*helper.task)(helper.worker, helper.workers);
      helper.tally->leave(waited_before);
      helper.task = nullptr;
    }
    for (;;) {
      while (take_job(job)) {
        job();
        job = nullptr;
      }
      helper.state.store(kIdle, std::memory_order_seq_cst);
      // A job posted between the last look and the store above found no idle helper: look once more.
      int idle = kIdle;
      if (job_count_.load(std::memory_order_seq_cst) == 0 ||
          !helper.state.compare_exchange_strong(idle, kClaimed, std::memory_order_acquire)) {
        break;
      }
    }
  }
}

}  // namespace packed_lstm
