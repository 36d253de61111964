// The kernel sets that isa/*.cc define; which of them exist depends on the processor family built for.
#pragma once

#include "kernels/kernel_set.h"

namespace packed_lstm {

#define PACKED_LSTM_DECLARE_SET(isa)             \
  namespace isa {                                \
  extern const KernelSet<float> kFloat32;        \
  extern const KernelSet<float> kFloat16Weights; \
  extern const KernelSet<double> kFloat64;       \
  }

#if defined(__x86_64__) || defined(_M_X64)
PACKED_LSTM_DECLARE_SET(avx512)
PACKED_LSTM_DECLARE_SET(avx2)
#elif defined(__aarch64__) || defined(_M_ARM64)
PACKED_LSTM_DECLARE_SET(neon)
#endif
PACKED_LSTM_DECLARE_SET(scalar)

#undef PACKED_LSTM_DECLARE_SET

}  // namespace packed_lstm
