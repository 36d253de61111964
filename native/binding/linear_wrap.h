// The class Linear of binding.d.ts.
#pragma once

#include <memory>

#include "binding/module_wrap.h"

namespace packed_lstm {

struct LinearKind {
  static constexpr const char* kName = "Linear";
  static constexpr int kDone = 3;
  static std::unique_ptr<Module> make(const Napi::CallbackInfo& info);
};

using LinearWrap = ModuleWrap<LinearKind>;

}  // namespace packed_lstm
