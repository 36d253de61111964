// Every use of the thread-safe function is under the mutex and behind `closing_`, so none comes after its release.
#include "binding/job.h"

#include <new>

#include "base/pool.h"

namespace packed_lstm {
namespace {

napi_value error_value(napi_env env, const std::exception_ptr& error) {
  napi_value out = nullptr, message = nullptr, code = nullptr;
  if (!error) {
    napi_get_null(env, &out);
    return out;
  }
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    napi_create_string_utf8(env, "out of memory", NAPI_AUTO_LENGTH, &message);
    napi_create_string_utf8(env, "ERR_ARG_VALUE", NAPI_AUTO_LENGTH, &code);
    napi_create_range_error(env, code, message, &out);
  } catch (const std::exception& e) {
    napi_create_string_utf8(env, e.what(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &out);
  }
  return out;
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

Napi::Value JobQueue::start(Napi::Env env, const std::shared_ptr<Job>& job, const Napi::Value& done) {
  job->done = Napi::Persistent(done.As<Napi::Function>());
  post(env, job);
  Napi::Object handle = Napi::Object::New(env);
  const auto stop = [job, self = shared_from_this()](const Napi::CallbackInfo&) { self->abort(job); };
  handle.Set("abort", Napi::Function::New(env, stop));
  return handle;
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
    // Plain N-API calls: in an environment being terminated they fail quietly, where the C++ wrappers would throw with
    // nobody left to catch. What the callback throws is an uncaught exception, which Node-API at this version would
    // only warn of; the jobs behind it are still delivered.
    napi_value receiver = nullptr, callback = nullptr, aborted = nullptr;
    napi_get_undefined(env, &receiver);
    napi_get_reference_value(env, done, &callback);
    napi_get_boolean(env, job->stop.load(), &aborted);
    napi_value args[] = {error_value(env, job->error), aborted};
    if (napi_call_function(env, receiver, callback, 2, args, nullptr) == napi_ok) continue;
    bool thrown = false;
    napi_value exception = nullptr;
    if (napi_is_exception_pending(env, &thrown) != napi_ok || !thrown ||
        napi_get_and_clear_last_exception(env, &exception) != napi_ok) {
      return;
    }
    napi_fatal_exception(env, exception);
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
