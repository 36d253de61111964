// Plain C++ "vectors" of four values, for processors without one of the instruction sets above and as the readable
// reference. A library's fma is exact where the hardware has none, so the bits are those of the other sets.
// Included only by scalar.cc, inside its unnamed namespace.

// Exact: as a float's bits, 112 too little in the exponent; the subnormals, infinities and NaN apart.
PACKED_LSTM_INLINE float widen(Half half) {
  const std::uint32_t sign = (half.bits & 0x8000u) << 16, magnitude = half.bits & 0x7fffu;
  float out;
  if (magnitude < 0x400) {
    out = static_cast<float>(magnitude) * 0x1p-24f;
    return sign != 0 ? -out : out;
  }
  const std::uint32_t bits = sign | ((magnitude << 13) + ((magnitude < 0x7c00 ? 112u : 224u) << 23));
  std::memcpy(&out, &bits, sizeof out);
  return out;
}

PACKED_LSTM_INLINE float exact_fma(float a, float b, float c) { return std::fma(a, b, c); }

#ifdef __MINGW32__
// What a rounding of x + y takes.
PACKED_LSTM_INLINE double lost(double x, double y, double sum) {
  const double of_y = sum - x;
  return (x - (sum - of_y)) + (y - of_y);
}

// The upper half of a double's bits; the rest is exact.
PACKED_LSTM_INLINE double upper(double x) {
  const double scaled = 134217729.0 * x;  // 2^27 + 1
  return scaled - (scaled - x);
}

// The fma that zig links for MinGW rounds some sums of sparse doubles wrongly (0.9999999999999999 for ..98). This one
// is Boldo's and Melquiond's: the low parts are added rounded to odd, so that the last rounding is the only one
// ("Emulation of a FMA and correctly rounded sums", IEEE Trans. Comput. 57, 2008). Beyond the range where its products
// are exact the library's has to do.
PACKED_LSTM_INLINE double exact_fma(double a, double b, double c) {
  const double product = a * b;
  const auto within = [](double x) { return std::fabs(x) < 0x1p900; };
  if (!(within(a) && within(b) && within(c) && within(product) && std::fabs(product) > 0x1p-900)) {
    return std::fma(a, b, c);
  }
  const double a_upper = upper(a), a_lower = a - a_upper, b_upper = upper(b), b_lower = b - b_upper;
  const double product_low =
      ((a_upper * b_upper - product) + a_upper * b_lower + a_lower * b_upper) + a_lower * b_lower;
  const double with_low = c + product_low, low = lost(c, product_low, with_low);
  const double sum = product + with_low, sum_low = lost(product, with_low, sum);
  double odd = low + sum_low;
  const double error = lost(low, sum_low, odd);
  std::uint64_t bits;
  std::memcpy(&bits, &odd, sizeof bits);
  if (error != 0 && bits % 2 == 0) bits += (error > 0) == (odd > 0) ? 1 : -1;
  std::memcpy(&odd, &bits, sizeof odd);
  return sum + odd;
}
#else
PACKED_LSTM_INLINE double exact_fma(double a, double b, double c) { return std::fma(a, b, c); }
#endif

template <class Value, class Bits, int kMantissaBits>
struct ScalarVec {
  using T = Value;
  static constexpr int U = 4, kAccumulators = 4, kTallRows = 0, kInterleaved = 1;
  struct Reg {
    T v[U];
  };

  template <class F>
  PACKED_LSTM_INLINE Reg each(const F& f) {
    Reg out;
    for (int i = 0; i < U; ++i) out.v[i] = f(i);
    return out;
  }
  PACKED_LSTM_INLINE Reg load(const T* p) {
    return each([&](int i) { return p[i]; });
  }
  PACKED_LSTM_INLINE Reg load(const Half* p) {
    return each([&](int i) { return widen(p[i]); });
  }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    return each([&](int i) { return i < n ? p[i] : T(0); });
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { store_up_to(p, v, U); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    for (int i = 0; i < U && i < n; ++i) p[i] = v.v[i];
  }
  PACKED_LSTM_INLINE Reg set1(T v) {
    return each([&](int) { return v; });
  }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) {
    return each([&](int i) { return exact_fma(a.v[i], b.v[i], c.v[i]); });
  }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) {
    return each([&](int i) { return exact_fma(a.v[i], b.v[i], -c.v[i]); });
  }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
  }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
  }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) {
    return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) {
    return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  PACKED_LSTM_INLINE Reg negate(Reg a) {
    return each([&](int i) { return -a.v[i]; });
  }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) {
    return each([&](int i) { return std::signbit(a.v[i]) ? negative.v[i] : positive.v[i]; });
  }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return each([&](int i) {
      Bits bits;
      std::memcpy(&bits, &shifted.v[i], sizeof bits);
      bits <<= kMantissaBits;
      T out;
      std::memcpy(&out, &bits, sizeof out);
      return out;
    });
  }
};

using VecF32 = ScalarVec<float, std::uint32_t, 23>;
using VecF64 = ScalarVec<double, std::uint64_t, 52>;
