// The kernels for AVX2 and FMA. Compiled with that instruction set's flags: everything here stays in the unnamed
// namespace, and nothing inline comes from outside, so that the linker cannot hand this code to another processor.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/inline.h"
#include "kernels/isa/sets.h"
#include "kernels/kernel_set.h"

// A step over k is six cycles, of which its counting and the exit from 64 of them take some: unrolled it is 2% faster.
#if !defined(_MSC_VER) || defined(__clang__)
#undef PACKED_LSTM_UNROLL_K
#define PACKED_LSTM_UNROLL_K _Pragma("GCC unroll 4")
#endif

namespace packed_lstm {
namespace avx2 {
namespace {

#include "kernels/isa/vec_avx2.h"

namespace f32 {
using Vec = VecF32;
using Reg = Vec::Reg;
#include "kernels/kernels.inl.h"
}  // namespace f32

namespace f64 {
using Vec = VecF64;
using Reg = Vec::Reg;
#include "kernels/kernels.inl.h"
}  // namespace f64

}  // namespace

const KernelSet<float> kFloat32 = f32::make_kernel_set<float>("avx2");
const KernelSet<float> kFloat16Weights = f32::make_kernel_set<Half>("avx2");
const KernelSet<double> kFloat64 = f64::make_kernel_set<double>("avx2");

}  // namespace avx2
}  // namespace packed_lstm
