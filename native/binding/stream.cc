// A step is as few calls into Node-API as it can be: the methods are plain functions with the stream as their data, so
// none has to be unwrapped, and each array is asked about once. Each of them holds the states' memory, which nobody
// else can reach, and the model's object, which holds the weights.
#include "binding/stream.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "binding/args.h"
#include "rnn/stream.h"

namespace packed_lstm {
namespace {

constexpr std::size_t kArguments = 4;
using Arguments = napi_value[kArguments];  // undefined where the caller gave fewer

template <class T>
class Stream {
 public:
  Stream(Napi::Env env, const Config& config, int batch, bool batch_first,
         std::shared_ptr<const Loaded<Weights<T>>> loaded)
      : config_(config), loaded_(std::move(loaded)) {
    memory_ = Memory::make(env, Streams<T>(config, batch, batch_first, nullptr).bytes());
    streams_.emplace(config, batch, batch_first, memory_.data());
  }

  Napi::Value memory() const { return memory_.buffer(); }

  // (input, output, steps, rows)
  void step(napi_env env, const Arguments& args) {
    const Weights<T>* weights = loaded_->weights.get();
    if (weights == nullptr) throw_disposed(env, "Recurrent");
    Streams<T>& streams = alive(env);
    StreamStep<T> step;
    step.steps = int_arg(env, args[2], "steps", 1, INT32_MAX);
    step.rows = nullptr;
    step.row_count = streams.batch();
    if (!is_null(env, args[3])) {
      step.row_count = name_rows(env, args[3]);
      step.rows = streams.rows();
    }
    const std::int64_t rows = std::int64_t{step.steps} * step.row_count;
    step.input = array_arg<T>(env, args[0], "input", rows, config_.input_size);
    step.output = array_arg<T>(env, args[1], "output", rows, config_.output_size());
    streams.step(*weights, step);
  }

  // (h, c), written
  void read(napi_env env, const Arguments& args) {
    const State to = state(env, args);
    streams_->read(to.h, to.c);
  }

  // (h, c)
  void write(napi_env env, const Arguments& args) {
    const State from = state(env, args);
    streams_->write(from.h, from.c);
  }

  // (row), −1 for all
  void reset(napi_env env, const Arguments& args) {
    Streams<T>& streams = alive(env);
    const int row = int_arg(env, args[0], "row", -1, streams.batch() - 1);
    streams.reset(std::max(row, 0), row < 0 ? streams.batch() : 1);
  }

  void dispose(napi_env env, const Arguments&) {
    streams_.reset();
    memory_.free(env);
  }

 private:
  struct State {
    T *h, *c;
  };

  Streams<T>& alive(napi_env env) {
    if (!streams_) throw_disposed(env, "Stream");
    return *streams_;
  }

  State state(napi_env env, const Arguments& args) {
    const std::int64_t rows = alive(env).state_rows();
    State out{array_arg<T>(env, args[0], "h", rows, config_.real_size()), nullptr};
    if (config_.shape().has_c) {
      out.c = array_arg<T>(env, args[1], "c", rows, config_.hidden_size);
    } else if (!is_null(env, args[1])) {
      throw_type_error(env, "c: expected null, as this cell has none");
    }
    return out;
  }

  int name_rows(napi_env env, napi_value value) {
    Streams<T>& streams = *streams_;
    const int batch = streams.batch();
    const Span<std::int32_t> given = array_arg<std::int32_t>(env, value, "rows");
    const auto refuse = [&](const std::string& received) {
      throw_range_error(env, "rows: expected from 1 to " + std::to_string(batch) + " different rows from 0 to " +
                                 std::to_string(batch - 1) + ", but got " + received);
    };
    if (given.length == 0 || given.length > static_cast<std::size_t>(batch))
      refuse(std::to_string(given.length) + " of them");
    const int count = static_cast<int>(given.length), bad = streams.name_rows(given.data, count);
    if (bad != count) refuse(std::to_string(streams.rows()[bad]) + " at place " + std::to_string(bad));
    return count;
  }

  const Config config_;
  const std::shared_ptr<const Loaded<Weights<T>>> loaded_;
  Memory memory_;  // of the streams
  std::optional<Streams<T>> streams_;
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
