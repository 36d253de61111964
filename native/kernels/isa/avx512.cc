// The kernels for AVX-512F. Compiled with that instruction set's flags: everything here stays in the unnamed
// namespace, and nothing inline comes from outside, so that the linker cannot hand this code to another processor.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/inline.h"
#include "kernels/isa/sets.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {
namespace avx512 {
namespace {

#include "kernels/isa/vec_avx512.h"

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

const KernelSet<float> kFloat32 = f32::make_kernel_set<float>("avx512");
const KernelSet<float> kFloat16Weights = f32::make_kernel_set<Half>("avx512");
const KernelSet<double> kFloat64 = f64::make_kernel_set<double>("avx512");

}  // namespace avx512
}  // namespace packed_lstm
