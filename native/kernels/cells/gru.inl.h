// The GRU's cell: gates r, z, n, each with x's share and h's; nothing is carried but h.

struct GRU {
  static constexpr CellShape kShape = shape_of(CellKind::kGRU);
  static constexpr int kHalves = 2;

  template <int kHalf, int N>
  PACKED_LSTM_INLINE void finish(const CellRow* cells, Vec::T* sums) {
    if constexpr (kHalf == 0) {
      reset<N>(sums);
    } else {
      write_h<N>(cells, sums);
    }
  }

  /** x's share of n and σ(r) times h's, in the place of the first. */
  template <int N>
  PACKED_LSTM_INLINE void reset(Vec::T* sums) {
    using V = Interleaved<N>;
    const auto gate = sigmoid<V>(load_gate<GRU, N>(sums, 0));
    const auto candidate = V::fma(gate, load_sums<GRU, N>(sums, 5), load_sums<GRU, N>(sums, 2));
    PACKED_LSTM_UNROLL
    for (int n = 0; n < N; ++n) Vec::store(sums + (n * kSumsOf<GRU> + 2) * Vec::U, candidate.v[n]);
  }

  /** (1 - σ(z))·t + σ(z)·h, as t + σ(z)·(h - t). */
  template <int N>
  PACKED_LSTM_INLINE void write_h(const CellRow* cells, const Vec::T* sums) {
    using V = Interleaved<N>;
    typename V::Reg h;
    PACKED_LSTM_UNROLL
    for (int n = 0; n < N; ++n) h.v[n] = Vec::load_up_to(cells[n].h, cells[n].units);
    const auto t = tanh<V>(load_sums<GRU, N>(sums, 2));
    store_h<N>(cells, V::fma(sigmoid<V>(load_gate<GRU, N>(sums, 1)), V::sub(h, t), t));
  }
};
