// The kernels of kInt8 for AVX-512F and VNNI.
#include <immintrin.h>
#define PACKED_LSTM_ISA avx512_vnni
#define PACKED_LSTM_VECTORS "kernels/isa/vec_avx512.h"
#define PACKED_LSTM_DOT "kernels/isa/dot_avx512_vnni.h"
#define PACKED_LSTM_UNQUANTIZED avx512
#include "kernels/isa/instantiate_int8.inl.h"
