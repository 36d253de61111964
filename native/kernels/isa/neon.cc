// The kernels for AArch64 NEON. Compiled with that instruction set's flags: everything here stays in the unnamed
// namespace, and nothing inline comes from outside, so that the linker cannot hand this code to another processor.
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/inline.h"
#include "kernels/isa/sets.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {
namespace neon {
namespace {

#include "kernels/isa/vec_neon.h"

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

const KernelSet<float> kFloat32 = f32::make_kernel_set<float>("neon");
const KernelSet<float> kFloat16Weights = f32::make_kernel_set<Half>("neon");
const KernelSet<double> kFloat64 = f64::make_kernel_set<double>("neon");

}  // namespace neon
}  // namespace packed_lstm
