// The checks behind args.h. Each error carries the code that lib/ gives the same mistake.
#include "binding/args.h"

#include <cmath>

namespace packed_lstm {
namespace {

[[noreturn]] void throw_coded(Napi::Error error, const char* code) {
  error.Set("code", Napi::String::New(error.Env(), code));
  throw error;
}

template <class T>
struct Kind;
template <>
struct Kind<float> {
  static constexpr napi_typedarray_type kType = napi_float32_array;
  static constexpr const char* kName = "a Float32Array";
};
template <>
struct Kind<double> {
  static constexpr napi_typedarray_type kType = napi_float64_array;
  static constexpr const char* kName = "a Float64Array";
};
template <>
struct Kind<std::int32_t> {
  static constexpr napi_typedarray_type kType = napi_int32_array;
  static constexpr const char* kName = "an Int32Array";
};

}  // namespace

void throw_type_error(napi_env env, const std::string& message) {
  throw_coded(Napi::TypeError::New(env, message), "ERR_ARG_TYPE");
}

void throw_range_error(napi_env env, const std::string& message) {
  throw_coded(Napi::RangeError::New(env, message), "ERR_ARG_VALUE");
}

void throw_disposed(napi_env env, const char* name) {
  throw_coded(Napi::Error::New(env, std::string(name) + ": used after dispose()"), "ERR_DISPOSED");
}

int int_arg(napi_env env, napi_value value, const char* name, int min, int max) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok)
    throw_type_error(env, std::string(name) + ": expected a number");
  if (!(number >= min && number <= max) || number != std::floor(number)) {
    throw_range_error(env, std::string(name) + ": expected an integer from " + std::to_string(min) + " to " +
                               std::to_string(max) + ", but got " + std::to_string(number));
  }
  return static_cast<int>(number);
}

bool bool_arg(napi_env env, napi_value value, const char* name) {
  bool out = false;
  if (napi_get_value_bool(env, value, &out) != napi_ok)
    throw_type_error(env, std::string(name) + ": expected a boolean");
  return out;
}

bool is_null(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type == napi_null || type == napi_undefined;
}

Napi::Object object_arg(napi_env env, napi_value value, const char* name) {
  const Napi::Value object(env, value);
  if (!object.IsObject()) throw_type_error(env, std::string(name) + ": expected an object");
  return object.As<Napi::Object>();
}

std::vector<napi_value> list_arg(napi_env env, napi_value value, const char* name, std::uint32_t length) {
  if (!Napi::Value(env, value).IsArray()) throw_type_error(env, std::string(name) + ": expected an array");
  const Napi::Array array(env, value);
  if (array.Length() != length) {
    throw_range_error(env, std::string(name) + ": expected " + std::to_string(length) + " arrays, but got " +
                               std::to_string(array.Length()));
  }
  std::vector<napi_value> values;
  for (std::uint32_t i = 0; i < length; ++i) values.push_back(Napi::Value(array[i]));
  return values;
}

template <class T>
Span<T> array_arg(napi_env env, napi_value value, const char* name) {
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != Kind<T>::kType) {
    throw_type_error(env, std::string(name) + ": expected " + Kind<T>::kName);
  }
  if (data == nullptr) length = 0;
  return {static_cast<T*>(data), length};
}

template <class T>
T* array_arg(napi_env env, napi_value value, const char* name, std::int64_t rows, std::int64_t width) {
  const Span<T> span = array_arg<T>(env, value, name);
  const std::size_t w = static_cast<std::size_t>(width), r = static_cast<std::size_t>(rows);
  if (span.length / w != r || span.length % w != 0) {
    throw_range_error(env, std::string(name) + ": expected " + std::to_string(rows) + " × " + std::to_string(width) +
                               " elements, but got " + std::to_string(span.length) +
                               (span.length == 0 ? " (is its buffer detached?)" : ""));
  }
  return span.data;
}

ByteSpan bytes_arg(napi_env env, napi_value value, const char* name) {
  ByteSpan out;
  void* data = nullptr;
  const bool array = napi_get_typedarray_info(env, value, &out.kind, &out.elements, &data, nullptr, nullptr) == napi_ok;
  if (array && (out.kind == napi_float32_array || out.kind == napi_int32_array)) {
    out.element_bytes = 4;
  } else if (array && out.kind == napi_float64_array) {
    out.element_bytes = 8;
  } else {
    throw_type_error(env, std::string(name) + ": expected a Float32Array, Float64Array or Int32Array");
  }
  if (data == nullptr) out.elements = 0;
  out.data = static_cast<std::byte*>(data);
  return out;
}

template Span<float> array_arg<float>(napi_env, napi_value, const char*);
template Span<double> array_arg<double>(napi_env, napi_value, const char*);
template Span<std::int32_t> array_arg<std::int32_t>(napi_env, napi_value, const char*);
template float* array_arg<float>(napi_env, napi_value, const char*, std::int64_t, std::int64_t);
template double* array_arg<double>(napi_env, napi_value, const char*, std::int64_t, std::int64_t);

}  // namespace packed_lstm
