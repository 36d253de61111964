// The exactness law: which operations make an element of a result, and in which order. Whoever writes a kernel writes
// it from this text; test/law.test.ts does, one scalar at a time, and compares bits.
//
// All operations are IEEE 754's in the type computed in (float or double), rounded to nearest, ties to even. fma(a, b,
// c) is a·b + c rounded once; nothing else is fused. Weights stored narrower are widened first, exactly.
//
// PRODUCTS. Adding a product of `terms` terms to an accumulator S, in chains of `chain` terms (the last may be
// shorter):
//
//     for each chain:  it goes on from S:    for its k, ascending:  S = fma(a[k], w[k], S)
//                      or it restarts:       R = 0; for its k, ascending:  R = fma(a[k], w[k], R);  then S = S + R
//
// Every chain after a product's first restarts. The first goes on from S, but for one case, which is under CELLS.
//
// A row of torch.nn.Linear is S = bias, then the product with chains of kChain. A projected h (weight_hr) is S = 0,
// then the product over the unprojected h, with the model's chains, chain_terms(H). Without a bias, S starts from 0.
//
// CELLS. A unit's accumulators start from their biases; then comes the product over x (the layer's input, `weight_ih`),
// then that over h (the state before, `weight_hh`), in chains of chain_terms(H). Where x is longer than kShortInput the
// first chain over h restarts; otherwise it goes on.
//
//     LSTM   i, f, g, o    each from b_ih + b_hh (one addition); x and h feed all four
//     GRU    r, z          each from b_ih + b_hh; x and h feed both
//            n             from the b_ih of n; x alone feeds it
//            m             from the b_hh of n; h alone feeds it (the first chain over h restarts, or not, as for r and
//            z)
//     RNN    a             from b_ih + b_hh; x and h feed it
//
// ACTIVATIONS. exp, the sigmoid and tanh are made of D, N and M (math.inl.h has the constants):
//
//     E(y), of y: s = fma(y, -log2e, magic); n = s - magic; r = fma(n, ln2, y); q = Q_d; q = fma(q, r, Q_i) for i = d-1
//     … 0;
//                 p = 2^n; m = fma(r·r, q, -r)                                   exp(-y) = p·(1 + m)
//     D(y) = fma(p, 1 + m, 1) of E(max(overflow, min(underflow, y)))                 1 / sigmoid(y)
//     N(y) = -e, M(y) = 2 + e, where e = fma(p, m, p - 1) of E(u + u), u = max(-limit, min(limit, y))   tanh(y) = N / M
//
//     LSTM   c' = c / D(f) + N(g) / (D(i)·M(g));  h' = N(c') / (D(o)·M(c'))
//     GRU    v = n + m / D(r);  t = N(v) / M(v);  h' = t + (h - t) / D(z)
//     RNN    tanh: h' = N(a) / M(a);   relu: h' = max(0, a) + 0, which has no negative zero
//
// min and max give their second operand where one is NaN, so that NaN stays NaN.
#pragma once

#include <cstddef>

#include "kernels/inline.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

/** Terms of a chain. One chain over all of k has up to three times PyTorch's error against float64; 64 have less. */
constexpr int kChain = 64;

/**
 * Terms of a chain in a model of so many hidden units. A tiny H goes with large weights, hence large sums (torch's
 * U(-1/√H, 1/√H)), and its cost lies elsewhere.
 */
constexpr int chain_terms(int hidden) { return hidden <= 16 ? 8 : kChain; }

/** The longest x whose chain h's product goes on from. */
constexpr int kShortInput = 16;

/** A product of a tile's rows `a`, k columns of them, with k rows of W; `restart`: its first chain restarts. */
template <class T, class W>
struct Product {
  const T* const* a;
  int k;
  bool restart;
  const W* w;
};

/** [first, 2) of `of`: x's product, unless a hoisted one took its place, and h's. */
template <class T, class W>
struct CellProducts {
  Product<T, W> of[2];
  int first;
};

/** The products of a cell whose K rows, `width` elements each, begin at w. */
template <class T, class W>
PACKED_LSTM_INLINE CellProducts<T, W> cell_products(const CellTile<T>& tile, const W* w, std::size_t width) {
  const bool hoisted = tile.pre[0] != nullptr;
  return {{{tile.x, tile.k_x, false, w}, {tile.h, tile.k_h, tile.k_x > kShortInput, w + tile.k_x * width}},
          hoisted ? 1 : 0};
}

}  // namespace packed_lstm
