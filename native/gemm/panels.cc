// Copies a weight matrix into panels, a row of it (one output) at a time; what is beyond its edge stays zero.
#include "gemm/panels.h"

namespace packed_lstm {

template <class T>
Panels<T>::Panels(int width, int count, std::size_t k)
    : data_((k + 1) * width * count), stride_((k + 1) * width), width_(width), count_(count) {}

template <class T>
Panels<T> Panels<T>::of_columns(int unit, MatrixView<T> weight, const T* bias) {
  const int width = 4 * unit;
  Panels panels(width, (weight.rows + width - 1) / width, static_cast<std::size_t>(weight.cols));
  for (int column = 0; column < weight.rows; ++column) {
    T* at = panels.data_.data() + (column / width) * panels.stride_ + column % width;
    *at = bias != nullptr ? bias[column] : T(0);
    const T* row = weight.data + static_cast<std::size_t>(column) * weight.cols;
    for (int k = 0; k < weight.cols; ++k) at[(k + std::size_t{1}) * width] = row[k];
  }
  return panels;
}

template <class T>
Panels<T> Panels<T>::of_gates(int unit, MatrixView<T> weight_ih, MatrixView<T> weight_hh, const T* bias_ih,
                              const T* bias_hh) {
  const int width = 4 * unit, hidden = weight_ih.rows / 4;
  const std::size_t inputs = static_cast<std::size_t>(weight_ih.cols),
                    states = static_cast<std::size_t>(weight_hh.cols);
  Panels panels(width, (hidden + unit - 1) / unit, inputs + states);
  for (int row = 0; row < weight_ih.rows; ++row) {
    const int gate = row / hidden, u = row % hidden;
    T* at = panels.data_.data() + (u / unit) * panels.stride_ + gate * unit + u % unit;
    *at = bias_ih != nullptr ? bias_ih[row] + bias_hh[row] : T(0);
    for (std::size_t k = 0; k < inputs; ++k) at[(k + 1) * width] = weight_ih.data[row * inputs + k];
    for (std::size_t k = 0; k < states; ++k) at[(inputs + k + 1) * width] = weight_hh.data[row * states + k];
  }
  return panels;
}

template class Panels<float>;
template class Panels<double>;

}  // namespace packed_lstm
