// The contract between the loops (gemm/, rnn/) and the code of one instruction set: plain structs and function
// pointers, no code. Includes no instruction set's file and nothing of the standard library but sizes. Which operations
// a kernel does in which order is in arithmetic.h.
//
// A panel holds some columns of a weight matrix, U being the elements of one vector register:
//
//     bias       k = 0      k = 1              k = K-1
//     [4][U]     [C][U]     [C][U]     ...     [C][U]        4·U elements, then K·C·U
//
// C is 4, or 3 for a GRU. The bias row is of the type computed in; the K rows are stored as `Storage` says. Of kInt8 a
// panel has what its sums start from, a product's sums or the first ones and the second ones, and a scale a column for
// each product; and G neighbouring k's of a column lie together, so that each product's k is rounded up to G:
//
//     starts     scales     k < G       k < 2G             k < K_x       ... and so on for h
//     [2][C][U]  [2][C][U]  [C][U][G]   [C][U][G]   ...    [C][U][G]
//
// The columns of a plain product are neighbours. A cell's are a number of units' gates, and its K rows are the x rows
// (input size) followed by the h rows:
//
//     LSTM  U units      i, f, g, o
//     GRU   U units      r, z, n       bias: r, z, n's of x, n's of h
//     RNN   4·U units
#pragma once

#include <cstddef>
#include <cstdint>

namespace packed_lstm {

constexpr int kMaxTileRows = 32;
constexpr int kBiasVectors = 4;

/** An IEEE binary16 number as it is stored. */
struct Half {
  std::uint16_t bits;
};

/** How the K rows of a panel are stored. */
enum class Storage { kFloat32, kFloat64, kFloat16, kInt8 };

constexpr int bytes_of(Storage storage) {
  switch (storage) {
    case Storage::kFloat64:
      return 8;
    case Storage::kFloat32:
      return 4;
    case Storage::kFloat16:
      return static_cast<int>(sizeof(Half));
    default:
      return 1;
  }
}

/**
 * A row of activations as kernels of kInt8 read it: this, and behind it k values, with zeros up to a multiple of
 * kQuantizedStep.
 */
struct QuantizedRow {
  float scale;
  std::int32_t excess;  // of each of its sums, over weights that are stored with 128 added: 128 · Σ values
};
constexpr int kQuantizedStep = 16;

/** Of a panel of kInt8, rows of C·U floats before its weights: the starts of two sums a column, the scales of two
 * products. */
constexpr int kQuantizedHeader = 4;

/** How weights that are stored as kInt8 and rows of activations meet. */
struct Quantization {
  int group = 1;        // G
  int value_bytes = 0;  // of an activation
  bool offset = false;  // weights are stored with 128 added
  void (*quantize)(const float* row, int k, QuantizedRow* out) = nullptr;

  constexpr std::size_t row_bytes(int k) const {
    const std::size_t values = static_cast<std::size_t>((k + kQuantizedStep - 1) / kQuantizedStep * kQuantizedStep);
    return (sizeof(QuantizedRow) + values * static_cast<std::size_t>(value_bytes) + 63) / 64 * 64;
  }
};

enum class CellKind { kLSTM, kGRU, kRNNTanh, kRNNReLU };
constexpr int kCellKinds = 4;

/** What the panels and loops need to know of a cell; its operations are in cells/. */
struct CellShape {
  int gates;         // blocks of H rows that torch's weights have
  int unit_vectors;  // vectors of units a panel holds
  bool apart;        // x's product and h's have sums of their own
  bool own_bias;     // the last gate's sum of h starts from a bias of its own
  bool has_c;        // carries c from step to step, beside h

  constexpr int columns() const { return gates * unit_vectors; }  // C
};

constexpr CellShape shape_of(CellKind kind) {
  switch (kind) {
    case CellKind::kLSTM:
      return {4, 1, false, false, true};
    case CellKind::kGRU:
      return {3, 1, true, true, false};
    default:
      return {1, 4, true, false, false};
  }
}

/** Which panels a kernel walks: [begin, end), `stride` bytes apart. */
struct PanelRange {
  const std::byte* panels;
  std::size_t stride;
  int begin, end;
  bool from_memory;  // they come from beyond the caches
};

/**
 * One time step of up to kMaxTileRows sequences: gates, then c and h, in registers.
 * c is updated in place; its rows have room for whole panels. h may not overlap `out`. Panels of kInt8 are multiplied
 * by x8 and h8, the same rows quantized, and x is not read.
 */
template <class T>
struct CellTile {
  PanelRange weights;
  const QuantizedRow *x8[kMaxTileRows], *h8[kMaxTileRows];
  const T* x[kMaxTileRows];    // k_x values a row; not read where pre is given
  const T* pre[kMaxTileRows];  // null, or bias + x·W_ih as MatmulTile leaves it (panel p at C·U·p)
  const T* h[kMaxTileRows];    // k_h values a row
  T* c[kMaxTileRows];          // for a cell that has one
  T* out[kMaxTileRows];        // `units` values a row
  int rows, k_x, k_h, units, chain;
};

/**
 * out = bias + a·W for up to kMaxTileRows rows; panel p writes columns C·U·p up to `columns`. Panels of kInt8 are
 * multiplied by a8, the same rows quantized, and a is not read.
 */
template <class T>
struct MatmulTile {
  PanelRange weights;
  const QuantizedRow* a8[kMaxTileRows];
  const T* a[kMaxTileRows];
  T* out[kMaxTileRows];
  int rows, k, columns, chain;
};

/** A kernel for each number of rows: `at[m]` exists for m = 1 … tall_rows. */
template <class Tile>
struct ByRows {
  int tile_rows;  // MR: the tallest tile that registers hold
  int tall_rows;  // the tallest there is, or MR
  void (*at[kMaxTileRows + 1])(const Tile&);
};

/** What the roof is measured with (probe.inl.h); `read` is null where it would be another set's. */
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
  int unit;  // U
  Storage storage;
  ByRows<CellTile<T>> cells[kCellKinds];
  ByRows<MatmulTile<T>> matmul3, matmul4;  // of panels with C = 3 and C = 4
  /** Takes the cells of a tile's rows and some panels, from p on, through their update; sums lie row by row. */
  void (*finish[kCellKinds])(const CellTile<T>& tile, int p, int panels, T* sums);
  Probe<T> probe;
  Quantization quantization;     // of kInt8
  const KernelSet* unquantized;  // of kInt8: the set of the same unit that computes what stays in T

  constexpr const ByRows<CellTile<T>>& cell(CellKind kind) const { return cells[static_cast<int>(kind)]; }
  constexpr const ByRows<MatmulTile<T>>& matmul(int columns) const { return columns == 3 ? matmul3 : matmul4; }
};

}  // namespace packed_lstm
