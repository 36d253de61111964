// Streams: a model's states between steps, taken forward as frames arrive. A step allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rnn/run.h"
#include "rnn/weights.h"

namespace packed_lstm {

/** Some frames of some streams. */
template <class T>
struct StreamStep {
  int steps;
  const T* input;            // steps × rows × I, or rows × steps × I with batch_first
  T* output;                 // as wide as R; may share memory with the input, which is copied then
  const std::int32_t* rows;  // which streams these are, as `name_rows` left them; null for all
  int row_count;
};

/** The states of `batch` streams of a model in one direction, in memory of someone else's, zeroed. */
template <class T>
class Streams {
 public:
  /** Over null the memory is only counted: `bytes` says how much it takes. Throws std::bad_alloc. */
  Streams(const Config& config, int batch, bool batch_first, std::byte* memory);

  std::size_t bytes() const { return bytes_; }
  int batch() const { return batch_; }
  std::int64_t state_rows() const { return std::int64_t{config_.num_layers} * batch_; }

  /**
   * Takes the rows of a step down, each of which is read once: what changes meanwhile is judged all the same. Returns
   * the place of the first that is no stream or named before; `count` if there is none. At most `batch` of them.
   */
  int name_rows(const std::int32_t* rows, int count);
  const std::int32_t* rows() const { return rows_; }

  void step(const Weights<T>& weights, const StreamStep<T>& step);

  /** Copies of the states, layers × batch × R and layers × batch × H; c is null for a cell without c. */
  void read(T* h, T* c) const;
  void write(const T* h, const T* c);
  /** Zeros for `count` streams from the first on. */
  void reset(int first, int count);

 private:
  const Config config_;
  const int batch_;
  const bool batch_first_;
  T *h_ = nullptr, *c_ = nullptr;
  std::int32_t* rows_ = nullptr;
  std::uint64_t* seen_ = nullptr;  // the last step that named this row
  std::uint64_t stamp_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace packed_lstm
