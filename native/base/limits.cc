// Reads what Linux says in files (cgroups(7), proc(5), the kernel's cputopology.rst) with C's stdio: C++'s streams
// would add 230 KB to a binary. What cannot be read, or makes no sense, limits nothing.
#include "base/limits.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#endif

namespace packed_lstm {
namespace {

using Lines = std::vector<std::string>;

/** The lines of a file of at most a megabyte; none if it cannot be read. */
Lines lines_of(const std::string& path) {
  Lines lines;
  std::FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return lines;
  std::string line;
  int c;
  for (int read = 0; read < (1 << 20) && (c = std::fgetc(file)) != EOF; ++read) {
    if (c != '\n') {
      line += static_cast<char>(c);
    } else {
      lines.push_back(line);
      line.clear();
    }
  }
  if (!line.empty()) lines.push_back(line);
  std::fclose(file);
  return lines;
}

Lines split(const std::string& text, char at) {
  Lines parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(at, begin)) != std::string::npos; begin = end + 1) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

bool has(const Lines& words, const char* word) { return std::find(words.begin(), words.end(), word) != words.end(); }

/** A positive number, or 0. */
double positive(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end != text.c_str() && *end == '\0' && std::isfinite(value) && value > 0 ? value : 0;
}

/** Where a hierarchy of control groups is to be seen, and which of its folders that is. */
struct Mount {
  std::string folder, group;
  bool unified;
};

/** Those that may limit the CPU, of /proc/self/mountinfo: version 2, and version 1's with the controller `cpu`. */
std::vector<Mount> mounts(const std::string& root) {
  std::vector<Mount> out;
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    // 36 35 98:0 /group /folder options … - type source options-of-the-hierarchy
    const Lines words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 5 || words.end() - dash < 4) continue;
    const bool unified = dash[1] == "cgroup2";
    if (unified || (dash[1] == "cgroup" && has(split(dash[3], ','), "cpu"))) {
      out.push_back({words[4], words[3], unified});
    }
  }
  return out;
}

/** The group this process is in, of /proc/self/cgroup; empty if there is none. */
std::string group_in(const std::string& root, bool unified) {
  for (const std::string& line : lines_of(root + "/proc/self/cgroup")) {
    // 4:cpu,cpuacct:/group, or 0::/group
    const Lines parts = split(line, ':');
    if (parts.size() < 3) continue;
    if (unified ? parts[0] == "0" && parts[1].empty() : has(split(parts[1], ','), "cpu")) {
      return line.substr(parts[0].size() + parts[1].size() + 2);
    }
  }
  return "";
}

/** Processors' worth of time that a group's own files allow; infinity where they do not limit it. */
double quota_of(const std::string& folder, bool unified) {
  double quota = 0, period = 0;
  if (unified) {
    const Lines lines = lines_of(folder + "/cpu.max");  // "200000 100000", or "max 100000"
    const Lines words = lines.empty() ? Lines() : split(lines[0], ' ');
    if (words.size() == 2) {
      quota = positive(words[0]);
      period = positive(words[1]);
    }
  } else {
    const Lines quotas = lines_of(folder + "/cpu.cfs_quota_us"), periods = lines_of(folder + "/cpu.cfs_period_us");
    if (!quotas.empty()) quota = positive(quotas[0]);  // -1: none
    if (!periods.empty()) period = positive(periods[0]);
  }
  return quota > 0 && period > 0 ? quota / period : INFINITY;
}

/** The least quota from this process's group up to the root of what is mounted: a group has no more than those above.
 */
double quota(const std::string& root) {
  double least = INFINITY;
  for (const Mount& mount : mounts(root)) {
    std::string group = group_in(root, mount.unified);
    if (group.empty()) continue;
    // In a container the folder that is mounted is the process's own group, by its name outside.
    if (mount.group != "/" && group.compare(0, mount.group.size(), mount.group) == 0)
      group.erase(0, mount.group.size());
    for (;;) {
      least = std::min(least, quota_of(root + mount.folder + group, mount.unified));
      const std::size_t slash = group.rfind('/');
      if (slash == std::string::npos) break;
      group.erase(slash);
    }
  }
  return least;
}

/** Cores behind the processors: those that name the same siblings are one. */
int cores_of(const std::string& root, const std::vector<int>& processors) {
  std::set<std::string> cores;
  int unknown = 0;
  for (const int processor : processors) {
    const Lines siblings =
        lines_of(root + "/sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/thread_siblings_list");
    if (siblings.empty() || siblings[0].empty()) {
      ++unknown;
    } else {
      cores.insert(siblings[0]);
    }
  }
  return static_cast<int>(cores.size()) + unknown;
}

ThreadLimit least_of(int processors, double quota, int cores) {
  processors = std::max(1, processors);
  ThreadLimit limit{processors, ThreadsFrom::kAffinity, processors};
  if (cores > 0 && cores < limit.threads) limit = {cores, ThreadsFrom::kCores, processors};
  if (std::ceil(quota) < limit.threads) {
    limit = {std::max(1, static_cast<int>(std::ceil(quota))), ThreadsFrom::kQuota, processors};
  }
  return limit;
}

/** Cores of the whole machine where the system says so in another way; 0 if it does not. */
int machine_cores() {
#if defined(__APPLE__)
  int cores = 0;
  std::size_t size = sizeof cores;
  return sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0) == 0 ? cores : 0;
#elif defined(_WIN32)
  DWORD bytes = 0;
  GetLogicalProcessorInformation(nullptr, &bytes);
  std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> all(bytes / sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION));
  DWORD_PTR allowed = 0, system = 0;
  if (all.empty() || !GetLogicalProcessorInformation(all.data(), &bytes) ||
      !GetProcessAffinityMask(GetCurrentProcess(), &allowed, &system)) {
    return 0;
  }
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const SYSTEM_LOGICAL_PROCESSOR_INFORMATION& one) {
    return one.Relationship == RelationProcessorCore && (one.ProcessorMask & allowed) != 0;
  }));
#else
  return 0;
#endif
}

}  // namespace

const char* name_of(ThreadsFrom from) {
  static constexpr const char* kNames[] = {"affinity", "quota", "cores", "environment", "setNumThreads"};
  return kNames[static_cast<int>(from)];
}

std::vector<int> allowed_processors() {
  std::vector<int> out;
#if defined(__linux__)
  cpu_set_t sets[8] = {};  // one holds 1,024 processors, and a kernel that knows more refuses less room
  if (sched_getaffinity(0, sizeof sets, sets) != 0) return out;
  for (std::size_t i = 0; i < 8 * CPU_SETSIZE; ++i) {
    if (CPU_ISSET_S(i, sizeof sets, sets)) out.push_back(static_cast<int>(i));
  }
#endif
  return out;
}

ThreadLimit thread_limit_under(const std::string& root, const std::vector<int>& processors) {
  return least_of(static_cast<int>(processors.size()), quota(root), cores_of(root, processors));
}

ThreadLimit thread_limit() {
  const std::vector<int> processors = allowed_processors();
  if (!processors.empty()) return thread_limit_under("", processors);
#if defined(_WIN32)
  DWORD_PTR allowed = 0, system = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &allowed, &system) && allowed != 0) {
    int count = 0;
    for (; allowed != 0; allowed &= allowed - 1) ++count;
    return least_of(count, INFINITY, machine_cores());
  }
#endif
  return least_of(static_cast<int>(std::thread::hardware_concurrency()), INFINITY, machine_cores());
}

}  // namespace packed_lstm
