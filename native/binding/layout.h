// How the rows of a call lie, read from JavaScript and copied: a shared buffer may change while the call runs.
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

#include "sequences/layout.h"

namespace packed_lstm {

/** A layout and the arrays behind it. */
struct OwnedLayout {
  Layout layout;
  std::int64_t rows = 0;
  std::vector<std::int32_t> batch_sizes, sorted_indices, lengths;
  std::vector<std::int64_t> step_offsets, origins;
};

/** `steps` and `batch` are in the layout already. Throws RangeError for sizes that are not non-increasing from batch.
 */
void read_batch_sizes(napi_env env, napi_value value, OwnedLayout& out);

/** A permutation of the batch; null leaves the order as it is. Throws RangeError. */
void read_sorted_indices(napi_env env, napi_value value, OwnedLayout& out);

/** What a forward pass says of its rows, as binding.d.ts describes it. */
struct LayoutArgs {
  napi_value steps, batch, batch_first, batch_sizes, sorted_indices, lengths;
};
void read_layout(napi_env env, const LayoutArgs& args, OwnedLayout& out);

/**
 * Lays out joined rows, once the arrays of the call are known to have room for `lengths`: until then a length is only a
 * number, and could be one that no memory holds.
 */
void join_lengths(OwnedLayout& out);

}  // namespace packed_lstm
