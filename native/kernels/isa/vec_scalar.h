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

#if defined(__MINGW32__) && defined(__x86_64__)
// MinGW's fma of doubles computes in x87 registers. Microsoft's runtime, which node.exe has, keeps these at 53 bits,
// where one sum in some thousands is rounded wrongly; at 64 it is exact. The operands tie the call to its place.
PACKED_LSTM_INLINE double exact_fma(double a, double b, double c) {
  std::uint16_t given;
  __asm__ volatile("fnstcw %0" : "=m"(given));
  const std::uint16_t extended = given | 0x300;
  __asm__ volatile("fldcw %1" : "+x"(a) : "m"(extended));
  double out = std::fma(a, b, c);
  __asm__ volatile("fldcw %1" : "+x"(out) : "m"(given));
  return out;
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
