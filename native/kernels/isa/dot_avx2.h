// Products of 8 bits by AVX2: weights are widened to 16 bits as they are loaded, activations are stored so, and two
// terms a lane are added without saturation, which vpmaddubsw could not; with AVX-VNNI as on AVX-512, on half the
// lanes. Included only by int8_avx2.cc and int8_avx_vnni.cc, after vec_avx2.h.

struct Dot {
  using Sum = __m256i;
  using Columns = __m256i;
#ifdef PACKED_LSTM_AVX_VNNI
  static constexpr int kGroup = 4, kValueBytes = 1, kColumnsBytes = 32;
  static constexpr bool kOffset = true;
#else
  static constexpr int kGroup = 2, kValueBytes = 2, kColumnsBytes = 16;
  static constexpr bool kOffset = false;
#endif
  static constexpr int kAccumulators = 12, kMostRows = 3;
  static constexpr int held(int columns) { return columns % 2 == 0 ? 2 : 3; }

  PACKED_LSTM_INLINE Sum start(std::int32_t value) { return _mm256_set1_epi32(value); }
#ifdef __GNUC__
  // Instructions by name: of intrinsics GCC 12 loads each row's values once, holds them, and keeps accumulators on the
  // stack instead (82 GOP/s instead of 150).
  PACKED_LSTM_INLINE __m256i broadcast(const std::byte* values) {
    __m256i out;
    __asm__ volatile("vpbroadcastd %1, %0" : "=x"(out) : "m"(*reinterpret_cast<const std::int32_t*>(values)));
    return out;
  }
#else
  PACKED_LSTM_INLINE __m256i broadcast(const std::byte* values) {
    std::int32_t lane;
    std::memcpy(&lane, values, sizeof lane);
    return _mm256_set1_epi32(lane);
  }
#endif
#ifdef PACKED_LSTM_AVX_VNNI
  PACKED_LSTM_INLINE Columns load(const std::byte* w) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
  }
  PACKED_LSTM_INLINE Sum add(Sum sum, Columns columns, __m256i values) {
#ifdef __GNUC__
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(columns), "x"(values));
    return sum;
#else
    return _mm256_dpbusd_avx_epi32(sum, columns, values);
#endif
  }
#else
  PACKED_LSTM_INLINE Columns load(const std::byte* w) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
  }
  PACKED_LSTM_INLINE Sum add(Sum sum, Columns columns, __m256i values) {
#ifdef __GNUC__
    __m256i products;
    __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(columns), "x"(values));
    return sum;
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(columns, values));
#endif
  }
#endif
  PACKED_LSTM_INLINE __m256 to_float(Sum sum) { return _mm256_cvtepi32_ps(sum); }

  /** The largest magnitude of a row, as bits; NaN is larger than infinity. */
  PACKED_LSTM_INLINE std::int32_t largest(const float* row, int k) {
    __m256i most = _mm256_setzero_si256();
    for (int i = 0; i < k; i += 8) {
      const __m256i bits = _mm256_castps_si256(Vec::load_up_to(row + i, k - i));
      most = _mm256_max_epi32(most, _mm256_and_si256(bits, _mm256_set1_epi32(INT32_MAX)));
    }
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
  }

  /** Stores row · factor, rounded, and zeros up to a multiple of 8; returns their sum. */
  PACKED_LSTM_INLINE std::int32_t put(const float* row, int k, float factor, QuantizedRow* header) {
    auto* out = reinterpret_cast<std::byte*>(header);
    __m256i sum = _mm256_setzero_si256();
    for (int i = 0; i < k; i += 8) {
      const __m256i values = _mm256_cvtps_epi32(Vec::mul(Vec::load_up_to(row + i, k - i), Vec::set1(factor)));
      sum = _mm256_add_epi32(sum, values);
      const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
      auto* const to = reinterpret_cast<__m128i*>(out + i * kValueBytes);
      if constexpr (kValueBytes == 2) {
        _mm_storeu_si128(to, words);
      } else {
        _mm_storel_epi64(to, _mm_packs_epi16(words, words));
      }
    }
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
  }
};
