// How fast this processor is at most: fused multiply-adds in registers alone, and reading memory in order. Included
// inside the unnamed namespace of one instruction set (see isa/). What it computes nobody needs, and it keeps no time:
// binding/probe.cc does. Both return a value that depends on all of the work, so that none of it can be left out.

// As many as the tallest tile holds, which is more than the latency of the FMA asks for.
constexpr int kProbeChains = Vec::kAccumulators;
constexpr int kProbeStreams = 8;

template <int N>
PACKED_LSTM_INLINE Vec::T first_of_sum(const Reg (&registers)[N]) {
  Reg sum = registers[0];
  PACKED_LSTM_UNROLL
  for (int i = 1; i < N; ++i) sum = Vec::add(sum, registers[i]);
  Vec::T out[Vec::U];
  Vec::store(out, sum);
  return out[0];
}

// Each chain goes towards 1 / (1 - scale): no overflow, no subnormals.
inline Vec::T probe_fma(std::size_t rounds, Vec::T scale) {
  const Reg a = Vec::set1(scale), b = Vec::set1(1);
  Reg chain[kProbeChains];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < kProbeChains; ++i) chain[i] = Vec::set1(static_cast<Vec::T>(i));
  for (std::size_t r = 0; r < rounds; ++r) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < kProbeChains; ++i) chain[i] = Vec::fma(chain[i], a, b);
  }
  return first_of_sum(chain);
}

inline Vec::T probe_read(const Vec::T* data, std::size_t elements) {
  Reg sum[kProbeStreams];
  PACKED_LSTM_UNROLL
  for (int i = 0; i < kProbeStreams; ++i) sum[i] = Vec::set1(0);
  for (std::size_t k = 0; k < elements; k += kProbeStreams * Vec::U) {
    PACKED_LSTM_UNROLL
    for (int i = 0; i < kProbeStreams; ++i) sum[i] = Vec::add(sum[i], Vec::load(data + k + i * Vec::U));
  }
  return first_of_sum(sum);
}

constexpr Probe<Vec::T> kProbe{2 * kProbeChains * Vec::U, kProbeStreams * Vec::U, probe_fma, probe_read};
