// torch.nn.Embedding: rows of a table, by their numbers.
#pragma once

#include <cstdint>

namespace packed_lstm {

/** A row-major table of `rows` × `width`. */
template <class T>
struct Table {
  const T* data;
  std::int64_t rows, width;
};

/**
 * Copies row indices[i] of the table to row i of `out`. Returns `count`, or the place of an index that is no row of the
 * table: then `out` holds anything. Each index is read once, so that one which changes meanwhile is judged all the
 * same.
 */
template <class T>
std::int64_t lookup(const Table<T>& table, const std::int32_t* indices, std::int64_t count, T* out);

}  // namespace packed_lstm
