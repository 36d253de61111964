// The function `lookup` of binding.d.ts.
#pragma once

#include <napi.h>

namespace packed_lstm {

Napi::Value lookup_rows(const Napi::CallbackInfo& info);

}  // namespace packed_lstm
