// The kernels for any processor. Compiled with that instruction set's flags: everything here stays in the unnamed
// namespace, and nothing inline comes from outside, so that the linker cannot hand this code to another processor.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/inline.h"
#include "kernels/isa/sets.h"
#include "kernels/kernel_set.h"

// Loops stay loops here: unrolled, these kernels would be the largest part of the binary, for the same speed.
#undef PACKED_LSTM_UNROLL
#define PACKED_LSTM_UNROLL

namespace packed_lstm {
namespace scalar {
namespace {

#include "kernels/isa/vec_scalar.h"

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

const KernelSet<float> kFloat32 = f32::make_kernel_set<float>("scalar");
const KernelSet<float> kFloat16Weights = f32::make_kernel_set<Half>("scalar");
const KernelSet<double> kFloat64 = f64::make_kernel_set<double>("scalar");

}  // namespace scalar
}  // namespace packed_lstm
