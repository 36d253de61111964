// The GRU's cell: sums r, z, n and m, where n is x's share of the candidate and m is h's; nothing is carried but h.

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

  /** n + σ(r)·m, in the place of n. */
  template <int N>
  PACKED_LSTM_INLINE void reset(Vec::T* sums) {
    using V = Interleaved<N>;
    const auto kept = V::div(load_sums<GRU, N>(sums, 3), sigmoid_denominator<V>(load_sums<GRU, N>(sums, 0)));
    const auto candidate = V::add(load_sums<GRU, N>(sums, 2), kept);
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
    const Fraction<V> squashed = tanh_fraction<V>(load_sums<GRU, N>(sums, 2));
    const auto t = V::div(squashed.numerator, squashed.denominator);
    const auto update = sigmoid_denominator<V>(load_sums<GRU, N>(sums, 1));
    store_h<N>(cells, V::add(t, V::div(V::sub(h, t), update)));
  }
};
