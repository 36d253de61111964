// A copy, shared out by rows.
#include "embedding/lookup.h"

#include <algorithm>
#include <atomic>

#include "base/share.h"

namespace packed_lstm {

template <class T>
std::int64_t lookup(const Table<T>& table, const std::int32_t* indices, std::int64_t count, T* out) {
  std::atomic<std::int64_t> bad{count};
  const auto share = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int32_t index = *static_cast<const volatile std::int32_t*>(indices + i);
      if (index < 0 || index >= table.rows) {
        std::int64_t before = bad.load();
        while (i < before && !bad.compare_exchange_weak(before, i)) continue;
        return;
      }
      std::copy_n(table.data + index * table.width, table.width, out + i * table.width);
    }
  };
  share_rows(count, static_cast<std::size_t>(table.width) * sizeof(T), share);
  return bad.load();
}

template std::int64_t lookup<float>(const Table<float>&, const std::int32_t*, std::int64_t, float*);
template std::int64_t lookup<double>(const Table<double>&, const std::int32_t*, std::int64_t, double*);

}  // namespace packed_lstm
