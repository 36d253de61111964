// torch.nn.Linear: y = x · Wᵀ + b over any number of rows. Immutable once built, so any number of calls may share it.
#pragma once

#include <atomic>
#include <cstdint>

#include "gemm/panels.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

template <class T>
class Linear {
 public:
  /** Packs `weight` (outputs × inputs) and `bias` (outputs; null for none). Throws std::bad_alloc. */
  Linear(const KernelSet<T>& kernels, MatrixView<T> weight, const T* bias);

  /**
   * Row i of y, `outputs` wide, from row i of x, `inputs` wide. Returns when done, or soon after `stop` is set: then y
   * holds anything. A row has the same bits whatever the other rows, the threads and the instruction set.
   */
  void forward(const T* x, T* y, std::int64_t rows, const std::atomic<bool>& stop) const;

 private:
  /** Rows [first, last) by panels [begin, end). */
  void block(const T* x, T* y, std::int64_t first, std::int64_t last, int begin, int end,
             const std::atomic<bool>& stop) const;
  int wanted_workers(std::int64_t rows) const;

  const KernelSet<T>* kernels_;
  Panels panels_;
  int inputs_, outputs_;
};

}  // namespace packed_lstm
