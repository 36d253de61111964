// Where row (t, b) of a pass lies, whatever the layout. Owns nothing.
#pragma once

#include <cstdint>

namespace packed_lstm {

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
