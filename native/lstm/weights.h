// A loaded model: every layer's and direction's weights in panels, for one kernel set. Immutable once built, so any
// number of calls may share it.
#pragma once

#include <vector>

#include "gemm/panels.h"
#include "kernels/kernel_set.h"
#include "lstm/config.h"

namespace packed_lstm {

struct DirectionWeights {
  Panels gates;  // K = layer input, then R
  Panels proj;   // K = H, P columns; empty without a projection
};

template <class T>
class Weights {
 public:
  /**
   * `parameters` in torch's order, per layer and direction: weight_ih (4H × in), weight_hh (4H × R),
   * [bias_ih, bias_hh (4H)], [weight_hr (P × H)]; lengths are the caller's to have checked. Throws std::bad_alloc.
   */
  Weights(const Config& config, const KernelSet<T>& kernels, const std::vector<const T*>& parameters);

  const Config& config() const { return config_; }
  const KernelSet<T>& kernels() const { return *kernels_; }
  const DirectionWeights& at(int layer, int direction) const {
    return directions_[static_cast<std::size_t>(layer * config_.directions + direction)];
  }

 private:
  Config config_;
  const KernelSet<T>* kernels_;
  std::vector<DirectionWeights> directions_;
};

}  // namespace packed_lstm
