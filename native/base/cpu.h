// What this processor has: instruction sets and cache sizes. Decides nothing.
#pragma once

#include <cstddef>

namespace packed_lstm {

struct CpuInfo {
  bool scalar = true;
  bool avx2 = false;                           // AVX2, FMA and F16C, enabled by the operating system
  bool avx512 = false;                         // AVX-512F, enabled by the operating system
  bool avx_vnni = false, avx512_vnni = false;  // products of 8 bits, beside AVX2 and beside AVX-512F
  bool neon = false;
  bool neon_dotprod = false;
  std::size_t l1_bytes = 32u << 10;   // data cache of one core
  std::size_t l2_bytes = 512u << 10;  // private or nearest unified cache of one core
  std::size_t l3_bytes = 16u << 20;   // shared by cores
  double l3_bytes_per_cycle = 25;     // one core's reads of it, in order
};

/** Read once, then constant. */
const CpuInfo& cpu_info();

}  // namespace packed_lstm
