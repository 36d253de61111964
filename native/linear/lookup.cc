// A copy, shared out by rows once there is enough to copy.
#include "linear/lookup.h"

#include <algorithm>
#include <atomic>

#include "base/pool.h"

namespace packed_lstm {
namespace {

constexpr double kBytesPerWorker = 512 << 10;

}  // namespace

template <class T>
std::int64_t lookup(const Table<T>& table, const std::int32_t* indices, std::int64_t count, T* out) {
  std::atomic<std::int64_t> bad{count};
  const auto share = [&](int worker, int workers) {
    for (std::int64_t i = count * worker / workers, end = count * (worker + 1) / workers; i < end; ++i) {
      const std::int32_t index = *static_cast<const volatile std::int32_t*>(indices + i);
      if (index < 0 || index >= table.rows) {
        std::int64_t before = bad.load();
        while (i < before && !bad.compare_exchange_weak(before, i)) continue;
        return;
      }
      std::copy_n(table.data + index * table.width, table.width, out + i * table.width);
    }
  };
  const double bytes = static_cast<double>(count) * static_cast<double>(table.width) * sizeof(T);
  const int workers = static_cast<int>(std::min<double>(Pool::get().threads(), 1 + bytes / kBytesPerWorker));
  if (workers == 1) {
    share(0, 1);
  } else {
    Pool::get().run(workers, [](int) {}, share);
  }
  return bad.load();
}

template std::int64_t lookup<float>(const Table<float>&, const std::int32_t*, std::int64_t, float*);
template std::int64_t lookup<double>(const Table<double>&, const std::int32_t*, std::int64_t, double*);

}  // namespace packed_lstm
