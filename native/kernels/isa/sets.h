// The kernel sets that isa/*.cc define.
#pragma once

#include "kernels/kernel_set.h"

namespace packed_lstm {

#define PACKED_LSTM_EACH_ISA(name, floats, int8) \
  namespace floats {                             \
  extern const KernelSet<float> kFloat32;        \
  extern const KernelSet<float> kFloat16;        \
  extern const KernelSet<double> kFloat64;       \
  }                                              \
  namespace int8 {                               \
  extern const KernelSet<float> kInt8;           \
  }
#include "kernels/isa/isa.inc"
#undef PACKED_LSTM_EACH_ISA

}  // namespace packed_lstm
