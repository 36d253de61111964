// schedules [--seeds N] [--first S] [--only TEXT]: runs every scenario under the schedules of N seeds, each in a
// process of its own, and says for each scenario how many went well or which seed did not.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "scenarios.h"
#include "schedule.h"

namespace {

struct Options {
  unsigned long seeds = 100, first = 1;
  const char* only = "";
};

/** Whether the scenario ends well: by itself, with nothing found and within ten seconds. */
bool ends_well(const Scenario& scenario, unsigned long seed) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    schedule::begin(seed);
    scenario.run();
    _exit(0);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int run_all(const Scenario* scenario, const Options& options) {
  int failed = 0;
  for (; scenario->name != nullptr; ++scenario) {
    if (std::strstr(scenario->name, options.only) == nullptr) continue;
    unsigned long done = 0;
    while (done < options.seeds && ends_well(*scenario, options.first + done)) ++done;
    if (done == options.seeds) {
      std::printf("ok: %s\n", scenario->name);
    } else {
      ++failed;
      std::printf("FAILED: %s; again: --first %lu --seeds 1 --only \"%s\"\n", scenario->name, options.first + done,
                  scenario->name);
    }
  }
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  unsetenv("PACKED_LSTM_ALL_THREADS");  // the suite's
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seeds") == 0) options.seeds = std::strtoul(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--first") == 0) options.first = std::strtoul(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--only") == 0) options.only = argv[i + 1];
  }
  return run_all(kPoolScenarios, options) + run_all(kPassScenarios, options) == 0 ? 0 : 1;
}
