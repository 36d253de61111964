// The sigmoid and tanh, whole and as fractions, written once over a vector type: D, S, N, M and T of arithmetic.h.
// Included inside the unnamed namespace of one instruction set (see isa/). Each function is one fixed sequence of
// IEEE operations, so every instruction set gives the same bits; there are no approximate reciprocals.

// q in expm1(s) = s + s²·q(s) on |s| ≤ ln2/2, minimax in relative error (1.3e-8 at degree 4, 2.6e-19 at degree 10),
// as a polynomial in r = -s. Beyond kOverflow exp(-x) is held at infinity, and from kVanishing on at 0, so the sigmoid
// ends in an exact 0; beyond kTanhLimit tanh is ±1 to the last bit.
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr int kDegree = 4;
  static constexpr float kQ[] = {0.50000000620465205f, -0.16666542785217113f, 0.041666281605598641f,
                                 -0.0083666114286996862f, 0.0013946481133896944f};
  static constexpr float kLog2e = 1.44269504088896341f;
  static constexpr float kLn2 = 0.693147180559945309f;
  static constexpr float kMagic = 12583039.0f;  // 1.5·2^23 + 127: adding it rounds to an integer n, and leaves
                                                // n + 127, the exponent field of 2^n, in the low bits
  static constexpr float kUnderflow = 87.0f, kOverflow = -89.0f, kVanishing = 88.0f, kTanhLimit = 10.0f,
                         kReciprocal = 1.4571067f;
};

template <>
struct ExpConstants<double> {
  static constexpr int kDegree = 10;
  static constexpr double kQ[] = {0.49999999999999999986,     -0.1666666666666667664,    0.041666666666666701483,
                                  -0.0083333333333215772563,  0.0013888888888866780178,  -0.0001984126988626866306,
                                  0.000024801587360669016766, -2.7557244059662168716e-6, 2.7557242663488283871e-7,
                                  -2.510909115137073813e-8,   2.0924473049080170316e-9};
  static constexpr double kLog2e = 1.44269504088896340736;
  static constexpr double kLn2 = 0.693147180559945309417;
  static constexpr double kMagic = 6755399441056767.0;  // 1.5·2^52 + 1023
  static constexpr double kUnderflow = 708.0, kOverflow = -710.0, kVanishing = 709.0, kTanhLimit = 20.0,
                          kReciprocal = 1.4571067;
};

/**
 * N vectors that go through the same operations next to each other: one cell is a long chain of dependent operations,
 * and six of them written one after the other take 92 cycles each, in threes side by side 80 (Zen 4, where the FMA
 * units and the divider would need 77).
 */
template <int N>
struct Interleaved {
  using T = Vec::T;
  struct Reg {
    Vec::Reg v[N];
  };

  template <class F>
  PACKED_LSTM_INLINE Reg each(const F& f) {
    Reg out;
    PACKED_LSTM_UNROLL
    for (int i = 0; i < N; ++i) out.v[i] = f(i);
    return out;
  }
  PACKED_LSTM_INLINE Reg set1(T v) {
    return each([&](int) { return Vec::set1(v); });
  }
  PACKED_LSTM_INLINE Reg fma(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](int i) { return Vec::fma(a.v[i], b.v[i], c.v[i]); });
  }
  PACKED_LSTM_INLINE Reg fms(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](int i) { return Vec::fms(a.v[i], b.v[i], c.v[i]); });
  }
  PACKED_LSTM_INLINE Reg add(const Reg& a, const Reg& b) {
    return each([&](int i) { return Vec::add(a.v[i], b.v[i]); });
  }
  PACKED_LSTM_INLINE Reg sub(const Reg& a, const Reg& b) {
    return each([&](int i) { return Vec::sub(a.v[i], b.v[i]); });
  }
  PACKED_LSTM_INLINE Reg mul(const Reg& a, const Reg& b) {
    return each([&](int i) { return Vec::mul(a.v[i], b.v[i]); });
  }
  PACKED_LSTM_INLINE Reg div(const Reg& a, const Reg& b) {
    return each([&](int i) { return Vec::div(a.v[i], b.v[i]); });
  }
  PACKED_LSTM_INLINE Reg min(const Reg& a, const Reg& b) {
    return each([&](int i) { return Vec::min(a.v[i], b.v[i]); });
  }
  PACKED_LSTM_INLINE Reg max(const Reg& a, const Reg& b) {
    return each([&](int i) { return Vec::max(a.v[i], b.v[i]); });
  }
  PACKED_LSTM_INLINE Reg negate(const Reg& a) {
    return each([&](int i) { return Vec::negate(a.v[i]); });
  }
  PACKED_LSTM_INLINE Reg by_sign(const Reg& a, const Reg& negative, const Reg& positive) {
    return each([&](int i) { return Vec::by_sign(a.v[i], negative.v[i], positive.v[i]); });
  }
  PACKED_LSTM_INLINE Reg power_of_two(const Reg& a) {
    return each([&](int i) { return Vec::power_of_two(a.v[i]); });
  }
};

/** exp(-x) = two_n · (1 + m), m = expm1 of the reduced argument. */
template <class V>
struct ScaledExp {
  typename V::Reg two_n, m;
};

/**
 * `m_low`, if asked for, is what m's rounding took. m is written out twice: GCC 12 copies a named Reg into a struct
 * through integer registers, and a cell then takes 1.7 times as long on AVX2.
 */
template <class V>
PACKED_LSTM_INLINE ScaledExp<V> exp_of_negative(const typename V::Reg& x, typename V::Reg* m_low = nullptr) {
  using K = ExpConstants<typename V::T>;
  const auto shifted = V::fma(x, V::set1(-K::kLog2e), V::set1(K::kMagic));
  const auto n = V::sub(shifted, V::set1(K::kMagic));
  // ln2 as one constant: its error times n is half an ulp of exp(-x) at |x| = 20, where exp(-x) no longer matters.
  const auto r = V::fma(n, V::set1(K::kLn2), x);
  auto q = V::set1(K::kQ[K::kDegree]);
  PACKED_LSTM_UNROLL
  for (int i = K::kDegree - 1; i >= 0; --i) q = V::fma(q, r, V::set1(K::kQ[i]));
  const auto square = V::mul(r, r);
  if (m_low != nullptr) *m_low = V::fma(square, q, V::negate(V::add(r, V::fms(square, q, r))));
  return {V::power_of_two(shifted), V::fms(square, q, r)};
}

template <class V>
PACKED_LSTM_INLINE typename V::Reg magnitude(const typename V::Reg& x) {
  return V::max(V::negate(x), x);
}

/** 1 / sigmoid(x) = 1 + exp(-x), at most infinity: for a quotient that has other factors below it. */
template <class V>
PACKED_LSTM_INLINE typename V::Reg sigmoid_denominator(const typename V::Reg& x) {
  using K = ExpConstants<typename V::T>;
  const auto clamped = V::max(V::set1(K::kOverflow), V::min(V::set1(K::kUnderflow), x));
  const ScaledExp<V> e = exp_of_negative<V>(clamped);
  const auto one = V::set1(1);
  return V::fma(e.two_n, V::add(one, e.m), one);
}

/**
 * sigmoid(x), near 1 by its distance from 1, which is rounded once where 1 / (1 + exp(-x)) is rounded twice: what a
 * cell keeps of its state is multiplied by it at every step.
 */
template <class V>
PACKED_LSTM_INLINE typename V::Reg sigmoid(const typename V::Reg& x) {
  using K = ExpConstants<typename V::T>;
  const ScaledExp<V> e = exp_of_negative<V>(V::min(V::set1(K::kVanishing), magnitude<V>(x)));
  const auto one = V::set1(1), odds = V::mul(e.two_n, V::add(one, e.m));
  const auto below = V::div(odds, V::add(one, odds));
  return V::by_sign(x, below, V::sub(one, below));
}

/** tanh(x) = numerator / denominator, relatively accurate near 0 too; the denominator is at least 1. */
template <class V>
struct Fraction {
  typename V::Reg numerator, denominator;
};

template <class V>
PACKED_LSTM_INLINE Fraction<V> tanh_fraction(const typename V::Reg& x) {
  using K = ExpConstants<typename V::T>;
  const auto clamped = V::max(V::set1(-K::kTanhLimit), V::min(V::set1(K::kTanhLimit), x));
  const ScaledExp<V> e = exp_of_negative<V>(V::add(clamped, clamped));
  const auto expm1 = V::fma(e.two_n, e.m, V::sub(e.two_n, V::set1(1)));  // expm1(-2x)
  return {V::negate(expm1), V::add(V::set1(2), expm1)};
}

/**
 * tanh(x) to less than one ulp: that quotient, of |x|, and by what the rounding of numerator, denominator and quotient
 * took, over a straight line's 1 / denominator (4% off, of a correction of 2.5 ulp at most). An LSTM's two are
 * fractions of quotients with more below; this one costs half as much again.
 */
template <class V>
PACKED_LSTM_INLINE typename V::Reg tanh(const typename V::Reg& x) {
  using K = ExpConstants<typename V::T>;
  const auto one = V::set1(1), two = V::set1(2);
  const auto clamped = V::min(V::set1(K::kTanhLimit), magnitude<V>(x));
  typename V::Reg m_low;
  const ScaledExp<V> e = exp_of_negative<V>(V::add(clamped, clamped), &m_low);
  const auto base = V::sub(e.two_n, one);
  const auto expm1 = V::fma(e.two_n, e.m, base);
  const auto base_low = V::sub(e.two_n, V::add(base, one));
  const auto expm1_low = V::fma(e.two_n, m_low, V::add(V::fma(e.two_n, e.m, V::sub(base, expm1)), base_low));
  const auto denominator = V::add(two, expm1);
  const auto denominator_low = V::add(V::sub(expm1, V::sub(denominator, two)), expm1_low);
  const auto quotient = V::div(expm1, denominator), minus = V::negate(quotient);
  const auto rest = V::fma(minus, denominator_low, V::add(V::fma(minus, denominator, expm1), expm1_low));
  const auto reciprocal = V::fma(V::set1(-0.5), denominator, V::set1(K::kReciprocal));
  const auto t = V::fma(rest, reciprocal, quotient);  // of -|x|
  return V::by_sign(x, t, V::negate(t));
}
