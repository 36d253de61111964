// Panels of kInt8: rows of weights are rounded to 8 bits with a scale of their own, as arithmetic.h has it, and back.
#include <algorithm>
#include <cmath>

#include "gemm/panels.h"

namespace packed_lstm {
namespace {

int groups_of(int terms, int group) { return (terms + group - 1) / group; }

/** m / 127; NaN where a weight is not finite. */
float scale_of(const float* row, int terms) {
  float most = 0;
  for (int k = 0; k < terms; ++k) {
    if (!std::isfinite(row[k])) return row[k] - row[k];
    most = std::max(most, std::fabs(row[k]));
  }
  return most / 127.0f;
}

int quantize(float weight, float scale) {
  if (!(scale > 0)) return 0;
  return static_cast<int>(std::max(-127.0f, std::min(127.0f, std::nearbyint(weight / scale))));
}

}  // namespace

std::size_t Panels::quantized_bytes() const {
  const int group = quantization_.group;
  const std::size_t k = static_cast<std::size_t>(group) *
                        (static_cast<std::size_t>(groups_of(inputs_, group)) + groups_of(states_, group));
  return (kQuantizedHeader * sizeof(float) + k) * static_cast<std::size_t>(width_);
}

template <class Move>
void Panels::each_quantized_row(int product, const Move& move) const {
  const std::size_t width = static_cast<std::size_t>(width_), group = static_cast<std::size_t>(quantization_.group);
  const std::size_t before = product == 0 ? 0 : group * width * groups_of(inputs_, quantization_.group);
  for (int p = 0; p < count_; ++p) {
    std::byte* const panel = data_ + static_cast<std::size_t>(p) * stride_;
    float* const scales = reinterpret_cast<float*>(panel) + static_cast<std::size_t>(2 + product) * width;
    std::byte* const weights = panel + kQuantizedHeader * sizeof(float) * width + before;
    for (int column = 0; column < width_; ++column) {
      const int row = row_of(p, column);
      if (row < 0) continue;
      std::byte* const at = weights + static_cast<std::size_t>(column) * group;
      move(row, scales[column], [=](int k) -> std::byte& {
        const std::size_t term = static_cast<std::size_t>(k);
        return at[term / group * group * width + term % group];
      });
    }
  }
}

void Panels::put_quantized(int product, const float* weights) {
  const int count = terms(product), offset = quantization_.offset ? 128 : 0;
  each_quantized_row(product, [&](int row, float& scale, const auto& byte) {
    const float* const from = weights + static_cast<std::size_t>(row) * count;
    scale = scale_of(from, count);
    for (int k = 0; k < count; ++k) byte(k) = static_cast<std::byte>(quantize(from[k], scale) + offset);
  });
}

void Panels::get_quantized(int product, float* weights) const {
  const int count = terms(product), offset = quantization_.offset ? 128 : 0;
  each_quantized_row(product, [&](int row, float scale, const auto& byte) {
    float* const to = weights + static_cast<std::size_t>(row) * count;
    for (int k = 0; k < count; ++k) {
      const int stored = static_cast<int>(byte(k));
      to[k] = static_cast<float>(offset != 0 ? stored - offset : static_cast<std::int8_t>(stored)) * scale;
    }
  });
}

}  // namespace packed_lstm
