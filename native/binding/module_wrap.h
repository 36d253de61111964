// What the classes Recurrent and Linear of binding.d.ts have in common: a module of one dtype behind a JavaScript
// object, and the methods that hand their arguments on to it. What the arguments mean, the module knows.
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
  virtual void read(const Napi::CallbackInfo& info) = 0;
  virtual Napi::Value byte_length(Napi::Env env) const = 0;
  virtual void share(const Napi::CallbackInfo& info) = 0;
  virtual void open(const Napi::CallbackInfo& info) = 0;
  virtual void forward(const Napi::CallbackInfo& info) = 0;
  virtual std::shared_ptr<Job> forward_job(const Napi::CallbackInfo& info) = 0;
  /** Called once, when the module is to be used no more: what else holds the weights lets go of them. */
  virtual void dispose(Napi::Env env) = 0;
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
        Base::template InstanceMethod<&ModuleWrap::hand_on<&Module::load>>("load"),
        Base::template InstanceMethod<&ModuleWrap::hand_on<&Module::read>>("read"),
        Base::template InstanceMethod<&ModuleWrap::hand_on<&Module::share>>("share"),
        Base::template InstanceMethod<&ModuleWrap::hand_on<&Module::open>>("open"),
        Base::template InstanceMethod<&ModuleWrap::byte_length>("byteLength"),
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
  // The module is kept until the method returns: reading its arguments may run code of the caller's that disposes of
  // it.
  template <void (Module::*method)(const Napi::CallbackInfo&)>
  void hand_on(const Napi::CallbackInfo& info) {
    module(info.Env());
    const std::shared_ptr<M> kept = module_;
    guarded(info.Env(), [&] { (*kept.*method)(info); });
  }

  Napi::Value byte_length(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return module(info.Env()).byte_length(info.Env()); });
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

  void dispose(const Napi::CallbackInfo& info) {
    if (module_ != nullptr) module_->dispose(info.Env());
    module_.reset();
  }

  M& module(Napi::Env env) const {
    if (module_ == nullptr) throw_disposed(env, Kind::kName);
    return *module_;
  }

  std::shared_ptr<M> module_;
  std::shared_ptr<JobQueue> jobs_;
};

}  // namespace packed_lstm
