// Memory that JavaScript's collector owns, counts and frees by itself, in a loop that never comes back to the event
// loop too; Node-API at this version runs the finalizers of wrapped objects only there. An ArrayBuffer that no
// JavaScript can reach, or a SharedArrayBuffer: neither can be taken away while it is held.
#pragma once

#include <napi.h>

#include <cstddef>

namespace packed_lstm {

/**
 * Who holds what, known to native code alone: a WeakMap, so that a value is within reach for as long as its key is, and
 * nothing hangs on a finalizer. One an environment.
 */
class Holds {
 public:
  explicit Holds(Napi::Env env);
  /** The environment's own. */
  static Holds& of(Napi::Env env);

  /** The key keeps the value, and no longer what it kept before. */
  void set(Napi::Object key, Napi::Value value);

 private:
  friend class Memory;
  Napi::ObjectReference map_;
  Napi::FunctionReference set_;
  Napi::FunctionReference array_buffer_;  // the constructor, as it was when the addon was loaded
};

/** Zeroed or shared, aligned as large blocks are. Valid only while somebody holds `buffer`; knows it, holds it not. */
class Memory {
 public:
  Memory() = default;

  /** An ArrayBuffer that nobody else knows. RangeError where there is no such memory. */
  static Memory make(Napi::Env env, std::size_t bytes);
  /** A Uint8Array over a whole SharedArrayBuffer of `bytes` with slack; TypeError or RangeError for anything else. */
  static Memory of_shared(Napi::Env env, napi_value array, std::size_t bytes);

  std::byte* data() const { return data_; }
  Napi::Value buffer() const { return buffer_.Value(); }

  /**
   * Gives it back now rather than at the collector's convenience, unless it is shared, or small. Nobody may be using
   * it.
   */
  void free(Napi::Env env);

 private:
  Memory(Napi::Object buffer, void* block, std::size_t bytes, bool worth_freeing);

  std::byte* data_ = nullptr;
  Napi::ObjectReference buffer_;  // weak
  bool worth_freeing_ = false;
};

}  // namespace packed_lstm
