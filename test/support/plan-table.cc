// Prints what native/rnn/plan.cc plans, for a processor of made-up caches: no pass is run, and the machine at hand does not
// count. Each line of stdin is a call, "threads unit cell T B I H L D", with unit the lanes of a vector (16, 8 or 4) and cell
// 0 to 3 as CellKind has them; each line of stdout its plan, "groups directions splits slots cycles".

#include <cstdio>

#include "base/cpu.h"
#include "rnn/plan.h"

namespace packed_lstm {

const CpuInfo& cpu_info() {
  static const CpuInfo info = [] {
    CpuInfo made_up;
    made_up.l1_bytes = 32u << 10;
    made_up.l2_bytes = 1u << 20;
    made_up.l3_bytes = 32u << 20;
    return made_up;
  }();
  return info;
}

}  // namespace packed_lstm

int main() {
  using namespace packed_lstm;
  int threads, unit, cell;
  Config config;
  Layout layout{};
  while (std::scanf("%d %d %d %d %d %d %d %d %d", &threads, &unit, &cell, &layout.steps, &layout.batch,
                    &config.input_size, &config.hidden_size, &config.num_layers, &config.directions) == 9) {
    config.cell = static_cast<CellKind>(cell);
    const int columns = config.shape().columns();
    const int rows = (unit == 16 ? 24 : unit == 8 ? 12 : 24) / columns;
    const KernelTraits kernels{unit, rows, unit == 8 ? 32 : rows, 4, 4, 1};
    const Plan plan = make_plan(config, layout, kernels, threads);
    std::printf("%d %d %d %d %.0f\n", plan.groups, plan.directions, plan.splits, plan.slots, plan.cycles);
  }
}
