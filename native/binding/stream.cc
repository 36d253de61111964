// A step is as few calls into Node-API as it can be: the methods are plain functions with the stream as their data, so
// none has to be unwrapped, and each array is asked about once. Each of them holds the states' memory, which nobody
// else can reach, and the model's object, which holds the weights.
#include "binding/stream.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "binding/args.h"
#include "rnn/run.h"

namespace packed_lstm {
namespace {

constexpr std::size_t kArguments = 4;
using Arguments = napi_value[kArguments];  // undefined where the caller gave fewer

template <class T>
class Stream {
 public:
  Stream(Napi::Env env, const Config& config, int batch, bool batch_first,
         std::shared_ptr<const Loaded<Weights<T>>> loaded)
      : config_(config), batch_(batch), batch_first_(batch_first), loaded_(std::move(loaded)) {
    memory_ = Memory::make(env, lay_out(nullptr));
    lay_out(memory_.data());
  }

  Napi::Value memory() const { return memory_.buffer(); }

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
      call.layout.sorted_indices = rows_;
    }
    const std::int64_t rows = std::int64_t{call.layout.steps} * call.layout.batch;
    call.input = array_arg<T>(env, args[0], "input", rows, config_.input_size);
    call.output = array_arg<T>(env, args[1], "output", rows, config_.output_size());
    call.h0 = call.hn = h_;
    call.c0 = call.cn = c_;
    static const std::atomic<bool> never{false};
    // What a step gave may be the next one's input, as in torch's `h, hx = lstm(h, hx)`.
    const std::int64_t size = rows * config_.input_size;
    if (!overlap(call.input, size, call.output, rows * config_.output_size())) return forward(*weights, call, never);
    const std::vector<T> copy(call.input, call.input + size);
    call.input = copy.data();
    forward(*weights, call, never);
  }

  // (h, c), written
  void read(napi_env env, const Arguments& args) {
    const State to = state(env, args);
    std::copy_n(h_, state_rows() * config_.real_size(), to.h);
    std::copy_n(c_, state_rows() * config_.hidden_size, to.c);
  }

  // (h, c)
  void write(napi_env env, const Arguments& args) {
    const State from = state(env, args);
    std::copy_n(from.h, state_rows() * config_.real_size(), h_);
    std::copy_n(from.c, state_rows() * config_.hidden_size, c_);
  }

  // (row), −1 for all
  void reset(napi_env env, const Arguments& args) {
    check_alive(env);
    const int row = int_arg(env, args[0], "row", -1, batch_ - 1);
    const int first = row < 0 ? 0 : row, count = row < 0 ? batch_ : 1;
    const auto clear = [&](T* states, int width) {
      for (int layer = 0; layer < config_.num_layers; ++layer) {
        std::fill_n(states + (std::int64_t{layer} * batch_ + first) * width, std::int64_t{count} * width, T(0));
      }
    };
    clear(h_, config_.real_size());
    clear(c_, config_.hidden_size);
  }

  void dispose(napi_env env, const Arguments&) {
    memory_.free(env);
    lay_out(nullptr);
  }

 private:
  struct State {
    T *h, *c;
  };

  /** Places everything of a size that a step needs; says how much memory that is. */
  std::size_t lay_out(std::byte* memory) {
    const std::size_t batch = static_cast<std::size_t>(batch_), rows = static_cast<std::size_t>(state_rows());
    Parts parts(memory);
    h_ = parts.take<T>(rows, static_cast<std::size_t>(config_.real_size()));
    c_ = parts.take<T>(rows, static_cast<std::size_t>(config_.hidden_size));
    seen_ = parts.take<std::uint64_t>(batch);
    rows_ = parts.take<std::int32_t>(batch);
    return parts.bytes();
  }

  void check_alive(napi_env env) const {
    if (h_ == nullptr) throw_disposed(env, "LSTMStream");
  }

  std::int64_t state_rows() const { return std::int64_t{config_.num_layers} * batch_; }

  State state(napi_env env, const Arguments& args) const {
    check_alive(env);
    return {array_arg<T>(env, args[0], "h", state_rows(), config_.real_size()),
            array_arg<T>(env, args[1], "c", state_rows(), config_.hidden_size)};
  }

  // Copied, since shared memory may change while the step runs; two walks over one row would get in each other's way.
  int read_rows(napi_env env, napi_value value) {
    const Span<std::int32_t> given = array_arg<std::int32_t>(env, value, "rows");
    const auto refuse = [&](const std::string& received) {
      throw_range_error(env, "rows: expected from 1 to " + std::to_string(batch_) + " different rows from 0 to " +
                                 std::to_string(batch_ - 1) + ", but got " + received);
    };
    if (given.length == 0 || given.length > static_cast<std::size_t>(batch_))
      refuse(std::to_string(given.length) + " of them");
    ++stamp_;
    for (std::size_t i = 0; i < given.length; ++i) {
      const std::int32_t row = *static_cast<const volatile std::int32_t*>(given.data + i);
      if (row < 0 || row >= batch_ || seen_[row] == stamp_) {
        refuse(std::to_string(row) + " at place " + std::to_string(i));
      }
      seen_[row] = stamp_;
      rows_[i] = row;
    }
    return static_cast<int>(given.length);
  }

  const Config config_;
  const int batch_;
  const bool batch_first_;
  const std::shared_ptr<const Loaded<Weights<T>>> loaded_;
  Memory memory_;                  // of all that follows
  T *h_ = nullptr, *c_ = nullptr;  // layers × batch × R, layers × batch × H
  std::int32_t* rows_ = nullptr;
  std::uint64_t* seen_ = nullptr;  // the last step that named this row
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

/** A method that works whatever it is called on, and keeps the stream and `held` while it is itself within reach. */
template <class T, Method<T> method>
void add(Napi::Object object, const char* name, const std::shared_ptr<Stream<T>>& stream, Napi::Value held) {
  const Napi::Env env = object.Env();
  auto holder = std::make_unique<std::shared_ptr<Stream<T>>>(stream);
  napi_value function = nullptr;
  NAPI_THROW_IF_FAILED_VOID(
      env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call<T, method>, holder.get(), &function));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Stream<T>>*>(data); };
  NAPI_THROW_IF_FAILED_VOID(env, napi_add_finalizer(env, function, holder.get(), finalize, nullptr, nullptr));
  holder.release();
  Holds::of(env).set(Napi::Object(env, function), held);
  object.Set(name, Napi::Value(env, function));
}

}  // namespace

template <class T>
Napi::Value make_stream(const Napi::CallbackInfo& info, const Config& config,
                        std::shared_ptr<const Loaded<Weights<T>>> loaded) {
  const Napi::Env env = info.Env();
  if (config.directions != 1) throw_range_error(env, "stream: expected a model in one direction");
  const int batch = int_arg(env, info[0], "batch", 1, kMaxSize);
  const bool batch_first = bool_arg(env, info[1], "batchFirst");
  const auto stream = std::make_shared<Stream<T>>(env, config, batch, batch_first, std::move(loaded));
  Napi::Array held = Napi::Array::New(env);
  held.Set(0u, info.This());
  held.Set(1u, stream->memory());
  Napi::Object object = Napi::Object::New(env);
  add<T, &Stream<T>::step>(object, "step", stream, held);
  add<T, &Stream<T>::read>(object, "read", stream, held);
  add<T, &Stream<T>::write>(object, "write", stream, held);
  add<T, &Stream<T>::reset>(object, "reset", stream, held);
  add<T, &Stream<T>::dispose>(object, "dispose", stream, held);
  return object;
}

template Napi::Value make_stream<float>(const Napi::CallbackInfo&, const Config&,
                                        std::shared_ptr<const Loaded<Weights<float>>>);
template Napi::Value make_stream<double>(const Napi::CallbackInfo&, const Config&,
                                         std::shared_ptr<const Loaded<Weights<double>>>);

}  // namespace packed_lstm
