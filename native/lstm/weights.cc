// Walks the parameters in torch's order and packs each layer and direction.
#include "lstm/weights.h"

namespace packed_lstm {

template <class T>
Weights<T>::Weights(const Config& config, const KernelSet<T>& kernels, const std::vector<const T*>& parameters)
    : config_(config), kernels_(&kernels) {
  const T* const* next = parameters.data();
  for (int layer = 0; layer < config.num_layers; ++layer) {
    for (int direction = 0; direction < config.directions; ++direction) {
      const int hidden = config.hidden_size;
      const MatrixView<T> weight_ih{*next++, 4 * hidden, config.layer_input(layer)};
      const MatrixView<T> weight_hh{*next++, 4 * hidden, config.real_size()};
      const T* bias_ih = config.bias ? *next++ : nullptr;
      const T* bias_hh = config.bias ? *next++ : nullptr;
      DirectionWeights packed;
      packed.gates = Panels::of_gates(kernels, weight_ih, weight_hh, bias_ih, bias_hh);
      if (config.proj_size != 0) {
        packed.proj = Panels::of_columns(kernels, MatrixView<T>{*next++, config.proj_size, hidden},
                                         static_cast<const T*>(nullptr));
      }
      directions_.push_back(std::move(packed));
    }
  }
}

template class Weights<float>;
template class Weights<double>;

}  // namespace packed_lstm
