// What the classes LSTM and Linear of binding.d.ts have in common: a module of one dtype behind a JavaScript object,
// and the four methods that hand their arguments on to it. What the arguments mean, the module knows.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "binding/args.h"
#include "binding/job.h"

namespace packed_lstm {

/** A module of one dtype behind the wrapper; each method reads the arguments that binding.d.ts describes. */
class Module {
 public:
  virtual ~Module() = default;
  virtual void load(const Napi::CallbackInfo& info) = 0;
  virtual void forward(const Napi::CallbackInfo& info) = 0;
  virtual std::shared_ptr<Job> forward_job(const Napi::CallbackInfo& info) = 0;
  /** Called once, when the module is to be used no more: what else holds the weights lets go of them. */
  virtual void dispose() {}
};

/** A module that can be stepped. */
class RecurrentModule : public Module {
 public:
  virtual Napi::Value stream(const Napi::CallbackInfo& info) = 0;
};

/**
 * The class of a `Kind`, which has a `kName`, a `kDone` (forwardAsync's place for its callback) and a `make(info)` that
 * gives a Module, or a RecurrentModule for a class with the method `stream`.
 */
template <class Kind>
class ModuleWrap final : public Napi::ObjectWrap<ModuleWrap<Kind>> {
  using Base = Napi::ObjectWrap<ModuleWrap<Kind>>;
  using M = typename decltype(Kind::make(std::declval<Napi::CallbackInfo>()))::element_type;

 public:
  /** The queue must outlive every object. */
  static Napi::Function define(Napi::Env env, const std::shared_ptr<JobQueue>& jobs) {
    std::vector<Napi::ClassPropertyDescriptor<ModuleWrap>> methods = {
        Base::template InstanceMethod<&ModuleWrap::load>("load"),
        Base::template InstanceMethod<&ModuleWrap::forward>("forward"),
        Base::template InstanceMethod<&ModuleWrap::forward_async>("forwardAsync"),
        Base::template InstanceMethod<&ModuleWrap::dispose>("dispose")};
    if constexpr (std::is_base_of_v<RecurrentModule, M>) {
      methods.push_back(Base::template InstanceMethod<&ModuleWrap::stream>("stream"));
    }
    return Base::DefineClass(env, Kind::kName, methods, jobs.get());
  }

  explicit ModuleWrap(const Napi::CallbackInfo& info) : Base(info) {
    module_ = guarded(info.Env(), [&] { return Kind::make(info); });
    jobs_ = static_cast<JobQueue*>(info.Data())->shared_from_this();
  }

 private:
  void load(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { module(info.Env()).load(info); });
  }

  void forward(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { module(info.Env()).forward(info); });
  }

  Napi::Value forward_async(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[Kind::kDone].IsFunction()) throw_type_error(env, "done: expected a function");
    const std::shared_ptr<Job> job = guarded(env, [&] { return module(env).forward_job(info); });
    return jobs_->start(env, job, info[Kind::kDone]);
  }

  Napi::Value stream(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return module(info.Env()).stream(info); });
  }

  void dispose(const Napi::CallbackInfo&) {
    if (module_ != nullptr) module_->dispose();
    module_.reset();
  }

  M& module(Napi::Env env) const {
    if (module_ == nullptr) throw_type_error(env, std::string(Kind::kName) + ": disposed");
    return *module_;
  }

  std::unique_ptr<M> module_;
  std::shared_ptr<JobQueue> jobs_;
};

}  // namespace packed_lstm
