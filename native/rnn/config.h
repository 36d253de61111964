// The sizes of a stacked LSTM, GRU or RNN and the names of its dimensions, used in every comment in rnn/:
//   T steps   B sequences   L layers   D directions   I input size   H hidden size   P projection size (0: none)
//   R what a direction puts out, P or H
#pragma once

#include <cstddef>

#include "kernels/arithmetic.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {

struct Config {
  CellKind cell = CellKind::kLSTM;
  int input_size = 0;
  int hidden_size = 0;
  int proj_size = 0;
  int num_layers = 1;
  int directions = 1;
  bool bias = true;

  CellShape shape() const { return shape_of(cell); }
  int gate_rows() const { return shape().gates * hidden_size; }               // of weight_ih, weight_hh and the biases
  int real_size() const { return proj_size != 0 ? proj_size : hidden_size; }  // R
  int output_size() const { return directions * real_size(); }                // D·R
  int layer_input(int layer) const { return layer == 0 ? input_size : output_size(); }
  int chain() const { return chain_terms(cell, hidden_size); }
  int parameters_per_direction() const { return 2 + (bias ? 2 : 0) + (proj_size != 0 ? 1 : 0); }
};

}  // namespace packed_lstm
