// Every use of the thread-safe function is under the mutex and behind `closing_`, so none comes after its release.
#include "binding/job.h"

#include <new>

#include "base/pool.h"

namespace packed_lstm {
namespace {

Napi::Value to_js(Napi::Env env, const std::exception_ptr& error) {
  if (!error) return env.Null();
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    Napi::Error out = Napi::RangeError::New(env, "out of memory");
    out.Set("code", Napi::String::New(env, "ERR_ARG_VALUE"));
    return out.Value();
  } catch (const std::exception& e) {
    return Napi::Error::New(env, e.what()).Value();
  }
}

}  // namespace

std::shared_ptr<JobQueue> JobQueue::create(Napi::Env env) {
  std::shared_ptr<JobQueue> queue(new JobQueue());
  queue->env_ = env;
  const napi_value name = Napi::String::New(env, "packed-lstm");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, queue.get(), on_report,
                                      &queue->notify_) != napi_ok) {
    throw Napi::Error::New(env, "packed-lstm: cannot create a thread-safe function");
  }
  napi_unref_threadsafe_function(env, queue->notify_);
  // Hooks run newest first: this one before the thread-safe function's own.
  napi_add_env_cleanup_hook(env, on_cleanup, new std::shared_ptr<JobQueue>(queue));
  return queue;
}

void JobQueue::post(Napi::Env env, std::shared_ptr<Job> job) {
  if (pending_.empty()) napi_ref_threadsafe_function(env, notify_);  // work under way keeps the event loop alive
  pending_.insert(job);
  Pool::get().post([self = shared_from_this(), job] { self->execute(job); });
}

void JobQueue::execute(const std::shared_ptr<Job>& job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    int queued = Job::kQueued;
    if (closing_ || !job->state.compare_exchange_strong(queued, Job::kRunning)) return;
    ++running_;
  }
  try {
    job->run(job->stop);
  } catch (...) {
    job->error = std::current_exception();
  }
  job->state.store(Job::kOver);
  std::lock_guard<std::mutex> lock(mutex_);
  --running_;
  if (closing_) {
    idle_.notify_all();
    return;
  }
  over_.push_back(job);
  napi_call_threadsafe_function(notify_, nullptr, napi_tsfn_nonblocking);
}

void JobQueue::abort(const std::shared_ptr<Job>& job) {
  job->stop.store(true);
  int queued = Job::kQueued;
  if (!job->state.compare_exchange_strong(queued, Job::kOver)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (closing_) return;
  over_.push_back(job);
  napi_call_threadsafe_function(notify_, nullptr, napi_tsfn_nonblocking);
}

void JobQueue::on_report(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  static_cast<JobQueue*>(context)->deliver(env);
}

void JobQueue::deliver(Napi::Env env) {
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (over_.empty()) return;
      job = std::move(over_.front());
      over_.pop_front();
    }
    Napi::HandleScope scope(env);
    pending_.erase(job);
    if (pending_.empty()) napi_unref_threadsafe_function(env, notify_);
    const Napi::FunctionReference done = std::move(job->done);
    job->kept.clear();
    job->run = nullptr;
    try {
      done.Value().Call({to_js(env, job->error), Napi::Boolean::New(env, job->stop.load())});
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();  // from the caller's callback: theirs to see
      return;
    }
  }
}

void JobQueue::on_cleanup(void* data) {
  const std::unique_ptr<std::shared_ptr<JobQueue>> holder(static_cast<std::shared_ptr<JobQueue>*>(data));
  JobQueue& queue = **holder;
  {
    std::unique_lock<std::mutex> lock(queue.mutex_);
    queue.closing_ = true;
    for (const std::shared_ptr<Job>& job : queue.pending_) job->stop.store(true);
    queue.idle_.wait(lock, [&] { return queue.running_ == 0; });
    queue.over_.clear();
  }
  for (const std::shared_ptr<Job>& job : queue.pending_) {
    job->kept.clear();
    job->done.Reset();
  }
  queue.pending_.clear();
  napi_release_threadsafe_function(queue.notify_, napi_tsfn_abort);
}

}  // namespace packed_lstm
