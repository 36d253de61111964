// The tall tile: more rows than registers hold, as register tiles that go over a panel together, one chain's slice of
// it at a time. The slice (8 KB) comes from the level-2 cache once and then from level 1, which a tile of three rows
// needs: it asks for 21 bytes of W a cycle. Sums wait in level 1 between slices, which the chains make them do anyway,
// so the operations of an element and their order are the register tile's. On AVX2, Zen 3, 2 to 11% less time than
// register tiles one after the other. Included inside the unnamed namespace of one instruction set, after tile.inl.h.

// From so many rows on, a slice takes as long as the next one to come from beyond the caches, when it is asked for
// meanwhile. With 32 rows a tile and this, H 512 to 2048 take 4 to 14% less time at 32 rows and more, on one thread and
// two; with 8 rows asking costs 5%.
constexpr int kFetchRows = 13;

/** A chain's share of a product: k terms from column `at` of the rows a, and as many rows of W from w. */
template <class W>
struct Slice {
  const Vec::T* const* a;
  int at, k;
  bool restart;
  const W* w;
};

/** Goes on with the sums of MR rows from row r on, the first of each column or the second, by a slice. */
template <class W, class S, int MR>
PACKED_LSTM_INLINE void sum_slice(const Slice<W>& slice, int r, bool second, Vec::T* sums) {
  constexpr int C = S::kColumns;
  const auto place = [=](int i) { return sums + ((r + i / C) * S::kCount + S::place(i % C, second)) * Vec::U; };
  Reg acc[MR][C];
  const Vec::T* row[MR];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR; ++i) row[i] = slice.a[r + i] + slice.at;
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * C; ++i) acc[i / C][i % C] = slice.restart ? Vec::set1(0) : Vec::load(place(i));
  accumulate<MR, 1, C>(acc, row, slice.k, slice.w, 0);
  if (slice.restart) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * C; ++i) acc[i / C][i % C] = Vec::add(Vec::load(place(i)), acc[i / C][i % C]);
  }
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * C; ++i) Vec::store(place(i), acc[i / C][i % C]);
}

/** Asks for a few cache lines, while others are worked on. */
PACKED_LSTM_INLINE const std::byte* fetch(const std::byte* from) {
  constexpr int kLines = 16, kLine = 64;
  PACKED_LSTM_UNROLL
  for (int i = 0; i < kLines; ++i) PACKED_LSTM_PREFETCH(from + i * kLine);
  return from + kLines * kLine;
}

template <class W, class S, int MR>
PACKED_LSTM_INLINE void sum_slice_of(int height, const Slice<W>& slice, int r, bool second, Vec::T* sums) {
  if constexpr (MR > 1) {
    if (height < MR) return sum_slice_of<W, S, MR - 1>(height, slice, r, second, sums);
  }
  sum_slice<W, S, MR>(slice, r, second, sums);
}

/** A slice for `rows` rows, in register tiles of nearly equal height, the taller ones first. */
template <class W, class S>
PACKED_LSTM_NOINLINE void sum_slices(const Slice<W>& slice, int rows, bool second, bool from_memory, Vec::T* sums) {
  constexpr int kTallest = tile_rows(S::kColumns);
  const std::size_t size = slice.k * std::size_t{S::kColumns * Vec::U};
  const auto* next = reinterpret_cast<const std::byte*>(slice.w + size);
  const std::byte* const end = next + (from_memory && rows >= kFetchRows ? size * sizeof(W) : 0);
  const int tiles = (rows + kTallest - 1) / kTallest, height = rows / tiles, taller = rows % tiles;
  int r = 0;
  for (int i = 0; i < tiles; ++i) {
    if (next < end) next = fetch(next);
    const int here = height + (i < taller ? 1 : 0);
    sum_slice_of<W, S, kTallest>(here, slice, r, second, sums);
    r += here;
  }
}

/** As sum_tile, of one panel and any number of rows. */
template <class W, class S>
PACKED_LSTM_INLINE void sum_tall(const PanelRange& weights, int p, int rows, const Vec::T* const* pre,
                                 const Product<Vec::T, W>* product, const Product<Vec::T, W>* end, int chain,
                                 Vec::T* sums) {
  constexpr int C = S::kColumns;
  const Vec::T* const bias = bias_row(weights, p);
  for (int r = 0; r < rows; ++r) {
    const Vec::T* const from = pre != nullptr ? pre[r] + p * (C * Vec::U) : bias;
    Vec::T* const to = sums + r * S::kCount * Vec::U;
    PACKED_LSTM_UNROLL
    for (int j = 0; j < C; ++j) {
      Vec::store(to + S::place(j, false) * Vec::U, Vec::load(from + j * Vec::U));
      if constexpr (S::kApart) Vec::store(to + S::place(j, true) * Vec::U, second_start<S>(bias, j));
    }
  }
  for (; product != end; ++product) {
    const bool second = S::kApart && product + 1 == end;
    bool restart = product->restart;
    for (int at = 0; at < product->k; at += chain, restart = true) {
      const int k = product->k - at < chain ? product->k - at : chain;
      const Slice<W> slice{product->a, at, k, restart, product->w + at * std::size_t{C * Vec::U}};
      sum_slices<W, S>(slice, rows, second, weights.from_memory, sums);
    }
  }
}

template <class W, class Cell>
void cell_tall(const CellTile<Vec::T>& tile) {
  using S = SumsOf<Cell>;
  alignas(64) Vec::T sums[Vec::kTallRows * S::kCount * Vec::U];
  for (int p = tile.weights.begin; p < tile.weights.end; ++p) {
    const auto products =
        cell_products<Cell::kShape.apart>(tile, weight_rows<W>(tile.weights, p), S::kColumns * Vec::U);
    sum_tall<W, S>(tile.weights, p, tile.rows, products.first == 0 ? nullptr : tile.pre, products.of + products.first,
                   products.of + 2, tile.chain, sums);
    finish_tile<Cell>(tile, p, 1, sums);
  }
}

template <class W, int C>
void matmul_tall(const MatmulTile<Vec::T>& tile) {
  alignas(64) Vec::T sums[Vec::kTallRows * C * Vec::U];
  for (int p = tile.weights.begin; p < tile.weights.end; ++p) {
    const Product<Vec::T, W> product{tile.a, tile.k, false, weight_rows<W>(tile.weights, p)};
    sum_tall<W, Sums<C>>(tile.weights, p, tile.rows, nullptr, &product, &product + 1, tile.chain, sums);
    put_rows_outlined<C>(tile, p, tile.rows, C, sums);
  }
}
