// Copies a weight matrix into panels, a row of it (one output) at a time; what is beyond its edge stays zero.
#include "gemm/panels.h"

#include <cmath>
#include <type_traits>

#include "base/cpu.h"

namespace packed_lstm {
namespace {

// Exact for what is a Half; other values lose their last bits.
Half narrow(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  std::uint32_t half;
  if (magnitude >= 0x7f800000u) {
    half = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  } else if (magnitude >= 0x47800000u) {  // 2^16
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // 2^-14: a normal one
    half = (magnitude - 0x38000000u) >> 13;
  } else {
    half = static_cast<std::uint32_t>(std::fabs(value) * 0x1p24f);
  }
  return {static_cast<std::uint16_t>(sign | half)};
}

}  // namespace

template <class T>
Panels::Panels(const KernelSet<T>& kernels, int count, std::size_t k)
    : width_(4 * kernels.unit), weight_bytes_(kernels.weight_bytes), count_(count) {
  stride_ = static_cast<std::size_t>(width_) * (sizeof(T) + k * static_cast<std::size_t>(weight_bytes_));
  data_ = AlignedBuffer<std::byte>(stride_ * static_cast<std::size_t>(count));
  far_ = stride_ * static_cast<std::size_t>(count) > cpu_info().l3_bytes / 4;
}

template <class T>
void Panels::put_bias(int p, int column, T bias) {
  reinterpret_cast<T*>(data_.data() + p * stride_)[column] = bias;
}

template <class T>
void Panels::put_weights(int p, int column, std::size_t k, const T* weights, std::size_t n) {
  std::byte* const rows = data_.data() + p * stride_ + width_ * sizeof(T);
  const std::size_t width = static_cast<std::size_t>(width_), first = k * width + static_cast<std::size_t>(column);
  if constexpr (std::is_same_v<T, float>) {
    if (weight_bytes_ == sizeof(Half)) {
      Half* const to = reinterpret_cast<Half*>(rows) + first;
      for (std::size_t i = 0; i < n; ++i) to[i * width] = narrow(weights[i]);
      return;
    }
  }
  T* const to = reinterpret_cast<T*>(rows) + first;
  for (std::size_t i = 0; i < n; ++i) to[i * width] = weights[i];
}

template <class T>
Panels Panels::of_columns(const KernelSet<T>& kernels, MatrixView<T> weight, const T* bias) {
  const int width = 4 * kernels.unit;
  const std::size_t inputs = static_cast<std::size_t>(weight.cols);
  Panels panels(kernels, (weight.rows + width - 1) / width, inputs);
  for (int row = 0; row < weight.rows; ++row) {
    const int p = row / width, column = row % width;
    if (bias != nullptr) panels.put_bias(p, column, bias[row]);
    panels.put_weights(p, column, 0, weight.data + row * inputs, inputs);
  }
  return panels;
}

template <class T>
Panels Panels::of_gates(const KernelSet<T>& kernels, MatrixView<T> weight_ih, MatrixView<T> weight_hh, const T* bias_ih,
                        const T* bias_hh) {
  const int unit = kernels.unit, hidden = weight_ih.rows / 4;
  const std::size_t inputs = static_cast<std::size_t>(weight_ih.cols),
                    states = static_cast<std::size_t>(weight_hh.cols);
  Panels panels(kernels, (hidden + unit - 1) / unit, inputs + states);
  for (int row = 0; row < weight_ih.rows; ++row) {
    const int gate = row / hidden, u = row % hidden;
    const int p = u / unit, column = gate * unit + u % unit;
    if (bias_ih != nullptr) panels.put_bias(p, column, bias_ih[row] + bias_hh[row]);
    panels.put_weights(p, column, 0, weight_ih.data + row * inputs, inputs);
    panels.put_weights(p, column, inputs, weight_hh.data + row * states, states);
  }
  return panels;
}

template Panels Panels::of_columns(const KernelSet<float>&, MatrixView<float>, const float*);
template Panels Panels::of_columns(const KernelSet<double>&, MatrixView<double>, const double*);
template Panels Panels::of_gates(const KernelSet<float>&, MatrixView<float>, MatrixView<float>, const float*,
                                 const float*);
template Panels Panels::of_gates(const KernelSet<double>&, MatrixView<double>, MatrixView<double>, const double*,
                                 const double*);

}  // namespace packed_lstm
