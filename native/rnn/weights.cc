// Walks the parameters in torch's order. The biases are added in the panels, so each is kept beside them as well.
#include "rnn/weights.h"

#include <algorithm>

namespace packed_lstm {

template <class T>
Weights<T>::Weights(const Config& config, const KernelSet<T>& kernels, std::byte* memory)
    : config_(config), kernels_(&kernels) {
  Parts parts(memory);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    for (int direction = 0; direction < config.directions; ++direction) {
      DirectionWeights weights;
      const int inputs = config.layer_input(layer);
      const bool apart = kernels.storage == Storage::kInt8 && inputs <= kShortInput;
      weights.gates =
          Panels::of_gates(kernels, config.shape(), config.hidden_size, apart ? 0 : inputs, config.real_size(), parts);
      if (apart) {
        weights.inputs = Panels::of_gates(*kernels.unquantized, config.shape(), config.hidden_size, inputs, 0, parts);
      }
      if (config.proj_size != 0) {
        weights.proj = Panels::of_columns(kernels, config.proj_size, config.hidden_size, parts);
      }
      directions_.push_back(weights);
      if (config.bias) biases_.push_back(parts.take<T>(2 * gate_rows()));
    }
  }
  bytes_ = parts.bytes();
}

template <class T>
void Weights<T>::pack(const std::vector<T*>& parameters) {
  T* const* next = parameters.data();
  for (std::size_t i = 0; i < directions_.size(); ++i) {
    const T* const weight_ih = *next++;
    const T* const weight_hh = *next++;
    T* biases = nullptr;
    if (config_.bias) {
      biases = biases_[i];
      for (int k = 0; k < 2; ++k) std::copy_n(*next++, gate_rows(), biases + k * gate_rows());
    }
    const T* const bias_hh = config_.bias ? biases + gate_rows() : nullptr;
    directions_[i].gates.pack_gates<T>(weight_ih, weight_hh, biases, bias_hh);
    if (directions_[i].inputs.count() != 0) {
      directions_[i].inputs.pack_gates<T>(weight_ih, nullptr, biases, bias_hh);
    }
    if (config_.proj_size != 0) directions_[i].proj.pack_columns<T>(*next++, nullptr);
  }
}

template <class T>
void Weights<T>::unpack(const std::vector<T*>& parameters) const {
  T* const* next = parameters.data();
  for (std::size_t i = 0; i < directions_.size(); ++i) {
    directions_[i].gates.unpack_gates(next[0], next[1]);
    if (directions_[i].inputs.count() != 0) directions_[i].inputs.unpack_gates<T>(next[0], nullptr);
    next += 2;
    for (int k = 0; config_.bias && k < 2; ++k) std::copy_n(biases_[i] + k * gate_rows(), gate_rows(), *next++);
    if (config_.proj_size != 0) directions_[i].proj.unpack_columns<T>(*next++, nullptr);
  }
}

template class Weights<float>;
template class Weights<double>;

}  // namespace packed_lstm
