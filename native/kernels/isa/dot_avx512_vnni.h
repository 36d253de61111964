// Products of 8 bits by AVX-512 VNNI: unsigned weights, signed activations, four terms a lane, no saturation. Included
// only by int8_avx512_vnni.cc, after vec_avx512.h, whose first lines say why masks are full.

struct Dot {
  using Sum = __m512i;
  using Columns = __m512i;
  static constexpr int kAccumulators = 24, kMostRows = 8, kGroup = 4, kValueBytes = 1, kColumnsBytes = 64;
  static constexpr bool kOffset = true;
  static constexpr __mmask16 kAll = 0xffff;

  static constexpr int held(int columns) { return columns % 4 == 0 ? 4 : 3; }

  PACKED_LSTM_INLINE Sum start(std::int32_t value) { return _mm512_set1_epi32(value); }
  PACKED_LSTM_INLINE Columns load(const std::byte* w) { return _mm512_loadu_si512(w); }
  PACKED_LSTM_INLINE __m512i broadcast(const std::byte* values) {
    std::int32_t four;
    std::memcpy(&four, values, sizeof four);
    return _mm512_set1_epi32(four);
  }
  PACKED_LSTM_INLINE Sum add(Sum sum, Columns columns, __m512i values) {
#ifdef __GNUC__
    // As an intrinsic it makes GCC 12 keep accumulators on the stack: 180 GOP/s instead of 400.
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(columns), "v"(values));
    return sum;
#else
    return _mm512_dpbusd_epi32(sum, columns, values);
#endif
  }
  PACKED_LSTM_INLINE __m512 to_float(Sum sum) { return _mm512_maskz_cvtepi32_ps(kAll, sum); }

  /** The largest magnitude of a row, as bits; NaN is larger than infinity. */
  PACKED_LSTM_INLINE std::int32_t largest(const float* row, int k) {
    __m512i most = _mm512_setzero_si512();
    for (int i = 0; i < k; i += 16) {
      const __m512i bits = _mm512_castps_si512(Vec::load_up_to(row + i, k - i));
      most = _mm512_maskz_max_epi32(kAll, most, _mm512_and_si512(bits, _mm512_set1_epi32(INT32_MAX)));
    }
    alignas(64) std::int32_t lanes[16];
    _mm512_store_si512(lanes, most);
    std::int32_t out = 0;
    for (const std::int32_t lane : lanes) out = lane > out ? lane : out;
    return out;
  }

  /** Stores row · factor, rounded, and zeros up to a multiple of 16; returns their sum. */
  PACKED_LSTM_INLINE std::int32_t put(const float* row, int k, float factor, QuantizedRow* header) {
    auto* out = reinterpret_cast<std::byte*>(header);
    __m512i sum = _mm512_setzero_si512();
    for (int i = 0; i < k; i += 16) {
      const __m512i values =
          _mm512_maskz_cvtps_epi32(kAll, Vec::mul(Vec::load_up_to(row + i, k - i), Vec::set1(factor)));
      sum = _mm512_add_epi32(sum, values);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm512_maskz_cvtepi32_epi8(kAll, values));
    }
    alignas(64) std::int32_t lanes[16];
    _mm512_store_si512(lanes, sum);
    std::int32_t total = 0;
    for (const std::int32_t lane : lanes) total += lane;
    return total;
  }
};
