// Everything an index is used for below is judged here, once.
#include "binding/layout.h"

#include <algorithm>

#include "binding/args.h"

namespace packed_lstm {
namespace {

std::vector<std::int32_t> copy(const Span<std::int32_t>& span) { return {span.data, span.data + span.length}; }

void read_lengths(napi_env env, napi_value value, OwnedLayout& out) {
  out.lengths = copy(array_arg<std::int32_t>(env, value, "lengths"));
  std::int32_t longest = 0;
  out.rows = 0;
  for (const std::int32_t length : out.lengths) {
    if (length < 1) throw_range_error(env, "lengths: expected positive entries");
    longest = std::max(longest, length);
    out.rows += length;
  }
  if (out.lengths.size() != static_cast<std::size_t>(out.layout.batch) || longest != out.layout.steps) {
    throw_range_error(env, "lengths: expected one entry a sequence, the largest of them steps");
  }
}

}  // namespace

void read_batch_sizes(napi_env env, napi_value value, OwnedLayout& out) {
  Layout& layout = out.layout;
  out.batch_sizes = copy(array_arg<std::int32_t>(env, value, "batchSizes"));
  if (out.batch_sizes.size() != static_cast<std::size_t>(layout.steps) || out.batch_sizes[0] != layout.batch) {
    throw_range_error(env, "batchSizes: expected one entry a step, the first of them batch");
  }
  std::int32_t before = layout.batch;
  out.rows = 0;
  for (const std::int32_t size : out.batch_sizes) {
    if (size < 1 || size > before) throw_range_error(env, "batchSizes: expected positive, non-increasing entries");
    out.step_offsets.push_back(out.rows);
    out.rows += size;
    before = size;
  }
  layout.batch_sizes = out.batch_sizes.data();
  layout.step_offsets = out.step_offsets.data();
}

void read_sorted_indices(napi_env env, napi_value value, OwnedLayout& out) {
  if (is_null(env, value)) return;
  const int batch = out.layout.batch;
  out.sorted_indices = copy(array_arg<std::int32_t>(env, value, "sortedIndices"));
  bool permutation = out.sorted_indices.size() == static_cast<std::size_t>(batch);
  std::vector<bool> seen(out.sorted_indices.size());
  for (std::size_t i = 0; permutation && i < seen.size(); ++i) {
    const std::int32_t index = out.sorted_indices[i];
    permutation = index >= 0 && index < batch && !seen[static_cast<std::size_t>(index)];
    if (permutation) seen[static_cast<std::size_t>(index)] = true;
  }
  if (!permutation) throw_range_error(env, "sortedIndices: expected a permutation of the batch");
  out.layout.sorted_indices = out.sorted_indices.data();
}

void read_layout(napi_env env, const LayoutArgs& args, OwnedLayout& out) {
  Layout& layout = out.layout;
  layout.steps = int_arg(env, args.steps, "steps", 1, INT32_MAX);
  layout.batch = int_arg(env, args.batch, "batch", 1, INT32_MAX);
  layout.batch_first = bool_arg(env, args.batch_first, "batchFirst");
  out.rows = std::int64_t{layout.steps} * layout.batch;
  const bool packed = !is_null(env, args.batch_sizes), joined = !is_null(env, args.lengths);
  if (packed && joined) throw_type_error(env, "lengths: expected null where there are batchSizes");
  if (packed && layout.batch_first) throw_type_error(env, "batchFirst: expected false where there are batchSizes");
  if (joined && !layout.batch_first) throw_type_error(env, "batchFirst: expected true where there are lengths");
  if (joined) read_lengths(env, args.lengths, out);
  if (!packed) return;
  read_batch_sizes(env, args.batch_sizes, out);
  read_sorted_indices(env, args.sorted_indices, out);
}

// A counting sort, longest first.
void join_lengths(OwnedLayout& out) {
  const std::vector<std::int32_t>& lengths = out.lengths;
  out.batch_sizes.resize(static_cast<std::size_t>(out.layout.steps));
  for (const std::int32_t length : lengths) ++out.batch_sizes[static_cast<std::size_t>(length - 1)];
  for (std::size_t t = out.batch_sizes.size() - 1; t > 0; --t) out.batch_sizes[t - 1] += out.batch_sizes[t];
  std::int64_t row = 0;
  for (const std::int32_t size : out.batch_sizes) {
    out.step_offsets.push_back(row);
    row += size;
  }
  std::vector<std::int32_t> next = out.batch_sizes;  // as many are longer than n, and stand before those of length n
  next.push_back(0);
  out.sorted_indices.resize(lengths.size());
  out.origins.resize(lengths.size());
  std::int64_t origin = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto b = static_cast<std::size_t>(next[static_cast<std::size_t>(lengths[i])]++);
    out.sorted_indices[b] = static_cast<std::int32_t>(i);
    out.origins[b] = origin;
    origin += lengths[i];
  }
  out.layout.batch_sizes = out.batch_sizes.data();
  out.layout.step_offsets = out.step_offsets.data();
  out.layout.sorted_indices = out.sorted_indices.data();
  out.layout.origins = out.origins.data();
}

}  // namespace packed_lstm
