// Finds how much work fills a millisecond on this thread, then gives that much to every compute thread and looks at the
// clock before and after: what the pool needs to wake them is inside, so a block should last some milliseconds.
#include "binding/probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "base/pool.h"
#include "binding/args.h"
#include "kernels/registry.h"

namespace packed_lstm {
namespace {

constexpr int kMaxBytes = 1 << 30;  // a thread
constexpr int kMaxMilliseconds = 10000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/** How often a second all threads together do `work(worker, repeats)` once. */
template <class Work>
double rate(double seconds, const Work& work) {
  std::size_t repeats = 1;
  double spent = 0;
  for (;; repeats *= 2) {
    const auto start = std::chrono::steady_clock::now();
    work(0, repeats);
    spent = seconds_since(start);
    if (spent > 0.001) break;
  }
  repeats = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(repeats) * seconds / spent));
  int joined = 1;
  const auto start = std::chrono::steady_clock::now();
  Pool::get().run(
      Pool::get().threads(), [&](int workers) { joined = workers; }, [&](int worker, int) { work(worker, repeats); });
  return joined * static_cast<double>(repeats) / seconds_since(start);
}

// Forward in pieces of so many bytes: read backward element by element, memory gave half of what it gives forward.
constexpr std::size_t kPiece = 32 << 10;

/** Reads all of it once, from the last piece to the first with `back`. */
template <class T>
T read_once(const Probe<T>& probe, const T* data, std::size_t elements, bool back) {
  const std::size_t piece = kPiece / sizeof(T), pieces = (elements + piece - 1) / piece;
  T sum = 0;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t first = (back ? pieces - 1 - i : i) * piece;
    sum += probe.read(data + first, std::min(piece, elements - first));
  }
  return sum;
}

template <class T>
double measure(std::size_t bytes, double seconds, Storage storage = kStoredAs<T>) {
  const Probe<T>& probe = kernels<T>(storage).probe;
  std::atomic<T> sink{0};
  if (bytes == 0) {
    return probe.flops_a_round *
           rate(seconds, [&](int, std::size_t rounds) { sink.store(probe.fma(rounds, static_cast<T>(0.5))); });
  }
  const std::size_t step = static_cast<std::size_t>(probe.read_step);
  const std::size_t elements = std::max<std::size_t>(1, bytes / (step * sizeof(T))) * step;
  std::vector<AlignedBuffer<T>> buffers;
  for (int i = 0; i < Pool::get().threads(); ++i) buffers.emplace_back(elements);
  // To and fro: a buffer larger than a cache then finds in it what was read last, as a model's weights can.
  return static_cast<double>(elements * sizeof(T)) * rate(seconds, [&](int worker, std::size_t passes) {
           const T* data = buffers[static_cast<std::size_t>(worker)].data();
           T sum = 0;
           for (std::size_t i = 0; i < passes; ++i) sum += read_once(probe, data, elements, i % 2 == 1);
           sink.store(sum);
         });
}

}  // namespace

Napi::Value probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string dtype = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  const bool int8 = dtype == "int8";
  if (!int8 && dtype != "float32" && dtype != "float64")
    throw_type_error(env, "dtype: expected \"float32\", \"float64\" or \"int8\"");
  const std::size_t bytes = static_cast<std::size_t>(int_arg(env, info[1], "bytes", 0, int8 ? 0 : kMaxBytes));
  const double seconds = int_arg(env, info[2], "milliseconds", 1, kMaxMilliseconds) / 1000.0;
  const double rate = guarded(env, [&] {
    if (int8) return measure<float>(0, seconds, Storage::kInt8);
    return dtype == "float32" ? measure<float>(bytes, seconds) : measure<double>(bytes, seconds);
  });
  return Napi::Number::New(env, rate);
}

}  // namespace packed_lstm
