// Everything of one instruction set: included once by each isa/<name>.cc, which includes its intrinsics' header and
// defines PACKED_LSTM_ISA, its name, and PACKED_LSTM_VECTORS, the file of its vectors. Compiled with that instruction
// set's flags: everything here stays in an unnamed namespace, and nothing inline comes from outside, so that the linker
// cannot hand this code to another processor.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/arithmetic.h"
#include "kernels/inline.h"
#include "kernels/isa/sets.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {
namespace PACKED_LSTM_ISA {
namespace {

#include PACKED_LSTM_VECTORS

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

constexpr KernelSet<float> kFloat32 = f32::make_kernel_set<float>(PACKED_LSTM_TEXT(PACKED_LSTM_ISA), Storage::kFloat32);
constexpr KernelSet<float> kFloat16 = f32::make_kernel_set<Half>(PACKED_LSTM_TEXT(PACKED_LSTM_ISA), Storage::kFloat16);
constexpr KernelSet<double> kFloat64 =
    f64::make_kernel_set<double>(PACKED_LSTM_TEXT(PACKED_LSTM_ISA), Storage::kFloat64);
// To GCC's sanitizers a function might lie at null, so that they cannot say.
#ifndef __SANITIZE_ADDRESS__
static_assert(f32::complete(kFloat32) && f32::complete(kFloat16) && f64::complete(kFloat64));
#endif

}  // namespace PACKED_LSTM_ISA
}  // namespace packed_lstm
