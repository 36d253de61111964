// JavaScript values to plain C++ and C++ exceptions to JavaScript errors. Checks what memory safety needs and no more:
// kind, length, range; what a value means to a user is judged in lib/.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

namespace packed_lstm {

[[noreturn]] void throw_type_error(napi_env env, const std::string& message);
[[noreturn]] void throw_range_error(napi_env env, const std::string& message);
[[noreturn]] void throw_disposed(napi_env env, const char* name);

constexpr int kMaxSize = 1 << 24;  // of any dimension: products of three stay far inside 64 bits

/** Throws RangeError unless the value is an integer in [min, max]. */
int int_arg(napi_env env, napi_value value, const char* name, int min, int max);
bool bool_arg(napi_env env, napi_value value, const char* name);
bool is_null(napi_env env, napi_value value);
/** The options that a constructor was given. */
Napi::Object object_arg(napi_env env, napi_value value, const char* name);
/** The elements of an array of `length`. Reading one may run a getter: look into none before all are read. */
std::vector<napi_value> list_arg(napi_env env, napi_value value, const char* name, std::uint32_t length);

template <class T>
struct Span {
  T* data = nullptr;
  std::size_t length = 0;
};

/** The elements of a Float32Array, Float64Array or Int32Array, whichever T is; of a detached one there are none. */
template <class T>
Span<T> array_arg(napi_env env, napi_value value, const char* name);

/** The same, and RangeError unless the length is rows · width (which may not overflow). */
template <class T>
T* array_arg(napi_env env, napi_value value, const char* name, std::int64_t rows, std::int64_t width);

/** The same of any of the three kinds, as bytes. */
struct ByteSpan {
  std::byte* data = nullptr;
  std::size_t elements = 0, element_bytes = 0;
  napi_typedarray_type kind = napi_float32_array;
};
ByteSpan bytes_arg(napi_env env, napi_value value, const char* name);

/** `f(float())` or `f(double())`, by the name of a dtype. */
template <class F>
auto by_dtype(napi_env env, const Napi::Value& value, const F& f) -> decltype(f(float())) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "float32") return f(float());
  if (name == "float64") return f(double());
  throw_type_error(env, "dtype: expected \"float32\" or \"float64\"");
}

/** Runs f; what it throws besides Napi::Error becomes one. */
template <class F>
auto guarded(napi_env env, const F& f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    throw_range_error(env, "out of memory");
  }
}

}  // namespace packed_lstm
