// The kernel sets that isa/*.cc define.
#pragma once

#include "kernels/kernel_set.h"

namespace packed_lstm {

#define PACKED_LSTM_EACH_ISA(isa)          \
  namespace isa {                          \
  extern const KernelSet<float> kFloat32;  \
  extern const KernelSet<float> kFloat16;  \
  extern const KernelSet<double> kFloat64; \
  }
#include "kernels/isa/isa.inc"
#undef PACKED_LSTM_EACH_ISA

}  // namespace packed_lstm
