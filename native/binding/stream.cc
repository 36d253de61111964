// A step is as few calls into Node-API as it can be: the methods are plain functions with the stream as their data, so
// none has to be unwrapped, and each array is asked about once. The states lie in memory of our own, where no detached
// buffer can take them away.
#include "binding/stream.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "binding/args.h"
#include "lstm/run.h"

namespace packed_lstm {
namespace {

constexpr std::size_t kArguments = 4;
using Arguments = napi_value[kArguments];  // undefined where the caller gave fewer

template <class T>
class Stream {
 public:
  Stream(const Config& config, int batch, bool batch_first, std::shared_ptr<const Loaded<T>> loaded)
      : config_(config), batch_(batch), batch_first_(batch_first), loaded_(std::move(loaded)) {
    const std::size_t rows = static_cast<std::size_t>(config.num_layers) * static_cast<std::size_t>(batch);
    h_ = AlignedBuffer<T>(rows * static_cast<std::size_t>(config.real_size()));
    c_ = AlignedBuffer<T>(rows * static_cast<std::size_t>(config.hidden_size));
    rows_.resize(static_cast<std::size_t>(batch));
    seen_.resize(static_cast<std::size_t>(batch));
  }

  // (input, output, steps, rows)
  void step(napi_env env, const Arguments& args) {
    const Weights<T>* weights = loaded_->weights.get();
    if (weights == nullptr) throw_disposed(env, "LSTM");
    check_alive(env);
    Call<T> call;
    call.layout.steps = int_arg(env, args[2], "steps", 1, INT32_MAX);
    call.layout.batch = batch_;
    call.layout.batch_first = batch_first_;
    call.layout.state_rows = batch_;
    if (!is_null(env, args[3])) {
      call.layout.batch = read_rows(env, args[3]);
      call.layout.sorted_indices = rows_.data();
    }
    const std::int64_t rows = std::int64_t{call.layout.steps} * call.layout.batch;
    call.input = array_arg<T>(env, args[0], "input", rows, config_.input_size);
    call.output = array_arg<T>(env, args[1], "output", rows, config_.output_size());
    call.h0 = call.hn = h_.data();
    call.c0 = call.cn = c_.data();
    static const std::atomic<bool> never{false};
    forward(*weights, call, never);
  }

  // (h, c), written
  void read(napi_env env, const Arguments& args) {
    const State to = state(env, args);
    std::copy_n(h_.data(), h_.size(), to.h);
    std::copy_n(c_.data(), c_.size(), to.c);
  }

  // (h, c)
  void write(napi_env env, const Arguments& args) {
    const State from = state(env, args);
    std::copy_n(from.h, h_.size(), h_.data());
    std::copy_n(from.c, c_.size(), c_.data());
  }

  // (row), −1 for all
  void reset(napi_env env, const Arguments& args) {
    check_alive(env);
    const int row = int_arg(env, args[0], "row", -1, batch_ - 1);
    const int first = row < 0 ? 0 : row, count = row < 0 ? batch_ : 1;
    const auto clear = [&](AlignedBuffer<T>& states, int width) {
      for (int layer = 0; layer < config_.num_layers; ++layer) {
        std::fill_n(states.data() + (std::int64_t{layer} * batch_ + first) * width, std::int64_t{count} * width, T(0));
      }
    };
    clear(h_, config_.real_size());
    clear(c_, config_.hidden_size);
  }

  void dispose(napi_env, const Arguments&) {
    h_ = AlignedBuffer<T>();
    c_ = AlignedBuffer<T>();
  }

 private:
  struct State {
    T *h, *c;
  };

  void check_alive(napi_env env) const {
    if (h_.size() == 0) throw_disposed(env, "LSTMStream");
  }

  State state(napi_env env, const Arguments& args) const {
    check_alive(env);
    const std::int64_t rows = std::int64_t{config_.num_layers} * batch_;
    return {array_arg<T>(env, args[0], "h", rows, config_.real_size()),
            array_arg<T>(env, args[1], "c", rows, config_.hidden_size)};
  }

  // Copied, since shared memory may change while the step runs; two walks over one row would get in each other's way.
  int read_rows(napi_env env, napi_value value) {
    const Span<std::int32_t> given = array_arg<std::int32_t>(env, value, "rows");
    const auto refuse = [&](const std::string& received) {
      throw_range_error(env, "rows: expected from 1 to " + std::to_string(batch_) + " different rows from 0 to " +
                                 std::to_string(batch_ - 1) + ", but got " + received);
    };
    if (given.length == 0 || given.length > rows_.size()) refuse(std::to_string(given.length) + " of them");
    ++stamp_;
    for (std::size_t i = 0; i < given.length; ++i) {
      const std::int32_t row = *static_cast<const volatile std::int32_t*>(given.data + i);
      if (row < 0 || row >= batch_ || seen_[static_cast<std::size_t>(row)] == stamp_) {
        refuse(std::to_string(row) + " at place " + std::to_string(i));
      }
      seen_[static_cast<std::size_t>(row)] = stamp_;
      rows_[i] = row;
    }
    return static_cast<int>(given.length);
  }

  const Config config_;
  const int batch_;
  const bool batch_first_;
  const std::shared_ptr<const Loaded<T>> loaded_;
  AlignedBuffer<T> h_, c_;  // layers × batch × R, layers × batch × H
  std::vector<std::int32_t> rows_;
  std::vector<std::uint64_t> seen_;  // the last step that named this row
  std::uint64_t stamp_ = 0;
};

template <class T>
using Method = void (Stream<T>::*)(napi_env, const Arguments&);

template <class T, Method<T> method>
napi_value call(napi_env env, napi_callback_info info) {
  Arguments args;
  std::size_t count = kArguments;
  void* stream = nullptr;
  if (napi_get_cb_info(env, info, &count, args, nullptr, &stream) != napi_ok) return nullptr;
  try {
    guarded(env, [&] { (static_cast<std::shared_ptr<Stream<T>>*>(stream)->get()->*method)(env, args); });
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  }
  return nullptr;
}

/** A method that works whatever it is called on, and keeps the stream for as long as it is itself within reach. */
template <class T, Method<T> method>
void add(Napi::Object object, const char* name, const std::shared_ptr<Stream<T>>& stream) {
  const Napi::Env env = object.Env();
  auto holder = std::make_unique<std::shared_ptr<Stream<T>>>(stream);
  napi_value function = nullptr;
  NAPI_THROW_IF_FAILED_VOID(
      env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call<T, method>, holder.get(), &function));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Stream<T>>*>(data); };
  NAPI_THROW_IF_FAILED_VOID(env, napi_add_finalizer(env, function, holder.get(), finalize, nullptr, nullptr));
  holder.release();
  object.Set(name, Napi::Value(env, function));
}

}  // namespace

template <class T>
Napi::Value make_stream(const Napi::CallbackInfo& info, const Config& config, std::shared_ptr<const Loaded<T>> loaded) {
  const Napi::Env env = info.Env();
  if (config.directions != 1) throw_range_error(env, "stream: expected a model in one direction");
  const int batch = int_arg(env, info[0], "batch", 1, kMaxSize);
  const bool batch_first = bool_arg(env, info[1], "batchFirst");
  const auto stream = std::make_shared<Stream<T>>(config, batch, batch_first, std::move(loaded));
  Napi::Object object = Napi::Object::New(env);
  add<T, &Stream<T>::step>(object, "step", stream);
  add<T, &Stream<T>::read>(object, "read", stream);
  add<T, &Stream<T>::write>(object, "write", stream);
  add<T, &Stream<T>::reset>(object, "reset", stream);
  add<T, &Stream<T>::dispose>(object, "dispose", stream);
  return object;
}

template Napi::Value make_stream<float>(const Napi::CallbackInfo&, const Config&, std::shared_ptr<const Loaded<float>>);
template Napi::Value make_stream<double>(const Napi::CallbackInfo&, const Config&,
                                         std::shared_ptr<const Loaded<double>>);

}  // namespace packed_lstm
