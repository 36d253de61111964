// How many threads are worth having in this process: what the machine has is in cpu.h, what this process may use of it
// is asked here. Decides a default and nothing else.
#pragma once

#include <string>
#include <vector>

namespace packed_lstm {

/** What the number of threads follows from; the words are runtimeInfo's. */
enum class ThreadsFrom { kAffinity, kQuota, kCores, kEnvironment, kCaller };
const char* name_of(ThreadsFrom from);

struct ThreadLimit {
  int threads;
  ThreadsFrom from;
  int processors;  // that the affinity mask allows
};

/** The logical processors that the affinity mask allows; empty where there is no telling which. */
std::vector<int> allowed_processors();

/**
 * The least of the allowed processors, the CPU quota of this process's control groups rounded up, and the physical
 * cores that those processors are of: a core's second thread adds nothing to work that keeps its multipliers busy.
 */
ThreadLimit thread_limit();

/** The same by the files under `root`, "" being the machine's own; Linux's alone have any. `processors` is not empty.
 */
ThreadLimit thread_limit_under(const std::string& root, const std::vector<int>& processors);

}  // namespace packed_lstm
