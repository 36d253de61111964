// Copies, shared out by rows of the array that is written once there is enough to copy. Rows that are neighbours on
// both sides are copied at once.
#include "lstm/pack.h"

#include <algorithm>
#include <cstring>

#include "base/aligned.h"
#include "base/pool.h"

namespace packed_lstm {
namespace {

constexpr double kBytesPerWorker = 512 << 10;

/** Calls share(first, last) for parts of `rows` rows, on as many threads as the bytes are worth. */
template <class Share>
void share_rows(std::int64_t rows, std::size_t row_bytes, std::byte* written, const Share& share) {
  const double bytes = static_cast<double>(rows) * static_cast<double>(row_bytes);
  advise_huge_pages(written, static_cast<std::size_t>(rows) * row_bytes);
  const int workers = static_cast<int>(std::min<double>(Pool::get().threads(), 1 + bytes / kBytesPerWorker));
  if (workers == 1) return share(0, rows);
  const auto part = [&](int worker, int n) { share(rows * worker / n, rows * (worker + 1) / n); };
  Pool::get().run(workers, [](int) {}, part);
}

/** Whether the rows of one step lie side by side in the same order on both sides. */
bool neighbours(const PackOrder& order) { return order.sorted_indices == nullptr && !order.batch_first; }

}  // namespace

void pack_rows(const PackOrder& order, const std::byte* padded, std::byte* packed) {
  const std::size_t bytes = order.row_bytes;
  const std::int64_t time_step = order.batch_first ? 1 : order.batch, batch_step = order.batch_first ? order.steps : 1;
  const auto share = [&](std::int64_t first, std::int64_t last) {
    const std::int64_t* const ends = order.step_offsets + order.packed_steps;
    std::int64_t t = std::upper_bound(order.step_offsets, ends, first) - order.step_offsets - 1;
    for (std::int64_t row = first, run = 0; row < last; row += run) {
      while (row - order.step_offsets[t] == order.batch_sizes[t]) ++t;
      const std::int64_t s = row - order.step_offsets[t];
      const std::int64_t b = order.sorted_indices != nullptr ? order.sorted_indices[s] : s;
      run = neighbours(order) ? std::min(order.batch_sizes[t] - s, last - row) : 1;
      std::memcpy(packed + static_cast<std::size_t>(row) * bytes,
                  padded + static_cast<std::size_t>(t * time_step + b * batch_step) * bytes,
                  static_cast<std::size_t>(run) * bytes);
    }
  };
  share_rows(order.packed_rows(), bytes, packed, share);
}

void pad_rows(const PackOrder& order, const std::byte* packed, std::byte* padded, const std::byte* fill) {
  const std::size_t bytes = order.row_bytes;
  const std::int64_t inner = order.batch_first ? order.steps : order.batch;
  const auto share = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first, run = 0; row < last; row += run) {
      const std::int64_t t = order.batch_first ? row % inner : row / inner;
      const std::int64_t b = order.batch_first ? row / inner : row % inner;
      const std::int64_t s = order.unsorted_indices != nullptr ? order.unsorted_indices[b] : b;
      const std::int64_t there = t < order.packed_steps ? order.batch_sizes[t] : 0;
      const bool real = s < there;
      run = real && neighbours(order) ? std::min(there - s, last - row) : 1;
      std::memcpy(padded + static_cast<std::size_t>(row) * bytes,
                  real ? packed + static_cast<std::size_t>(order.step_offsets[t] + s) * bytes : fill,
                  static_cast<std::size_t>(run) * bytes);
    }
  };
  share_rows(std::int64_t{order.steps} * order.batch, bytes, padded, share);
}

}  // namespace packed_lstm
