// The class LSTM of binding.d.ts: one model's weights and its forward pass, wrapped for JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/job.h"

namespace packed_lstm {

/** A model of one dtype behind the wrapper; each method reads the arguments that binding.d.ts describes. */
class Model {
 public:
  virtual ~Model() = default;
  virtual void load(const Napi::CallbackInfo& info) = 0;
  virtual void forward(const Napi::CallbackInfo& info) = 0;
  virtual std::shared_ptr<Job> forward_job(const Napi::CallbackInfo& info) = 0;
};

class LSTMWrap : public Napi::ObjectWrap<LSTMWrap> {
 public:
  static Napi::Function define(Napi::Env env, std::shared_ptr<JobQueue> jobs);
  explicit LSTMWrap(const Napi::CallbackInfo& info);

 private:
  void load(const Napi::CallbackInfo& info);
  void forward(const Napi::CallbackInfo& info);
  Napi::Value forward_async(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  Model& model(Napi::Env env) const;

  std::unique_ptr<Model> model_;
  std::shared_ptr<JobQueue> jobs_;
};

}  // namespace packed_lstm
