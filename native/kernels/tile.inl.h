// The register tile: MR rows by NP panels of 4 vectors, accumulated over k and finished in registers as an LSTM cell
// or stored as a plain product. Included inside the unnamed namespace of one instruction set (see isa/), after
// activations.inl.h. Does not block over rows or panels beyond one tile: gemm/ and lstm/ choose those.

/** acc += a · W over k rows of the panels at w. */
template <int MR, int NP>
PACKED_LSTM_INLINE void accumulate(Reg (&acc)[MR][4 * NP], const Vec::T* const* a, int k, const Vec::T* w,
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

// The h chain goes on from x's where x is no longer than this.
constexpr int kShortInput = 16;

/** acc += a · W in chains of `chain` terms (see kernel_set.h); the first one goes on from acc unless `cut`. */
template <int MR, int NP>
PACKED_LSTM_INLINE void accumulate_chains(Reg (&acc)[MR][4 * NP], const Vec::T* const* a, int k, const Vec::T* w,
                                          std::size_t stride, int chain, bool cut) {
  const Vec::T* row[MR];
  PACKED_LSTM_UNROLL
  for (int r = 0; r < MR; ++r) row[r] = a[r];
  if (!cut) {
    accumulate<MR, NP>(acc, row, k < chain ? k : chain, w, stride);
    k -= chain;
    w += chain * std::size_t{4 * Vec::U};
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) row[r] += chain;
  }
  for (; k > 0; k -= chain, w += chain * std::size_t{4 * Vec::U}) {
    alignas(64) Vec::T total[MR * 4 * NP * Vec::U];
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * 4 * NP; ++i) {
      Vec::store(total + i * Vec::U, acc[i / (4 * NP)][i % (4 * NP)]);
      acc[i / (4 * NP)][i % (4 * NP)] = Vec::set1(0);
    }
    accumulate<MR, NP>(acc, row, k < chain ? k : chain, w, stride);
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) row[r] += chain;
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * 4 * NP; ++i) {
      acc[i / (4 * NP)][i % (4 * NP)] = Vec::add(Vec::load(total + i * Vec::U), acc[i / (4 * NP)][i % (4 * NP)]);
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

template <int MR, int NP>
PACKED_LSTM_INLINE void cell_at(const CellTile<Vec::T>& tile, int p) {
  constexpr int kColumns = 4 * Vec::U;
  const Vec::T* panel = tile.weights.panels + p * tile.weights.stride;
  Reg acc[MR][4 * NP];
  if (tile.pre[0] != nullptr) {
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) {
      PACKED_LSTM_UNROLL
      for (int j = 0; j < 4 * NP; ++j) acc[r][j] = Vec::load(tile.pre[r] + p * kColumns + j * Vec::U);
    }
  } else {
    start_from_bias<MR, NP>(acc, panel, tile.weights.stride);
    accumulate_chains<MR, NP>(acc, tile.x, tile.k_x, panel + kColumns, tile.weights.stride, tile.chain, false);
  }
  accumulate_chains<MR, NP>(acc, tile.h, tile.k_h, panel + kColumns + tile.k_x * std::size_t{kColumns},
                            tile.weights.stride, tile.chain, tile.k_x > kShortInput);
  PACKED_LSTM_UNROLL
  for (int q = 0; q < NP; ++q) {
    const int first = (p + q) * Vec::U;
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) {
      Reg c = Vec::load(tile.c[r] + first);
      const Reg h = lstm_cell(acc[r][4 * q], acc[r][4 * q + 1], acc[r][4 * q + 2], acc[r][4 * q + 3], c);
      Vec::store(tile.c[r] + first, c);
      Vec::store_up_to(tile.out[r] + first, h, tile.units - first);
    }
  }
}

template <int MR, int NP>
PACKED_LSTM_INLINE void matmul_at(const MatmulTile<Vec::T>& tile, int p) {
  constexpr int kColumns = 4 * Vec::U;
  const Vec::T* panel = tile.weights.panels + p * tile.weights.stride;
  Reg acc[MR][4 * NP];
  start_from_bias<MR, NP>(acc, panel, tile.weights.stride);
  accumulate_chains<MR, NP>(acc, tile.a, tile.k, panel + kColumns, tile.weights.stride, tile.chain, false);
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
  KernelSet<Vec::T> set{isa, Vec::U, Vec::kTileRows, {}, {}};
  set.cell[1] = cell<1>;
  set.cell[2] = cell<2>;
  set.cell[3] = cell<3>;
  set.matmul[1] = matmul<1>;
  set.matmul[2] = matmul<2>;
  set.matmul[3] = matmul<3>;
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
