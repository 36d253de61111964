// The kernels of kInt8 for any processor.
#define PACKED_LSTM_ISA scalar
#define PACKED_LSTM_VECTORS "kernels/isa/vec_scalar.h"
#define PACKED_LSTM_DOT "kernels/isa/dot_scalar.h"
#define PACKED_LSTM_UNQUANTIZED scalar
#define PACKED_LSTM_KEEP_LOOPS
#include "kernels/isa/instantiate_int8.inl.h"
