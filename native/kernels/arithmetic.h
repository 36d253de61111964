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
// then the product over the unprojected h, with the model's chains, chain_terms. Without a bias, S starts from 0.
//
// CELLS. b_ih and b_hh are torch's two biases, x the layer's input (weight_ih), h the state before (weight_hh); chains
// are of chain_terms.
//
//     LSTM   i, f, g, o    a sum each: from b_ih + b_hh, then the product over x, then that over h, whose first chain
//                          restarts where x is longer than kShortInput, and goes on otherwise
//     GRU    r, z, n       two sums each: X from b_ih + b_hh, then the product over x; H from 0, then the product over
//                          h; but n has X from b_ih and H from b_hh
//     RNN    a             two sums, as r has
//
//     LSTM   c' = fma(S(f), c, N(g) / (D(i)·M(g)));   h' = N(c') / (D(o)·M(c'))
//     GRU    r = X_r + H_r;  z = X_z + H_z;  t = T(fma(S(r), H_n, X_n));   h' = fma(S(z), h - t, t)
//     RNN    a = X_a + H_a;   tanh: h' = T(a);   relu: h' = max(0, a) + 0, which has no negative zero
//
// INT8. Weights stored so are rounded when they are loaded, activations when they are multiplied, each row by itself: a
// row of weight_ih, weight_hh, weight_hr or a Linear's weight is what one element of the result is summed with.
//
//     weights      m = max |w[k]|;  s = m / 127;  q[k] = w[k] / s, rounded to an integer and held within ±127; all 0
//     where
//                  s is 0. A row that is not finite: s = NaN, q = 0
//     activations  of a row of x, of h, or of the unprojected h: m = max |a[k]|;  s = m / 127;  t = 127 / m;
//                  q[k] = a[k]·t, rounded to an integer (never beyond ±127). m < 2^-120: s = 0, q = 0. A row that is
//                  not finite: s = NaN, q = 0
//     P(start)     fma(sum as a float, s_a·s_w, start), of the exact sum of q_a[k]·q_w[k], an int32, rounded once
//
// A product over so many terms stands where the products above stand: X = P(b_ih + b_hh), but over no more than
// kShortInput of x, whose weight_ih is not rounded, the product above; LSTM P(X) over h; GRU and RNN H = P(0), n's
// P(b_hh); a projected h P(0); a row of Linear P(bias).
//
// ACTIVATIONS. math.inl.h has the constants. min and max give their second operand where one is NaN, so that NaN stays
// NaN. "y < 0" is y's sign bit.
//
//     E(y), of y:  s = fma(y, -log2e, magic);  n = s - magic;  r = fma(n, ln2, y);
//                  q = Q_d;  q = fma(q, r, Q_i) for i = d-1 … 0;
//                  p = 2^n, or 0 below the normal numbers;
//                  m = fma(r·r, q, -r);  l = fma(r·r, q, -(r + m))                   exp(-y) = p·(1 + m + l)
//     D(y)         fma(p, 1 + m, 1) of E(max(overflow, min(underflow, y)))           1 / sigmoid(y)
//     S(y)         o = p·(1 + m) of E(min(vanishing, max(-y, y)));  w = o / (1 + o);
//                  y < 0: w;  else 1 - w                                             sigmoid(y)
//     N(y), M(y)   e = fma(p, m, p - 1) of E(u + u), u = max(-limit, min(limit, y));
//                  N = -e;  M = 2 + e                                                tanh(y) = N / M
//     T(y)         of E(u + u), u = min(limit, max(-y, y)):
//                  b = p - 1;  e = fma(p, m, b);  k = fma(p, l, fma(p, m, b - e) + (p - (b + 1)));
//                  M = 2 + e;  j = (e - (M - 2)) + k;
//                  v = e / M;  R = fma(-v, j, fma(-v, M, e) + k);  t = fma(R, fma(-0.5, M, slope), v);
//                  y < 0: t;  else -t                                                tanh(y)
#pragma once

#include <cstddef>

#include "kernels/inline.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

/** Terms of a chain of a plain product. One over all of k has up to three times PyTorch's error; 64 have less. */
constexpr int kChain = 64;

/**
 * Terms of a chain in a model of so many hidden units: as many as leave the error against float64 below PyTorch's. A
 * tiny H goes with large weights, hence large sums (torch's U(-1/√H, 1/√H)), and its cost lies elsewhere. An RNN has
 * little but its sums to be exact in. At H 128 chains of 32 cost a GRU 3%, of 16 9%, of 8 18%.
 */
constexpr int chain_terms(CellKind kind, int hidden) {
  switch (kind) {
    case CellKind::kLSTM:
      return hidden <= 16 ? 8 : kChain;
    case CellKind::kGRU:
      return hidden <= 16 ? 8 : hidden < 128 ? 16 : hidden < 256 ? 32 : kChain;
    default:
      return hidden <= 64 ? 8 : hidden < 256 ? 16 : kChain;
  }
}

/** The longest x whose chain an LSTM's product over h goes on from, and that stays float beside weights in 8 bits. */
constexpr int kShortInput = 16;

/** The most terms whose sum of products in 8 bits, 127² each at most, an int32 holds. */
constexpr int kQuantizedTerms = 133144;

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

/** The products of a cell whose K rows, `width` elements each, begin at w; `apart`: they have sums of their own. */
template <bool apart, class T, class W>
PACKED_LSTM_INLINE CellProducts<T, W> cell_products(const CellTile<T>& tile, const W* w, std::size_t width) {
  const bool hoisted = tile.pre[0] != nullptr;
  return {{{tile.x, tile.k_x, false, w}, {tile.h, tile.k_h, !apart && tile.k_x > kShortInput, w + tile.k_x * width}},
          hoisted ? 1 : 0};
}

}  // namespace packed_lstm
