// All the kernels of one element type in one instruction set, and the table of them. Included inside an unnamed
// namespace that names the vectors: Vec, and Reg for its registers (see isa/).

#include "kernels/math.inl.h"

#include "kernels/cells/cell.inl.h"

#include "kernels/cells/gru.inl.h"
#include "kernels/cells/lstm.inl.h"
#include "kernels/cells/rnn.inl.h"
#include "kernels/probe.inl.h"
#include "kernels/tile.inl.h"

#include "kernels/tall.inl.h"

/** The kernels of MR rows and fewer. */
template <class W, class Cell, int MR>
constexpr void fill(ByRows<CellTile<Vec::T>>& table) {
  table.at[MR] = cell<W, Cell, MR>;
  if constexpr (MR > 1) fill<W, Cell, MR - 1>(table);
}

template <class W, int C, int MR>
constexpr void fill(ByRows<MatmulTile<Vec::T>>& table) {
  table.at[MR] = matmul<W, C, MR>;
  if constexpr (MR > 1) fill<W, C, MR - 1>(table);
}

constexpr int most(int a, int b) { return a > b ? a : b; }

template <class W, class Cell>
constexpr ByRows<CellTile<Vec::T>> cell_kernels() {
  constexpr int kRows = tile_rows(Cell::kShape.columns()), kTallest = most(kRows, Vec::kTallRows);
  static_assert(kRows >= 1 && kTallest <= kMaxTileRows, "a tile's arrays have room for no more rows");
  ByRows<CellTile<Vec::T>> table{kRows, kTallest, {}};
  fill<W, Cell, kRows>(table);
  if constexpr (kTallest > kRows) {
    for (int rows = kRows + 1; rows <= kTallest; ++rows) table.at[rows] = cell_tall<W, Cell>;
  }
  return table;
}

template <class W, int C>
constexpr ByRows<MatmulTile<Vec::T>> matmul_kernels() {
  constexpr int kRows = tile_rows(C), kTallest = most(kRows, Vec::kTallRows);
  static_assert(kRows >= 1 && kTallest <= kMaxTileRows, "a tile's arrays have room for no more rows");
  ByRows<MatmulTile<Vec::T>> table{kRows, kTallest, {}};
  fill<W, C, kRows>(table);
  if constexpr (kTallest > kRows) {
    for (int rows = kRows + 1; rows <= kTallest; ++rows) table.at[rows] = matmul_tall<W, C>;
  }
  return table;
}

/** W is what panels hold: Vec::T or Half. */
template <class W>
constexpr KernelSet<Vec::T> make_kernel_set(const char* isa, Storage storage) {
  return {
      isa,
      Vec::U,
      storage,
      {cell_kernels<W, LSTM>(), cell_kernels<W, GRU>(), cell_kernels<W, RNN<CellKind::kRNNTanh>>(),
       cell_kernels<W, RNN<CellKind::kRNNReLU>>()},
      matmul_kernels<W, 3>(),
      matmul_kernels<W, 4>(),
      {finish_tile<LSTM>, finish_tile<GRU>, finish_tile<RNN<CellKind::kRNNTanh>>, finish_tile<RNN<CellKind::kRNNReLU>>},
      kProbe,
      {},
      nullptr};
}

/** Whether the loops find a kernel for every number of rows that they may ask for. */
template <class Tile>
constexpr bool complete(const ByRows<Tile>& table) {
  for (int rows = 1; rows <= table.tall_rows; ++rows) {
    if (table.at[rows] == nullptr) return false;
  }
  return true;
}

constexpr bool complete(const KernelSet<Vec::T>& set) {
  for (const auto& table : set.cells) {
    if (!complete(table)) return false;
  }
  return complete(set.matmul3) && complete(set.matmul4);
}
