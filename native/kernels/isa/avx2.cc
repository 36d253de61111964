// The kernels for AVX2, FMA and F16C.
#include <immintrin.h>
#define PACKED_LSTM_ISA avx2
#define PACKED_LSTM_VECTORS "kernels/isa/vec_avx2.h"
// A step over k is six cycles, of which its counting and the exit from 64 of them take some: unrolled it is 2% faster.
#define PACKED_LSTM_UNROLL_K_BY_4
#include "kernels/isa/instantiate.inl.h"
