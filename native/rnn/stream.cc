// A step is a forward pass whose state is read and written in one place.
#include "rnn/stream.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/aligned.h"

namespace packed_lstm {

template <class T>
Streams<T>::Streams(const Config& config, int batch, bool batch_first, std::byte* memory)
    : config_(config), batch_(batch), batch_first_(batch_first) {
  const std::size_t states = static_cast<std::size_t>(state_rows());
  Parts parts(memory);
  h_ = parts.take<T>(states, static_cast<std::size_t>(config.real_size()));
  if (config.shape().has_c) c_ = parts.take<T>(states, static_cast<std::size_t>(config.hidden_size));
  seen_ = parts.take<std::uint64_t>(static_cast<std::size_t>(batch));
  rows_ = parts.take<std::int32_t>(static_cast<std::size_t>(batch));
  bytes_ = parts.bytes();
}

template <class T>
int Streams<T>::name_rows(const std::int32_t* rows, int count) {
  ++stamp_;
  for (int i = 0; i < count; ++i) {
    const std::int32_t row = *static_cast<const volatile std::int32_t*>(rows + i);
    rows_[i] = row;
    if (row < 0 || row >= batch_ || seen_[row] == stamp_) return i;
    seen_[row] = stamp_;
  }
  return count;
}

template <class T>
void Streams<T>::step(const Weights<T>& weights, const StreamStep<T>& step) {
  static const std::atomic<bool> never{false};
  Call<T> call;
  call.layout.steps = step.steps;
  call.layout.batch = step.rows != nullptr ? step.row_count : batch_;
  call.layout.batch_first = batch_first_;
  call.layout.state_rows = batch_;
  call.layout.sorted_indices = step.rows;
  call.input = step.input;
  call.output = step.output;
  call.h0 = call.hn = h_;
  call.c0 = call.cn = c_;
  // What a step gave may be the next one's input, as in torch's `h, hx = lstm(h, hx)`.
  const std::int64_t rows = call.layout.rows(), size = rows * config_.input_size;
  if (!overlap(call.input, size, call.output, rows * config_.output_size())) return forward(weights, call, never);
  const std::vector<T> copy(call.input, call.input + size);
  call.input = copy.data();
  forward(weights, call, never);
}

template <class T>
void Streams<T>::read(T* h, T* c) const {
  std::copy_n(h_, state_rows() * config_.real_size(), h);
  if (c_ != nullptr) std::copy_n(c_, state_rows() * config_.hidden_size, c);
}

template <class T>
void Streams<T>::write(const T* h, const T* c) {
  std::copy_n(h, state_rows() * config_.real_size(), h_);
  if (c_ != nullptr) std::copy_n(c, state_rows() * config_.hidden_size, c_);
}

template <class T>
void Streams<T>::reset(int first, int count) {
  const auto clear = [&](T* states, int width) {
    for (int layer = 0; layer < config_.num_layers; ++layer) {
      std::fill_n(states + (std::int64_t{layer} * batch_ + first) * width, std::int64_t{count} * width, T(0));
    }
  };
  clear(h_, config_.real_size());
  if (c_ != nullptr) clear(c_, config_.hidden_size);
}

template class Streams<float>;
template class Streams<double>;

}  // namespace packed_lstm
