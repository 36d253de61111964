// Which kernel set runs: the best this processor has, or the one PACKED_LSTM_ISA names.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_set.h"

namespace packed_lstm {

/** Decided at the first call. Throws std::runtime_error if PACKED_LSTM_ISA is unknown or not supported here. */
template <class T>
const KernelSet<T>& kernels();

/** The same for float arithmetic on panels of Halves. */
const KernelSet<float>& float16_weight_kernels();

/** Every set this processor can run, best first. */
std::vector<std::string> supported_isas();

}  // namespace packed_lstm
