// A model's weights in memory of someone else's: every layer's and direction's panels, for one kernel set, and the
// biases as they were given. Where each lies follows from config and kernels alone, so whoever has the memory can lay
// them out again. Once packed they do not change, and any number of calls may share them.
#pragma once

#include <vector>

#include "gemm/panels.h"
#include "kernels/kernel_set.h"
#include "rnn/config.h"

namespace packed_lstm {

struct DirectionWeights {
  Panels gates;   // K = layer input, then R
  Panels proj;    // K = H, P columns; empty without a projection
  Panels inputs;  // where a quantized layer's x is short: K = layer input, in float, and that of `gates` is R alone
};

template <class T>
class Weights {
 public:
  /** Over null the weights are only counted: `bytes` says how much memory they take. Throws std::bad_alloc. */
  Weights(const Config& config, const KernelSet<T>& kernels, std::byte* memory);

  std::size_t bytes() const { return bytes_; }

  /**
   * Fills memory that is zeroed. `parameters` in torch's order, per layer and direction: weight_ih (G·H × in),
   * weight_hh (G·H × R), [bias_ih, bias_hh (G·H)], [weight_hr (P × H)], G being the cell's gates; lengths are the
   * caller's to have checked.
   */
  void pack(const std::vector<T*>& parameters);
  /**
   * Writes them out again, bit for bit, but for a NaN that is stored as a Half: of its payload that keeps the top; and
   * those in 8 bits as the floats they stand for.
   */
  void unpack(const std::vector<T*>& parameters) const;

  const Config& config() const { return config_; }
  const KernelSet<T>& kernels() const { return *kernels_; }
  const DirectionWeights& at(int layer, int direction) const {
    return directions_[static_cast<std::size_t>(layer * config_.directions + direction)];
  }

 private:
  std::size_t gate_rows() const { return static_cast<std::size_t>(config_.gate_rows()); }

  Config config_;
  const KernelSet<T>* kernels_;
  std::vector<DirectionWeights> directions_;
  std::vector<T*> biases_;  // bias_ih and bias_hh of each direction, one behind the other; none without
  std::size_t bytes_ = 0;
};

}  // namespace packed_lstm
