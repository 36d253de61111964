// AVX2, FMA and F16C vectors of float and double. Included only by avx2.cc, inside its unnamed namespace.

// The first n lanes of a masked store: a window of eight (four) lanes into ones followed by zeros.
alignas(32) constexpr std::int32_t kLanes32[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
alignas(32) constexpr std::int64_t kLanes64[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

struct VecF32 {
  using T = float;
  using Reg = __m256;
  static constexpr int U = 8, kAccumulators = 12, kTallRows = 32, kInterleaved = 3;

  PACKED_LSTM_INLINE Reg load(const T* p) { return _mm256_loadu_ps(p); }
  PACKED_LSTM_INLINE Reg load(const Half* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    if (n >= U) return load(p);
    if (n <= 0) return _mm256_setzero_ps();
    return _mm256_maskload_ps(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes32 + U - n)));
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { _mm256_storeu_ps(p, v); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    if (n >= U) return _mm256_storeu_ps(p, v);
    if (n > 0) _mm256_maskstore_ps(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes32 + U - n)), v);
  }
  PACKED_LSTM_INLINE Reg set1(T v) { return _mm256_set1_ps(v); }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) { return _mm256_fmsub_ps(a, b, c); }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) { return _mm256_mul_ps(a, b); }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) { return _mm256_div_ps(a, b); }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) { return _mm256_min_ps(a, b); }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) { return _mm256_max_ps(a, b); }
  PACKED_LSTM_INLINE Reg negate(Reg a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) { return _mm256_blendv_ps(positive, negative, a); }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(shifted), 23));
  }
};

struct VecF64 {
  using T = double;
  using Reg = __m256d;
  static constexpr int U = 4, kAccumulators = 12, kTallRows = 32, kInterleaved = 3;

  PACKED_LSTM_INLINE Reg load(const T* p) { return _mm256_loadu_pd(p); }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    if (n >= U) return load(p);
    if (n <= 0) return _mm256_setzero_pd();
    return _mm256_maskload_pd(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes64 + U - n)));
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { _mm256_storeu_pd(p, v); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    if (n >= U) return _mm256_storeu_pd(p, v);
    if (n > 0) _mm256_maskstore_pd(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes64 + U - n)), v);
  }
  PACKED_LSTM_INLINE Reg set1(T v) { return _mm256_set1_pd(v); }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_pd(a, b, c); }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) { return _mm256_fmsub_pd(a, b, c); }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) { return _mm256_add_pd(a, b); }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) { return _mm256_sub_pd(a, b); }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) { return _mm256_mul_pd(a, b); }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) { return _mm256_div_pd(a, b); }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) { return _mm256_min_pd(a, b); }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) { return _mm256_max_pd(a, b); }
  PACKED_LSTM_INLINE Reg negate(Reg a) { return _mm256_xor_pd(a, _mm256_set1_pd(-0.0)); }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) { return _mm256_blendv_pd(positive, negative, a); }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(shifted), 52));
  }
};
