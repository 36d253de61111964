// Which kernel set runs: the best this processor has, or the one PACKED_LSTM_ISA names.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_set.h"

namespace packed_lstm {

/** How weights are stored that are of the type computed in. */
template <class T>
constexpr Storage kStoredAs = sizeof(T) == sizeof(float) ? Storage::kFloat32 : Storage::kFloat64;

/**
 * The kernels that compute in T, float or double, on panels that are stored so: as T, or, for float, as Storage says.
 * Decided at the first call. Throws std::runtime_error if PACKED_LSTM_ISA is unknown or not supported here.
 */
template <class T>
const KernelSet<T>& kernels(Storage storage = kStoredAs<T>);

/** The one that `kernels` takes its sets from. Throws as that does. */
const char* selected_isa();

/** Every one this processor can run, best first. */
std::vector<std::string> supported_isas();

}  // namespace packed_lstm
