// AVX-512F vectors of float and double. Included only by avx512.cc, inside its unnamed namespace.
// The zero-masking forms with a full mask compile to the plain instruction; the plain intrinsics draw a false
// -Wmaybe-uninitialized out of GCC 12's own header (GCC bug 105593).

struct VecF32 {
  using T = float;
  using Reg = __m512;
  static constexpr int U = 16, kAccumulators = 24, kTallRows = 0, kInterleaved = 3;
  static constexpr __mmask16 kAll = 0xffff;

  PACKED_LSTM_INLINE Reg load(const T* p) { return _mm512_loadu_ps(p); }
  PACKED_LSTM_INLINE Reg load(const Half* p) {
    return _mm512_maskz_cvtph_ps(kAll, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    return n >= U ? load(p) : _mm512_maskz_loadu_ps(n > 0 ? static_cast<__mmask16>((1u << n) - 1) : __mmask16{0}, p);
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { _mm512_storeu_ps(p, v); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    if (n >= U) return _mm512_storeu_ps(p, v);
    if (n > 0) _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
  }
  PACKED_LSTM_INLINE Reg set1(T v) { return _mm512_set1_ps(v); }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) { return _mm512_fmsub_ps(a, b, c); }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) { return _mm512_mul_ps(a, b); }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) { return _mm512_div_ps(a, b); }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) { return _mm512_maskz_min_ps(kAll, a, b); }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) { return _mm512_maskz_max_ps(kAll, a, b); }
  PACKED_LSTM_INLINE Reg negate(Reg a) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
  }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) {
    return _mm512_mask_mov_ps(positive, _mm512_cmplt_epi32_mask(_mm512_castps_si512(a), _mm512_setzero_si512()),
                              negative);
  }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, _mm512_castps_si512(shifted), 23));
  }
};

struct VecF64 {
  using T = double;
  using Reg = __m512d;
  static constexpr int U = 8, kAccumulators = 24, kTallRows = 0, kInterleaved = 3;
  static constexpr __mmask8 kAll = 0xff;

  PACKED_LSTM_INLINE Reg load(const T* p) { return _mm512_loadu_pd(p); }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    return n >= U ? load(p) : _mm512_maskz_loadu_pd(n > 0 ? static_cast<__mmask8>((1u << n) - 1) : __mmask8{0}, p);
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { _mm512_storeu_pd(p, v); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    if (n >= U) return _mm512_storeu_pd(p, v);
    if (n > 0) _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), v);
  }
  PACKED_LSTM_INLINE Reg set1(T v) { return _mm512_set1_pd(v); }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_pd(a, b, c); }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) { return _mm512_fmsub_pd(a, b, c); }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) { return _mm512_add_pd(a, b); }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) { return _mm512_sub_pd(a, b); }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) { return _mm512_mul_pd(a, b); }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) { return _mm512_div_pd(a, b); }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) { return _mm512_maskz_min_pd(kAll, a, b); }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) { return _mm512_maskz_max_pd(kAll, a, b); }
  PACKED_LSTM_INLINE Reg negate(Reg a) {
    return _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(a), _mm512_set1_epi64(INT64_MIN)));
  }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) {
    return _mm512_mask_mov_pd(positive, _mm512_cmplt_epi64_mask(_mm512_castpd_si512(a), _mm512_setzero_si512()),
                              negative);
  }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return _mm512_castsi512_pd(_mm512_maskz_slli_epi64(kAll, _mm512_castpd_si512(shifted), 52));
  }
};
