// The functions `packRows` and `padRows` of binding.d.ts.
#pragma once

#include <napi.h>

namespace packed_lstm {

void pack_rows_call(const Napi::CallbackInfo& info);
void pad_rows_call(const Napi::CallbackInfo& info);

}  // namespace packed_lstm
