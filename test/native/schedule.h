// One thread at a time, and who goes on is drawn from a seed: a run of threads that happens the same way each time it
// is asked for. Knows nothing of what the threads do; stand_ins.h makes std's own primitives call in here.
#pragma once

#include <cstdint>

namespace schedule {

/** Makes the calling thread the first of a schedule. All that follows in this process is decided by the seed. */
void begin(std::uint64_t seed);

/** A place where another thread may go on instead. Does nothing before `begin`. */
void point();

/** The same, and another thread does if any can. */
void yield();

/** Goes on when `ready(argument)` holds, which may be asked at any time; `what` is said where nothing can go on. */
void wait_until(const char* what, bool (*ready)(void*), void* argument);

/** Starts a thread that calls run(argument). Throws std::system_error where `refuse_threads` says so. */
void start(void (*run)(void*), void* argument);

/** Waits until every other thread waits for something that has not come. */
void settle();

/** The next `count` threads that are asked for there are not. */
void refuse_threads(int count);

/** This thread's allocation after `count` more, counted from 0, fails; −1: none. True if it has failed since. */
bool fail_allocation_after(int count);

/** From 0 to limit − 1, of the seed. */
int draw(int limit);

/** Nanoseconds on a clock that runs when asked. */
std::int64_t now();

/** Ends the process with a message. */
[[noreturn]] void fail(const char* file, int line, const char* message);

}  // namespace schedule

#define SCHEDULE_EXPECT(condition) ((condition) ? void() : schedule::fail(__FILE__, __LINE__, #condition))
