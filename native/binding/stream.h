// The object NativeStream of binding.d.ts: a model and the states of its streams, stepped without allocating.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/weighted.h"
#include "rnn/weights.h"

namespace packed_lstm {

/** From the arguments (batch, batchFirst), called on the model's object. The config has one direction. */
template <class T>
Napi::Value make_stream(const Napi::CallbackInfo& info, const Config& config,
                        std::shared_ptr<const Loaded<Weights<T>>> loaded);

}  // namespace packed_lstm
