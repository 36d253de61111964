// One forward pass: makes the plan, calls the pool, and walks blocks, layers and directions in order.
#pragma once

#include <atomic>
#include <cstdint>

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
  T *hn, *cn;        // c0 and cn: null for a cell without c
};

/** Whether two arrays share memory. */
template <class T>
bool overlap(const T* a, std::int64_t a_size, const T* b, std::int64_t b_size) {
  const auto at = [](const T* array) { return reinterpret_cast<std::uintptr_t>(array); };
  return at(a) < at(b + b_size) && at(b) < at(a + a_size);
}

/**
 * Returns when done, or soon after `stop` is set: then the outputs hold anything. Throws std::bad_alloc before it has
 * written to them. A thread's calls reuse what its earlier ones allocated, so that small ones allocate nothing.
 */
template <class T>
void forward(const Weights<T>& model, const Call<T>& call, const std::atomic<bool>& stop);

}  // namespace packed_lstm
