// What Recurrent and Linear of binding.d.ts have in common below the wrapper: where their weights lie, and the methods
// that put them there, read them and share them. What the parameters of a module are, the module says.
//
// The module's JavaScript object holds the memory, and a job that runs holds it too. Whatever may run the caller's
// code, as reading a list does, comes before anything is looked at that this code could take away.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "binding/args.h"
#include "binding/memory.h"
#include "binding/module_wrap.h"
#include "kernels/arithmetic.h"
#include "kernels/registry.h"

namespace packed_lstm {

/** How weights are stored: as the option weightDtype says, as T when undefined. `halves`: float16 is among the choices.
 */
template <class T>
Storage storage_arg(const Napi::Object& options, bool halves) {
  constexpr bool single = std::is_same_v<T, float>;
  const Napi::Value stored = options.Get("weightDtype");
  const std::string name = stored.IsString() ? stored.As<Napi::String>().Utf8Value() : "";
  if (stored.IsUndefined() || name == (single ? "float32" : "float64")) return kStoredAs<T>;
  if (single && halves && name == "float16") return Storage::kFloat16;
  if (single && name == "int8") return Storage::kInt8;
  throw_type_error(options.Env(), std::string("weightDtype: expected the dtype, or ") +
                                      (halves ? "\"float16\" or " : "") + "\"int8\" for float32");
}

/** Throws RangeError where a product of so many terms may be more than its sum holds. */
inline void check_terms(napi_env env, Storage storage, int terms, const char* name) {
  if (storage != Storage::kInt8 || terms <= kQuantizedTerms) return;
  throw_range_error(env, std::string(name) + ": expected at most " + std::to_string(kQuantizedTerms) +
                             " with weightDtype \"int8\", but got " + std::to_string(terms));
}

/** Weights as they are now, and where; null before they are loaded and after dispose. */
template <class W>
struct Loaded {
  std::shared_ptr<const W> weights;
  Memory memory;
};

/** W has `bytes`, `pack` and `unpack`, as Weights<T> has; Base is Module, or a class derived from it. */
template <class T, class W, class Base>
class Weighted : public Base {
 public:
  explicit Weighted(const char* name) : name_(name) {}

  void load(const Napi::CallbackInfo& info) final {
    const Napi::Env env = info.Env();
    const std::vector<T*> parameters = read_parameters(info);
    Memory memory = Memory::make(env, W(lay_out(nullptr)).bytes());
    const auto weights = std::make_shared<W>(lay_out(memory.data()));
    weights->pack(parameters);
    put(info, weights, std::move(memory));
  }

  void read(const Napi::CallbackInfo& info) final {
    const std::vector<T*> parameters = read_parameters(info);
    check_loaded(info.Env());
    loaded_->weights->unpack(parameters);
  }

  Napi::Value byte_length(Napi::Env env) const final {
    return Napi::Number::New(env, static_cast<double>(with_slack(W(lay_out(nullptr)).bytes())));
  }

  void share(const Napi::CallbackInfo& info) final {
    check_loaded(info.Env());
    Memory memory = Memory::of_shared(info.Env(), info[0], loaded_->weights->bytes());
    std::memmove(memory.data(), loaded_->memory.data(), loaded_->weights->bytes());
    put(info, std::make_shared<W>(lay_out(memory.data())), std::move(memory));
  }

  void open(const Napi::CallbackInfo& info) final {
    Memory memory = Memory::of_shared(info.Env(), info[0], W(lay_out(nullptr)).bytes());
    put(info, std::make_shared<W>(lay_out(memory.data())), std::move(memory));
  }

  void dispose(Napi::Env env) final {
    let_go(env);
    disposed_ = true;
  }

 protected:
  /** The weights over this memory, or, over null, only counted. */
  virtual W lay_out(std::byte* memory) const = 0;
  /** How many parameters there are. */
  virtual std::uint32_t parameter_count() const = 0;
  /** Calls take(name, rows, width) for each parameter in torch's order. */
  using Take = std::function<void(const char* name, std::int64_t rows, std::int64_t width)>;
  virtual void each_parameter(const Take& take) const = 0;

  void check_loaded(Napi::Env env) const {
    if (loaded_->weights == nullptr)
      throw_type_error(env, std::string(name_) + ": expected weights to have been loaded");
  }

  /** Makes the job keep the weights, and their memory. */
  std::shared_ptr<const W> lend(Job& job) const {
    job.kept.push_back(Napi::Reference<Napi::Value>::New(loaded_->memory.buffer(), 1));
    return loaded_->weights;
  }

  /** Never null, and shared with the module's streams. */
  const std::shared_ptr<Loaded<W>> loaded_ = std::make_shared<Loaded<W>>();

 private:
  std::vector<T*> read_parameters(const Napi::CallbackInfo& info) const {
    const Napi::Env env = info.Env();
    const std::vector<napi_value> values = list_arg(env, info[0], "parameters", parameter_count());
    if (disposed_) throw_disposed(env, name_);
    std::vector<T*> parameters;
    each_parameter([&](const char* name, std::int64_t rows, std::int64_t width) {
      parameters.push_back(array_arg<T>(env, values[parameters.size()], name, rows, width));
    });
    return parameters;
  }

  void put(const Napi::CallbackInfo& info, std::shared_ptr<const W> weights, Memory memory) {
    Holds::of(info.Env()).set(info.This().As<Napi::Object>(), memory.buffer());
    let_go(info.Env());
    loaded_->weights = std::move(weights);
    loaded_->memory = std::move(memory);
  }

  // A job that runs has the weights too; then the collector frees the memory when it is over.
  void let_go(Napi::Env env) {
    const bool lent = loaded_->weights.use_count() > 1;
    loaded_->weights.reset();
    if (!lent) loaded_->memory.free(env);
    loaded_->memory = Memory();
  }

  const char* const name_;
  bool disposed_ = false;
};

}  // namespace packed_lstm
