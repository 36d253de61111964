// The kernels of weights stored as kInt8, in one instruction set: a register tile of exact int32 sums, which are scaled
// where they stand and stored as the float sums that a cell's update goes on from. The update, and what else stays
// float, is the float set's of the same unit. Included inside an unnamed namespace that names the vectors, Vec, and how
// they multiply, Dot (see isa/dot_*.h). The law is in arithmetic.h.

/** MR, the tallest tile whose sums registers hold. */
constexpr int tile_rows(int columns) {
  const int rows = Dot::kAccumulators / columns;
  return rows < Dot::kMostRows ? rows : Dot::kMostRows;
}

/** One product of a tile, of as many rows and panels as its kernel takes. */
struct Dots {
  const QuantizedRow* const* rows;
  int groups;              // of k
  const std::byte* panel;  // the first one
  std::size_t stride;      // bytes from one to the next
  std::size_t weights;     // bytes from a panel's beginning to this product's
  int product;             // which of the panel's, 0 or 1
  // What each row's sums start from and where they go, and elements from a panel's to the next one's.
  const float* start[Dot::kMostRows];
  std::size_t start_panel;
  float* out[Dot::kMostRows];
  std::size_t out_panel;
};

template <int C>
PACKED_LSTM_INLINE const float* scales_of(const std::byte* panel, int product) {
  return reinterpret_cast<const float*>(panel) + (2 + product) * C * Vec::U;
}

/** -excess, which wraps around. */
constexpr std::int32_t without(std::int32_t excess) {
  return static_cast<std::int32_t>(0u - static_cast<std::uint32_t>(excess));
}

template <int C, int MR, int NP>
void dots(const Dots& of) {
  constexpr int kWide = C * NP, kHeld = Dot::held(kWide);
  static_assert(kWide % kHeld == 0, "columns are held in equal parts");
  typename Dot::Sum acc[MR][kWide];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < MR * kWide; ++i) acc[i / kWide][i % kWide] = Dot::start(without(of.rows[i / kWide]->excess));
  const std::byte* row[MR];
  PACKED_LSTM_UNROLL
  for (int r = 0; r < MR; ++r) row[r] = reinterpret_cast<const std::byte*>(of.rows[r] + 1);
  const std::byte* w = of.panel + of.weights;
  for (int g = 0; g < of.groups; ++g) {
    // Columns are held and the rows' values come one by one: with a value of each row held instead, GCC 12 keeps
    // accumulators on the stack.
    PACKED_LSTM_UNROLL
    for (int first = 0; first < kWide; first += kHeld) {
      typename Dot::Columns column[kHeld];
      PACKED_LSTM_UNROLL
      for (int i = 0; i < kHeld; ++i) {
        const int j = first + i;
        column[i] = Dot::load(w + (j / C) * of.stride + (j % C) * Dot::kColumnsBytes);
      }
      PACKED_LSTM_UNROLL
      for (int r = 0; r < MR; ++r) {
        const auto values = Dot::broadcast(row[r]);
        PACKED_LSTM_UNROLL
        for (int i = 0; i < kHeld; ++i) {
          acc[r][first + i] = Dot::add(acc[r][first + i], column[i], values);
        }
      }
    }
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) row[r] += Dot::kGroup * Dot::kValueBytes;
    w += C * Dot::kColumnsBytes;
  }
  PACKED_LSTM_UNROLL
  for (int n = 0; n < NP; ++n) {
    const float* const scales = scales_of<C>(of.panel + n * of.stride, of.product);
    PACKED_LSTM_UNROLL
    for (int r = 0; r < MR; ++r) {
      const Reg scale = Vec::set1(of.rows[r]->scale);
      const float* const start = of.start[r] + n * of.start_panel;
      float* const out = of.out[r] + n * of.out_panel;
      PACKED_LSTM_UNROLL
      for (int c = 0; c < C; ++c) {
        const Reg of_both = Vec::mul(scale, Vec::load(scales + c * Vec::U));
        Vec::store(out + c * Vec::U,
                   Vec::fma(Dot::to_float(acc[r][n * C + c]), of_both, Vec::load(start + c * Vec::U)));
      }
    }
  }
}

/** The most panels that a tile of so many rows takes at once: enough independent sums to hide the latency of adding. */
constexpr int panels_at_once(int rows, int columns) {
  int panels = 1;
  while (panels < 4 && 2 * panels * rows * columns <= Dot::kAccumulators) panels *= 2;
  return panels;
}

/** By rows and panels, 1, 2 or 4 of them. */
template <int C>
struct DotKernels {
  void (*at[tile_rows(C) + 1][3])(const Dots&);
};

template <int C, int MR>
constexpr void fill(DotKernels<C>& table) {
  constexpr int kPanels = panels_at_once(MR, C);
  table.at[MR][0] = dots<C, MR, 1>;
  if constexpr (kPanels > 1) table.at[MR][1] = dots<C, MR, 2>;
  if constexpr (kPanels > 2) table.at[MR][2] = dots<C, MR, 4>;
  if constexpr (MR > 1) fill<C, MR - 1>(table);
}

template <int C>
constexpr DotKernels<C> dot_kernels() {
  DotKernels<C> table{};
  fill<C, tile_rows(C)>(table);
  return table;
}

template <int C>
constexpr DotKernels<C> kDots = dot_kernels<C>();

/** Runs part(first panel, panels, which kernel of DotKernels) over a range. */
template <int C, class Part>
PACKED_LSTM_INLINE void each_part(const PanelRange& range, int rows, const Part& part) {
  const int widest = panels_at_once(rows, C);
  for (int p = range.begin; p < range.end;) {
    int panels = widest;
    while (panels > range.end - p) panels /= 2;
    part(p, panels, panels / 2);
    p += panels;
  }
}

/** Groups of a product of k terms. */
constexpr int groups_of(int k) { return (k + Dot::kGroup - 1) / Dot::kGroup; }

template <int C>
constexpr std::size_t kWeightsAt = kQuantizedHeader * C * Vec::U * sizeof(float);

/** A cell's two sums next to each other, of a panel with a gate alone: from n first ones and n second ones. */
template <int n>
PACKED_LSTM_INLINE void side_by_side(float* sums) {
  Reg both[2 * n];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < 2 * n; ++i) both[i] = Vec::load(sums + i * Vec::U);
  PACKED_LSTM_UNROLL
  for (int i = 0; i < 2 * n; ++i) Vec::store(sums + (i % n * 2 + i / n) * Vec::U, both[i]);
}

template <CellKind kKind>
void cell(const CellTile<float>& tile) {
  constexpr CellShape kShape = shape_of(kKind);
  constexpr int C = kShape.columns(), kVectors = kShape.unit_vectors;
  constexpr std::size_t kPanel = C * Vec::U, kSums = (kShape.apart ? 2 : 1) * kPanel;  // of a row and a panel
  const bool hoisted = tile.pre[0] != nullptr;
  const int groups_x = groups_of(tile.k_x), groups_h = groups_of(tile.k_h);
  // Of a panel's row: the first sums, behind them the second ones.
  alignas(64) float sums[2 * Dot::kAccumulators * Vec::U];
  each_part<C>(tile.weights, tile.rows, [&](int p, int panels, int kernel) {
    const auto run = kDots<C>.at[tile.rows][kernel];
    Dots of;
    of.panel = tile.weights.panels + p * tile.weights.stride;
    of.stride = tile.weights.stride;
    of.out_panel = kSums;
    const auto starts_in_panel = [&](int product) {
      const float* const start = reinterpret_cast<const float*>(of.panel) + product * kPanel;
      for (int r = 0; r < tile.rows; ++r) of.start[r] = start;
      of.start_panel = of.stride / sizeof(float);
    };
    for (int r = 0; r < tile.rows; ++r) of.out[r] = sums + r * panels * kSums;
    if (!hoisted) {
      starts_in_panel(0);
      of.rows = tile.x8;
      of.groups = groups_x;
      of.weights = kWeightsAt<C>;
      of.product = 0;
      run(of);
    }
    of.rows = tile.h8;
    of.groups = groups_h;
    of.weights = kWeightsAt<C> + groups_x * (C * Dot::kColumnsBytes);
    of.product = 1;
    if constexpr (kShape.apart) {
      if (hoisted) {
        for (int r = 0; r < tile.rows; ++r) {
          for (int n = 0; n < panels; ++n) {
            PACKED_LSTM_UNROLL
            for (int c = 0; c < C; ++c) {
              Vec::store(of.out[r] + n * kSums + c * Vec::U, Vec::load(tile.pre[r] + (p + n) * kPanel + c * Vec::U));
            }
          }
        }
      }
      starts_in_panel(1);
      for (int r = 0; r < tile.rows; ++r) of.out[r] += kPanel;
    } else {
      for (int r = 0; r < tile.rows; ++r) of.start[r] = hoisted ? tile.pre[r] + p * kPanel : of.out[r];
      of.start_panel = kPanel;
    }
    run(of);
    if constexpr (kVectors > 1) {
      for (int i = 0; i < tile.rows * panels; ++i) side_by_side<kVectors>(sums + i * kSums);
    }
    kUnquantized.finish[static_cast<int>(kKind)](tile, p, panels, sums);
  });
}

template <int C>
void matmul(const MatmulTile<float>& tile) {
  alignas(64) float sums[Dot::kAccumulators * Vec::U];
  Dots of;
  of.rows = tile.a8;
  of.groups = groups_of(tile.k);
  of.stride = tile.weights.stride;
  of.weights = kWeightsAt<C>;
  of.product = 0;
  of.start_panel = of.stride / sizeof(float);
  of.out_panel = C * Vec::U;
  each_part<C>(tile.weights, tile.rows, [&](int p, int panels, int kernel) {
    of.panel = tile.weights.panels + p * of.stride;
    const bool whole = C * Vec::U * (p + panels) <= tile.columns;
    for (int r = 0; r < tile.rows; ++r) {
      of.start[r] = reinterpret_cast<const float*>(of.panel);
      of.out[r] = whole ? tile.out[r] + C * Vec::U * p : sums + r * panels * C * Vec::U;
    }
    kDots<C>.at[tile.rows][kernel](of);
    if (whole) return;
    for (int i = 0; i < tile.rows * panels * C; ++i) {
      const int r = i / (panels * C), first = (C * p + i % (panels * C)) * Vec::U;
      Vec::store_up_to(tile.out[r] + first, Vec::load(sums + i * Vec::U), tile.columns - first);
    }
  });
}

// What arithmetic.h calls the smallest row: below it 127 / m is no float.
constexpr float kSmallest = 0x1p-120f;

void quantize(const float* row, int k, QuantizedRow* out) {
  const std::int32_t bits = Dot::largest(row, k);
  float largest;
  std::memcpy(&largest, &bits, sizeof bits);
  const bool finite = bits < 0x7f800000, counts = finite && largest >= kSmallest;
  if (counts) {
    out->scale = largest / 127.0f;
    const std::int32_t sum = Dot::put(row, k, 127.0f / largest, out + 1);
    // Sums wrap around as the vectors' do: at the most terms there may be, this is more than an int32 holds.
    out->excess = Dot::kOffset ? static_cast<std::int32_t>(128u * static_cast<std::uint32_t>(sum)) : 0;
  } else {
    out->scale = finite ? 0.0f : largest - largest;
    out->excess = 0;
    std::memset(static_cast<void*>(out + 1), 0,
                static_cast<std::size_t>(groups_of(k) * Dot::kGroup * Dot::kValueBytes));
  }
}

// As probe_fma, of products of 8 bits.
float probe_dots(std::size_t rounds, float scale) {
  alignas(64) std::byte operand[64];
  std::memset(operand, scale > 0 ? 1 : 2, sizeof operand);
  const auto column = Dot::load(operand);
  const auto values = Dot::broadcast(operand);
  typename Dot::Sum chain[Dot::kAccumulators];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < Dot::kAccumulators; ++i) chain[i] = Dot::start(i);
  for (std::size_t r = 0; r < rounds; ++r) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < Dot::kAccumulators; ++i) chain[i] = Dot::add(chain[i], column, values);
  }
  float out[Vec::U], sum = 0;
  PACKED_LSTM_UNROLL
  for (int i = 0; i < Dot::kAccumulators; ++i) {
    Vec::store(out, Dot::to_float(chain[i]));
    sum += out[0];
  }
  return sum;
}

template <class Tile>
constexpr ByRows<Tile> by_rows(int tallest, void (*kernel)(const Tile&)) {
  ByRows<Tile> table{tallest, tallest, {}};
  for (int rows = 1; rows <= tallest; ++rows) table.at[rows] = kernel;
  return table;
}

template <CellKind kKind>
constexpr ByRows<CellTile<float>> cells_of() {
  return by_rows<CellTile<float>>(tile_rows(shape_of(kKind).columns()), cell<kKind>);
}

constexpr KernelSet<float> make_int8_set(const char* isa) {
  return {isa,
          Vec::U,
          Storage::kInt8,
          {cells_of<CellKind::kLSTM>(), cells_of<CellKind::kGRU>(), cells_of<CellKind::kRNNTanh>(),
           cells_of<CellKind::kRNNReLU>()},
          by_rows<MatmulTile<float>>(tile_rows(3), matmul<3>),
          by_rows<MatmulTile<float>>(tile_rows(4), matmul<4>),
          {},
          {2 * Dot::kAccumulators * Dot::kGroup * Vec::U, 0, probe_dots, nullptr},
          {Dot::kGroup, Dot::kValueBytes, Dot::kOffset, quantize},
          &kUnquantized};
}
