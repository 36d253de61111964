// What the addon keeps for each environment (the main thread, a worker): its instance data.
#pragma once

#include <memory>

#include "binding/job.h"
#include "binding/memory.h"

namespace packed_lstm {

struct Environment {
  explicit Environment(Napi::Env env) : holds(env), jobs(JobQueue::create(env)) {}

  Holds holds;
  std::shared_ptr<JobQueue> jobs;
};

}  // namespace packed_lstm
