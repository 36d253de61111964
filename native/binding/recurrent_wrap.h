// The class Recurrent of binding.d.ts: one model's weights and its forward pass, wrapped for JavaScript.
#pragma once

#include <memory>

#include "binding/module_wrap.h"

namespace packed_lstm {

struct RecurrentKind {
  static constexpr const char* kName = "Recurrent";
  static constexpr int kDone = 12;
  static std::unique_ptr<RecurrentModule> make(const Napi::CallbackInfo& info);
};

using RecurrentWrap = ModuleWrap<RecurrentKind>;

}  // namespace packed_lstm
