// The function `probe` of binding.d.ts: times the kernels that do nothing but show how fast the machine is.
#pragma once

#include <napi.h>

namespace packed_lstm {

Napi::Value probe(const Napi::CallbackInfo& info);

}  // namespace packed_lstm
