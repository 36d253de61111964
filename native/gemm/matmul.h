// The loops around the plain-product microkernel, and how any number of rows is cut into tiles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gemm/panels.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

/** Cuts `rows` into tiles of nearly equal height, at most `tallest`: 8 rows are 4 + 4, not 6 + 2. */
class Tiles {
 public:
  Tiles(int rows, int tallest) : rows_(rows), count_((rows + tallest - 1) / tallest) {}
  int count() const { return count_; }
  int begin(int tile) const { return static_cast<int>(static_cast<std::int64_t>(rows_) * tile / count_); }

 private:
  int rows_, count_;
};

/** Panels that fit half a level-2 cache: row tiles are walked over these before the next ones are touched. */
int panels_per_block(std::size_t panel_bytes);

/** How many rows a kernel had better take at once: panels that stay in the level-1 cache need no tall tile. */
template <class T>
int rows_at_once(const KernelSet<T>& kernels, const Panels& panels);

/** out[i] = bias + a[i] · W for i in [0, rows): panels [begin, end) of `panels`, whose K is `k`. */
template <class T>
void matmul(const KernelSet<T>& kernels, const Panels& panels, int begin, int end, int rows, int k, int columns,
            int chain, const T* const* a, T* const* out);

}  // namespace packed_lstm
