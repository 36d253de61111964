// The loops around the plain-product microkernel, and how any number of rows is cut into tiles.
#pragma once

#include <algorithm>
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

/** Whether panels overflow the level-1 cache, so that a tall tile, which reads them slice by slice, pays. */
bool wants_tall_tiles(std::size_t panel_bytes);

/**
 * Calls run(weights, first row, rows) for every tile of rows and block of panels [begin, end): row tiles inside a block
 * inside all panels, so that a panel comes from beyond the level-2 cache once.
 */
template <class Tile, class Run>
void for_each_tile(const ByRows<Tile>& kernels, const Panels& panels, int begin, int end, int rows, const Run& run) {
  const Tiles tiles(rows, wants_tall_tiles(panels.panel_bytes()) ? kernels.tall_rows : kernels.tile_rows);
  const int block = tiles.count() == 1 ? end - begin : panels_per_block(panels.panel_bytes());
  for (int first = begin; first < end; first += block) {
    PanelRange weights = panels.range(first, std::min(end, first + block));
    for (int t = 0; t < tiles.count(); ++t) {
      const int row = tiles.begin(t);
      run(weights, row, tiles.begin(t + 1) - row);
      weights.from_memory = false;
    }
  }
}

/** Row i of `out` = bias + row i of `a` · W, for `rows` rows and panels [begin, end), of whose K the first k count. */
template <class T>
struct Matmul {
  const Panels& panels;
  int begin, end;
  int k, columns, chain;
  int rows;
  const T* const* a;              // not read where panels are of kInt8 …
  const QuantizedRow* const* a8;  // … which are multiplied by these
  T* const* out;
};

template <class T>
void matmul(const KernelSet<T>& kernels, const Matmul<T>& product);

}  // namespace packed_lstm
