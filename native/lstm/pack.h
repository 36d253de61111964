// Rows between a padded batch and a packed one, both ways: torch's pack_padded_sequence and pad_packed_sequence.
// Rows are bytes here; what they hold does not matter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace packed_lstm {

/** Which row of the padded batch is which packed row. */
struct PackOrder {
  const std::int32_t* batch_sizes;   // sequences that have a step t: from 1, non-increasing
  const std::int64_t* step_offsets;  // the first packed row of step t
  int packed_steps;                  // entries of both
  // For each packed sequence its place in the padded batch, and for each of the padded batch its place among the packed
  // ones; null where they are the same.
  const std::int32_t *sorted_indices, *unsorted_indices;
  int steps, batch;  // of the padded batch: at least packed_steps, and exactly batch_sizes[0]
  bool batch_first;  // padded rows lie (B, T) instead of (T, B)
  std::size_t row_bytes;

  std::int64_t packed_rows() const { return step_offsets[packed_steps - 1] + batch_sizes[packed_steps - 1]; }
};

/** padded → packed. */
void pack_rows(const PackOrder& order, const std::byte* padded, std::byte* packed);

/** packed → padded. Rows beyond the end of their sequence become copies of `fill`, a row. Every byte is written. */
void pad_rows(const PackOrder& order, const std::byte* packed, std::byte* padded, const std::byte* fill);

}  // namespace packed_lstm
