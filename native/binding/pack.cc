// Reads who goes where, and judges that all of it lies inside both arrays.
#include "binding/pack.h"

#include <cstring>
#include <vector>

#include "binding/args.h"
#include "binding/layout.h"
#include "sequences/pack.h"

namespace packed_lstm {
namespace {

/** What both ways are given: the padded and the packed array, batchSizes, sortedIndices, steps, batchFirst. */
struct Arguments {
  ByteSpan padded, packed;
  OwnedLayout owned;
  int steps = 0;
  bool batch_first = false;
  std::size_t row_bytes = 0;

  PackOrder order() const { return {owned.layout, steps, batch_first, row_bytes}; }
};

void read(const Napi::CallbackInfo& info, Arguments& out) {
  const napi_env env = info.Env();
  out.padded = bytes_arg(env, info[0], "padded");
  out.packed = bytes_arg(env, info[1], "packed");
  if (out.padded.kind != out.packed.kind) throw_type_error(env, "packed: expected the kind of array that padded is");
  const Span<std::int32_t> sizes = array_arg<std::int32_t>(env, info[2], "batchSizes");
  if (sizes.length == 0 || sizes.length > INT32_MAX) throw_range_error(env, "batchSizes: expected an entry a step");
  Layout& layout = out.owned.layout;
  layout.steps = static_cast<int>(sizes.length);
  layout.batch = *static_cast<volatile std::int32_t*>(sizes.data);
  if (layout.batch < 1) throw_range_error(env, "batchSizes: expected positive, non-increasing entries");
  read_batch_sizes(env, info[2], out.owned);
  read_sorted_indices(env, info[3], out.owned);
  out.steps = int_arg(env, info[4], "steps", layout.steps, INT32_MAX);
  out.batch_first = bool_arg(env, info[5], "batchFirst");
  const auto packed_rows = static_cast<std::size_t>(out.owned.rows);
  const auto padded_rows = static_cast<std::size_t>(out.steps) * static_cast<std::size_t>(layout.batch);
  const std::size_t width = out.packed.elements / packed_rows;
  if (width == 0 || out.packed.elements % packed_rows != 0) {
    throw_range_error(env, "packed: expected a whole number of elements a row");
  }
  if (out.padded.elements / width != padded_rows || out.padded.elements % width != 0) {
    throw_range_error(env, "padded: expected steps × batch rows as wide as those of packed");
  }
  out.row_bytes = width * out.packed.element_bytes;
}

}  // namespace

void pack_rows_call(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    Arguments args;
    read(info, args);
    pack_rows(args.order(), args.padded.data, args.packed.data);
  });
}

void pad_rows_call(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    Arguments args;
    read(info, args);
    const ByteSpan value = bytes_arg(info.Env(), info[6], "value");
    if (value.kind != args.padded.kind || value.elements != 1) {
      throw_range_error(info.Env(), "value: expected one element of the kind that padded holds");
    }
    std::vector<std::byte> fill(args.row_bytes);
    for (std::size_t at = 0; at < fill.size(); at += value.element_bytes) {
      std::memcpy(fill.data() + at, value.data, value.element_bytes);
    }
    const std::vector<std::int32_t>& sorted = args.owned.sorted_indices;
    std::vector<std::int32_t> unsorted(sorted.size());
    for (std::size_t s = 0; s < sorted.size(); ++s) {
      unsorted[static_cast<std::size_t>(sorted[s])] = static_cast<std::int32_t>(s);
    }
    pad_rows(args.order(), unsorted.empty() ? nullptr : unsorted.data(), args.packed.data, args.padded.data,
             fill.data());
  });
}

}  // namespace packed_lstm
