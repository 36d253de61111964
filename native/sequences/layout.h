// The rows of a call: dense time-major, dense batch-first, packed and joined differ only here. Owns nothing.
#pragma once

#include <cstdint>

namespace packed_lstm {

/** The caller's sequences, longest first. */
struct Layout {
  int steps = 0;                               // T: the longest sequence
  int batch = 0;                               // B
  bool batch_first = false;                    // dense only
  const std::int32_t* batch_sizes = nullptr;   // packed: sequences that have a step t, non-increasing; null if dense
  const std::int64_t* step_offsets = nullptr;  // packed: the first row of step t
  const std::int64_t* origins = nullptr;       // joined: packed's fields, but sequence b's rows follow each other here
  const std::int32_t* sorted_indices = nullptr;  // the row of h0, c0, hn, cn of sequence b; null if the same
  int state_rows = 0;                            // rows of h0, c0, hn, cn a layer and direction; 0: one a sequence

  std::int64_t origin(int b) const {
    if (origins != nullptr) return origins[b];
    return batch_first && batch_sizes == nullptr ? std::int64_t{b} * steps : b;
  }
  /** Rows that output has. */
  std::int64_t rows() const {
    if (batch_sizes == nullptr) return std::int64_t{steps} * batch;
    return step_offsets[steps - 1] + batch_sizes[steps - 1];
  }
  int states() const { return state_rows != 0 ? state_rows : batch; }
  int state_row(int b) const { return sorted_indices != nullptr ? sorted_indices[b] : b; }
};

}  // namespace packed_lstm
