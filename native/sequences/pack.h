// Rows between a padded batch and a packed one, both ways: torch's pack_padded_sequence and pad_packed_sequence.
// Rows are bytes here; what they hold does not matter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sequences/layout.h"

namespace packed_lstm {

/** Which row of the padded batch is which packed row. */
struct PackOrder {
  const Layout& packed;  // packed; its sorted indices are places in the padded batch
  int steps;             // of the padded batch, at least those of `packed`
  bool batch_first;      // padded rows lie (B, T) instead of (T, B)
  std::size_t row_bytes;
};

/** padded → packed. */
void pack_rows(const PackOrder& order, const std::byte* padded, std::byte* packed);

/**
 * packed → padded. Rows beyond the end of their sequence become copies of `fill`, a row. Every byte is written.
 * `unsorted_indices` is the inverse of the sorted indices; null when they are.
 */
void pad_rows(const PackOrder& order, const std::int32_t* unsorted_indices, const std::byte* packed, std::byte* padded,
              const std::byte* fill);

}  // namespace packed_lstm
