// Asks cpuid (x86) and the operating system; every answer falls back to a conservative one.
#include "base/cpu.h"

#include <cstdint>

#if defined(__linux__)
#include <sys/auxv.h>
#include <unistd.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#define PACKED_LSTM_X64 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace packed_lstm {
namespace {

#if defined(PACKED_LSTM_X64)

struct Registers {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers r;
#if defined(_MSC_VER)
  int out[4];
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
  r.a = static_cast<std::uint32_t>(out[0]);
  r.b = static_cast<std::uint32_t>(out[1]);
  r.c = static_cast<std::uint32_t>(out[2]);
  r.d = static_cast<std::uint32_t>(out[3]);
#else
  __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
#endif
  return r;
}

std::uint64_t xgetbv0() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  std::uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (static_cast<std::uint64_t>(hi) << 32) | lo;
#endif
}

void read_isa(CpuInfo& info) {
  if (cpuid(0, 0).a < 7) return;
  const Registers one = cpuid(1, 0);
  const bool osxsave = (one.c >> 27) & 1, fma = (one.c >> 12) & 1, f16c = (one.c >> 29) & 1;
  if (!osxsave || !fma || !f16c) return;
  const std::uint64_t enabled = xgetbv0();
  const Registers seven = cpuid(7, 0);
  constexpr std::uint64_t kYmm = 0x6, kZmm = 0xe6;  // register state the operating system saves
  info.avx2 = (enabled & kYmm) == kYmm && ((seven.b >> 5) & 1);
  info.avx512 = info.avx2 && (enabled & kZmm) == kZmm && ((seven.b >> 16) & 1);
  info.avx512_vnni = info.avx512 && ((seven.c >> 11) & 1);
  info.avx_vnni = info.avx2 && seven.a >= 1 && ((cpuid(7, 1).a >> 4) & 1);
}

// Leaf 4 (Intel) and leaf 0x8000001d (AMD) describe one cache per subleaf in the same layout.
void read_caches(CpuInfo& info) {
  const bool amd = cpuid(0x80000000u, 0).a >= 0x8000001du && ((cpuid(0x80000001u, 0).c >> 22) & 1);
  const std::uint32_t leaf = amd ? 0x8000001du : 4u;
  if (!amd && cpuid(0, 0).a < 4) return;
  for (std::uint32_t i = 0; i < 8; ++i) {
    const Registers r = cpuid(leaf, i);
    const std::uint32_t type = r.a & 31, level = (r.a >> 5) & 7;
    if (type == 0) break;
    if (type == 2) continue;  // instructions
    const std::size_t bytes = static_cast<std::size_t>((r.b >> 22) + 1) * (((r.b >> 12) & 1023) + 1) *
                              ((r.b & 4095) + 1) * (static_cast<std::size_t>(r.c) + 1);
    if (level == 1) info.l1_bytes = bytes;
    if (level == 2) info.l2_bytes = bytes;
    if (level == 3) info.l3_bytes = bytes;
  }
  // Intel's servers, and what came after them with a large level-2 cache, have a slow mesh before the level-3
  // cache: 7.8 bytes a cycle were measured on a Xeon with AVX-512 and AMX, where Zen 3 and Zen 4 have 25.
  if (!amd && info.l2_bytes >= (1u << 20)) info.l3_bytes_per_cycle = 8;
}

#else

void read_isa(CpuInfo& info) {
#if defined(__aarch64__) || defined(_M_ARM64)
  info.neon = true;  // part of the base architecture
#if defined(__APPLE__)
  info.neon_dotprod = true;  // every Mac's
#elif defined(__linux__)
  info.neon_dotprod = (getauxval(AT_HWCAP) & (1ul << 20)) != 0;  // HWCAP_ASIMDDP
#elif defined(_WIN32)
  info.neon_dotprod = IsProcessorFeaturePresent(43) != 0;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
#endif
#else
  (void)info;
#endif
}

void read_caches(CpuInfo& info) {
#if defined(__APPLE__)
  std::uint64_t bytes = 0;
  std::size_t length = sizeof bytes;
  if (sysctlbyname("hw.perflevel0.l1dcachesize", &bytes, &length, nullptr, 0) == 0 && bytes != 0) info.l1_bytes = bytes;
  length = sizeof bytes;
  // The level-2 cache of Apple's cores is shared by a cluster of four or more.
  if (sysctlbyname("hw.perflevel0.l2cachesize", &bytes, &length, nullptr, 0) == 0 && bytes != 0)
    info.l2_bytes = bytes / 4;
#elif defined(__linux__) && defined(_SC_LEVEL2_CACHE_SIZE)
  const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE), l2 = sysconf(_SC_LEVEL2_CACHE_SIZE),
             l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
  if (l1 > 0) info.l1_bytes = static_cast<std::size_t>(l1);
  if (l2 > 0) info.l2_bytes = static_cast<std::size_t>(l2);
  if (l3 > 0) info.l3_bytes = static_cast<std::size_t>(l3);
#else
  (void)info;
#endif
}

#endif

CpuInfo read_cpu() {
  CpuInfo info;
  read_isa(info);
  read_caches(info);
  return info;
}

}  // namespace

const CpuInfo& cpu_info() {
  static const CpuInfo info = read_cpu();
  return info;
}

}  // namespace packed_lstm
