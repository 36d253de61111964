// The register tile: MR rows by NP panels of 4 vectors, accumulated over k and finished in registers as an LSTM cell
// or stored as a plain product. Included inside the unnamed namespace of one instruction set (see isa/), after
// activations.inl.h. Does not block over rows or panels beyond one tile: gemm/ and lstm/ choose those.

/** acc += a · W over k rows of the panels at w. */
template <int MR, int NP>
PACKED_LSTM_INLINE void accumulate(Reg (&acc)[MR][4 * NP], const Vec::T* const (&a)[MR], int k, const Vec::T* w,
                                   std::size_t stride) {
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
struct Product {
  const Vec::T* const* a;
  int k;
  bool cut;
  const Vec::T* w;
};

// The h chain goes on from x's where x is no longer than this.
constexpr int kShortInput = 16;

/**
 * acc += a · W of each product in turn, in chains of `chain` terms (see kernel_set.h). The loop over k stands here once
 * for all products: written out for each, some of its copies kept accumulators on the stack (5% at H 256 and 512).
 */
template <int MR, int NP>
PACKED_LSTM_INLINE void accumulate_chains(Reg (&acc)[MR][4 * NP], const Product* product, const Product* end,
                                          std::size_t stride, int chain) {
  constexpr int kRegs = MR * 4 * NP;
  alignas(64) Vec::T total[kRegs * Vec::U];
  for (; product != end; ++product) {
    const Vec::T* row[MR];
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) row[r] = product->a[r];
    const Vec::T* w = product->w;
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

template <int MR, int NP>
PACKED_LSTM_INLINE void start_from_bias(Reg (&acc)[MR][4 * NP], const Vec::T* panel, std::size_t stride) {
  PACKED_LSTM_UNROLL
  for (int j = 0; j < 4 * NP; ++j) {
    const Reg bias = Vec::load(panel + (j / 4) * stride + (j % 4) * Vec::U);
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) acc[r][j] = bias;
  }
}

/**
 * A tile's cells from kFirst on, from gates to c and h. `gates` holds 4 vectors a cell, NP cells a row: read back from
 * the level-1 cache, since what they leave in registers is too little to work in.
 */
template <int NP, int kCells, int kFirst = 0>
PACKED_LSTM_INLINE void finish_cells(const CellTile<Vec::T>& tile, int p, const Vec::T* gates) {
  constexpr int N = kCells - kFirst < Vec::kBeside ? kCells - kFirst : Vec::kBeside;
  Gates<Beside<N>> gate;
  typename Beside<N>::Reg c;
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) {
    const Vec::T* const from = gates + (kFirst + n) * 4 * Vec::U;
    gate.i.v[n] = Vec::load(from);
    gate.f.v[n] = Vec::load(from + Vec::U);
    gate.g.v[n] = Vec::load(from + 2 * Vec::U);
    gate.o.v[n] = Vec::load(from + 3 * Vec::U);
    c.v[n] = Vec::load(tile.c[(kFirst + n) / NP] + (p + (kFirst + n) % NP) * Vec::U);
  }
  const auto h = lstm_cell<Beside<N>>(gate, c);
  PACKED_LSTM_UNROLL
  for (int n = 0; n < N; ++n) {
    const int row = (kFirst + n) / NP, unit = (p + (kFirst + n) % NP) * Vec::U;
    Vec::store(tile.c[row] + unit, c.v[n]);
    Vec::store_up_to(tile.out[row] + unit, h.v[n], tile.units - unit);
  }
  if constexpr (kFirst + N < kCells) finish_cells<NP, kCells, kFirst + N>(tile, p, gates);
}

template <int MR, int NP>
PACKED_LSTM_INLINE void cell_at(const CellTile<Vec::T>& tile, int p) {
  constexpr int kColumns = 4 * Vec::U;
  const Vec::T* panel = tile.weights.panels + p * tile.weights.stride;
  Reg acc[MR][4 * NP];
  const bool projected = tile.pre[0] != nullptr;
  if (projected) {
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) {
      PACKED_LSTM_UNROLL
      for (int j = 0; j < 4 * NP; ++j) acc[r][j] = Vec::load(tile.pre[r] + p * kColumns + j * Vec::U);
    }
  } else {
    start_from_bias<MR, NP>(acc, panel, tile.weights.stride);
  }
  const Vec::T* w = panel + kColumns;
  const Product products[2] = {{tile.x, tile.k_x, false, w},
                               {tile.h, tile.k_h, tile.k_x > kShortInput, w + tile.k_x * std::size_t{kColumns}}};
  accumulate_chains<MR, NP>(acc, products + (projected ? 1 : 0), products + 2, tile.weights.stride, tile.chain);
  alignas(64) Vec::T gates[MR * NP * kColumns];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * 4 * NP; ++i) Vec::store(gates + i * Vec::U, acc[i / (4 * NP)][i % (4 * NP)]);
  finish_cells<NP, MR * NP>(tile, p, gates);
}

template <int MR, int NP>
PACKED_LSTM_INLINE void matmul_at(const MatmulTile<Vec::T>& tile, int p) {
  constexpr int kColumns = 4 * Vec::U;
  const Vec::T* panel = tile.weights.panels + p * tile.weights.stride;
  Reg acc[MR][4 * NP];
  start_from_bias<MR, NP>(acc, panel, tile.weights.stride);
  const Product product{tile.a, tile.k, false, panel + kColumns};
  accumulate_chains<MR, NP>(acc, &product, &product + 1, tile.weights.stride, tile.chain);
  PACKED_LSTM_UNROLL
  for (int r = 0; r < MR; ++r) {
    PACKED_LSTM_UNROLL
    for (int j = 0; j < 4 * NP; ++j) {
      const int first = p * kColumns + j * Vec::U;
      Vec::store_up_to(tile.out[r] + first, acc[r][j], tile.columns - first);
    }
  }
}

// A short tile takes several panels at once, for enough independent chains to hide the latency of the FMA.
constexpr int panels_at_once(int rows) {
  return rows == 1 ? Vec::kPanels1 : rows == 2 ? Vec::kPanels2 : rows == 3 ? Vec::kPanels3 : 1;
}

template <int MR>
void cell(const CellTile<Vec::T>& tile) {
  constexpr int kWide = panels_at_once(MR);
  int p = tile.weights.begin;
  for (; p + kWide <= tile.weights.end; p += kWide) cell_at<MR, kWide>(tile, p);
  if constexpr (kWide > 2) {
    if (p + 2 <= tile.weights.end) {
      cell_at<MR, 2>(tile, p);
      p += 2;
    }
  }
  if constexpr (kWide > 1) {
    for (; p < tile.weights.end; ++p) cell_at<MR, 1>(tile, p);
  }
}

template <int MR>
void matmul(const MatmulTile<Vec::T>& tile) {
  constexpr int kWide = panels_at_once(MR);
  int p = tile.weights.begin;
  for (; p + kWide <= tile.weights.end; p += kWide) matmul_at<MR, kWide>(tile, p);
  if constexpr (kWide > 1) {
    for (; p < tile.weights.end; ++p) matmul_at<MR, 1>(tile, p);
  }
}

constexpr KernelSet<Vec::T> make_kernel_set(const char* isa) {
  KernelSet<Vec::T> set{isa, Vec::U, Vec::kTileRows, {}, {}, kProbe};
  set.cell[1] = cell<1>;
  set.matmul[1] = matmul<1>;
  if constexpr (Vec::kTileRows > 1) {
    set.cell[2] = cell<2>;
    set.cell[3] = cell<3>;
    set.matmul[2] = matmul<2>;
    set.matmul[3] = matmul<3>;
  }
  if constexpr (Vec::kTileRows > 3) {
    set.cell[4] = cell<4>;
    set.cell[5] = cell<5>;
    set.cell[6] = cell<6>;
    set.matmul[4] = matmul<4>;
    set.matmul[5] = matmul<5>;
    set.matmul[6] = matmul<6>;
  }
  return set;
}
