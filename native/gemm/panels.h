// Weight matrices in the panels that the kernels read (drawn in kernels/kernel_set.h), packed once and unpacked again.
// Knows matrices and columns, nothing of time steps, and not who owns the memory.
#pragma once

#include "base/aligned.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

/**
 * The panels of one matrix, as one kernel set reads them, in memory of someone else's: zeroed, or packed before by the
 * same set for the same sizes. Where that set stores Halves, every weight must be one; where it stores 8 bits, weights
 * are rounded to them.
 */
class Panels {
 public:
  Panels() = default;

  /** Of a matrix as torch stores a weight, `rows` outputs by `cols` inputs: columns in their own order, 4·U a panel. */
  template <class T>
  static Panels of_columns(const KernelSet<T>& kernels, int rows, int cols, Parts& memory);

  /**
   * Of a cell's weight_ih (gates·H × inputs) and weight_hh (gates·H × states): the gates of some units a panel, whose k
   * runs through weight_ih's inputs, then weight_hh's.
   */
  template <class T>
  static Panels of_gates(const KernelSet<T>& kernels, const CellShape& shape, int hidden, int inputs, int states,
                         Parts& memory);

  /** `bias`, of `rows`, is null for none. */
  template <class T>
  void pack_columns(const T* weight, const T* bias);
  /** Bit for bit what was packed: a Half as the float it stands for, 8 bits times their scale. */
  template <class T>
  void unpack_columns(T* weight, T* bias) const;

  /** The biases (null for none) are added once, here, but for those of a last gate that keeps its own. */
  template <class T>
  void pack_gates(const T* weight_ih, const T* weight_hh, const T* bias_ih, const T* bias_hh);
  template <class T>
  void unpack_gates(T* weight_ih, T* weight_hh) const;

  int count() const { return count_; }
  /** Terms of its first product: a weight_ih's, or a plain matrix's. */
  int inputs() const { return inputs_; }
  /** C: vectors a K row of a panel has. */
  int columns() const { return columns_; }
  int columns_padded() const { return count_ * width_; }
  std::size_t panel_bytes() const { return stride_; }
  PanelRange range(int begin, int end) const { return {data_, stride_, begin, end, from_memory_}; }

 private:
  struct Sizes {
    int columns, gates, rows, inputs, states;
  };
  template <class T>
  Panels(const KernelSet<T>& kernels, const Sizes& sizes, Parts& memory);

  /** The row of the matrix that is column `column` of panel p, or −1 for none. */
  int row_of(int p, int column) const;
  template <class T>
  T* bias_at(int p) const;
  /** Terms of product 0 or 1. */
  int terms(int product) const { return product == 0 ? inputs_ : states_; }
  /**
   * Calls move(at, row, k, n) for runs of a row's weights, n of them from the k-th of the product's terms on, whose
   * places in the panels are `width_` apart from `at` on: elements of T, or Halves.
   */
  template <class W, class Move>
  void each_run(int product, const Move& move) const;
  template <class T>
  void put(int product, const T* weights);
  template <class T>
  void get(int product, T* weights) const;

  // quantized_panels.cc, of kInt8.
  std::size_t quantized_bytes() const;
  /** Calls move(row, scale, byte(k)) for each row of a product. */
  template <class Move>
  void each_quantized_row(int product, const Move& move) const;
  void put_quantized(int product, const float* weights);
  void get_quantized(int product, float* weights) const;

  std::byte* data_ = nullptr;
  std::size_t stride_ = 0;
  bool from_memory_ = false;  // larger than a quarter of the last cache, of which other programs have their share
  Storage storage_ = Storage::kFloat32;
  Quantization quantization_;
  int columns_ = 0, width_ = 0, count_ = 0;  // vectors and elements of a K row; panels
  int gates_ = 1;                            // 1: the columns are in their own order
  bool own_bias_ = false;                    // the last gate's biases are not added
  int rows_ = 0, inputs_ = 0, states_ = 0;
};

}  // namespace packed_lstm
