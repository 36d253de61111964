// A cost model in cycles of one core. Only the ratios of its constants matter: they decide when weights stop fitting a
// cache, when a tile is too short to feed the FMA units, and when waking or waiting costs more than it saves.
// `npm run bench -- --fit-plan` times the plans it weighs on the machine at hand, and says what each constant is there.
#include "rnn/plan.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/cpu.h"
#include "gemm/matmul.h"
#include "rnn/walker.h"

namespace packed_lstm {
namespace {

constexpr double kFmaPerCycle = 2, kLoadsPerCycle = 2;  // vectors
constexpr double kL2BytesPerCycle = 40, kMemoryBytesPerCycle = 6;
// What the longer of reading and arithmetic does not hide of the shorter.
constexpr double kShows = 0.2;
// A projection apart reaches 85% of the peak, and what it writes is read back.
constexpr double kHoistedCost = 1.2;
// The epilogue of a unit: an LSTM's five exponentials and three divisions; a GRU's three and three; one of each; none.
// A Xeon takes 9, 8.5 and 4.4 a lane with AVX-512, whose divisions are slower a lane, and 6, 6 and 3.7 with AVX2.
constexpr double kCellCyclesPerLane[kCellKinds] = {8, 7.5, 4, 0.5};
// A row that is rounded to 8 bits: its largest magnitude first, then its values.
constexpr double kQuantizeRowCycles = 40, kQuantizeVectorCycles = 4;
constexpr double kStepCycles = 150;  // pointers and calls of one step
// A barrier's counter goes from core to core: 700 to 900 cycles for two workers, and more for each that joins.
constexpr double kBarrierCyclesPerWorker = 400, kWakeCycles = 35000;
// Workers that meet at every step go at the pace of whoever is slower at each; two directions at once write halves of
// the same rows, which the next layer reads whole. On two cores of a Zen 4 both take 4 to 11% more than two groups of
// sequences that never meet, of which the rest of the model sees some.
constexpr double kPaceTogether = 1.07;
constexpr int kSlotsInCache = 24, kSlotsBeyondCache = 64;
static_assert(kSlotsInCache <= kSlotsBeyondCache && kSlotsBeyondCache <= kMaxSlots,
              "the walker's arrays, and those of `complete`, have room for no more");
constexpr int kMaxHoisted = 128;
// Of x's product that is hoisted only because it stays in float.
constexpr std::size_t kFloatBytes = 64u << 10;
constexpr std::size_t kHoistedBytes = 1u << 20, kBlockBytes = 32u << 20;

class Model {
 public:
  Model(const Config& config, const Layout& layout, const KernelTraits& kernels)
      : config_(config),
        layout_(layout),
        kernels_(kernels),
        shape_(config.shape()),
        rows_(layout.rows()),
        panels_((config.hidden_size + shape_.unit_vectors * kernels.unit - 1) / (shape_.unit_vectors * kernels.unit)) {}

  int panels() const { return panels_; }

  /** The plan of a team of this shape. */
  Plan complete(const TeamShape& shape) const {
    Plan plan;
    static_cast<TeamShape&>(plan) = shape;
    const int sequences = (layout_.batch + plan.groups - 1) / plan.groups;
    plan.slots = slots(sequences, plan);
    double steps_of[kSlotsBeyondCache + 1];
    count_steps(plan, steps_of);
    plan.hoisted_below = hoisted_steps(0, plan);
    plan.cycles = layer_cycles(0, plan, steps_of);
    if (config_.num_layers > 1) {
      plan.hoisted_above = hoisted_steps(1, plan);
      plan.cycles += (config_.num_layers - 1) * layer_cycles(1, plan, steps_of);
    }
    const std::size_t row_bytes = static_cast<std::size_t>(config_.output_size()) * kernels_.element_bytes;
    plan.block_rows = std::min<std::int64_t>(std::int64_t{plan.slots} * layout_.steps, kBlockBytes / row_bytes);
    if (plan.workers() > 1) plan.cycles += kWakeCycles;
    return plan;
  }

 private:
  double layer_cycles(int layer, const Plan& plan, const double* steps_of) const {
    const double passes = static_cast<double>(config_.directions) / plan.directions;
    const double pace = (plan.splits > 1 ? kPaceTogether : 1) * (plan.directions > 1 ? kPaceTogether : 1);
    double cycles = 0;
    for (int rows = 1; rows <= plan.slots; ++rows) {
      if (steps_of[rows] != 0) cycles += pace * passes * steps_of[rows] * step_cycles(layer, plan, rows);
    }
    return cycles;
  }

  double weight_bytes(int inputs, const Plan& plan) const {
    const int panels = (panels_ + plan.splits - 1) / plan.splits;
    return static_cast<double>(inputs) * panels * shape_.columns() * kernels_.unit * kernels_.weight_bytes;
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
    const std::size_t row_bytes =
        static_cast<std::size_t>(panels_) * shape_.columns() * kernels_.unit * kernels_.element_bytes;
    if (x_in_float(layer)) {
      const int fit = static_cast<int>(kFloatBytes / (row_bytes * static_cast<std::size_t>(plan.slots)));
      return std::clamp(fit, 1, std::min(kMaxHoisted, layout_.steps));
    }
    if (config_.layer_input(layer) < kernels_.unit || layout_.steps < 2) return 0;
    const std::size_t room = beyond_caches(layer, plan) ? 4 * kHoistedBytes : kHoistedBytes;
    const int fit = static_cast<int>(room / (row_bytes * static_cast<std::size_t>(plan.slots)));
    const int steps = std::min({std::max(fit, kernels_.tile_rows), kMaxHoisted, layout_.steps});
    const bool few =
        plan.slots < kernels_.tile_rows / 2 + 1 || (plan.slots <= 2 * kernels_.tile_rows && !in_cache(plan));
    return few || spares_traffic(layer, plan, steps) ? steps : 0;
  }

  /** Whether x, of a quantized model, is multiplied in float, which is never done in the tile. */
  bool x_in_float(int layer) const { return kernels_.terms > 1 && config_.layer_input(layer) <= kShortInput; }

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

  // What a step goes over again and again comes from level 2, or from level 3 by the share that level 2 does not keep,
  // whose other half is wanted for rows: on a Xeon 2.1 MB took half the time of 4.2 MB in a level 2 of 2 MB, while
  // halves of 1.6 MB are 12% faster than the whole.
  double reading_cycles(double bytes) const {
    const double l2 = static_cast<double>(cpu_info().l2_bytes);
    const double beyond = std::clamp((bytes / l2 - 0.5) / 1.5, 0.0, 1.0);
    return bytes * ((1 - beyond) / kL2BytesPerCycle + beyond / cpu_info().l3_bytes_per_cycle);
  }

  // Of one step with so many slots full.
  double step_cycles(int layer, const Plan& plan, int full) const {
    const bool hoisted = plan.hoisted(layer) != 0;
    const double rows = full, inputs = config_.layer_input(layer), states = config_.real_size();
    const double panels = (panels_ + plan.splits - 1) / plan.splits, columns = shape_.columns();
    const double tiles = (full + kernels_.tile_rows - 1) / kernels_.tile_rows;
    const double height = rows / tiles;
    const double k_cycles =
        std::max(columns * height / kFmaPerCycle, (columns + height) / kLoadsPerCycle) * tiles * panels;
    const double in_tile = states + (hoisted ? 0 : inputs);
    const double bytes = weight_bytes(static_cast<int>(in_tile), plan);
    const double reading = reading_cycles(bytes);
    // The first tile waits for W, the others find it near. With W in level 3, H 256, that makes 85% of the peak for 3
    // rows (AVX2: one tile), 79% for 4 and 94% for 8, where 83%, 78% and 89% were measured.
    const double computing = in_tile * k_cycles / kernels_.terms, first = computing / reads_of_weights(layer, full);
    double cycles = std::max(first, reading) + kShows * std::min(first, reading) + computing - first;
    // What comes from memory is waited for, and every team of the call reads its own.
    if (beyond_caches(layer, plan)) cycles = computing + plan.groups * bytes / kMemoryBytesPerCycle;
    const double hoisted_terms = x_in_float(layer) ? 1 : kernels_.terms;
    if (hoisted) cycles += kHoistedCost * inputs * panels * columns * rows / kFmaPerCycle / hoisted_terms;
    if (kernels_.terms > 1) {
      const double values =
          states + (config_.proj_size != 0 ? config_.hidden_size : 0) + (x_in_float(layer) ? 0 : inputs);
      cycles += rows * (kQuantizeRowCycles + values / kernels_.unit * kQuantizeVectorCycles);
    }
    const double cell_cycles = kernels_.unit * kCellCyclesPerLane[static_cast<int>(config_.cell)];
    cycles += rows * panels * shape_.unit_vectors * cell_cycles + kStepCycles + 10 * rows;
    if (config_.proj_size != 0)
      cycles += rows * states * config_.hidden_size / kernels_.unit / plan.splits / kFmaPerCycle / kernels_.terms;
    if (plan.splits > 1) cycles += kBarrierCyclesPerWorker * plan.splits * (config_.proj_size != 0 ? 2 : 1);
    return cycles;
  }

  // How many tiles share what the first of them reads: of register tiles all, of tall ones those inside the first.
  double reads_of_weights(int layer, int full) const {
    const int k = config_.layer_input(layer) + config_.real_size();
    const int width = shape_.columns() * kernels_.unit;
    const bool tall = wants_tall_tiles(static_cast<std::size_t>(k) * width * kernels_.weight_bytes);
    const int rows = tall ? kernels_.tall_rows : kernels_.tile_rows;
    return (full + rows - 1) / rows;
  }

  const Config& config_;
  const Layout& layout_;
  const KernelTraits& kernels_;
  const CellShape shape_;
  const std::int64_t rows_;
  const int panels_;
};

/** The shape that PACKED_LSTM_PLAN names; no workers: it names none. Read once. */
TeamShape forced_shape() {
  static const TeamShape forced = [] {
    TeamShape shape;
    const char* const text = std::getenv("PACKED_LSTM_PLAN");
    const bool named =
        text != nullptr && std::sscanf(text, "%d,%d,%d", &shape.groups, &shape.directions, &shape.splits) == 3;
    if (!named) shape.groups = 0;
    return shape;
  }();
  return forced;
}

}  // namespace

Plan plan_of(const TeamShape& shape, const Config& config, const Layout& layout, const KernelTraits& kernels) {
  return Model(config, layout, kernels).complete(shape);
}

bool plan_is_forced() { return forced_shape().groups != 0; }

Plan make_plan(const Config& config, const Layout& layout, const KernelTraits& kernels, int threads) {
  const Model model(config, layout, kernels);
  const TeamShape forced = forced_shape();
  const auto within = [](int n, int most) { return n >= 1 && n <= most; };
  if (within(forced.groups, layout.batch) && within(forced.directions, config.directions) &&
      within(forced.splits, model.panels()) && forced.groups <= threads && forced.workers() <= threads) {
    return model.complete(forced);
  }
  Plan best = model.complete(TeamShape());
  if (best.cycles < kWakeCycles) return best;
  for (int directions = 1; directions <= config.directions; ++directions) {
    for (int groups = 1; groups <= layout.batch && groups * directions <= threads; ++groups) {
      const int most = std::min(threads / (groups * directions), model.panels());
      for (int splits = 1; splits <= most; ++splits) {
        const Plan plan = model.complete({groups, directions, splits});
        if (plan.cycles < best.cycles) best = plan;
      }
    }
  }
  return best;
}

std::string Plan::describe() const {
  char text[200];
  std::snprintf(text, sizeof text,
                "groups %d, directions %d, splits %d, slots %d, hoisted %d and %d, block rows %lld, cycles %.0f",
                groups, directions, splits, slots, hoisted_below, hoisted_above, static_cast<long long>(block_rows),
                cycles);
  return text;
}

}  // namespace packed_lstm
