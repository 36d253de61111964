// Work off the JavaScript thread: jobs of one environment run on the process's pool and report back through one
// thread-safe function. Knows nothing of models.
//
// A job's outputs live in JavaScript's arrays, so a job that runs must be over before its environment's memory goes:
// the environment's cleanup hook asks every job to stop, waits for those that run, and only then lets go.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace packed_lstm {

/** `run(stop)` is called once on a pool thread, unless the job is aborted first; it may throw. */
struct Job {
  std::function<void(const std::atomic<bool>& stop)> run;
  std::vector<Napi::Reference<Napi::Value>> kept;  // arrays that `run` writes to
  Napi::FunctionReference done;                    // (error or null, aborted)

  enum State : int { kQueued, kRunning, kOver };
  std::atomic<int> state{kQueued};
  std::atomic<bool> stop{false};
  std::exception_ptr error;
};

/** The jobs of one environment; made when the addon is loaded there. */
class JobQueue : public std::enable_shared_from_this<JobQueue> {
 public:
  static std::shared_ptr<JobQueue> create(Napi::Env env);

  /** Posts the job, whose `done` is to be called when it is over; gives the NativeJob of binding.d.ts. */
  Napi::Value start(Napi::Env env, const std::shared_ptr<Job>& job, const Napi::Value& done);

 private:
  void post(Napi::Env env, std::shared_ptr<Job> job);
  /** Asks a running job to stop and drops a queued one; `done` comes either way. On the environment's thread. */
  void abort(const std::shared_ptr<Job>& job);
  static void on_cleanup(void* queue);
  static void on_report(napi_env env, napi_value callback, void* context, void* data);
  void execute(const std::shared_ptr<Job>& job);
  void report(std::shared_ptr<Job> job);
  void deliver(Napi::Env env);

  napi_threadsafe_function notify_ = nullptr;
  std::set<std::shared_ptr<Job>> pending_;  // touched on the environment's thread alone
  napi_env env_ = nullptr;

  std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  std::deque<std::shared_ptr<Job>> over_;
  int running_ = 0;
  bool closing_ = false;
};

}  // namespace packed_lstm
