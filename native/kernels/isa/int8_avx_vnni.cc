// The kernels of kInt8 for AVX2, FMA and AVX-VNNI.
#include <immintrin.h>
#define PACKED_LSTM_ISA avx_vnni
#define PACKED_LSTM_VECTORS "kernels/isa/vec_avx2.h"
#define PACKED_LSTM_DOT "kernels/isa/dot_avx2.h"
#define PACKED_LSTM_UNQUANTIZED avx2
#define PACKED_LSTM_AVX_VNNI
#include "kernels/isa/instantiate_int8.inl.h"
