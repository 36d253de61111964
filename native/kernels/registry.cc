// One table, best first; selection happens once.
#include "kernels/registry.h"

#include <cstdlib>
#include <stdexcept>

#include "base/cpu.h"
#include "kernels/isa/sets.h"

namespace packed_lstm {
namespace {

struct Entry {
  const char* isa;
  bool supported;
  const KernelSet<float>*float32, *float16_weights;
  const KernelSet<double>* float64;
};

std::vector<Entry> table() {
  return {
#if defined(__x86_64__) || defined(_M_X64)
      {"avx512", cpu_info().avx512, &avx512::kFloat32, &avx512::kFloat16Weights, &avx512::kFloat64},
      {"avx2", cpu_info().avx2, &avx2::kFloat32, &avx2::kFloat16Weights, &avx2::kFloat64},
#elif defined(__aarch64__) || defined(_M_ARM64)
      {"neon", cpu_info().neon, &neon::kFloat32, &neon::kFloat16Weights, &neon::kFloat64},
#endif
      {"scalar", true, &scalar::kFloat32, &scalar::kFloat16Weights, &scalar::kFloat64},
  };
}

Entry select() {
  const char* forced = std::getenv("PACKED_LSTM_ISA");
  const bool any = forced == nullptr || *forced == '\0';
  bool known = false;
  for (const Entry& entry : table()) {
    const bool named = !any && entry.isa == std::string(forced);
    known = known || named;
    if (entry.supported && (any || named)) return entry;
  }
  std::string list;
  for (const std::string& isa : supported_isas()) list += (list.empty() ? "" : ", ") + isa;
  throw std::runtime_error(
      std::string("PACKED_LSTM_ISA: ") +
      (known ? "this processor does not support " : "expected the name of an instruction set, but got ") + "\"" +
      forced + "\"; supported here: " + list);
}

const Entry& selected() {
  static const Entry entry = select();
  return entry;
}

}  // namespace

template <>
const KernelSet<float>& kernels<float>() {
  return *selected().float32;
}

template <>
const KernelSet<double>& kernels<double>() {
  return *selected().float64;
}

const KernelSet<float>& float16_weight_kernels() { return *selected().float16_weights; }

std::vector<std::string> supported_isas() {
  std::vector<std::string> out;
  for (const Entry& entry : table()) {
    if (entry.supported) out.push_back(entry.isa);
  }
  return out;
}

}  // namespace packed_lstm
