// Products of 8 bits by NEON, both operands signed: SDOT where there is dotprod, widening products elsewhere. Included
// only by int8_neon.cc and int8_neon_dotprod.cc, after vec_neon.h.

struct Dot {
  using Sum = int32x4_t;
  using Columns = int8x16_t;
  static constexpr int kAccumulators = 24, kMostRows = 8, kGroup = 4, kValueBytes = 1, kColumnsBytes = 16;
  static constexpr bool kOffset = false;

  static constexpr int held(int columns) { return columns % 4 == 0 ? 4 : 3; }

  PACKED_LSTM_INLINE Sum start(std::int32_t value) { return vdupq_n_s32(value); }
  PACKED_LSTM_INLINE Columns load(const std::byte* w) { return vld1q_s8(reinterpret_cast<const std::int8_t*>(w)); }
  PACKED_LSTM_INLINE int8x16_t broadcast(const std::byte* values) {
    std::int32_t four;
    std::memcpy(&four, values, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  PACKED_LSTM_INLINE Sum add(Sum sum, Columns columns, int8x16_t values) {
#if defined(PACKED_LSTM_DOTPROD) && defined(__GNUC__)
    // By name: compilers call the processor's extension by names of their own.
    __asm__(".arch_extension dotprod\n\tsdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(columns), "w"(values));
    return sum;
#elif defined(PACKED_LSTM_DOTPROD)
    return vdotq_s32(sum, columns, values);
#else
    const int16x8_t low = vmull_s8(vget_low_s8(columns), vget_low_s8(values)), high = vmull_high_s8(columns, values);
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
#endif
  }
  PACKED_LSTM_INLINE float32x4_t to_float(Sum sum) { return vcvtq_f32_s32(sum); }

  /** The largest magnitude of a row, as bits; NaN is larger than infinity. */
  PACKED_LSTM_INLINE std::int32_t largest(const float* row, int k) {
    int32x4_t most = vdupq_n_s32(0);
    for (int i = 0; i < k; i += 4) {
      const int32x4_t bits = vreinterpretq_s32_f32(Vec::load_up_to(row + i, k - i));
      most = vmaxq_s32(most, vandq_s32(bits, vdupq_n_s32(INT32_MAX)));
    }
    return vmaxvq_s32(most);
  }

  /** Stores row · factor, rounded, and zeros up to a multiple of 4; returns their sum. */
  PACKED_LSTM_INLINE std::int32_t put(const float* row, int k, float factor, QuantizedRow* header) {
    auto* out = reinterpret_cast<std::int8_t*>(header);
    int32x4_t sum = vdupq_n_s32(0);
    for (int i = 0; i < k; i += 4) {
      const int32x4_t values = vcvtnq_s32_f32(Vec::mul(Vec::load_up_to(row + i, k - i), Vec::set1(factor)));
      sum = vaddq_s32(sum, values);
      const int16x4_t words = vmovn_s32(values);
      const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
      std::memcpy(out + i, &bytes, 4);
    }
    return vaddvq_s32(sum);
  }
};
