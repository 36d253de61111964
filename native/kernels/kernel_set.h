// The contract between the loops (gemm/, rnn/) and the code of one instruction set: plain structs and function
// pointers, no code. Includes no instruction set's file and nothing of the standard library but sizes.
//
// A panel holds 4·U columns of a weight matrix, U being the units of one vector register:
//
//     bias      k = 0      k = 1              k = K-1
//     [4][U]    [4][U]     [4][U]     ...     [4][U]        (K + 1)·4·U elements
//
// The bias row is of the type computed in. So are the K rows, or they are Halves: a load widens them, exactly, so that
// the results are those of the same weights stored wide. For an LSTM the four vectors of a
// row are gates i, f, g, o of the same U units, and the K rows are the x rows (input size) followed by the h rows; for
// a plain product they are 4·U neighbouring columns.
//
// Every element of a result is one fixed sequence of operations: bias, then k ascending through x and then h, one fused
// multiply-add a step, in chains of `chain` terms. A chain after the first starts from 0, where `chain` terms are
// through or h begins, and is added to the total when it ends. Where that is follows from the model's sizes alone, so
// the bits depend on neither the tile's height, nor the batch, nor the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace packed_lstm {

constexpr int kMaxTileRows = 32;

/** An IEEE binary16 number as it is stored. */
struct Half {
  std::uint16_t bits;
};

/** Which panels a kernel walks: [begin, end), `stride` bytes apart. `far`: they come from beyond the caches. */
struct PanelRange {
  const std::byte* panels;
  std::size_t stride;
  int begin, end;
  bool far;
};

/**
 * One time step of up to kMaxTileRows sequences: gates, then c and h, in registers.
 * c is updated in place; its rows have room for whole panels. h may not overlap `out`.
 */
template <class T>
struct CellTile {
  PanelRange weights;
  const T* x[kMaxTileRows];    // k_x values a row; not read where pre is given
  const T* pre[kMaxTileRows];  // null, or bias + x·W_ih as MatmulTile leaves it (panel p at 4·U·p)
  const T* h[kMaxTileRows];    // k_h values a row
  T* c[kMaxTileRows];
  T* out[kMaxTileRows];  // `units` values a row
  int rows, k_x, k_h, units, chain;
};

/** out = bias + a·W for up to kMaxTileRows rows; panel p writes columns 4·U·p up to `columns`. */
template <class T>
struct MatmulTile {
  PanelRange weights;
  const T* a[kMaxTileRows];
  T* out[kMaxTileRows];
  int rows, k, columns, chain;
};

/** What the roof is measured with (probe.inl.h). */
template <class T>
struct Probe {
  int flops_a_round;  // of `fma`
  int read_step;      // `read` takes a multiple of so many elements
  T (*fma)(std::size_t rounds, T scale);
  T (*read)(const T* data, std::size_t elements);
};

template <class T>
struct KernelSet {
  const char* isa;
  int unit;          // U
  int tile_rows;     // MR: the tallest tile that registers hold
  int tall_rows;     // the tallest there is, or MR; cell[m], matmul[m] exist for m = 1 … tall_rows
  int weight_bytes;  // of one element of a panel's K rows: T's, or a Half's
  void (*cell[kMaxTileRows + 1])(const CellTile<T>&);
  void (*matmul[kMaxTileRows + 1])(const MatmulTile<T>&);
  Probe<T> probe;
};

}  // namespace packed_lstm
