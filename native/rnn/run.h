// One forward pass: makes the plan, calls the pool, and walks blocks, layers and directions in order.
#pragma once

#include <atomic>

#include "rnn/plan.h"
#include "rnn/rows.h"
#include "rnn/weights.h"
#include "sequences/layout.h"

namespace packed_lstm {

/**
 * The arrays of one call; shapes as in binding.d.ts. They must not overlap, except inputs with inputs, and but that hn
 * may be h0 and cn c0: a sequence's state is written once nothing reads the one before.
 */
template <class T>
struct Call {
  Layout layout;
  const T* input;
  T* output;
  const T *h0, *c0;  // null: zeros
  T *hn, *cn;
};

template <class T>
KernelTraits traits(const KernelSet<T>& kernels) {
  return {kernels.unit, kernels.tile_rows, static_cast<int>(sizeof(T)), kernels.weight_bytes};
}

/**
 * Returns when done, or soon after `stop` is set: then the outputs hold anything. Throws std::bad_alloc before it has
 * written to them. A thread's calls reuse what its earlier ones allocated, so that small ones allocate nothing.
 */
template <class T>
void forward(const Weights<T>& model, const Call<T>& call, const std::atomic<bool>& stop);

}  // namespace packed_lstm
