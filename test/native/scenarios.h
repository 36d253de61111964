// What the core is put through under schedules: each scenario is one run of threads, decided by the seed alone.
#pragma once

struct Scenario {
  const char* name;
  void (*run)();
};

extern const Scenario kPoolScenarios[], kPassScenarios[];  // each ends with an entry without a name
