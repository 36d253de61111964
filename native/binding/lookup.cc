// Table and output are of one dtype, which is that of the table; what is wrong with an index is for lib/ to say.
#include "binding/lookup.h"

#include "binding/args.h"
#include "embedding/lookup.h"

namespace packed_lstm {
namespace {

template <class T>
std::int64_t typed(const Napi::CallbackInfo& info, std::int64_t width) {
  const Napi::Env env = info.Env();
  const Span<T> table = array_arg<T>(env, info[0], "table");
  const Span<std::int32_t> indices = array_arg<std::int32_t>(env, info[2], "indices");
  const std::int64_t count = static_cast<std::int64_t>(indices.length);
  T* out = array_arg<T>(env, info[3], "output", count, width);
  return lookup(Table<T>{table.data, static_cast<std::int64_t>(table.length) / width, width}, indices.data, count, out);
}

}  // namespace

Napi::Value lookup_rows(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::int64_t width = int_arg(env, info[1], "width", 1, kMaxSize);
  const Napi::Value table = info[0];
  const bool doubles = table.IsTypedArray() && table.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
  const std::int64_t place =
      guarded(env, [&] { return doubles ? typed<double>(info, width) : typed<float>(info, width); });
  return Napi::Number::New(env, static_cast<double>(place));
}

}  // namespace packed_lstm
