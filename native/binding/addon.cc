// The export list of the addon and what each environment holds.
#include <napi.h>

#include <exception>
#include <memory>
#include <string>

#include "base/pool.h"
#include "binding/args.h"
#include "binding/environment.h"
#include "binding/linear_wrap.h"
#include "binding/lookup.h"
#include "binding/pack.h"
#include "binding/probe.h"
#include "binding/recurrent_wrap.h"
#include "kernels/registry.h"

namespace packed_lstm {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#elif defined(__GNUC__)
  return "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#else
  return "msvc " + std::to_string(_MSC_VER);
#endif
}

void set_num_threads(const Napi::CallbackInfo& info) {
  Pool::get().set_threads(int_arg(info.Env(), info[0], "n", 1, kMaxThreads));
}

Napi::Value get_num_threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Pool::get().threads());
}

Napi::Value runtime_info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array isas = Napi::Array::New(env);
  for (const std::string& isa : supported_isas()) isas.Set(isas.Length(), Napi::String::New(env, isa));
  Napi::Object out = Napi::Object::New(env);
  out.Set("isa", selected_isa());
  out.Set("supportedIsas", isas);
  out.Set("threads", Pool::get().threads());
  out.Set("threadsFrom", name_of(Pool::get().threads_from()));
  out.Set("compiler", compiler());
  return out;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  try {
    // What the environment forces is judged while loading.
    kernels<float>();
    Pool::get();
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
  auto* data = new Environment(env);
  env.SetInstanceData(data);
  exports.Set("Recurrent", RecurrentWrap::define(env, data->jobs));
  exports.Set("Linear", LinearWrap::define(env, data->jobs));
  exports.Set("lookup", Napi::Function::New<lookup_rows>(env, "lookup"));
  exports.Set("packRows", Napi::Function::New<pack_rows_call>(env, "packRows"));
  exports.Set("padRows", Napi::Function::New<pad_rows_call>(env, "padRows"));
  exports.Set("maxThreads", kMaxThreads);
  exports.Set("setNumThreads", Napi::Function::New<set_num_threads>(env, "setNumThreads"));
  exports.Set("getNumThreads", Napi::Function::New<get_num_threads>(env, "getNumThreads"));
  exports.Set("runtimeInfo", Napi::Function::New<runtime_info>(env, "runtimeInfo"));
  exports.Set("probe", Napi::Function::New<probe>(env, "probe"));
  return exports;
}

}  // namespace
}  // namespace packed_lstm

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return packed_lstm::init(env, exports); }

NODE_API_MODULE(packed_lstm, Init)
