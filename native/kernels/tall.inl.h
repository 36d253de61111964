// The tall tile: more rows than registers hold, as register tiles that go over a panel together, one chain's slice of
// it at a time. The slice (8 KB) comes from the level-2 cache once and then from level 1, which a tile of three rows
// needs: it asks for 21 bytes of W a cycle. Sums wait in level 1 between slices, which the chains make them do anyway,
// so the operations of an element and their order are the register tile's. On AVX2, Zen 3, 2 to 11% less time than
// register tiles one after the other. Included inside the unnamed namespace of one
// instruction set, after tile.inl.h.

// From so many rows on, a slice takes as long as the next one to come from beyond the caches, when it is asked for
// meanwhile. With 32 rows a tile and this, H 512 to 2048 take 4 to 14% less time at 32 rows and more, on one thread and
// two; with 8 rows asking costs 5%.
constexpr int kFetchRows = 13;

/** Goes on with the sums of MR rows by k terms from column `at` of a; one that is `cut` starts from 0 and is added. */
template <class W, int MR>
PACKED_LSTM_INLINE void sum_slice(const Vec::T* const* a, int at, int k, bool cut, const W* w, Vec::T* sums) {
  Reg acc[MR][4];
  const Vec::T* row[MR];
  PACKED_LSTM_UNROLL
  for (int r = 0; r < MR; ++r) row[r] = a[r] + at;
  if (cut) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * 4; ++i) acc[i / 4][i % 4] = Vec::set1(0);
  } else {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * 4; ++i) acc[i / 4][i % 4] = Vec::load(sums + i * Vec::U);
  }
  accumulate<MR, 1>(acc, row, k, w, 0);
  if (cut) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < MR * 4; ++i) acc[i / 4][i % 4] = Vec::add(Vec::load(sums + i * Vec::U), acc[i / 4][i % 4]);
  }
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * 4; ++i) Vec::store(sums + i * Vec::U, acc[i / 4][i % 4]);
}

/** Asks for a few cache lines, while others are worked on. */
PACKED_LSTM_INLINE const std::byte* fetch(const std::byte* from) {
  constexpr int kLines = 16, kLine = 64;
  PACKED_LSTM_UNROLL
  for (int i = 0; i < kLines; ++i) PACKED_LSTM_PREFETCH(from + i * kLine);
  return from + kLines * kLine;
}

/** A slice for `rows` rows, in register tiles of nearly equal height. */
template <class W>
PACKED_LSTM_NOINLINE void sum_slices(const Vec::T* const* a, int rows, int at, int k, bool cut, const W* w, bool far,
                                     Vec::T* sums) {
  constexpr int kColumns = 4 * Vec::U;
  const std::size_t size = k * std::size_t{kColumns};
  const auto* next = reinterpret_cast<const std::byte*>(w + size);
  const std::byte* const end = next + (far && rows >= kFetchRows ? size * sizeof(W) : 0);
  int r = 0;
  for (; rows - r >= 5 || rows - r == 3; r += 3) {
    if (next < end) next = fetch(next);
    sum_slice<W, 3>(a + r, at, k, cut, w, sums + r * kColumns);
  }
  for (; rows - r >= 2; r += 2) sum_slice<W, 2>(a + r, at, k, cut, w, sums + r * kColumns);
}

/** As sum_tile, of one panel and any number of rows. */
template <class W>
PACKED_LSTM_INLINE void sum_tall(const PanelRange& weights, int p, int rows, const Vec::T* const* pre,
                                 const Product<W>* product, const Product<W>* end, int chain, Vec::T* sums) {
  constexpr int kColumns = 4 * Vec::U;
  const auto* const bias = reinterpret_cast<const Vec::T*>(weights.panels + p * weights.stride);
  for (int r = 0; r < rows; ++r) {
    const Vec::T* const from = pre != nullptr ? pre[r] + p * kColumns : bias;
    PACKED_LSTM_UNROLL
    for (int j = 0; j < 4; ++j) Vec::store(sums + r * kColumns + j * Vec::U, Vec::load(from + j * Vec::U));
  }
  for (; product != end; ++product) {
    bool cut = product->cut;
    for (int at = 0; at < product->k; at += chain, cut = true) {
      const int k = product->k - at < chain ? product->k - at : chain;
      sum_slices(product->a, rows, at, k, cut, product->w + at * std::size_t{kColumns}, weights.far, sums);
    }
  }
}

template <class W>
void cell_tall(const CellTile<Vec::T>& tile) {
  constexpr int kColumns = 4 * Vec::U;
  alignas(64) Vec::T gates[Vec::kTallRows * kColumns];
  for (int p = tile.weights.begin; p < tile.weights.end; ++p) {
    const bool projected = tile.pre[0] != nullptr;
    const W* const w = weight_rows<W>(tile.weights, p);
    const Product<W> products[2] = {{tile.x, tile.k_x, false, w},
                                    {tile.h, tile.k_h, tile.k_x > kShortInput, w + tile.k_x * std::size_t{kColumns}}};
    sum_tall(tile.weights, p, tile.rows, projected ? tile.pre : nullptr, products + (projected ? 1 : 0), products + 2,
             tile.chain, gates);
    const int unit = p * Vec::U;
    Cell cells[Vec::kTallRows];
    for (int r = 0; r < tile.rows; ++r) cells[r] = {tile.c[r] + unit, tile.out[r] + unit, tile.units - unit};
    finish_cells_apart(cells, gates, tile.rows);
  }
}

template <class W>
void matmul_tall(const MatmulTile<Vec::T>& tile) {
  alignas(64) Vec::T sums[Vec::kTallRows * 4 * Vec::U];
  for (int p = tile.weights.begin; p < tile.weights.end; ++p) {
    const Product<W> product{tile.a, tile.k, false, weight_rows<W>(tile.weights, p)};
    sum_tall(tile.weights, p, tile.rows, nullptr, &product, &product + 1, tile.chain, sums);
    put_rows_apart(tile, p, tile.rows, 4, sums);
  }
}
