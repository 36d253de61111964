// Where row (t, b) lies: dense time-major, dense batch-first, packed and joined differ only here. Owns nothing.
#pragma once

#include <cstddef>
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

/** One sequence as a pass sees it. */
struct Sequence {
  std::int64_t origin;     // its first row among the caller's rows
  std::int64_t workspace;  // its first row in the buffers between layers, where its steps follow each other
  int length;
  int state_row;
};

/** A matrix of rows: row (sequence, t) is `width` values at data + row · stride. */
template <class T>
struct RowSpace {
  T* data = nullptr;
  std::int64_t stride = 0;                     // elements from row to row
  std::int64_t step = 1;                       // rows from t to t + 1, if steps are evenly spaced …
  const std::int64_t* step_offsets = nullptr;  // … or the first row of each t
  bool in_workspace = false;

  T* at(const Sequence& s, int t) const {
    const std::int64_t first = in_workspace ? s.workspace : s.origin;
    return data + (first + (step_offsets != nullptr ? step_offsets[t] : t * step)) * stride;
  }
};

}  // namespace packed_lstm
