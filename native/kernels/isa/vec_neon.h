// AArch64 NEON vectors of float and double. Included only by neon.cc, inside its unnamed namespace.

struct VecF32 {
  using T = float;
  using Reg = float32x4_t;
  static constexpr int U = 4, kAccumulators = 24, kTallRows = 0, kInterleaved = 3;

  PACKED_LSTM_INLINE Reg load(const T* p) { return vld1q_f32(p); }
  PACKED_LSTM_INLINE Reg load(const Half* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(p))));
  }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    if (n >= U) return vld1q_f32(p);
    Reg out = vdupq_n_f32(0);
    if (n >= 1) out = vld1q_lane_f32(p, out, 0);
    if (n >= 2) out = vld1q_lane_f32(p + 1, out, 1);
    if (n >= 3) out = vld1q_lane_f32(p + 2, out, 2);
    return out;
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { vst1q_f32(p, v); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    if (n >= U) return vst1q_f32(p, v);
    if (n >= 1) vst1q_lane_f32(p, v, 0);
    if (n >= 2) vst1q_lane_f32(p + 1, v, 1);
    if (n >= 3) vst1q_lane_f32(p + 2, v, 2);
  }
  PACKED_LSTM_INLINE Reg set1(T v) { return vdupq_n_f32(v); }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) { return vfmaq_f32(c, a, b); }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) { return vfmaq_f32(vnegq_f32(c), a, b); }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) { return vaddq_f32(a, b); }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) { return vsubq_f32(a, b); }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) { return vmulq_f32(a, b); }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) { return vdivq_f32(a, b); }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) { return vminq_f32(a, b); }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) { return vmaxq_f32(a, b); }
  PACKED_LSTM_INLINE Reg negate(Reg a) { return vnegq_f32(a); }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) {
    return vbslq_f32(vcltzq_s32(vreinterpretq_s32_f32(a)), negative, positive);
  }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23));
  }
};

struct VecF64 {
  using T = double;
  using Reg = float64x2_t;
  static constexpr int U = 2, kAccumulators = 24, kTallRows = 0, kInterleaved = 3;

  PACKED_LSTM_INLINE Reg load(const T* p) { return vld1q_f64(p); }
  PACKED_LSTM_INLINE Reg load_up_to(const T* p, int n) {
    if (n >= U) return vld1q_f64(p);
    return n == 1 ? vld1q_lane_f64(p, vdupq_n_f64(0), 0) : vdupq_n_f64(0);
  }
  PACKED_LSTM_INLINE void store(T* p, Reg v) { vst1q_f64(p, v); }
  PACKED_LSTM_INLINE void store_up_to(T* p, Reg v, int n) {
    if (n >= U) return vst1q_f64(p, v);
    if (n == 1) vst1q_lane_f64(p, v, 0);
  }
  PACKED_LSTM_INLINE Reg set1(T v) { return vdupq_n_f64(v); }
  PACKED_LSTM_INLINE Reg fma(Reg a, Reg b, Reg c) { return vfmaq_f64(c, a, b); }
  PACKED_LSTM_INLINE Reg fms(Reg a, Reg b, Reg c) { return vfmaq_f64(vnegq_f64(c), a, b); }
  PACKED_LSTM_INLINE Reg add(Reg a, Reg b) { return vaddq_f64(a, b); }
  PACKED_LSTM_INLINE Reg sub(Reg a, Reg b) { return vsubq_f64(a, b); }
  PACKED_LSTM_INLINE Reg mul(Reg a, Reg b) { return vmulq_f64(a, b); }
  PACKED_LSTM_INLINE Reg div(Reg a, Reg b) { return vdivq_f64(a, b); }
  PACKED_LSTM_INLINE Reg min(Reg a, Reg b) { return vminq_f64(a, b); }
  PACKED_LSTM_INLINE Reg max(Reg a, Reg b) { return vmaxq_f64(a, b); }
  PACKED_LSTM_INLINE Reg negate(Reg a) { return vnegq_f64(a); }
  PACKED_LSTM_INLINE Reg by_sign(Reg a, Reg negative, Reg positive) {
    return vbslq_f64(vcltzq_s64(vreinterpretq_s64_f64(a)), negative, positive);
  }
  PACKED_LSTM_INLINE Reg power_of_two(Reg shifted) {
    return vreinterpretq_f64_s64(vshlq_n_s64(vreinterpretq_s64_f64(shifted), 52));
  }
};
