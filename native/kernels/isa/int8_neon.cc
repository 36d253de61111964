// The kernels of kInt8 for AArch64 NEON.
#include <arm_neon.h>
#define PACKED_LSTM_ISA neon
#define PACKED_LSTM_VECTORS "kernels/isa/vec_neon.h"
#define PACKED_LSTM_DOT "kernels/isa/dot_neon.h"
#define PACKED_LSTM_UNQUANTIZED neon
#include "kernels/isa/instantiate_int8.inl.h"
