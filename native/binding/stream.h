// The object NativeStream of binding.d.ts: a model and the states of its streams, stepped without allocating.
#pragma once

#include <napi.h>

#include <memory>

#include "lstm/weights.h"

namespace packed_lstm {

/** The weights that a model shares with its streams; null before they are loaded and after dispose. */
template <class T>
struct Loaded {
  std::shared_ptr<const Weights<T>> weights;
};

/** From the arguments (batch, batchFirst). The config has one direction. */
template <class T>
Napi::Value make_stream(const Napi::CallbackInfo& info, const Config& config, std::shared_ptr<const Loaded<T>> loaded);

}  // namespace packed_lstm
