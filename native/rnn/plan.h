// Who computes what: decided once per call from sizes alone, before any row is touched. Whatever is decided, the
// results have the same bits (kernels/arithmetic.h), so this is about time and memory only.
#pragma once

#include <algorithm>
#include <string>

#include "kernels/kernel_set.h"
#include "rnn/config.h"
#include "sequences/layout.h"

namespace packed_lstm {

/** What the plan needs to know of the kernels of one cell. */
struct KernelTraits {
  int unit;                  // U
  int tile_rows, tall_rows;  // MR, and of the tall tile
  int element_bytes, weight_bytes;
  int terms;  // of a product that one operation of a lane adds: 1, or for kInt8 the set's
};

template <class T>
KernelTraits traits(const KernelSet<T>& kernels, CellKind cell) {
  const ByRows<CellTile<T>>& by_rows = kernels.cell(cell);
  return {kernels.unit,
          by_rows.tile_rows,
          by_rows.tall_rows,
          static_cast<int>(sizeof(T)),
          bytes_of(kernels.storage),
          kernels.quantization.group};
}

/** A team is `directions` × `splits` workers; each group of sequences has a team of its own. */
struct TeamShape {
  int groups = 1;      // sequences are dealt over this many teams; no team waits for another
  int directions = 1;  // 2: forward and backward at once
  int splits = 1;      // workers that share one direction's units, with a barrier a step

  int workers() const { return groups * directions * splits; }
};

struct Plan : TeamShape {
  int slots = 1;  // sequences a team has under way at once
  // Steps whose input projection is computed at once for a slot, in the first layer and in those above it, whose inputs
  // are all of one size; 0: in the tile itself.
  int hoisted_below = 0, hoisted_above = 0;
  std::int64_t block_rows = 0;  // rows between layers a team holds at once (at least one sequence)
  double cycles = 0;            // what the model reckons the slowest team needs

  int hoisted(int layer) const { return layer == 0 ? hoisted_below : hoisted_above; }
  int most_hoisted() const { return std::max(hoisted_below, hoisted_above); }
  std::string describe() const;
};

/** Rows that the walker projects at once. */
constexpr int kHoistRows = 256;

/** The plan for a team of this shape. */
Plan plan_of(const TeamShape& shape, const Config& config, const Layout& layout, const KernelTraits& kernels);

/** Whether PACKED_LSTM_PLAN names the shape of a team. */
bool plan_is_forced();

/**
 * The best plan for at most `threads` workers, or, where PACKED_LSTM_PLAN names the shape of a team ("2,1,1": groups,
 * directions, splits) that this call can have, that one's.
 */
Plan make_plan(const Config& config, const Layout& layout, const KernelTraits& kernels, int threads);

}  // namespace packed_lstm
