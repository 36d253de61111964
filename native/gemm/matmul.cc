// One microkernel call for each tile of rows and block of panels.
#include "gemm/matmul.h"

#include "base/cpu.h"

namespace packed_lstm {

int panels_per_block(std::size_t panel_bytes) {
  return std::max(1, static_cast<int>(cpu_info().l2_bytes / 2 / std::max<std::size_t>(1, panel_bytes)));
}

bool wants_tall_tiles(std::size_t panel_bytes) { return panel_bytes > cpu_info().l1_bytes / 2; }

template <class T>
void matmul(const KernelSet<T>& kernels, const Matmul<T>& product) {
  const ByRows<MatmulTile<T>>& by_rows = kernels.matmul(product.panels.columns());
  MatmulTile<T> tile;
  tile.k = product.k;
  tile.columns = product.columns;
  tile.chain = product.chain;
  const auto run = [&](const PanelRange& weights, int row, int rows) {
    tile.weights = weights;
    tile.rows = rows;
    if (kernels.storage == Storage::kInt8) {
      std::copy_n(product.a8 + row, rows, tile.a8);
    } else {
      std::copy_n(product.a + row, rows, tile.a);
    }
    std::copy_n(product.out + row, rows, tile.out);
    by_rows.at[rows](tile);
  };
  for_each_tile(by_rows, product.panels, product.begin, product.end, product.rows, run);
}

template void matmul<float>(const KernelSet<float>&, const Matmul<float>&);
template void matmul<double>(const KernelSet<double>&, const Matmul<double>&);

}  // namespace packed_lstm
