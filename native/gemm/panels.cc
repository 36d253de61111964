// Copies weight matrices into panels and back; what is beyond a matrix's edge stays zero.
#include "gemm/panels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
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
    half = 0x7c00u | ((magnitude >> 13) & 0x3ffu);
    if (magnitude > 0x7f800000u && half == 0x7c00u) half = 0x7e00u;
  } else if (magnitude >= 0x47800000u) {  // 2^16
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // 2^-14: a normal one
    half = (magnitude - 0x38000000u) >> 13;
  } else {
    half = static_cast<std::uint32_t>(std::fabs(value) * 0x1p24f);
  }
  return {static_cast<std::uint16_t>(sign | half)};
}

// Exact.
float widen(Half half) {
  const std::uint32_t sign = (half.bits & 0x8000u) << 16, magnitude = half.bits & 0x7fffu;
  std::uint32_t bits;
  if (magnitude >= 0x7c00u) {
    bits = 0x7f800000u | (magnitude & 0x3ffu) << 13;
  } else if (magnitude >= 0x400u) {
    bits = (magnitude << 13) + 0x38000000u;
  } else {
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    std::memcpy(&bits, &value, sizeof bits);
  }
  bits |= sign;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// How many of a row's weights are moved before the next row's: 64 times 128 bytes of a panel stay in the level-1 cache
// while its columns are written one by one.
constexpr int kRun = 64;

}  // namespace

template <class T>
Panels::Panels(const KernelSet<T>& kernels, const Sizes& sizes, Parts& memory)
    : storage_(kernels.storage),
      quantization_(kernels.quantization),
      columns_(sizes.columns),
      width_(sizes.columns * kernels.unit),
      gates_(sizes.gates),
      rows_(sizes.rows),
      inputs_(sizes.inputs),
      states_(sizes.states) {
  const int units = width_ / gates_;  // of each gate, in a panel
  count_ = (rows_ / gates_ + units - 1) / units;
  const std::size_t bias_bytes = static_cast<std::size_t>(kBiasVectors * kernels.unit) * sizeof(T);
  const std::size_t k = static_cast<std::size_t>(inputs_) + static_cast<std::size_t>(states_);
  stride_ = storage_ == Storage::kInt8 ? quantized_bytes()
                                       : bias_bytes + k * static_cast<std::size_t>(width_ * bytes_of(storage_));
  data_ = memory.take<std::byte>(stride_ * static_cast<std::size_t>(count_));
  from_memory_ = stride_ * static_cast<std::size_t>(count_) > cpu_info().l3_bytes / 4;
}

template <class T>
Panels Panels::of_columns(const KernelSet<T>& kernels, int rows, int cols, Parts& memory) {
  return Panels(kernels, {4, 1, rows, cols, 0}, memory);
}

template <class T>
Panels Panels::of_gates(const KernelSet<T>& kernels, const CellShape& shape, int hidden, int inputs, int states,
                        Parts& memory) {
  Panels panels(kernels, {shape.columns(), shape.gates, shape.gates * hidden, inputs, states}, memory);
  panels.own_bias_ = shape.own_bias;
  return panels;
}

int Panels::row_of(int p, int column) const {
  const int hidden = rows_ / gates_, units = width_ / gates_;
  const int gate = column / units, u = p * units + column % units;
  return u < hidden ? gate * hidden + u : -1;
}

template <class T>
T* Panels::bias_at(int p) const {
  return reinterpret_cast<T*>(data_ + static_cast<std::size_t>(p) * stride_);
}

template <class W, class Move>
void Panels::each_run(int product, const Move& move) const {
  const int first = product == 0 ? 0 : inputs_, inputs = terms(product);
  const std::size_t width = static_cast<std::size_t>(width_);
  const std::size_t bias_bytes = stride_ - width * static_cast<std::size_t>(bytes_of(storage_)) *
                                               (static_cast<std::size_t>(inputs_) + static_cast<std::size_t>(states_));
  for (int p = 0; p < count_; ++p) {
    W* const rows = reinterpret_cast<W*>(data_ + static_cast<std::size_t>(p) * stride_ + bias_bytes);
    for (int k = 0; k < inputs; k += kRun) {
      W* const at = rows + static_cast<std::size_t>(first + k) * width;
      for (int column = 0; column < width_; ++column) {
        const int row = row_of(p, column);
        if (row >= 0) move(at + column, row, k, std::min(kRun, inputs - k));
      }
    }
  }
}

template <class T>
void Panels::put(int product, const T* weights) {
  const std::size_t cols = static_cast<std::size_t>(terms(product)), width = static_cast<std::size_t>(width_);
  const auto from = [=](int row, int k) { return weights + static_cast<std::size_t>(row) * cols + k; };
  if constexpr (std::is_same_v<T, float>) {
    if (storage_ == Storage::kInt8) return put_quantized(product, weights);
    if (storage_ == Storage::kFloat16) {
      return each_run<Half>(product, [&](Half* at, int row, int k, int n) {
        const T* const run = from(row, k);
        for (int i = 0; i < n; ++i) at[static_cast<std::size_t>(i) * width] = narrow(run[i]);
      });
    }
  }
  each_run<T>(product, [&](T* at, int row, int k, int n) {
    const T* const run = from(row, k);
    for (int i = 0; i < n; ++i) at[static_cast<std::size_t>(i) * width] = run[i];
  });
}

template <class T>
void Panels::get(int product, T* weights) const {
  const std::size_t cols = static_cast<std::size_t>(terms(product)), width = static_cast<std::size_t>(width_);
  const auto to = [=](int row, int k) { return weights + static_cast<std::size_t>(row) * cols + k; };
  if constexpr (std::is_same_v<T, float>) {
    if (storage_ == Storage::kInt8) return get_quantized(product, weights);
    if (storage_ == Storage::kFloat16) {
      return each_run<const Half>(product, [&](const Half* at, int row, int k, int n) {
        T* const run = to(row, k);
        for (int i = 0; i < n; ++i) run[i] = widen(at[static_cast<std::size_t>(i) * width]);
      });
    }
  }
  each_run<const T>(product, [&](const T* at, int row, int k, int n) {
    T* const run = to(row, k);
    for (int i = 0; i < n; ++i) run[i] = at[static_cast<std::size_t>(i) * width];
  });
}

template <class T>
void Panels::pack_columns(const T* weight, const T* bias) {
  put(0, weight);
  if (bias == nullptr) return;
  for (int row = 0; row < rows_; ++row) bias_at<T>(row / width_)[row % width_] = bias[row];
}

template <class T>
void Panels::unpack_columns(T* weight, T* bias) const {
  get(0, weight);
  if (bias == nullptr) return;
  for (int row = 0; row < rows_; ++row) bias[row] = bias_at<T>(row / width_)[row % width_];
}

template <class T>
void Panels::pack_gates(const T* weight_ih, const T* weight_hh, const T* bias_ih, const T* bias_hh) {
  put(0, weight_ih);
  put(1, weight_hh);
  if (bias_ih == nullptr) return;
  const int added = own_bias_ ? width_ / gates_ * (gates_ - 1) : width_;
  const int second = storage_ == Storage::kInt8 ? width_ : width_ - added;  // from a first sum's start to a second's
  for (int p = 0; p < count_; ++p) {
    T* const bias = bias_at<T>(p);
    for (int column = 0; column < width_; ++column) {
      const int row = row_of(p, column);
      if (row < 0) continue;
      bias[column] = column < added ? bias_ih[row] + bias_hh[row] : bias_ih[row];
      if (column >= added) bias[column + second] = bias_hh[row];
    }
  }
}

template <class T>
void Panels::unpack_gates(T* weight_ih, T* weight_hh) const {
  get(0, weight_ih);
  get(1, weight_hh);
}

template Panels Panels::of_columns(const KernelSet<float>&, int, int, Parts&);
template Panels Panels::of_columns(const KernelSet<double>&, int, int, Parts&);
template Panels Panels::of_gates(const KernelSet<float>&, const CellShape&, int, int, int, Parts&);
template Panels Panels::of_gates(const KernelSet<double>&, const CellShape&, int, int, int, Parts&);
template void Panels::pack_columns(const float*, const float*);
template void Panels::pack_columns(const double*, const double*);
template void Panels::unpack_columns(float*, float*) const;
template void Panels::unpack_columns(double*, double*) const;
template void Panels::pack_gates(const float*, const float*, const float*, const float*);
template void Panels::pack_gates(const double*, const double*, const double*, const double*);
template void Panels::unpack_gates(float*, float*) const;
template void Panels::unpack_gates(double*, double*) const;

}  // namespace packed_lstm
