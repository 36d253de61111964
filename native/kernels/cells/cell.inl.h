// What the cells have in common: a policy a cell, and how a tile's cells are taken through it. Included inside the
// unnamed namespace of one instruction set (see isa/), after math.inl.h.
//
// A policy has `kShape` and `kHalves`, and finish<half, N>(cells, sums), which takes N cells through one half of their
// update next to each other. Cells come in halves where the whole is a long chain of operations, of which no processor
// looks so far ahead that the next cell would fill its gaps: all of a tile's cells go through one half before the other
// (LSTM, Zen 3: 3 to 8% less time at H 16 to 64, 1% at 256).

/** The U units of one row and one vector of a panel. */
struct CellRow {
  Vec::T* c;        // read and written; null for a cell that has none
  const Vec::T* h;  // `units` values of the state before
  Vec::T* out;      // `units` values of the state after
  int units;        // at most U of these count; none, if it is not positive
};

/** The sums of a cell before its activations, vectors of a CellRow. */
template <class Cell>
constexpr int kSumsOf = Cell::kShape.gates * (Cell::kShape.apart ? 2 : 1);

/** Vector `place` of N cells that lie next to each other. */
template <class Cell, int N>
PACKED_LSTM_INLINE typename Interleaved<N>::Reg load_sums(const Vec::T* sums, int place) {
  typename Interleaved<N>::Reg out;
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) out.v[n] = Vec::load(sums + (n * kSumsOf<Cell> + place) * Vec::U);
  return out;
}

/** A gate of N cells whose two sums are apart, before its activation. */
template <class Cell, int N>
PACKED_LSTM_INLINE typename Interleaved<N>::Reg load_gate(const Vec::T* sums, int gate) {
  return Interleaved<N>::add(load_sums<Cell, N>(sums, gate), load_sums<Cell, N>(sums, Cell::kShape.gates + gate));
}

template <int N>
PACKED_LSTM_INLINE void store_h(const CellRow* cells, const typename Interleaved<N>::Reg& h) {
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) Vec::store_up_to(cells[n].out, h.v[n], cells[n].units);
}

/** Read back from the level-1 cache, the sums leave the registers to work in: as many cells at once as they allow. */
template <class Cell, int kHalf, int N = Vec::kInterleaved>
PACKED_LSTM_INLINE void finish_half(const CellRow* cells, Vec::T* sums, int count) {
  for (; count >= N; count -= N, cells += N, sums += N * kSumsOf<Cell> * Vec::U) {
    Cell::template finish<kHalf, N>(cells, sums);
  }
  if constexpr (N > 1) finish_half<Cell, kHalf, N - 1>(cells, sums, count);
}

template <class Cell>
PACKED_LSTM_INLINE void finish_cells(const CellRow* cells, Vec::T* sums, int count) {
  finish_half<Cell, 0>(cells, sums, count);
  if constexpr (Cell::kHalves == 2) finish_half<Cell, 1>(cells, sums, count);
}

/** The cells of panel p's row r: one for each vector of its units. */
template <class Cell>
PACKED_LSTM_INLINE void point_at(const CellTile<Vec::T>& tile, int p, int r, CellRow* cells) {
  constexpr int kVectors = Cell::kShape.unit_vectors;
  PACKED_LSTM_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const int unit = (p * kVectors + v) * Vec::U;
    Vec::T* const c = Cell::kShape.has_c ? tile.c[r] + unit : nullptr;
    cells[v] = {c, tile.h[r] + unit, tile.out[r] + unit, tile.units - unit};
  }
}

/** The cells of all a tile's rows and of the panels from p on. */
template <class Cell>
PACKED_LSTM_NOINLINE void finish_tile(const CellTile<Vec::T>& tile, int p, int panels, Vec::T* sums) {
  constexpr int kVectors = Cell::kShape.unit_vectors;
  CellRow cells[kMaxTileRows * kVectors];
  int count = 0;
  for (int r = 0; r < tile.rows; ++r) {
    for (int n = 0; n < panels; ++n, count += kVectors) point_at<Cell>(tile, p + n, r, cells + count);
  }
  finish_cells<Cell>(cells, sums, count);
}
