// Reads the positional arguments of binding.d.ts and runs a product here or as a job.
#include "binding/linear_wrap.h"

#include <vector>

#include "binding/weighted.h"
#include "kernels/registry.h"
#include "linear/linear.h"

namespace packed_lstm {
namespace {

struct Sizes {
  int inputs, outputs;
  bool bias;
  Storage storage;
};

template <class T>
class TypedLinear final : public Weighted<T, Linear<T>, Module> {
  using Base = Weighted<T, Linear<T>, Module>;
  using Base::loaded_;

 public:
  explicit TypedLinear(const Sizes& sizes) : Base(LinearKind::kName), sizes_(sizes) {}

  void forward(const Napi::CallbackInfo& info) override {
    const Arguments args = read_call(info);
    static const std::atomic<bool> never{false};
    loaded_->weights->forward(args.input, args.output, args.rows, never);
  }

  std::shared_ptr<Job> forward_job(const Napi::CallbackInfo& info) override {
    const Arguments args = read_call(info);
    const auto input = std::make_shared<std::vector<T>>(args.input, args.input + args.rows * sizes_.inputs);
    const auto job = std::make_shared<Job>();
    job->kept.push_back(Napi::Reference<Napi::Value>::New(info[1], 1));
    job->run = [input, args, linear = this->lend(*job)](const std::atomic<bool>& stop) {
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

  Arguments read_call(const Napi::CallbackInfo& info) const {
    const Napi::Env env = info.Env();
    this->check_loaded(env);
    const int rows = int_arg(env, info[2], "rows", 1, INT32_MAX);
    return {array_arg<T>(env, info[0], "input", rows, sizes_.inputs),
            array_arg<T>(env, info[1], "output", rows, sizes_.outputs), rows};
  }

  Linear<T> lay_out(std::byte* memory) const override {
    return Linear<T>(kernels<T>(sizes_.storage), sizes_.inputs, sizes_.outputs, memory);
  }

  std::uint32_t parameter_count() const override { return sizes_.bias ? 2 : 1; }

  void each_parameter(const typename Base::Take& take) const override {
    take("weight", sizes_.outputs, sizes_.inputs);
    if (sizes_.bias) take("bias", sizes_.outputs, 1);
  }

  const Sizes sizes_;
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
    sizes.storage = storage_arg<decltype(zero)>(options, false);
    check_terms(env, sizes.storage, sizes.inputs, "inFeatures");
    return std::make_unique<TypedLinear<decltype(zero)>>(sizes);
  });
}

}  // namespace packed_lstm
