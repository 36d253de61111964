// A cost model in cycles of one core. The constants are rough and only their ratios matter: they decide when weights
// stop fitting a cache, when a tile is too short to feed the FMA units, and when waking or waiting costs more than it
// saves.
#include "rnn/plan.h"

#include <algorithm>

#include "base/cpu.h"
#include "rnn/walker.h"

namespace packed_lstm {
namespace {

constexpr double kFmaPerCycle = 2, kLoadsPerCycle = 2;  // vectors
constexpr double kL2BytesPerCycle = 40, kL3BytesPerCycle = 25, kMemoryBytesPerCycle = 6;
// What the longer of reading and arithmetic does not hide of the shorter.
constexpr double kShows = 0.2;
// A projection apart reaches 85% of the peak, and what it writes is read back.
constexpr double kHoistedCost = 1.2;
constexpr double kCellCyclesPerVector = 45;  // the epilogue: five exponentials, three divisions
constexpr double kStepCycles = 150;          // pointers and calls of one step
constexpr double kBarrierCycles = 700, kWakeCycles = 25000;
// Workers that meet at every step go at the pace of whoever is slower at each: on cores shared with others, some
// percent.
constexpr double kPaceOfTheSlower = 1.05;
constexpr int kSlotsInCache = 24, kSlotsBeyondCache = 64;
static_assert(kSlotsInCache <= kSlotsBeyondCache && kSlotsBeyondCache <= kMaxSlots,
              "the walker's arrays, and those of `complete`, have room for no more");
constexpr int kMaxHoisted = 128;
constexpr std::size_t kHoistedBytes = 1u << 20, kBlockBytes = 32u << 20;

class Model {
 public:
  Model(const Config& config, const Layout& layout, const KernelTraits& kernels)
      : config_(config),
        layout_(layout),
        kernels_(kernels),
        rows_(layout.rows()),
        panels_((config.hidden_size + kernels.unit - 1) / kernels.unit) {}

  int panels() const { return panels_; }

  /** Fills in what follows from the shape of the team, and returns the cycles the slowest team needs. */
  double complete(Plan& plan) const {
    const int sequences = (layout_.batch + plan.groups - 1) / plan.groups;
    plan.slots = slots(sequences, plan);
    double steps_of[kSlotsBeyondCache + 1];
    count_steps(plan, steps_of);
    double cycles = 0;
    plan.hoisted = 0;
    for (int layer = 0; layer < config_.num_layers; ++layer) {
      const int hoisted = hoisted_steps(layer, plan);
      plan.hoisted = std::max(plan.hoisted, hoisted);
      const double passes = static_cast<double>(config_.directions) / plan.directions;
      const double pace = plan.splits > 1 ? kPaceOfTheSlower : 1;
      for (int rows = 1; rows <= plan.slots; ++rows) {
        if (steps_of[rows] != 0)
          cycles += pace * passes * steps_of[rows] * step_cycles(layer, plan, rows, hoisted != 0);
      }
    }
    const std::size_t row_bytes = static_cast<std::size_t>(config_.output_size()) * kernels_.element_bytes;
    plan.block_rows = std::min<std::int64_t>(std::int64_t{plan.slots} * layout_.steps, kBlockBytes / row_bytes);
    return cycles + (plan.workers() > 1 ? kWakeCycles : 0);
  }

 private:
  double weight_bytes(int inputs, const Plan& plan) const {
    const int panels = (panels_ + plan.splits - 1) / plan.splits;
    return static_cast<double>(inputs) * panels * 4 * kernels_.unit * kernels_.weight_bytes;
  }

  bool in_cache(const Plan& plan) const {
    return weight_bytes(config_.layer_input(config_.num_layers - 1) + config_.real_size(), plan) <
           0.8 * static_cast<double>(cpu_info().l2_bytes);
  }

  bool beyond_caches(int layer, const Plan& plan) const {
    const int k = config_.layer_input(layer) + config_.real_size();
    return plan.splits * plan.directions * weight_bytes(k, plan) > 0.5 * static_cast<double>(cpu_info().l3_bytes);
  }

  // How many steps a team takes with 1, 2, … slots full: the sequences that would be under way at step t, were there
  // slots for all, fill those there are, and what is over goes into the next step.
  void count_steps(const Plan& plan, double* steps_of) const {
    std::fill_n(steps_of, plan.slots + 1, 0.0);
    if (equal()) {
      steps_of[plan.slots] = std::max<double>(layout_.steps, static_cast<double>(rows_) / plan.groups / plan.slots);
      return;
    }
    std::int64_t waiting = 0;
    for (int t = 0; t < layout_.steps; ++t) {
      waiting += (layout_.batch_sizes[t] + plan.groups - 1) / plan.groups;
      const auto rows = std::min<std::int64_t>(waiting, plan.slots);
      steps_of[rows] += 1;
      waiting -= rows;
    }
    steps_of[plan.slots] += static_cast<double>(waiting) / plan.slots;
  }

  bool equal() const { return rows_ == std::int64_t{layout_.steps} * layout_.batch; }

  // Equal lengths are dealt in equal waves. Unequal ones refill slots, and a short row of slots has a short tail.
  int slots(int sequences, const Plan& plan) const {
    const int most = equal() && !in_cache(plan) ? kSlotsBeyondCache : kSlotsInCache;
    if (sequences <= most) return sequences;
    if (!equal()) return most;
    const int waves = (sequences + most - 1) / most;
    return (sequences + waves - 1) / waves;
  }

  // A separate projection lets few rows read W_ih once for many steps; a whole tile of rows gains nothing from it
  // unless W comes from beyond the level-2 cache.
  int hoisted_steps(int layer, const Plan& plan) const {
    if (config_.layer_input(layer) < kernels_.unit || layout_.steps < 2) return 0;
    const std::size_t row_bytes = static_cast<std::size_t>(panels_) * 4 * kernels_.unit * kernels_.element_bytes;
    const std::size_t room = beyond_caches(layer, plan) ? 4 * kHoistedBytes : kHoistedBytes;
    const int fit = static_cast<int>(room / (row_bytes * static_cast<std::size_t>(plan.slots)));
    const int steps = std::min({std::max(fit, kernels_.tile_rows), kMaxHoisted, layout_.steps});
    const bool few =
        plan.slots < kernels_.tile_rows / 2 + 1 || (plan.slots <= 2 * kernels_.tile_rows && !in_cache(plan));
    return few || spares_traffic(layer, plan, steps) ? steps : 0;
  }

  // Weights that overflow the last cache come from memory at each step. Rows that go in step can read W_ih once for
  // many steps, and write and read back what comes of it: 6 to 14% less time at H 1024 and 2048; at H 512, where all
  // fits, none.
  bool spares_traffic(int layer, const Plan& plan, int steps) const {
    if (!beyond_caches(layer, plan) || !equal()) return false;
    const int inputs = config_.layer_input(layer);
    const int reads = (plan.slots * steps + kHoistRows - 1) / kHoistRows;
    const double spared = inputs * (1 - static_cast<double>(reads) / steps) * kernels_.weight_bytes;
    return spared > 2 * plan.slots * kernels_.element_bytes;
  }

  // Of one step with so many slots full.
  double step_cycles(int layer, const Plan& plan, int full, bool hoisted) const {
    const double rows = full, inputs = config_.layer_input(layer), states = config_.real_size();
    const double panels = (panels_ + plan.splits - 1) / plan.splits;
    const double tiles = (full + kernels_.tile_rows - 1) / kernels_.tile_rows;
    const double height = rows / tiles;
    const double k_cycles = std::max(4 * height / kFmaPerCycle, (4 + height) / kLoadsPerCycle) * tiles * panels;
    const double in_tile = states + (hoisted ? 0 : inputs);
    const double bytes = weight_bytes(static_cast<int>(in_tile), plan);
    const double reading = bytes / (in_cache(plan) ? kL2BytesPerCycle : kL3BytesPerCycle);
    // The first tile waits for W, the others find it near. With W in level 3, H 256, that makes 85% of the peak for 3
    // rows (AVX2: one tile), 79% for 4 and 94% for 8, where 83%, 78% and 89% were measured.
    const double computing = in_tile * k_cycles, first = computing / tiles;
    double cycles = std::max(first, reading) + kShows * std::min(first, reading) + computing - first;
    // What comes from memory is waited for, and every team of the call reads its own.
    if (beyond_caches(layer, plan)) cycles = computing + plan.groups * bytes / kMemoryBytesPerCycle;
    if (hoisted) cycles += kHoistedCost * inputs * panels * 4 * rows / kFmaPerCycle;
    cycles += rows * panels * kCellCyclesPerVector + kStepCycles + 10 * rows;
    if (config_.proj_size != 0)
      cycles += rows * states * config_.hidden_size / kernels_.unit / plan.splits / kFmaPerCycle;
    if (plan.splits > 1) cycles += kBarrierCycles * (config_.proj_size != 0 ? 2 : 1);
    return cycles;
  }

  const Config& config_;
  const Layout& layout_;
  const KernelTraits& kernels_;
  const std::int64_t rows_;
  const int panels_;
};

}  // namespace

Plan make_plan(const Config& config, const Layout& layout, const KernelTraits& kernels, int threads) {
  const Model model(config, layout, kernels);
  Plan best;
  double best_cycles = model.complete(best);
  if (best_cycles < kWakeCycles) return best;
  for (int directions = 1; directions <= config.directions; ++directions) {
    for (int groups = 1; groups <= layout.batch && groups * directions <= threads; ++groups) {
      const int most = std::min(threads / (groups * directions), model.panels());
      for (int splits = 1; splits <= most; ++splits) {
        Plan plan;
        plan.groups = groups;
        plan.directions = directions;
        plan.splits = splits;
        const double cycles = model.complete(plan);
        if (cycles < best_cycles) {
          best_cycles = cycles;
          best = plan;
        }
      }
    }
  }
  return best;
}

std::string Plan::describe() const {
  return "groups " + std::to_string(groups) + ", directions " + std::to_string(directions) + ", splits " +
         std::to_string(splits) + ", slots " + std::to_string(slots) + ", hoisted " + std::to_string(hoisted) +
         ", block rows " + std::to_string(block_rows);
}

}  // namespace packed_lstm
