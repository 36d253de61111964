// torch.nn.Linear: y = x · Wᵀ + b over any number of rows, its weights in memory of someone else's. Once packed they do
// not change, and any number of calls may share them.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "gemm/panels.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

template <class T>
class Linear {
 public:
  /** Over null the weights are only counted: `bytes` says how much memory they take. Throws std::bad_alloc. */
  Linear(const KernelSet<T>& kernels, int inputs, int outputs, std::byte* memory);

  std::size_t bytes() const { return bytes_; }

  /** Fills memory that is zeroed, from `weight` (outputs × inputs) and `bias` (outputs), the second only if given. */
  void pack(const std::vector<T*>& parameters);
  /** Writes them out again, bit for bit. */
  void unpack(const std::vector<T*>& parameters) const;

  /**
   * Row i of y, `outputs` wide, from row i of x, `inputs` wide. Returns when done, or soon after `stop` is set: then y
   * holds anything. A row has the same bits whatever the other rows, the threads and the instruction set.
   */
  void forward(const T* x, T* y, std::int64_t rows, const std::atomic<bool>& stop) const;

 private:
  /** Rows [first, last) by panels [begin, end). */
  void block(const T* x, T* y, std::int64_t first, std::int64_t last, int begin, int end, std::byte* quantized,
             const std::atomic<bool>& stop) const;
  std::size_t quantized_bytes() const;
  int wanted_workers(std::int64_t rows) const;

  const KernelSet<T>* kernels_;
  Panels panels_;
  int inputs_, outputs_;
  std::size_t bytes_;
};

}  // namespace packed_lstm
