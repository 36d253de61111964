// Row tiles inside a block of panels inside all panels: a panel comes from beyond the level-2 cache once.
#include "gemm/matmul.h"

#include <algorithm>

#include "base/cpu.h"

namespace packed_lstm {

int panels_per_block(std::size_t panel_bytes) {
  return std::max(1, static_cast<int>(cpu_info().l2_bytes / 2 / std::max<std::size_t>(1, panel_bytes)));
}

template <class T>
int rows_at_once(const KernelSet<T>& kernels, const Panels& panels) {
  return panels.panel_bytes() > cpu_info().l1_bytes / 2 ? kernels.tall_rows : kernels.tile_rows;
}

template <class T>
void matmul(const KernelSet<T>& kernels, const Panels& panels, int begin, int end, int rows, int k, int columns,
            int chain, const T* const* a, T* const* out) {
  const Tiles tiles(rows, rows_at_once(kernels, panels));
  const int block = panels_per_block(panels.panel_bytes());
  for (int first = begin; first < end; first += block) {
    MatmulTile<T> tile;
    tile.weights = panels.range(first, std::min(end, first + block));
    tile.k = k;
    tile.columns = columns;
    tile.chain = chain;
    for (int t = 0; t < tiles.count(); ++t) {
      const int row = tiles.begin(t), height = tiles.begin(t + 1) - row;
      tile.rows = height;
      std::copy_n(a + row, height, tile.a);
      std::copy_n(out + row, height, tile.out);
      kernels.matmul[height](tile);
      tile.weights.far = false;
    }
  }
}

template int rows_at_once<float>(const KernelSet<float>&, const Panels&);
template int rows_at_once<double>(const KernelSet<double>&, const Panels&);
template void matmul<float>(const KernelSet<float>&, const Panels&, int, int, int, int, int, int, const float* const*,
                            float* const*);
template void matmul<double>(const KernelSet<double>&, const Panels&, int, int, int, int, int, int,
                             const double* const*, double* const*);

}  // namespace packed_lstm
