// Weight matrices in the panels that the kernels read (drawn in kernels/kernel_set.h), packed once and unpacked again.
// Knows matrices and columns, nothing of time steps, and not who owns the memory.
#pragma once

#include "base/aligned.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

/**
 * The panels of one matrix, as one kernel set reads them, in memory of someone else's: zeroed, or packed before by the
 * same set for the same sizes. Where that set stores Halves, every weight must be one.
 */
class Panels {
 public:
  Panels() = default;

  /** Of a matrix as torch stores a weight, `rows` outputs by `cols` inputs: columns in their own order, 4·U a panel. */
  template <class T>
  static Panels of_columns(const KernelSet<T>& kernels, int rows, int cols, Parts& memory);

  /**
   * Of weight_ih (4·H × inputs) and weight_hh (4·H × states): gates i, f, g, o of U units a panel, whose k runs through
   * weight_ih's inputs, then weight_hh's.
   */
  template <class T>
  static Panels of_gates(const KernelSet<T>& kernels, int hidden, int inputs, int states, Parts& memory);

  /** `bias`, of `rows`, is null for none. */
  template <class T>
  void pack_columns(const T* weight, const T* bias);
  /** Bit for bit what was packed: a Half as the float it stands for. */
  template <class T>
  void unpack_columns(T* weight, T* bias) const;

  /** The biases (null for none) are added once, here. */
  template <class T>
  void pack_gates(const T* weight_ih, const T* weight_hh, const T* bias_ih, const T* bias_hh);
  template <class T>
  void unpack_gates(T* weight_ih, T* weight_hh) const;

  int count() const { return count_; }
  int columns_padded() const { return count_ * width_; }
  std::size_t panel_bytes() const { return stride_; }
  PanelRange range(int begin, int end) const { return {data_, stride_, begin, end, far_}; }

 private:
  template <class T>
  Panels(const KernelSet<T>& kernels, int unit, int rows, int inputs, int states, Parts& memory);

  /** The row of the matrix that is column `column` of panel p, or −1 for none. */
  int row_of(int p, int column) const;
  template <class T>
  T* bias_at(int p) const;
  /**
   * Calls move(at, row, k, n) for runs of a row's weights, n of them from the k-th of `inputs` on, whose places in the
   * panels are `width_` apart from `at` on: elements of T, or Halves. They are weights from the `first`-th of a panel
   * on.
   */
  template <class W, class Move>
  void each_run(int first, int inputs, const Move& move) const;
  template <class T>
  void put(int first, int inputs, const T* weights);
  template <class T>
  void get(int first, int inputs, T* weights) const;

  std::byte* data_ = nullptr;
  std::size_t stride_ = 0;
  bool far_ = false;  // larger than a quarter of the last cache, of which other programs have their share
  int width_ = 0, weight_bytes_ = 0, count_ = 0;
  int unit_ = 0;  // of gates; 0: columns in their own order
  int rows_ = 0, inputs_ = 0, states_ = 0;
};

}  // namespace packed_lstm
