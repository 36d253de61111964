// The pool and the barrier: who is called, how often, how many at once, and that nobody waits for ever.
#include <memory>
#include <new>

#include "base/pool.h"
#include "base/spin.h"
#include "crowd.h"
#include "scenarios.h"
#include "schedule.h"

namespace {

using packed_lstm::Company;
using packed_lstm::Pool;
using packed_lstm::SpinBarrier;
using schedule::draw;

constexpr int kMost = 4, kMostJobs = 32;

const std::atomic<bool> kNever{false};

Pool& pool_of(int threads) {
  Pool& pool = Pool::get();
  pool.set_threads(threads);
  return pool;
}

/** One run whose workers wait for each other; gives their number. */
int meet(Pool& pool, int wanted) {
  SpinBarrier barrier;
  std::atomic<int> calls[kMost] = {}, over{0};
  int prepared = 0;
  const auto prepare = [&](int workers) {
    SCHEDULE_EXPECT(workers >= 1 && workers <= wanted);
    barrier.reset(prepared = workers);
  };
  pool.run(wanted, prepare, [&](int worker, int workers) {
    SCHEDULE_EXPECT(workers == prepared && worker >= 0 && worker < workers);
    SCHEDULE_EXPECT(calls[worker].fetch_add(1) == 0);
    barrier.wait(kNever);
    for (int i = 0; i < workers; ++i) SCHEDULE_EXPECT(calls[i].load() == 1);
    barrier.wait(kNever);
    over.fetch_add(1);
  });
  SCHEDULE_EXPECT(over.load() == prepared);
  return prepared;
}

/** Jobs that are counted, and whoever waits for all of them. */
class Jobs {
 public:
  explicit Jobs(int count) : count_(count) {}

  void post(Pool& pool, int i, const std::function<void()>& work = [] {}) {
    pool.post([this, i, work] {
      SCHEDULE_EXPECT(ran_[i].fetch_add(1) == 0);
      order_[started_.fetch_add(1)] = i;
      most_ = std::max(most_, under_way_.fetch_add(1) + 1);
      work();
      under_way_.fetch_sub(1);
      std::lock_guard<std::mutex> lock(mutex_);
      ++over_;
      changed_.notify_all();
    });
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return over_ == count_; });
  }
  /** One fewer will come. */
  void drop() { --count_; }
  bool ran(int i) const { return ran_[i].load() != 0; }
  int at_once() const { return most_; }
  int order(int place) const { return order_[place]; }

 private:
  int count_, over_ = 0, most_ = 0, order_[kMostJobs] = {};
  std::atomic<int> ran_[kMostJobs] = {}, started_{0}, under_way_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

void run_calls_each_worker_once() {
  Pool& pool = pool_of(3);
  for (int round = 0; round < 3; ++round) {
    const int wanted = 1 + draw(3);
    schedule::settle();
    SCHEDULE_EXPECT(meet(pool, wanted) == wanted);
  }
  meet(pool, 3);
  meet(pool, 3);
}

void runs_of_several_callers() {
  Pool& pool = pool_of(3);
  Crowd crowd;
  for (int caller = 0; caller < 2; ++caller) {
    crowd.start([&] {
      for (int i = 0; i < 2; ++i) meet(pool, 1 + draw(3));
    });
  }
  meet(pool, 3);
  crowd.wait();
  schedule::settle();
  SCHEDULE_EXPECT(meet(pool, 3) == 3);
}

void every_job_runs_once() {
  Pool& pool = pool_of(1 + draw(3));
  Jobs jobs(6);
  Crowd crowd;
  crowd.start([&] {
    for (int i = 3; i < 6; ++i) jobs.post(pool, i);
  });
  for (int i = 0; i < 3; ++i) jobs.post(pool, i);
  jobs.wait();
  crowd.wait();
  schedule::settle();
  SCHEDULE_EXPECT(meet(pool, pool.threads()) == pool.threads());
}

// One at a time, each posted when the one before is on its way out: where a helper that has just looked goes idle.
void jobs_posted_as_a_helper_goes_idle() {
  Pool& pool = pool_of(1);
  for (int i = 0; i < 4; ++i) {
    Jobs jobs(1);
    jobs.post(pool, 0);
    jobs.wait();
    for (int n = draw(12); n > 0; --n) schedule::point();
  }
}

void jobs_keep_their_order() {
  Pool& pool = pool_of(1);
  Jobs jobs(5);
  for (int i = 0; i < 5; ++i) jobs.post(pool, i);
  jobs.wait();
  for (int i = 0; i < 5; ++i) SCHEDULE_EXPECT(jobs.order(i) == i);
}

void jobs_that_run_on_the_pool_themselves() {
  Pool& pool = pool_of(3);
  Jobs jobs(3);
  for (int i = 0; i < 3; ++i) jobs.post(pool, i, [&] { meet(pool, 3); });
  meet(pool, 2);
  jobs.wait();
  schedule::settle();
  SCHEDULE_EXPECT(meet(pool, 3) == 3);
}

// A helper that was claimed and then not needed must come back, and look at the queue as any other.
void a_failed_preparation_loses_nobody() {
  Pool& pool = pool_of(3);
  Jobs jobs(2);
  jobs.post(pool, 0);
  bool thrown = false;
  try {
    pool.run(
        3,
        [&](int) {
          jobs.post(pool, 1);
          throw std::bad_alloc();
        },
        [](int, int) { SCHEDULE_EXPECT(!"called after prepare threw"); });
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  SCHEDULE_EXPECT(thrown);
  jobs.wait();
  schedule::settle();
  SCHEDULE_EXPECT(meet(pool, 3) == 3);
}

void an_allocation_that_fails_loses_nobody() {
  Pool& pool = pool_of(3);
  Jobs jobs(24);  // enough for the queue to grow
  for (int i = 0; i < 24; ++i) {
    schedule::fail_allocation_after(draw(6));
    try {
      jobs.post(pool, i);
    } catch (const std::bad_alloc&) {
      schedule::fail_allocation_after(-1);
      SCHEDULE_EXPECT(!jobs.ran(i));
      jobs.drop();
    }
    schedule::fail_allocation_after(i % 4 == 0 ? draw(6) : -1);
    try {
      if (i % 4 == 0) meet(pool, 3);
    } catch (const std::bad_alloc&) {
    }
    schedule::fail_allocation_after(-1);
  }
  jobs.wait();
  schedule::settle();
  SCHEDULE_EXPECT(meet(pool, 3) == 3);
}

void threads_that_cannot_be_had() {
  Pool& pool = pool_of(4);
  schedule::refuse_threads(1 + draw(3));
  Jobs jobs(2);
  jobs.post(pool, 0, [&] { meet(pool, 3); });
  meet(pool, 4);
  jobs.post(pool, 1);
  jobs.wait();
  schedule::refuse_threads(0);
  schedule::settle();
  SCHEDULE_EXPECT(meet(pool, 4) == 4);
}

void a_limit_lowered_and_raised() {
  Pool& pool = pool_of(3);
  meet(pool, 3);
  Jobs warm(3);
  for (int i = 0; i < 3; ++i) warm.post(pool, i);
  warm.wait();
  schedule::settle();
  pool.set_threads(1);
  Jobs few(4);
  for (int i = 0; i < 4; ++i) few.post(pool, i, [] { schedule::yield(); });
  few.wait();
  SCHEDULE_EXPECT(few.at_once() == 1);
  schedule::settle();
  pool.set_threads(3);
  Jobs many(3);
  SpinBarrier barrier;
  barrier.reset(3);
  for (int i = 0; i < 3; ++i) many.post(pool, i, [&] { barrier.wait(kNever); });
  many.wait();
}

void a_barrier_after_an_abort() {
  SpinBarrier barrier;
  for (int round = 0; round < 2; ++round) {
    std::atomic<bool> stop{false};
    barrier.reset(3);
    Crowd aborted;
    for (int i = 0; i < 3; ++i) {
      aborted.start([&] {
        for (int phase = 0; phase < 4 && !stop.load(); ++phase) barrier.wait(stop);
      });
    }
    for (int n = draw(30); n > 0; --n) schedule::yield();
    stop.store(true);
    aborted.wait();

    barrier.reset(3);
    std::atomic<int> arrived[4] = {};
    Crowd whole;
    for (int i = 0; i < 3; ++i) {
      whole.start([&] {
        for (std::atomic<int>& here : arrived) {
          here.fetch_add(1);
          barrier.wait(kNever);
          SCHEDULE_EXPECT(here.load() == 3);
        }
      });
    }
    whole.wait();
  }
}

// Of two workers or more, one that is late half of the time; then the machine is free again.
void a_busy_machine_gets_fewer_workers() {
  Company company;
  const int many = 2 + draw(kMost);
  const std::int64_t took = 1'000'000 * (1 + draw(20));
  const auto late = [&](std::int64_t by) { company.note(many, many, took, by * (many - 1)); };
  SCHEDULE_EXPECT(company.workers(many) == many);
  for (int i = 0; i < 20; ++i) late(took / 2 - 1);
  SCHEDULE_EXPECT(company.workers(many) == many);
  for (int i = 0; i < 3; ++i) late(took);
  SCHEDULE_EXPECT(company.workers(many) == many / 2);
  SCHEDULE_EXPECT(company.workers(1) == 1);
  while (company.workers(many) != many) schedule::yield();
  late(took / 2 + 100'000);
  late(0);
  late(took / 2 + 450'000);
  SCHEDULE_EXPECT(company.workers(many) == many);
}

void a_late_worker_is_noticed() {
  Pool& pool = pool_of(2);
  if (pool.workers() == 1) return;  // on one core there are no two
  const auto late = [](int worker, int) {
    const std::int64_t end = packed_lstm::nanoseconds_now() + 2'000'000 * worker;
    while (packed_lstm::nanoseconds_now() < end) schedule::yield();
  };
  while (pool.workers() == 2) pool.run(2, [](int) {}, late);
  SCHEDULE_EXPECT(pool.threads() == 2 && pool.workers() == 1);
}

}  // namespace

const Scenario kPoolScenarios[] = {
    {"run calls each worker once, and as many as are idle", run_calls_each_worker_once},
    {"runs of several callers share the helpers", runs_of_several_callers},
    {"every job runs once, whoever posts it", every_job_runs_once},
    {"a job posted as a helper goes idle is not forgotten", jobs_posted_as_a_helper_goes_idle},
    {"jobs keep their order", jobs_keep_their_order},
    {"jobs that run on the pool themselves", jobs_that_run_on_the_pool_themselves},
    {"a failed preparation loses nobody", a_failed_preparation_loses_nobody},
    {"an allocation that fails loses nobody", an_allocation_that_fails_loses_nobody},
    {"threads that cannot be had are done without", threads_that_cannot_be_had},
    {"a lowered limit holds, a raised one too", a_limit_lowered_and_raised},
    {"a barrier forgets those that an abort let go", a_barrier_after_an_abort},
    {"a machine that is busy gets fewer workers, for a while", a_busy_machine_gets_fewer_workers},
    {"a worker that is late is noticed", a_late_worker_is_noticed},
    {nullptr, nullptr}};
