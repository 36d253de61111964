// Cuts a product over the pool: by rows, or by panels where the weights are the larger part. Neither cuts a sum.
#include "linear/linear.h"

#include <algorithm>
#include <type_traits>

#include "base/aligned.h"
#include "base/pool.h"
#include "gemm/matmul.h"
#include "kernels/arithmetic.h"

namespace packed_lstm {
namespace {

// Rows that pass over a block of panels at once: enough to amortise reading it from beyond the level-2 cache.
constexpr std::int64_t kRowsAtOnce = 64;

// Cycles of work that pay for waking one more thread.
constexpr double kCyclesPerWorker = 25000;

/** Where share `i` of `n` of `count` things begins. */
std::int64_t share_begin(std::int64_t count, int i, int n) { return count * i / n; }

}  // namespace

template <class T>
Linear<T>::Linear(const KernelSet<T>& kernels, int inputs, int outputs, std::byte* memory)
    : kernels_(&kernels), inputs_(inputs), outputs_(outputs) {
  Parts parts(memory);
  panels_ = Panels::of_columns(kernels, outputs, inputs, parts);
  bytes_ = parts.bytes();
}

template <class T>
void Linear<T>::pack(const std::vector<T*>& parameters) {
  panels_.pack_columns<T>(parameters[0], parameters.size() > 1 ? parameters[1] : nullptr);
}

template <class T>
void Linear<T>::unpack(const std::vector<T*>& parameters) const {
  panels_.unpack_columns(parameters[0], parameters.size() > 1 ? parameters[1] : nullptr);
}

template <class T>
int Linear<T>::wanted_workers(std::int64_t rows) const {
  const int threads = Pool::get().workers();
  const double cycles = static_cast<double>(rows) * inputs_ * panels_.count() * 2;  // four vectors a panel, two a cycle
  return static_cast<int>(std::min<double>(threads, 1 + cycles / kCyclesPerWorker));
}

template <class T>
void Linear<T>::forward(const T* x, T* y, std::int64_t rows, const std::atomic<bool>& stop) const {
  std::byte* quantized = nullptr;
  const auto prepare = [&](int workers) {
    const std::size_t bytes = quantized_bytes() * static_cast<std::size_t>(workers);
    if (bytes != 0) quantized = reinterpret_cast<std::byte*>(thread_scratch<T>(bytes / sizeof(T)));
  };
  const auto share = [&](int worker, int workers) {
    std::byte* const own = quantized + quantized_bytes() * static_cast<std::size_t>(worker);
    if (rows < outputs_ && panels_.count() >= 2 * workers) {
      const int begin = static_cast<int>(share_begin(panels_.count(), worker, workers));
      const int end = static_cast<int>(share_begin(panels_.count(), worker + 1, workers));
      block(x, y, 0, rows, begin, end, own, stop);
    } else {
      block(x, y, share_begin(rows, worker, workers), share_begin(rows, worker + 1, workers), 0, panels_.count(), own,
            stop);
    }
  };
  const int workers = wanted_workers(rows);
  if (workers == 1) {
    prepare(1);
    share(0, 1);
  } else {
    Pool::get().run(workers, prepare, share);
  }
  if (quantized != nullptr) release_large_scratch();
}

/** Of one worker's rows in 8 bits. */
template <class T>
std::size_t Linear<T>::quantized_bytes() const {
  return kernels_->storage == Storage::kInt8 ? kRowsAtOnce * kernels_->quantization.row_bytes(inputs_) : 0;
}

template <class T>
void Linear<T>::block(const T* x, T* y, std::int64_t first, std::int64_t last, int begin, int end, std::byte* quantized,
                      const std::atomic<bool>& stop) const {
  const T* a[kRowsAtOnce];
  const QuantizedRow* a8[kRowsAtOnce];
  T* out[kRowsAtOnce];
  for (std::int64_t row = first; row < last && !stop.load(std::memory_order_relaxed); row += kRowsAtOnce) {
    const int count = static_cast<int>(std::min(kRowsAtOnce, last - row));
    for (int i = 0; i < count; ++i) {
      a[i] = x + (row + i) * inputs_;
      out[i] = y + (row + i) * outputs_;
    }
    if constexpr (std::is_same_v<T, float>) {
      for (int i = 0; i < count && kernels_->storage == Storage::kInt8; ++i) {
        auto* const to = reinterpret_cast<QuantizedRow*>(quantized + kernels_->quantization.row_bytes(inputs_) *
                                                                         static_cast<std::size_t>(i));
        kernels_->quantization.quantize(a[i], inputs_, to);
        a8[i] = to;
      }
    }
    matmul(*kernels_, Matmul<T>{panels_, begin, end, inputs_, outputs_, kChain, count, a, a8, out});
  }
}

template class Linear<float>;
template class Linear<double>;

}  // namespace packed_lstm
