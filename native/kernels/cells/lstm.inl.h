// The LSTM's cell: sums i, f, g, o; c is carried beside h.

struct LSTM {
  static constexpr CellShape kShape = shape_of(CellKind::kLSTM);
  static constexpr int kHalves = 2;

  template <int kHalf, int N>
  PACKED_LSTM_INLINE void finish(const CellRow* cells, Vec::T* sums) {
    if constexpr (kHalf == 0) {
      update_c<N>(cells, sums);
    } else {
      write_h<N>(cells, sums);
    }
  }

  /** σ(f)·c + σ(i)·tanh(g). Two divisions: a product of denominators shares one. */
  template <int N>
  PACKED_LSTM_INLINE void update_c(const CellRow* cells, const Vec::T* sums) {
    using V = Interleaved<N>;
    typename V::Reg c;
    PACKED_LSTM_UNROLL
    for (int n = 0; n < N; ++n) c.v[n] = Vec::load(cells[n].c);
    const Fraction<V> candidate = tanh_fraction<V>(load_sums<LSTM, N>(sums, 2));
    const auto input = sigmoid_denominator<V>(load_sums<LSTM, N>(sums, 0));
    const auto added = V::div(candidate.numerator, V::mul(input, candidate.denominator));
    c = V::fma(sigmoid<V>(load_sums<LSTM, N>(sums, 1)), c, added);
    PACKED_LSTM_UNROLL
    for (int n = 0; n < N; ++n) Vec::store(cells[n].c, c.v[n]);
  }

  /** σ(o)·tanh(c), with one division. */
  template <int N>
  PACKED_LSTM_INLINE void write_h(const CellRow* cells, const Vec::T* sums) {
    using V = Interleaved<N>;
    typename V::Reg c;
    PACKED_LSTM_UNROLL
    for (int n = 0; n < N; ++n) c.v[n] = Vec::load(cells[n].c);
    const Fraction<V> squashed = tanh_fraction<V>(c);
    const auto output = sigmoid_denominator<V>(load_sums<LSTM, N>(sums, 3));
    store_h<N>(cells, V::div(squashed.numerator, V::mul(output, squashed.denominator)));
  }
};
