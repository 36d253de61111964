// Reads the positional arguments of binding.d.ts and runs a product here or as a job; holds the packed weights.
#include "binding/linear_wrap.h"

#include <vector>

#include "kernels/registry.h"
#include "linear/linear.h"

namespace packed_lstm {
namespace {

struct Sizes {
  int inputs, outputs;
  bool bias;
};

template <class T>
class TypedLinear final : public Module {
 public:
  explicit TypedLinear(const Sizes& sizes) : sizes_(sizes) {}

  void load(const Napi::CallbackInfo& info) override {
    const Napi::Env env = info.Env();
    const std::vector<napi_value> values = list_arg(env, info[0], "parameters", sizes_.bias ? 2 : 1);
    const T* weight = array_arg<T>(env, values[0], "weight", sizes_.outputs, sizes_.inputs);
    const T* bias = sizes_.bias ? array_arg<T>(env, values[1], "bias", sizes_.outputs, 1) : nullptr;
    linear_ =
        std::make_shared<const Linear<T>>(kernels<T>(), MatrixView<T>{weight, sizes_.outputs, sizes_.inputs}, bias);
  }

  void forward(const Napi::CallbackInfo& info) override {
    const Arguments args = read(info);
    static const std::atomic<bool> never{false};
    linear_->forward(args.input, args.output, args.rows, never);
  }

  std::shared_ptr<Job> forward_job(const Napi::CallbackInfo& info) override {
    const Arguments args = read(info);
    const auto input = std::make_shared<std::vector<T>>(args.input, args.input + args.rows * sizes_.inputs);
    const auto job = std::make_shared<Job>();
    job->kept.push_back(Napi::Reference<Napi::Value>::New(info[1], 1));
    job->run = [input, args, linear = linear_](const std::atomic<bool>& stop) {
      linear->forward(input->data(), args.output, args.rows, stop);
    };
    return job;
  }

 private:
  struct Arguments {
    const T* input;
    T* output;
    std::int64_t rows;
  };

  Arguments read(const Napi::CallbackInfo& info) const {
    const Napi::Env env = info.Env();
    if (linear_ == nullptr) throw_type_error(env, "Linear: expected weights to have been loaded");
    const int rows = int_arg(env, info[2], "rows", 1, INT32_MAX);
    return {array_arg<T>(env, info[0], "input", rows, sizes_.inputs),
            array_arg<T>(env, info[1], "output", rows, sizes_.outputs), rows};
  }

  const Sizes sizes_;
  std::shared_ptr<const Linear<T>> linear_;
};

}  // namespace

std::unique_ptr<Module> LinearKind::make(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = object_arg(env, info[0], "config");
  Sizes sizes;
  sizes.inputs = int_arg(env, options.Get("inFeatures"), "inFeatures", 1, kMaxSize);
  sizes.outputs = int_arg(env, options.Get("outFeatures"), "outFeatures", 1, kMaxSize);
  sizes.bias = bool_arg(env, options.Get("bias"), "bias");
  return by_dtype(env, options.Get("dtype"), [&](auto zero) -> std::unique_ptr<Module> {
    return std::make_unique<TypedLinear<decltype(zero)>>(sizes);
  });
}

}  // namespace packed_lstm
