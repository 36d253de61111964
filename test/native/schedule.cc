// Real threads that hand on a baton. Whoever holds it runs until the dice at a point, or something to wait for, give it
// to another. None that can go on: the schedule is stuck, and says what each waits for. No end: the same.
#include "schedule.h"

#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

namespace schedule {
namespace {

constexpr int kMostThreads = 32;
constexpr long kMostPoints = 300000;

struct Thread {
  std::condition_variable turn;
  const char* what = nullptr;  // that it waits for; null: nothing
  bool (*ready)(void*) = nullptr;
  void* argument = nullptr;
  bool over = false, settling = false;
};

std::mutex baton;
Thread threads[kMostThreads];
int thread_count = 0;
Thread* running = nullptr;  // null before `begin`
thread_local Thread* self = nullptr;
thread_local int allocations_left = -1;
thread_local bool allocation_failed = false;

std::uint64_t state = 0;
int one_in = 2;  // points that hand on the baton
long points = 0;
int threads_refused = 0;
std::int64_t clock_now = 0;

std::uint64_t random() {  // splitmix64
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

bool can_go_on(Thread& thread) {
  return !thread.over && !thread.settling && (thread.what == nullptr || thread.ready(thread.argument));
}

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "%s after %ld points\n", why, points);
  for (int i = 0; i < thread_count; ++i) {
    const char* what = threads[i].settling ? "the others" : threads[i].what;
    if (!threads[i].over) std::fprintf(stderr, "  thread %d %s%s\n", i, what ? "waits for " : "runs", what ? what : "");
  }
  _exit(1);
}

// Draws who goes on. Without `mine`, another than this one if there is any.
Thread* choose(bool mine) {
  Thread* able[kMostThreads];
  int count = 0;
  for (int i = 0; i < thread_count; ++i) {
    if ((mine || &threads[i] != self) && can_go_on(threads[i])) able[count++] = &threads[i];
  }
  if (count != 0) return able[random() % static_cast<unsigned>(count)];
  if (can_go_on(*self)) return self;
  for (int i = 0; i < thread_count; ++i) {
    if (threads[i].settling) {
      threads[i].settling = false;
      return &threads[i];
    }
  }
  give_up("stuck");
}

void hand_on(bool mine) {
  if (++points > kMostPoints) give_up("no end");
  std::unique_lock<std::mutex> lock(baton);
  running = choose(mine);
  if (running == self) return;
  running->turn.notify_one();
  if (self->over) return;
  self->turn.wait(lock, [] { return running == self; });
}

}  // namespace

void begin(std::uint64_t seed) {
  state = seed;
  one_in = 2 << 2 * draw(3);
  self = running = &threads[thread_count++];
}

int draw(int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); }

void point() {
  if (self == nullptr) return;
  if (draw(one_in) == 0) return hand_on(true);
  if (++points > kMostPoints) give_up("no end");
}

void yield() {
  if (self != nullptr) hand_on(false);
}

void wait_until(const char* what, bool (*ready)(void*), void* argument) {
  self->ready = ready;
  self->argument = argument;
  self->what = what;
  hand_on(true);
  self->what = nullptr;
}

void settle() {
  self->settling = true;
  hand_on(false);
}

void start(void (*run)(void*), void* argument) {
  if (threads_refused > 0) {
    --threads_refused;
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  if (thread_count == kMostThreads) fail(__FILE__, __LINE__, "too many threads");
  Thread* const thread = &threads[thread_count++];
  const int left = std::exchange(allocations_left, -1);  // what follows is not the core's
  std::thread([=] {
    self = thread;
    {
      std::unique_lock<std::mutex> lock(baton);
      thread->turn.wait(lock, [] { return running == self; });
    }
    run(argument);
    thread->over = true;
    hand_on(false);
  }).detach();
  allocations_left = left;
  point();
}

void refuse_threads(int count) { threads_refused = count; }

bool fail_allocation_after(int count) {
  allocations_left = count;
  return std::exchange(allocation_failed, false);
}

std::int64_t now() {
  point();
  return clock_now += 1 + draw(20000);
}

void fail(const char* file, int line, const char* message) {
  std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, message);
  _exit(1);
}

}  // namespace schedule

namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
  using namespace schedule;
  if (allocations_left >= 0 && allocations_left-- == 0) {
    allocation_failed = true;
    throw std::bad_alloc();
  }
  void* data = nullptr;
  if (posix_memalign(&data, alignment, bytes) != 0) throw std::bad_alloc();
  return data;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept { std::free(data); }
void operator delete(void* data, std::size_t) noexcept { std::free(data); }
void operator delete(void* data, std::align_val_t) noexcept { std::free(data); }
void operator delete(void* data, std::size_t, std::align_val_t) noexcept { std::free(data); }
