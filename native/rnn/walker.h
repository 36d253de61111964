// One worker's share of one layer in one direction: sequences step through row slots until all are done. A slot whose
// sequence ends takes the next one, so rows stay full and no padding is computed. Sequences need not share a time step.
#pragma once

#include <atomic>

#include "base/spin.h"
#include "rnn/rows.h"
#include "rnn/weights.h"

namespace packed_lstm {

/** What the workers of one direction share: scratch for `slots` rows. Each touches only its own panels' columns. */
template <class T>
struct SlotScratch {
  T* c;            // slots × padded H
  T* unprojected;  // slots × H: h before the projection; null without one
  T* hoisted;      // slots × hoisted × padded 4H; null if nothing is hoisted
  T* zeros;        // R zeros: h before a first step

  static std::size_t elements(const Config& config, int padded_hidden, int slots, int hoisted);
  /** Lays the parts out over `elements` elements; whoever allocated them clears `zeros`, nothing else needs it. */
  SlotScratch(T* base, const Config& config, int padded_hidden, int slots, int hoisted);
};

/** One layer and direction over one block of sequences. */
template <class T>
struct Pass {
  const DirectionWeights* weights;
  RowSpace<const T> x;
  RowSpace<T> y;  // this direction's R columns
  bool reverse;
  const T *h0, *c0;  // rows of this layer and direction, or null for zeros
  T *hn, *cn;
  const Sequence* sequences;  // longest first
  int count;
  int k_x;  // columns of x
};

/** The place of a worker among those that split a direction's units. */
struct Share {
  int index = 0, count = 1;
  SpinBarrier* barrier = nullptr;           // count > 1: one wait a step, two with a projection
  const std::atomic<bool>* stop = nullptr;  // set from outside: leave at the next step
};

/** Runs this worker's share of a pass. Does not allocate and does not throw. */
template <class T>
void walk(const Weights<T>& model, const Pass<T>& pass, const SlotScratch<T>& scratch, int slots, int hoisted,
          const Share& share) noexcept;

/** The most slots `walk` takes. */
constexpr int kMaxSlots = 64;

}  // namespace packed_lstm
