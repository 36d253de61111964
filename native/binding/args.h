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

/** Throws RangeError unless the value is an integer in [min, max]. */
int int_arg(napi_env env, napi_value value, const char* name, int min, int max);
bool bool_arg(napi_env env, napi_value value, const char* name);
bool is_null(napi_env env, napi_value value);

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
