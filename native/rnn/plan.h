// Who computes what: decided once per call from sizes alone, before any row is touched. Whatever is decided, the
// results have the same bits (kernels/kernel_set.h), so this is about time and memory only.
#pragma once

#include <string>
#include <vector>

#include "rnn/config.h"
#include "rnn/rows.h"
#include "sequences/layout.h"

namespace packed_lstm {

/** What the plan needs to know of the kernels. */
struct KernelTraits {
  int unit;
  int tile_rows;
  int element_bytes;
  int weight_bytes;
};

struct Plan {
  // A team is `directions` × `splits` workers; each group of sequences has a team of its own.
  int groups = 1;               // sequences are dealt over this many teams; no team waits for another
  int directions = 1;           // 2: forward and backward at once
  int splits = 1;               // workers that share one direction's units, with a barrier a step
  int slots = 1;                // sequences a team has under way at once
  int hoisted = 0;              // steps whose input projection is computed at once for a slot; 0: in the tile itself
  std::int64_t block_rows = 0;  // rows between layers a team holds at once (at least one sequence)

  int workers() const { return groups * directions * splits; }
  std::string describe() const;
};

/** Rows that the walker projects at once. */
constexpr int kHoistRows = 256;

/** The best plan for at most `threads` workers. */
Plan make_plan(const Config& config, const Layout& layout, const KernelTraits& kernels, int threads);

}  // namespace packed_lstm
