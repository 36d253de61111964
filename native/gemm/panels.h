// Weight matrices packed once into the panels that the kernels read (drawn in kernels/kernel_set.h).
// Knows matrices and columns, nothing of time steps.
#pragma once

#include "base/aligned.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

/** A row-major matrix as torch stores a weight: `rows` outputs by `cols` inputs. */
template <class T>
struct MatrixView {
  const T* data = nullptr;
  int rows = 0, cols = 0;
};

/** The panels of one matrix, as one kernel set reads them. Where that stores Halves, every weight must be one. */
class Panels {
 public:
  Panels() = default;

  /** Columns in their own order, 4·U to a panel. `bias` may be null. */
  template <class T>
  static Panels of_columns(const KernelSet<T>& kernels, MatrixView<T> weight, const T* bias);

  /**
   * Gates i, f, g, o of U units to a panel: k runs through weight_ih's inputs, then weight_hh's.
   * Both matrices have 4·H rows; the biases (null for none) are added once, here.
   */
  template <class T>
  static Panels of_gates(const KernelSet<T>& kernels, MatrixView<T> weight_ih, MatrixView<T> weight_hh,
                         const T* bias_ih, const T* bias_hh);

  int count() const { return count_; }
  int columns_padded() const { return count_ * width_; }
  std::size_t panel_bytes() const { return stride_; }
  PanelRange range(int begin, int end) const { return {data_.data(), stride_, begin, end, far_}; }

 private:
  template <class T>
  Panels(const KernelSet<T>& kernels, int count, std::size_t k);

  /** Writes a column of panel p: its bias, and its weights at k, k + 1, … */
  template <class T>
  void put_bias(int p, int column, T bias);
  template <class T>
  void put_weights(int p, int column, std::size_t k, const T* weights, std::size_t n);

  AlignedBuffer<std::byte> data_;
  std::size_t stride_ = 0;
  bool far_ = false;  // larger than a quarter of the last cache, of which other programs have their share
  int width_ = 0, weight_bytes_ = 0, count_ = 0;
};

}  // namespace packed_lstm
