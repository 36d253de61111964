// Threads beside a scenario's first one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

/** `wait` returns when all that were started have returned. */
class Crowd {
 public:
  void start(std::function<void()> run) {
    ++count_;
    std::thread([this, run = std::move(run)] {
      run();
      std::lock_guard<std::mutex> lock(mutex_);
      --count_;
      changed_.notify_all();
    }).detach();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};
