// Copying rows on as many threads as the copying is worth. Knows nothing of what the rows are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/pool.h"

namespace packed_lstm {

/** Calls share(first, last) for parts of `rows` rows that cover all of them, at once. It may not throw. */
template <class Share>
void share_rows(std::int64_t rows, std::size_t row_bytes, const Share& share) {
  constexpr double kBytesPerWorker = 512 << 10;
  const double bytes = static_cast<double>(rows) * static_cast<double>(row_bytes);
  const int workers = static_cast<int>(std::min<double>(Pool::get().workers(), 1 + bytes / kBytesPerWorker));
  if (workers == 1) return share(0, rows);
  const auto part = [&](int worker, int n) { share(rows * worker / n, rows * (worker + 1) / n); };
  Pool::get().run(workers, [](int) {}, part);
}

}  // namespace packed_lstm
