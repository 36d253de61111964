// The kernels for AVX-512F.
#include <immintrin.h>
#define PACKED_LSTM_ISA avx512
#define PACKED_LSTM_VECTORS "kernels/isa/vec_avx512.h"
#include "kernels/isa/instantiate.inl.h"
