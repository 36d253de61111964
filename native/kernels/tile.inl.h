// The register tile: MR rows by NP panels of 4 vectors, accumulated over k and finished in registers as an LSTM cell
// or stored as a plain product. Included inside the unnamed namespace of one instruction set (see isa/), after
// activations.inl.h. Does not block over rows or panels beyond one tile: gemm/ and rnn/ choose those.

/** acc += a · W over k rows of the panels at w. */
template <int MR, int NP, class W>
PACKED_LSTM_INLINE void accumulate(Reg (&acc)[MR][4 * NP], const Vec::T* const (&a)[MR], int k, const W* w,
                                   std::size_t stride) {
  PACKED_LSTM_UNROLL_K
  for (int i = 0; i < k; ++i) {
    Reg broadcast[MR];
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) broadcast[r] = Vec::set1(a[r][i]);
    PACKED_LSTM_UNROLL
    for (int j = 0; j < 4 * NP; ++j) {
      const Reg column = Vec::load(w + (j / 4) * stride + (j % 4) * Vec::U);
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) acc[r][j] = Vec::fma(broadcast[r], column, acc[r][j]);
    }
    w += 4 * Vec::U;
  }
}

/** A product of a tile: k columns of its rows `a` with k rows of W at w. `cut`: its first chain starts from 0. */
template <class W>
struct Product {
  const Vec::T* const* a;
  int k;
  bool cut;
  const W* w;
};

// The h chain goes on from x's where x is no longer than this.
constexpr int kShortInput = 16;

/**
 * acc += a · W of each product in turn, in chains of `chain` terms (see kernel_set.h). The loop over k stands here once
 * for all products: written out for each, some of its copies kept accumulators on the stack (5% at H 256 and 512).
 */
template <int MR, int NP, class W>
PACKED_LSTM_INLINE void accumulate_chains(Reg (&acc)[MR][4 * NP], const Product<W>* product, const Product<W>* end,
                                          std::size_t stride, int chain) {
  constexpr int kRegs = MR * 4 * NP;
  alignas(64) Vec::T total[kRegs * Vec::U];
  for (; product != end; ++product) {
    const Vec::T* row[MR];
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) row[r] = product->a[r];
    const W* w = product->w;
    bool cut = product->cut;
    for (int k = product->k; k > 0; k -= chain) {
      if (cut) {
        PACKED_LSTM_UNROLL
        for (int i = 0; i < kRegs; ++i) {
          Vec::store(total + i * Vec::U, acc[i / (4 * NP)][i % (4 * NP)]);
          acc[i / (4 * NP)][i % (4 * NP)] = Vec::set1(0);
        }
      }
      accumulate<MR, NP>(acc, row, k < chain ? k : chain, w, stride);
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) row[r] += chain;
      w += chain * std::size_t{4 * Vec::U};
      if (cut) {
        PACKED_LSTM_UNROLL
        for (int i = 0; i < kRegs; ++i) {
          acc[i / (4 * NP)][i % (4 * NP)] = Vec::add(Vec::load(total + i * Vec::U), acc[i / (4 * NP)][i % (4 * NP)]);
        }
      }
      cut = true;
    }
  }
}

/** The K rows of panel p. */
template <class W>
PACKED_LSTM_INLINE const W* weight_rows(const PanelRange& weights, int p) {
  return reinterpret_cast<const W*>(weights.panels + p * weights.stride + 4 * Vec::U * sizeof(Vec::T));
}

template <int MR, int NP>
PACKED_LSTM_INLINE void start_from_bias(Reg (&acc)[MR][4 * NP], const PanelRange& weights, int p) {
  PACKED_LSTM_UNROLL
  for (int j = 0; j < 4 * NP; ++j) {
    const std::byte* const panel = weights.panels + (p + j / 4) * weights.stride;
    const Reg bias = Vec::load(reinterpret_cast<const Vec::T*>(panel) + (j % 4) * Vec::U);
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) acc[r][j] = bias;
  }
}

/**
 * The sums of a tile's products, 4·NP vectors a row, from the bias of panels p … p + NP - 1 on or, where `pre` is
 * given, from its rows.
 */
template <class W, int MR, int NP>
PACKED_LSTM_INLINE void sum_tile(const PanelRange& weights, int p, const Vec::T* const* pre, const Product<W>* product,
                                 const Product<W>* end, int chain, Vec::T* sums) {
  Reg acc[MR][4 * NP];
  if (pre != nullptr) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * 4 * NP; ++i) {
      acc[i / (4 * NP)][i % (4 * NP)] = Vec::load(pre[i / (4 * NP)] + (4 * p + i % (4 * NP)) * Vec::U);
    }
  } else {
    start_from_bias<MR, NP>(acc, weights, p);
  }
  accumulate_chains<MR, NP>(acc, product, end, weights.stride / sizeof(W), chain);
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * 4 * NP; ++i) Vec::store(sums + i * Vec::U, acc[i / (4 * NP)][i % (4 * NP)]);
}

/** The U units of one row in one panel: c is read and written, `units` values of h are written. */
struct Cell {
  Vec::T *c, *h;
  int units;
};

/** `gates` holds 4 vectors a cell. */
template <int N>
PACKED_LSTM_INLINE void update_c(const Cell* cells, const Vec::T* gates) {
  Gates<Beside<N>> gate;
  typename Beside<N>::Reg c;
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) {
    const Vec::T* const from = gates + n * 4 * Vec::U;
    gate.i.v[n] = Vec::load(from);
    gate.f.v[n] = Vec::load(from + Vec::U);
    gate.g.v[n] = Vec::load(from + 2 * Vec::U);
    c.v[n] = Vec::load(cells[n].c);
  }
  c = next_c<Beside<N>>(gate, c);
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) Vec::store(cells[n].c, c.v[n]);
}

template <int N>
PACKED_LSTM_INLINE void write_h(const Cell* cells, const Vec::T* gates) {
  typename Beside<N>::Reg o, c;
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) {
    o.v[n] = Vec::load(gates + (n * 4 + 3) * Vec::U);
    c.v[n] = Vec::load(cells[n].c);
  }
  const auto h = next_h<Beside<N>>(o, c);
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) Vec::store_up_to(cells[n].h, h.v[n], cells[n].units);
}

// Float has its sums and cells written out in each of its kernels. The others call these, which halves their code:
// float64 is 6% slower for it at H 16, 4% at 64, 1% at 256 (AVX2).
template <class W>
constexpr bool kInPlace = std::is_same_v<W, float> && Vec::kTileRows > 1;

template <class W, int MR, int NP>
PACKED_LSTM_NOINLINE void sum_tile_apart(const PanelRange& weights, int p, const Vec::T* const* pre,
                                         const Product<W>* product, const Product<W>* end, int chain, Vec::T* sums) {
  sum_tile<W, MR, NP>(weights, p, pre, product, end, chain, sums);
}

/** Read back from the level-1 cache, the gates leave the registers to work in: as many cells at once as they allow. */
template <int kCells>
PACKED_LSTM_INLINE void update_cells(const Cell* cells, const Vec::T* gates) {
  constexpr int N = kCells < Vec::kBeside ? kCells : Vec::kBeside;
  update_c<N>(cells, gates);
  if constexpr (N < kCells) update_cells<kCells - N>(cells + N, gates + N * 4 * Vec::U);
}

template <int kCells>
PACKED_LSTM_INLINE void write_cells(const Cell* cells, const Vec::T* gates) {
  constexpr int N = kCells < Vec::kBeside ? kCells : Vec::kBeside;
  write_h<N>(cells, gates);
  if constexpr (N < kCells) write_cells<kCells - N>(cells + N, gates + N * 4 * Vec::U);
}

PACKED_LSTM_NOINLINE void finish_cells_apart(const Cell* cells, const Vec::T* gates, int count) {
  constexpr int N = Vec::kBeside, kColumns = 4 * Vec::U;
  const Cell *const end = cells + count, *cell = cells;
  const Vec::T* from = gates;
  for (; end - cell >= N; cell += N, from += N * kColumns) update_c<N>(cell, from);
  for (; cell != end; ++cell, from += kColumns) update_c<1>(cell, from);
  for (cell = cells, from = gates; end - cell >= N; cell += N, from += N * kColumns) write_h<N>(cell, from);
  for (; cell != end; ++cell, from += kColumns) write_h<1>(cell, from);
}

template <class W, int MR, int NP>
PACKED_LSTM_INLINE void cell_at(const CellTile<Vec::T>& tile, int p) {
  constexpr int kColumns = 4 * Vec::U;
  const bool projected = tile.pre[0] != nullptr;
  const W* w = weight_rows<W>(tile.weights, p);
  const Product<W> products[2] = {{tile.x, tile.k_x, false, w},
                                  {tile.h, tile.k_h, tile.k_x > kShortInput, w + tile.k_x * std::size_t{kColumns}}};
  alignas(64) Vec::T gates[MR * NP * kColumns];
  constexpr auto sum = kInPlace<W> ? sum_tile<W, MR, NP> : sum_tile_apart<W, MR, NP>;
  sum(tile.weights, p, projected ? tile.pre : nullptr, products + (projected ? 1 : 0), products + 2, tile.chain, gates);
  Cell cells[MR * NP];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * NP; ++i) {
    const int unit = (p + i % NP) * Vec::U;
    cells[i] = {tile.c[i / NP] + unit, tile.out[i / NP] + unit, tile.units - unit};
  }
  if constexpr (kInPlace<W>) {
    update_cells<MR * NP>(cells, gates);
    write_cells<MR * NP>(cells, gates);
  } else {
    finish_cells_apart(cells, gates, MR * NP);
  }
}

/** The sums of panels p on, `vectors` a row, to where they belong. */
PACKED_LSTM_INLINE void put_rows(const MatmulTile<Vec::T>& tile, int p, int rows, int vectors, const Vec::T* sums) {
  PACKED_LSTM_UNROLL
  for (int i = 0; i < rows * vectors; ++i) {
    const int first = (4 * p + i % vectors) * Vec::U;
    Vec::store_up_to(tile.out[i / vectors] + first, Vec::load(sums + i * Vec::U), tile.columns - first);
  }
}

PACKED_LSTM_NOINLINE void put_rows_apart(const MatmulTile<Vec::T>& tile, int p, int rows, int vectors,
                                         const Vec::T* sums) {
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < vectors; ++j, sums += Vec::U) {
      const int first = (4 * p + j) * Vec::U;
      Vec::store_up_to(tile.out[r] + first, Vec::load(sums), tile.columns - first);
    }
  }
}

template <class W, int MR, int NP>
PACKED_LSTM_INLINE void matmul_at(const MatmulTile<Vec::T>& tile, int p) {
  constexpr int kColumns = 4 * Vec::U;
  const Product<W> product{tile.a, tile.k, false, weight_rows<W>(tile.weights, p)};
  alignas(64) Vec::T sums[MR * NP * kColumns];
  constexpr auto sum = kInPlace<W> ? sum_tile<W, MR, NP> : sum_tile_apart<W, MR, NP>;
  sum(tile.weights, p, nullptr, &product, &product + 1, tile.chain, sums);
  if constexpr (kInPlace<W>) {
    put_rows(tile, p, MR, 4 * NP, sums);
  } else {
    put_rows_apart(tile, p, MR, 4 * NP, sums);
  }
}

// A short tile takes several panels at once, for enough independent chains to hide the latency of the FMA.
constexpr int panels_at_once(int rows) {
  return rows == 1 ? Vec::kPanels1 : rows == 2 ? Vec::kPanels2 : rows == 3 ? Vec::kPanels3 : 1;
}

template <class W, int MR>
void cell(const CellTile<Vec::T>& tile) {
  constexpr int kWide = panels_at_once(MR);
  int p = tile.weights.begin;
  for (; p + kWide <= tile.weights.end; p += kWide) cell_at<W, MR, kWide>(tile, p);
  if constexpr (kWide > 2) {
    if (p + 2 <= tile.weights.end) {
      cell_at<W, MR, 2>(tile, p);
      p += 2;
    }
  }
  if constexpr (kWide > 1) {
    for (; p < tile.weights.end; ++p) cell_at<W, MR, 1>(tile, p);
  }
}

template <class W, int MR>
void matmul(const MatmulTile<Vec::T>& tile) {
  constexpr int kWide = panels_at_once(MR);
  int p = tile.weights.begin;
  for (; p + kWide <= tile.weights.end; p += kWide) matmul_at<W, MR, kWide>(tile, p);
  if constexpr (kWide > 1) {
    for (; p < tile.weights.end; ++p) matmul_at<W, MR, 1>(tile, p);
  }
}
