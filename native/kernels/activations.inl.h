// The sigmoid's denominator, tanh as a fraction, and the LSTM cell on one vector, written once over a vector type.
// Included inside the unnamed namespace of one instruction set (see isa/). Each function is one fixed sequence of
// IEEE operations, so every instruction set gives the same bits; there are no approximate reciprocals.

// q in expm1(s) = s + s²·q(s) on |s| ≤ ln2/2, minimax in relative error (1.3e-8 at degree 4, 2.6e-19 at degree 10),
// as a polynomial in r = -s. Beyond kOverflow exp(-x) is held at infinity, so the sigmoid ends in an exact 0; beyond
// kTanhLimit tanh is ±1 to the last bit.
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr int kDegree = 4;
  static constexpr float kQ[] = {0.50000000620465205f, -0.16666542785217113f, 0.041666281605598641f,
                                 -0.0083666114286996862f, 0.0013946481133896944f};
  static constexpr float kLog2e = 1.44269504088896341f;
  static constexpr float kLn2 = 0.693147180559945309f;
  static constexpr float kMagic = 12582912.0f;  // 1.5·2^23: adding it rounds to an integer, left in the low bits
  static constexpr float kUnderflow = 87.0f, kOverflow = -89.0f, kTanhLimit = 10.0f;
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
  static constexpr double kMagic = 6755399441055744.0;  // 1.5·2^52
  static constexpr double kUnderflow = 708.0, kOverflow = -710.0, kTanhLimit = 20.0;
};

/** exp(-x) = two_n · (1 + m), m = expm1 of the reduced argument. */
struct ScaledExp {
  Reg two_n, m;
};

PACKED_LSTM_INLINE ScaledExp exp_of_negative(Reg x) {
  using K = ExpConstants<Vec::T>;
  const Reg shifted = Vec::fma(x, Vec::set1(-K::kLog2e), Vec::set1(K::kMagic));
  const Reg n = Vec::sub(shifted, Vec::set1(K::kMagic));
  // ln2 as one constant: its error times n is half an ulp of exp(-x) at |x| = 20, where exp(-x) no longer matters.
  const Reg r = Vec::fma(n, Vec::set1(K::kLn2), x);
  Reg q = Vec::set1(K::kQ[K::kDegree]);
  PACKED_LSTM_UNROLL
  for (int i = K::kDegree - 1; i >= 0; --i) q = Vec::fma(q, r, Vec::set1(K::kQ[i]));
  return {Vec::power_of_two(shifted), Vec::fms(Vec::mul(r, r), q, r)};
}

/** 1 / sigmoid(x) = 1 + exp(-x), at most infinity. NaN stays NaN: min and max return their second operand then. */
PACKED_LSTM_INLINE Reg sigmoid_denominator(Reg x) {
  using K = ExpConstants<Vec::T>;
  const Reg clamped = Vec::max(Vec::set1(K::kOverflow), Vec::min(Vec::set1(K::kUnderflow), x));
  const ScaledExp e = exp_of_negative(clamped);
  const Reg one = Vec::set1(1);
  return Vec::fma(e.two_n, Vec::add(one, e.m), one);
}

/** tanh(x) = numerator / denominator, relatively accurate near 0 too; the denominator is at least 1. */
struct Fraction {
  Reg numerator, denominator;
};

PACKED_LSTM_INLINE Fraction tanh_fraction(Reg x) {
  using K = ExpConstants<Vec::T>;
  const Reg clamped = Vec::max(Vec::set1(-K::kTanhLimit), Vec::min(Vec::set1(K::kTanhLimit), x));
  const ScaledExp e = exp_of_negative(Vec::add(clamped, clamped));
  const Reg expm1 = Vec::fma(e.two_n, e.m, Vec::sub(e.two_n, Vec::set1(1)));  // expm1(-2x)
  return {Vec::negate(expm1), Vec::add(Vec::set1(2), expm1)};
}

/** c ← σ(f)·c + σ(i)·tanh(g); returns h = σ(o)·tanh(c). Three divisions: a product of denominators shares one. */
PACKED_LSTM_INLINE Reg lstm_cell(Reg i, Reg f, Reg g, Reg o, Reg& c) {
  const Fraction candidate = tanh_fraction(g);
  const Reg kept = Vec::div(c, sigmoid_denominator(f));
  const Reg added = Vec::div(candidate.numerator, Vec::mul(sigmoid_denominator(i), candidate.denominator));
  c = Vec::add(kept, added);
  const Fraction squashed = tanh_fraction(c);
  return Vec::div(squashed.numerator, Vec::mul(sigmoid_denominator(o), squashed.denominator));
}
