// The class LSTM of binding.d.ts: one model's weights and its forward pass, wrapped for JavaScript.
#pragma once

#include <memory>

#include "binding/module_wrap.h"

namespace packed_lstm {

struct LSTMKind {
  static constexpr const char* kName = "LSTM";
  static constexpr int kDone = 11;
  static std::unique_ptr<RecurrentModule> make(const Napi::CallbackInfo& info);
};

using LSTMWrap = ModuleWrap<LSTMKind>;

}  // namespace packed_lstm
