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
  const KernelSet<float>*float32, *float16, *int8;
  const KernelSet<double>* float64;
};

std::vector<Entry> table() {
  return {
#define PACKED_LSTM_EACH_ISA(name, floats, dots) \
  {#name, cpu_info().name, &floats::kFloat32, &floats::kFloat16, &dots::kInt8, &floats::kFloat64},
#include "kernels/isa/isa.inc"
#undef PACKED_LSTM_EACH_ISA
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
const KernelSet<float>& kernels<float>(Storage storage) {
  const Entry& entry = selected();
  return storage == Storage::kInt8 ? *entry.int8 : storage == Storage::kFloat16 ? *entry.float16 : *entry.float32;
}

template <>
const KernelSet<double>& kernels<double>(Storage) {
  return *selected().float64;
}

const char* selected_isa() { return selected().isa; }

std::vector<std::string> supported_isas() {
  std::vector<std::string> out;
  for (const Entry& entry : table()) {
    if (entry.supported) out.push_back(entry.isa);
  }
  return out;
}

}  // namespace packed_lstm
