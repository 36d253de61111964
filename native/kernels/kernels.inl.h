// All the kernels of one element type in one instruction set, and the table of them. Included inside an unnamed
// namespace that names the vectors: Vec, and Reg for its registers (see isa/).

#include "kernels/activations.inl.h"
#include "kernels/probe.inl.h"
#include "kernels/tile.inl.h"

#include "kernels/tall.inl.h"

/** W is what panels hold: Vec::T or Half. */
template <class W>
constexpr KernelSet<Vec::T> make_kernel_set(const char* isa) {
  KernelSet<Vec::T> set{isa, Vec::U, Vec::kTileRows, Vec::kTallRows, sizeof(W), {}, {}, kProbe};
  set.cell[1] = cell<W, 1>;
  set.matmul[1] = matmul<W, 1>;
  if constexpr (Vec::kTileRows > 1) {
    set.cell[2] = cell<W, 2>;
    set.cell[3] = cell<W, 3>;
    set.matmul[2] = matmul<W, 2>;
    set.matmul[3] = matmul<W, 3>;
  }
  if constexpr (Vec::kTileRows > 3) {
    set.cell[4] = cell<W, 4>;
    set.cell[5] = cell<W, 5>;
    set.cell[6] = cell<W, 6>;
    set.matmul[4] = matmul<W, 4>;
    set.matmul[5] = matmul<W, 5>;
    set.matmul[6] = matmul<W, 6>;
  }
  for (int rows = Vec::kTileRows + 1; rows <= Vec::kTallRows; ++rows) {
    set.cell[rows] = cell_tall<W>;
    set.matmul[rows] = matmul_tall<W>;
  }
  return set;
}
