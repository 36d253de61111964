// Products of 8 bits in plain C++, the readable reference. Included only by int8_scalar.cc, after vec_scalar.h.

struct Dot {
  static constexpr int kAccumulators = 4, kMostRows = 1, kGroup = 4, kValueBytes = 1, kColumnsBytes = 16;
  static constexpr bool kOffset = false;
  struct Sum {
    std::int32_t v[4];
  };
  struct Columns {
    std::int8_t v[16];
  };
  struct Values {
    std::int8_t v[4];
  };

  static constexpr int held(int columns) { return columns; }

  PACKED_LSTM_INLINE Sum start(std::int32_t value) { return {{value, value, value, value}}; }
  PACKED_LSTM_INLINE Columns load(const std::byte* w) {
    Columns out;
    std::memcpy(out.v, w, sizeof out.v);
    return out;
  }
  PACKED_LSTM_INLINE Values broadcast(const std::byte* values) {
    Values out;
    std::memcpy(out.v, values, sizeof out.v);
    return out;
  }
  PACKED_LSTM_INLINE Sum add(Sum sum, const Columns& columns, Values values) {
    for (int i = 0; i < 16; ++i) sum.v[i / 4] += columns.v[i] * values.v[i % 4];
    return sum;
  }
  PACKED_LSTM_INLINE Reg to_float(const Sum& sum) {
    return Vec::each([&](int i) { return static_cast<float>(sum.v[i]); });
  }

  /** The largest magnitude of a row, as bits; NaN is larger than infinity. */
  PACKED_LSTM_INLINE std::int32_t largest(const float* row, int k) {
    std::int32_t most = 0;
    for (int i = 0; i < k; ++i) {
      std::int32_t bits;
      std::memcpy(&bits, row + i, sizeof bits);
      bits &= INT32_MAX;
      if (bits > most) most = bits;
    }
    return most;
  }

  /** Stores row · factor, rounded, and zeros up to a multiple of 4; returns their sum. */
  PACKED_LSTM_INLINE std::int32_t put(const float* row, int k, float factor, QuantizedRow* header) {
    auto* out = reinterpret_cast<std::int8_t*>(header);
    std::int32_t sum = 0;
    for (int i = 0; i < (k + 3) / 4 * 4; ++i) {
      const auto value = i < k ? static_cast<std::int32_t>(std::nearbyint(row[i] * factor)) : 0;
      out[i] = static_cast<std::int8_t>(value);
      sum += value;
    }
    return sum;
  }
};
