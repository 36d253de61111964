// The kernels for AArch64 NEON.
#include <arm_neon.h>
#define PACKED_LSTM_ISA neon
#define PACKED_LSTM_VECTORS "kernels/isa/vec_neon.h"
#include "kernels/isa/instantiate.inl.h"
