// One worker's share of one layer in one direction: sequences step through row slots until all are done. A slot whose
// sequence ends takes the next one, so rows stay full and no padding is computed. Sequences need not share a time step.
#pragma once

#include <atomic>

#include "base/spin.h"
#include "rnn/rows.h"
#include "rnn/weights.h"

namespace packed_lstm {

/**
 * Bytes of a row in 8 bits; 0 where there is none. Each worker quantizes what it reads, which spares it a wait for
 * another's: rows are short beside the panels that they are multiplied by.
 */
struct QuantizedSizes {
  std::size_t x = 0, h = 0, unprojected = 0;

  std::size_t worker_bytes(int slots) const;
};

/** How much scratch the workers of one direction have. */
struct SlotSizes {
  int slots;
  int workers;
  QuantizedSizes quantized;
  int hoisted;         // steps a slot has room for
  int padded_hidden;   // H, up to whole panels
  int padded_columns;  // of a hoisted row
  std::size_t zeros;   // R, up to a cache line
  bool has_c, projected;

  template <class T>
  static SlotSizes of(const Weights<T>& model, int slots, int hoisted, int workers);
  /** Of `bytes` elements. */
  std::size_t elements(std::size_t bytes) const;
};

/**
 * Scratch for `slots` rows, which the workers of one direction share: each touches only its own panels' columns, and
 * its own quantized rows.
 */
template <class T>
struct SlotScratch {
  std::byte* quantized;      // workers × worker_bytes
  QuantizedSizes row_bytes;  // of those
  T* c;                      // slots × padded H; null for a cell that has none
  T* unprojected;            // slots × padded H: h before the projection; null without one
  T* hoisted;                // slots × hoisted × padded columns; null if nothing is hoisted
  T* zeros;                  // R zeros: h before a first step

  /** Lays the parts out over `sizes.elements()` elements; whoever allocated them clears `zeros`, nothing else needs it.
   */
  SlotScratch(T* base, const SlotSizes& sizes);
};

/** One layer and direction over one block of sequences. */
template <class T>
struct Pass {
  const DirectionWeights* weights;
  RowSpace<const T> x;
  RowSpace<T> y;  // this direction's R columns
  bool reverse;
  const T *h0, *c0;           // rows of this layer and direction, or null for zeros
  T *hn, *cn;                 // c0 and cn: null for a cell without c
  const Sequence* sequences;  // longest first
  int count;
  int k_x;      // columns of x
  int slots;    // sequences under way at once, at most kMaxSlots
  int hoisted;  // steps whose input projection is computed at once; 0: none, it is done in the tile
};

/** The place of a worker among those that split a direction's units. */
struct Share {
  int index = 0, count = 1;
  SpinBarrier* barrier = nullptr;           // count > 1: one wait a step, two with a projection
  const std::atomic<bool>* stop = nullptr;  // set from outside: leave at the next step
};

/** Runs this worker's share of a pass. Does not allocate and does not throw. */
template <class T>
void walk(const Weights<T>& model, const Pass<T>& pass, const SlotScratch<T>& scratch, const Share& share) noexcept;

/** The most slots `walk` takes. */
constexpr int kMaxSlots = 64;

}  // namespace packed_lstm
