// The Elman RNN's cell, with tanh or relu: one sum; nothing is carried but h.

template <CellKind kKind>
struct RNN {
  static constexpr CellShape kShape = shape_of(kKind);
  static constexpr int kHalves = 1;

  template <int kHalf, int N>
  PACKED_LSTM_INLINE void finish(const CellRow* cells, Vec::T* sums) {
    using V = Interleaved<N>;
    const auto sum = load_gate<RNN, N>(sums, 0);
    if constexpr (kKind == CellKind::kRNNTanh) {
      store_h<N>(cells, tanh<V>(sum));
    } else {
      // Instruction sets differ in the sign of max(0, -0); adding 0 leaves none.
      const auto zero = V::set1(0);
      store_h<N>(cells, V::add(V::max(zero, sum), zero));
    }
  }
};
