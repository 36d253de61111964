// The constructor and the WeakMap are taken while the addon is loaded: what programs put in their places later does not
// count.
#include "binding/memory.h"

#include <string>

#include "base/aligned.h"
#include "binding/args.h"
#include "binding/environment.h"

namespace packed_lstm {
namespace {

// From the first buffer that a program detaches on, V8 looks at each typed array before it uses it.
constexpr std::size_t kWorthFreeing = 1 << 20;

}  // namespace

Holds::Holds(Napi::Env env) {
  const Napi::Object global = env.Global();
  array_buffer_ = Napi::Persistent(global.Get("ArrayBuffer").As<Napi::Function>());
  const Napi::Object map = global.Get("WeakMap").As<Napi::Function>().New({});
  set_ = Napi::Persistent(map.Get("set").As<Napi::Function>());
  map_ = Napi::Persistent(map);
}

Holds& Holds::of(Napi::Env env) { return env.GetInstanceData<Environment>()->holds; }

void Holds::set(Napi::Object key, Napi::Value value) { set_.Call(map_.Value(), {key, value}); }

Memory::Memory(Napi::Object buffer, void* block, std::size_t bytes, bool worth_freeing)
    : data_(align_within(block, bytes)), buffer_(Napi::Weak(buffer)), worth_freeing_(worth_freeing) {}

Memory Memory::make(Napi::Env env, std::size_t bytes) {
  const std::size_t length = with_slack(bytes);
  napi_value size = Napi::Number::New(env, static_cast<double>(length)), buffer = nullptr;
  void* block = nullptr;
  std::size_t got = 0;
  // Not napi_create_arraybuffer, which ends the process where there is no such memory; the constructor first asks the
  // collector for some, and then throws.
  if (napi_new_instance(env, Holds::of(env).array_buffer_.Value(), 1, &size, &buffer) != napi_ok ||
      napi_get_arraybuffer_info(env, buffer, &block, &got) != napi_ok || got != length) {
    bool pending = false;
    napi_value ignored = nullptr;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
      napi_get_and_clear_last_exception(env, &ignored);
    }
    throw_range_error(env, "out of memory");
  }
  Memory memory(Napi::Object(env, buffer), block, bytes, bytes >= kWorthFreeing);
  advise_huge_pages(memory.data_, bytes);
  return memory;
}

Memory Memory::of_shared(Napi::Env env, napi_value array, std::size_t bytes) {
  napi_typedarray_type type = napi_int8_array;
  std::size_t got = 0, offset = 0;
  void* block = nullptr;
  napi_value buffer = nullptr;
  bool plain = true;
  // What lies under a typed array and is no ArrayBuffer is a SharedArrayBuffer.
  if (napi_get_typedarray_info(env, array, &type, &got, &block, &buffer, &offset) != napi_ok ||
      type != napi_uint8_array || napi_is_arraybuffer(env, buffer, &plain) != napi_ok || plain) {
    throw_type_error(env, "memory: expected a Uint8Array over a SharedArrayBuffer");
  }
  if (offset != 0 || got != with_slack(bytes)) {
    throw_range_error(env, "memory: expected " + std::to_string(with_slack(bytes)) + " bytes, but got " +
                               std::to_string(got) + " from byte " + std::to_string(offset));
  }
  return Memory(Napi::Object(env, buffer), block, bytes, false);
}

void Memory::free(Napi::Env env) {
  const Napi::Value value = buffer_.IsEmpty() ? Napi::Value() : buffer_.Value();
  if (worth_freeing_ && !value.IsEmpty()) napi_detach_arraybuffer(env, value);
  *this = Memory();
}

}  // namespace packed_lstm
