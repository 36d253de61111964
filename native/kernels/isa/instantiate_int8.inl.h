// The kernels of kInt8 of one instruction set: included once by each isa/int8_<name>.cc, which defines what
// instantiate.inl.h asks for, and PACKED_LSTM_DOT, the file that says how 8 bits are multiplied, and
// PACKED_LSTM_UNQUANTIZED, the namespace of the float set of the same unit. The same rules hold here.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/inline.h"
#include "kernels/isa/sets.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {
namespace PACKED_LSTM_ISA {
namespace {

#include PACKED_LSTM_VECTORS
using Vec = VecF32;
using Reg = Vec::Reg;
constexpr const KernelSet<float>& kUnquantized = PACKED_LSTM_UNQUANTIZED::kFloat32;

#include PACKED_LSTM_DOT

#include "kernels/int8.inl.h"

}  // namespace

constexpr KernelSet<float> kInt8 = make_int8_set(PACKED_LSTM_TEXT(PACKED_LSTM_ISA));

}  // namespace PACKED_LSTM_ISA
}  // namespace packed_lstm
