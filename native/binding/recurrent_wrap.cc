// Reads the positional arguments of binding.d.ts into a Call, and runs it here or as a job.
// Nothing below this file knows N-API.
#include "binding/recurrent_wrap.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "binding/args.h"
#include "binding/layout.h"
#include "binding/stream.h"
#include "binding/weighted.h"
#include "kernels/registry.h"
#include "rnn/run.h"

namespace packed_lstm {
namespace {

template <class T>
class TypedModel final : public Weighted<T, Weights<T>, RecurrentModule> {
  using Base = Weighted<T, Weights<T>, RecurrentModule>;
  using Base::loaded_;

 public:
  TypedModel(const Config& config, const KernelSet<T>& kernels)
      : Base(RecurrentKind::kName), config_(config), kernels_(kernels) {}

  void forward(const Napi::CallbackInfo& info) override {
    OwnedLayout owned;
    const Call<T> call = read_call(info, owned);
    static const std::atomic<bool> never{false};
    packed_lstm::forward(*loaded_->weights, call, never);
  }

  std::shared_ptr<Job> forward_job(const Napi::CallbackInfo& info) override {
    struct Copies {
      OwnedLayout owned;
      Call<T> call;
      std::vector<T> input, h0, c0;
    };
    const auto copies = std::make_shared<Copies>();
    Call<T>& call = copies->call;
    call = read_call(info, copies->owned);
    const std::int64_t states = state_rows(copies->owned);
    const auto keep = [](std::vector<T>& into, const T*& from, std::int64_t n) {
      if (from == nullptr) return;
      into.assign(from, from + n);
      from = into.data();
    };
    const bool lent = call.layout.origins != nullptr;
    if (!lent) keep(copies->input, call.input, copies->owned.rows * config_.input_size);
    keep(copies->h0, call.h0, states * config_.real_size());
    keep(copies->c0, call.c0, states * config_.hidden_size);
    const auto job = std::make_shared<Job>();
    const auto hold = [&](Position position) {
      job->kept.push_back(Napi::Reference<Napi::Value>::New(info[position], 1));
    };
    if (lent) hold(kInput);
    for (const Position output : {kOutput, kHn}) hold(output);
    if (call.cn != nullptr) hold(kCn);
    job->run = [copies, weights = this->lend(*job)](const std::atomic<bool>& stop) {
      packed_lstm::forward(*weights, copies->call, stop);
    };
    return job;
  }

  Napi::Value stream(const Napi::CallbackInfo& info) override { return make_stream<T>(info, config_, loaded_); }

 private:
  /** PassArgs of binding.d.ts. */
  enum Position : std::size_t {
    kInput,
    kOutput,
    kH0,
    kC0,
    kHn,
    kCn,
    kSteps,
    kBatch,
    kBatchFirst,
    kBatchSizes,
    kSortedIndices,
    kLengths
  };

  std::int64_t state_rows(const OwnedLayout& owned) const {
    return std::int64_t{config_.num_layers} * config_.directions * owned.layout.batch;
  }

  Call<T> read_call(const Napi::CallbackInfo& info, OwnedLayout& owned) const {
    const Napi::Env env = info.Env();
    this->check_loaded(env);
    read_layout(
        env, {info[kSteps], info[kBatch], info[kBatchFirst], info[kBatchSizes], info[kSortedIndices], info[kLengths]},
        owned);
    const std::int64_t states = state_rows(owned);
    Call<T> call;
    call.input = array_arg<T>(env, info[kInput], "input", owned.rows, config_.input_size);
    call.output = array_arg<T>(env, info[kOutput], "output", owned.rows, config_.output_size());
    call.h0 = is_null(env, info[kH0]) ? nullptr : array_arg<T>(env, info[kH0], "h0", states, config_.real_size());
    call.hn = array_arg<T>(env, info[kHn], "hn", states, config_.real_size());
    if (config_.shape().has_c) {
      call.c0 = is_null(env, info[kC0]) ? nullptr : array_arg<T>(env, info[kC0], "c0", states, config_.hidden_size);
      call.cn = array_arg<T>(env, info[kCn], "cn", states, config_.hidden_size);
    } else {
      if (!is_null(env, info[kC0])) throw_type_error(env, "c0: expected null, as this cell has none");
      if (!is_null(env, info[kCn])) throw_type_error(env, "cn: expected null, as this cell has none");
      call.c0 = call.cn = nullptr;
    }
    if (!owned.lengths.empty()) join_lengths(owned);
    call.layout = owned.layout;
    check_apart(env, call, owned.rows, states);
    return call;
  }

  // By address: two SharedArrayBuffer objects may be one memory, which only here can be told.
  void check_apart(napi_env env, const Call<T>& call, std::int64_t rows, std::int64_t states) const {
    struct Part {
      const char* name;
      const T* data;
      std::int64_t size;
    };
    const std::int64_t h = states * config_.real_size(), c = states * config_.hidden_size;
    const Part parts[] = {
        {"output", call.output, rows * config_.output_size()}, {"hn", call.hn, h}, {"cn", call.cn, c},
        {"input", call.input, rows * config_.input_size},      {"h0", call.h0, h}, {"c0", call.c0, c}};
    for (int i = 0; i < 3; ++i) {
      for (int k = i + 1; k < 6; ++k) {
        const Part &a = parts[i], &b = parts[k];
        const bool its_own = i != 0 && k == i + 3 && a.data == b.data;
        if (a.data == nullptr || b.data == nullptr || its_own || !overlap(a.data, a.size, b.data, b.size)) continue;
        throw_range_error(env, std::string("out: expected memory that nothing else of this call lies in (but hn may be "
                                           "h0, and cn may be c0), but got ") +
                                   a.name + " and " + b.name + ", which share some");
      }
    }
  }

  Weights<T> lay_out(std::byte* memory) const override { return Weights<T>(config_, kernels_, memory); }

  std::uint32_t parameter_count() const override {
    return static_cast<std::uint32_t>(config_.num_layers * config_.directions * config_.parameters_per_direction());
  }

  void each_parameter(const typename Base::Take& take) const override {
    const std::int64_t gates = config_.gate_rows();
    for (int i = 0; i < config_.num_layers * config_.directions; ++i) {
      take("weight_ih", gates, config_.layer_input(i / config_.directions));
      take("weight_hh", gates, config_.real_size());
      if (config_.bias) take("bias_ih", gates, 1);
      if (config_.bias) take("bias_hh", gates, 1);
      if (config_.proj_size != 0) take("weight_hr", config_.proj_size, config_.hidden_size);
    }
  }

  const Config config_;
  const KernelSet<T>& kernels_;
};

CellKind cell_arg(const Napi::Object& options) {
  const Napi::Value given = options.Get("cell");
  const std::string name = given.IsString() ? given.As<Napi::String>().Utf8Value() : "";
  if (name == "lstm") return CellKind::kLSTM;
  if (name == "gru") return CellKind::kGRU;
  if (name == "rnn_tanh") return CellKind::kRNNTanh;
  if (name == "rnn_relu") return CellKind::kRNNReLU;
  throw_type_error(options.Env(), "cell: expected \"lstm\", \"gru\", \"rnn_tanh\" or \"rnn_relu\"");
}

}  // namespace

std::unique_ptr<RecurrentModule> RecurrentKind::make(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = object_arg(env, info[0], "config");
  const auto size = [&](const char* name, int min) { return int_arg(env, options.Get(name), name, min, kMaxSize); };
  Config config;
  config.cell = cell_arg(options);
  config.input_size = size("inputSize", 1);
  config.hidden_size = size("hiddenSize", 1);
  config.proj_size = size("projSize", 0);
  if (config.proj_size >= config.hidden_size) throw_range_error(env, "projSize: expected less than hiddenSize");
  if (config.proj_size != 0 && config.cell != CellKind::kLSTM)
    throw_range_error(env, "projSize: expected 0 but for an LSTM");
  config.num_layers = int_arg(env, options.Get("numLayers"), "numLayers", 1, 1 << 16);
  config.directions = bool_arg(env, options.Get("bidirectional"), "bidirectional") ? 2 : 1;
  config.bias = bool_arg(env, options.Get("bias"), "bias");
  return by_dtype(env, options.Get("dtype"), [&](auto zero) -> std::unique_ptr<RecurrentModule> {
    using T = decltype(zero);
    const Storage storage = storage_arg<T>(options, true);
    for (int layer = 0; layer < std::min(2, config.num_layers); ++layer) {
      check_terms(env, storage, config.layer_input(layer), layer == 0 ? "inputSize" : "hiddenSize");
    }
    check_terms(env, storage, config.hidden_size, "hiddenSize");
    return std::make_unique<TypedModel<T>>(config, kernels<T>(storage));
  });
}

}  // namespace packed_lstm
