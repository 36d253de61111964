// The register tile: MR rows by NP panels, accumulated over k and finished in registers as a cell or stored as a plain
// product. Included inside the unnamed namespace of one instruction set (see isa/), after cells/. Does not block over
// rows or panels beyond one tile: gemm/ and rnn/ choose those.

/**
 * What a panel's columns are summed to, `vectors` times those of `gates`: a sum a column, or with `apart` two, of which
 * the last product alone feeds the second. It starts from 0, that of a gate `own_bias` from the bias behind the others.
 */
template <int gates, int vectors = 1, bool apart = false, bool own_bias = false>
struct Sums {
  static constexpr int kColumns = gates * vectors, kCount = kColumns * (apart ? 2 : 1);
  static constexpr bool kApart = apart;

  static constexpr bool has_bias(int column) { return own_bias && column == kColumns - 1; }
  /** Where a column's sum, the first or the second, lies among a panel's: vector by vector, gate by gate. */
  static constexpr int place(int column, bool second) {
    return column / gates * (kCount / vectors) + column % gates + (second ? gates : 0);
  }
};

template <class Cell>
using SumsOf = Sums<Cell::kShape.gates, Cell::kShape.unit_vectors, Cell::kShape.apart, Cell::kShape.own_bias>;

constexpr int kRegisters = Vec::kAccumulators / 3 * 4;

/** The tallest tile whose accumulators the registers hold. */
constexpr int tile_rows(int columns) { return Vec::kAccumulators / columns; }

/** A short tile takes several panels at once, for enough independent chains to hide the latency of the FMA. */
constexpr int panels_at_once(int rows, int columns) {
  int panels = 1;
  while (panels < 4 && 2 * panels * rows * columns <= Vec::kAccumulators) panels *= 2;
  return panels;
}

/**
 * acc += a · W over k rows of the panels at w. Where a value of every row and a column would be more than the registers
 * that accumulators leave, the columns are held instead, and the rows' values come one by one.
 */
template <int MR, int NP, int C, class W>
PACKED_LSTM_INLINE void accumulate(Reg (&acc)[MR][C * NP], const Vec::T* const (&a)[MR], int k, const W* w,
                                   std::size_t stride) {
  PACKED_LSTM_UNROLL_K
  for (int i = 0; i < k; ++i) {
    if constexpr (MR * (C * NP + 1) + 1 > kRegisters) {
      Reg column[C * NP];
      PACKED_LSTM_UNROLL
      for (int j = 0; j < C * NP; ++j) column[j] = Vec::load(w + (j / C) * stride + (j % C) * Vec::U);
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) {
        const Reg broadcast = Vec::set1(a[r][i]);
        PACKED_LSTM_UNROLL
        for (int j = 0; j < C * NP; ++j) acc[r][j] = Vec::fma(broadcast, column[j], acc[r][j]);
      }
    } else {
      Reg broadcast[MR];
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) broadcast[r] = Vec::set1(a[r][i]);
      PACKED_LSTM_UNROLL
      for (int j = 0; j < C * NP; ++j) {
        const Reg column = Vec::load(w + (j / C) * stride + (j % C) * Vec::U);
        PACKED_LSTM_UNROLL
        for (int r = 0; r < MR; ++r) acc[r][j] = Vec::fma(broadcast[r], column, acc[r][j]);
      }
    }
    w += C * Vec::U;
  }
}

/** The bias row of panel p. */
PACKED_LSTM_INLINE const Vec::T* bias_row(const PanelRange& weights, int p) {
  return reinterpret_cast<const Vec::T*>(weights.panels + p * weights.stride);
}

/** The K rows of panel p. */
template <class W>
PACKED_LSTM_INLINE const W* weight_rows(const PanelRange& weights, int p) {
  return reinterpret_cast<const W*>(bias_row(weights, p) + kBiasVectors * Vec::U);
}

/** Puts the sums of a tile's rows, panel by panel, where they belong: the first of each column, or the second. */
template <class S, int MR, int NP>
PACKED_LSTM_INLINE void put_sums(const Reg (&acc)[MR][S::kColumns * NP], bool second, Vec::T* sums) {
  constexpr int kWide = S::kColumns * NP;
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * kWide; ++i) {
    const int row = i / kWide, column = i % kWide, panel = row * NP + column / S::kColumns;
    Vec::store(sums + (panel * S::kCount + S::place(column % S::kColumns, second)) * Vec::U, acc[row][column]);
  }
}

/** What the second sum of a panel's column starts from; `bias` is the panel's bias row. */
template <class S>
PACKED_LSTM_INLINE Reg second_start(const Vec::T* bias, int column) {
  return S::has_bias(column) ? Vec::load(bias + S::kColumns * Vec::U) : Vec::set1(0);
}

template <class S, int MR, int NP>
PACKED_LSTM_INLINE void start_second(Reg (&acc)[MR][S::kColumns * NP], const PanelRange& weights, int p) {
  constexpr int C = S::kColumns;
  PACKED_LSTM_UNROLL
  for (int j = 0; j < C * NP; ++j) {
    const Reg start = second_start<S>(bias_row(weights, p + j / C), j % C);
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) acc[r][j] = start;
  }
}

/**
 * The sums of a tile's products, from the bias of panels p … p + NP - 1 on or, where `pre` is given, from its rows. The
 * loop over k stands here once for all products: written out for each, some of its copies kept accumulators on the
 * stack (5% at H 256 and 512).
 */
template <class W, class S, int MR, int NP>
PACKED_LSTM_INLINE void sum_tile(const PanelRange& weights, int p, const Vec::T* const* pre,
                                 const Product<Vec::T, W>* product, const Product<Vec::T, W>* end, int chain,
                                 Vec::T* sums) {
  constexpr int C = S::kColumns, kWide = C * NP, kRegs = MR * kWide;
  Reg acc[MR][kWide];
  if (pre != nullptr) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < kRegs; ++i)
      acc[i / kWide][i % kWide] = Vec::load(pre[i / kWide] + (C * p + i % kWide) * Vec::U);
  } else {
    PACKED_LSTM_UNROLL
    for (int j = 0; j < kWide; ++j) {
      const Reg bias = Vec::load(bias_row(weights, p + j / C) + (j % C) * Vec::U);
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) acc[r][j] = bias;
    }
  }
  const std::size_t stride = weights.stride / sizeof(W);
  alignas(64) Vec::T total[kRegs * Vec::U];
  if constexpr (S::kApart) {
    if (product + 1 == end) {
      put_sums<S, MR, NP>(acc, false, sums);
      start_second<S, MR, NP>(acc, weights, p);
    }
  }
  for (bool last = false; !last;) {
    const Vec::T* row[MR];
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) row[r] = product->a[r];
    const W* w = product->w;
    bool restart = product->restart;
    for (int k = product->k; k > 0; k -= chain) {
      if (restart) {
        PACKED_LSTM_UNROLL
        for (int i = 0; i < kRegs; ++i) {
          Vec::store(total + i * Vec::U, acc[i / kWide][i % kWide]);
          acc[i / kWide][i % kWide] = Vec::set1(0);
        }
      }
      accumulate<MR, NP, C>(acc, row, k < chain ? k : chain, w, stride);
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) row[r] += chain;
      w += chain * std::size_t{C * Vec::U};
      if (restart) {
        PACKED_LSTM_UNROLL
        for (int i = 0; i < kRegs; ++i) {
          acc[i / kWide][i % kWide] = Vec::add(Vec::load(total + i * Vec::U), acc[i / kWide][i % kWide]);
        }
      }
      restart = true;
    }
    last = ++product == end;
    if constexpr (S::kApart) {
      put_sums<S, MR, NP>(acc, last, sums);
      if (!last) start_second<S, MR, NP>(acc, weights, p);
    }
  }
  if constexpr (!S::kApart) put_sums<S, MR, NP>(acc, false, sums);
}

template <class W, class S, int MR, int NP>
PACKED_LSTM_NOINLINE void sum_tile_outlined(const PanelRange& weights, int p, const Vec::T* const* pre,
                                            const Product<Vec::T, W>* product, const Product<Vec::T, W>* end, int chain,
                                            Vec::T* sums) {
  sum_tile<W, S, MR, NP>(weights, p, pre, product, end, chain, sums);
}

// Float has its sums and cells written out in each of its kernels. The others call these, which halves their code:
// float64 is 6% slower for it at H 16, 4% at 64, 1% at 256 (AVX2). An RNN calls them too, so that its two kinds share
// their sums, and a GRU calls its cells: 150 KB of a binary.
template <class W>
constexpr bool kInPlace = std::is_same_v<W, float> && tile_rows(4) > 1;

template <class W, class Cell>
constexpr bool kSumsInPlace = kInPlace<W> && Cell::kShape.gates > 1;
template <class W, class Cell>
constexpr bool kCellsInPlace = kInPlace<W> && Cell::kShape.has_c;

template <class W, class Cell, int MR, int NP>
PACKED_LSTM_INLINE void cell_at(const CellTile<Vec::T>& tile, int p) {
  using S = SumsOf<Cell>;
  constexpr int kVectors = Cell::kShape.unit_vectors;
  const auto products = cell_products<Cell::kShape.apart>(tile, weight_rows<W>(tile.weights, p), S::kColumns * Vec::U);
  alignas(64) Vec::T sums[MR * NP * S::kCount * Vec::U];
  constexpr auto sum = kSumsInPlace<W, Cell> ? sum_tile<W, S, MR, NP> : sum_tile_outlined<W, S, MR, NP>;
  sum(tile.weights, p, products.first == 0 ? nullptr : tile.pre, products.of + products.first, products.of + 2,
      tile.chain, sums);
  if constexpr (kCellsInPlace<W, Cell>) {
    CellRow cells[MR * NP * kVectors];
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * NP; ++i) point_at<Cell>(tile, p + i % NP, i / NP, cells + i * kVectors);
    finish_cells<Cell>(cells, sums, MR * NP * kVectors);
  } else {
    finish_tile<Cell>(tile, p, NP, sums);
  }
}

/** The sums of the panels from p on, `vectors` a row, to where they belong. */
template <int C>
PACKED_LSTM_INLINE void put_rows(const MatmulTile<Vec::T>& tile, int p, int rows, int vectors, const Vec::T* sums) {
  PACKED_LSTM_UNROLL
  for (int i = 0; i < rows * vectors; ++i) {
    const int first = (C * p + i % vectors) * Vec::U;
    Vec::store_up_to(tile.out[i / vectors] + first, Vec::load(sums + i * Vec::U), tile.columns - first);
  }
}

template <int C>
PACKED_LSTM_NOINLINE void put_rows_outlined(const MatmulTile<Vec::T>& tile, int p, int rows, int vectors,
                                            const Vec::T* sums) {
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < vectors; ++j, sums += Vec::U) {
      const int first = (C * p + j) * Vec::U;
      Vec::store_up_to(tile.out[r] + first, Vec::load(sums), tile.columns - first);
    }
  }
}

template <class W, int C, int MR, int NP>
PACKED_LSTM_INLINE void matmul_at(const MatmulTile<Vec::T>& tile, int p) {
  using S = Sums<C>;
  const Product<Vec::T, W> product{tile.a, tile.k, false, weight_rows<W>(tile.weights, p)};
  alignas(64) Vec::T sums[MR * NP * C * Vec::U];
  constexpr auto sum = kInPlace<W> ? sum_tile<W, S, MR, NP> : sum_tile_outlined<W, S, MR, NP>;
  sum(tile.weights, p, nullptr, &product, &product + 1, tile.chain, sums);
  if constexpr (kInPlace<W>) {
    put_rows<C>(tile, p, MR, C * NP, sums);
  } else {
    put_rows_outlined<C>(tile, p, MR, C * NP, sums);
  }
}

template <class W, class Cell, int MR>
void cell(const CellTile<Vec::T>& tile) {
  constexpr int kWide = panels_at_once(MR, Cell::kShape.columns());
  int p = tile.weights.begin;
  for (; p + kWide <= tile.weights.end; p += kWide) cell_at<W, Cell, MR, kWide>(tile, p);
  if constexpr (kWide > 2) {
    if (p + 2 <= tile.weights.end) {
      cell_at<W, Cell, MR, 2>(tile, p);
      p += 2;
    }
  }
  if constexpr (kWide > 1) {
    for (; p < tile.weights.end; ++p) cell_at<W, Cell, MR, 1>(tile, p);
  }
}

template <class W, int C, int MR>
void matmul(const MatmulTile<Vec::T>& tile) {
  constexpr int kWide = panels_at_once(MR, C);
  int p = tile.weights.begin;
  for (; p + kWide <= tile.weights.end; p += kWide) matmul_at<W, C, MR, kWide>(tile, p);
  if constexpr (kWide > 1) {
    for (; p < tile.weights.end; ++p) matmul_at<W, C, MR, 1>(tile, p);
  }
}
