// Copies, shared out by rows of the array that is written. Rows that are neighbours on
// both sides are copied at once.
#include "sequences/pack.h"

#include <algorithm>
#include <cstring>

#include "base/aligned.h"
#include "base/share.h"

namespace packed_lstm {
namespace {

/** Whether the rows of one step lie side by side in the same order on both sides. */
bool neighbours(const PackOrder& order) { return order.packed.sorted_indices == nullptr && !order.batch_first; }

}  // namespace

void pack_rows(const PackOrder& order, const std::byte* padded, std::byte* packed) {
  const std::size_t bytes = order.row_bytes;
  const std::int64_t time_step = order.batch_first ? 1 : order.packed.batch,
                     batch_step = order.batch_first ? order.steps : 1;
  const auto share = [&](std::int64_t first, std::int64_t last) {
    const std::int64_t* const ends = order.packed.step_offsets + order.packed.steps;
    std::int64_t t = std::upper_bound(order.packed.step_offsets, ends, first) - order.packed.step_offsets - 1;
    for (std::int64_t row = first, run = 0; row < last; row += run) {
      while (row - order.packed.step_offsets[t] == order.packed.batch_sizes[t]) ++t;
      const std::int64_t s = row - order.packed.step_offsets[t];
      const std::int64_t b = order.packed.sorted_indices != nullptr ? order.packed.sorted_indices[s] : s;
      run = neighbours(order) ? std::min(order.packed.batch_sizes[t] - s, last - row) : 1;
      std::memcpy(packed + static_cast<std::size_t>(row) * bytes,
                  padded + static_cast<std::size_t>(t * time_step + b * batch_step) * bytes,
                  static_cast<std::size_t>(run) * bytes);
    }
  };
  const std::int64_t rows = order.packed.rows();
  advise_huge_pages(packed, static_cast<std::size_t>(rows) * bytes);
  share_rows(rows, bytes, share);
}

void pad_rows(const PackOrder& order, const std::int32_t* unsorted_indices, const std::byte* packed, std::byte* padded,
              const std::byte* fill) {
  const std::size_t bytes = order.row_bytes;
  const std::int64_t inner = order.batch_first ? order.steps : order.packed.batch;
  const auto share = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first, run = 0; row < last; row += run) {
      const std::int64_t t = order.batch_first ? row % inner : row / inner;
      const std::int64_t b = order.batch_first ? row / inner : row % inner;
      const std::int64_t s = unsorted_indices != nullptr ? unsorted_indices[b] : b;
      const std::int64_t there = t < order.packed.steps ? order.packed.batch_sizes[t] : 0;
      const bool real = s < there;
      run = real && neighbours(order) ? std::min(there - s, last - row) : 1;
      std::memcpy(padded + static_cast<std::size_t>(row) * bytes,
                  real ? packed + static_cast<std::size_t>(order.packed.step_offsets[t] + s) * bytes : fill,
                  static_cast<std::size_t>(run) * bytes);
    }
  };
  const std::int64_t rows = std::int64_t{order.steps} * order.packed.batch;
  advise_huge_pages(padded, static_cast<std::size_t>(rows) * bytes);
  share_rows(rows, bytes, share);
}

}  // namespace packed_lstm
