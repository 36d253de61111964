// The kernels for any processor.
#define PACKED_LSTM_ISA scalar
#define PACKED_LSTM_VECTORS "kernels/isa/vec_scalar.h"
#define PACKED_LSTM_KEEP_LOOPS
#include "kernels/isa/instantiate.inl.h"
