// The sizes of a stacked LSTM and the names of its dimensions, used in every comment in rnn/:
//   T steps   B sequences   L layers   D directions   I input size   H hidden size   P projection size (0: none)
//   R what a direction puts out, P or H
#pragma once

#include <cstddef>

namespace packed_lstm {

struct Config {
  int input_size = 0;
  int hidden_size = 0;
  int proj_size = 0;
  int num_layers = 1;
  int directions = 1;
  bool bias = true;

  int real_size() const { return proj_size != 0 ? proj_size : hidden_size; }  // R
  int output_size() const { return directions * real_size(); }                // D·R
  int layer_input(int layer) const { return layer == 0 ? input_size : output_size(); }
  /**
   * Terms a float32 sum runs through before it is added up apart (kernels/kernel_set.h). One chain over all of k has up
   * to three times PyTorch's error against float64 over the parity fixtures; chains of 64 have less than PyTorch's.
   * A tiny H goes with large weights, hence large sums (torch's U(-1/√H, 1/√H)), and its cost lies elsewhere: 8.
   */
  int chain() const { return hidden_size <= 16 ? 8 : 64; }
  int parameters_per_direction() const { return 2 + (bias ? 2 : 0) + (proj_size != 0 ? 1 : 0); }
};

}  // namespace packed_lstm
