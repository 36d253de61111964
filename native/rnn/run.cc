// Sequences are dealt to teams before anything runs, longest first and each to the team with the least work so far; a
// team then takes its list in blocks, each through all layers, so that the rows between layers stay bounded.
#include "rnn/run.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "base/pool.h"
#include "base/spin.h"
#include "rnn/walker.h"

namespace packed_lstm {
namespace {

struct Block {
  int first, count;  // in the team's sequences
};

struct Team {
  std::vector<Sequence> sequences;
  std::vector<Block> blocks;
  std::int64_t rows = 0;            // of all its sequences
  std::int64_t workspace_rows = 0;  // of its largest block
  SpinBarrier layer_end;            // all of the team
  SpinBarrier step_end[2];          // those that split a direction's units
};

/** Where a thread lays out its calls; kept from one to the next, unless it grew large. */
struct Desk {
  std::unique_ptr<Team[]> teams;
  int room = 0;                           // for so many teams
  std::vector<std::size_t> workspace_at;  // of each team, in the scratch

  void tidy() {
    std::size_t sequences = 0;
    for (int g = 0; g < room; ++g) sequences += teams[static_cast<std::size_t>(g)].sequences.capacity();
    if (sequences > kKeptSequences) *this = Desk();
  }
  static constexpr std::size_t kKeptSequences = 1 << 16;
};

thread_local Desk desk;

// Lengths are read off the batch sizes: sequence b ends where fewer than b + 1 sequences go on.
void deal(const Layout& layout, const Plan& plan, bool between_layers) {
  if (desk.room < plan.groups) {
    desk.teams.reset(new Team[static_cast<std::size_t>(plan.groups)]);
    desk.room = plan.groups;
  }
  Team* const teams = desk.teams.get();
  for (int g = 0; g < plan.groups; ++g) {
    Team& team = teams[g];
    team.sequences.clear();
    team.blocks.clear();
    team.rows = team.workspace_rows = 0;
  }
  int length = layout.steps;
  for (int b = 0; b < layout.batch; ++b) {
    if (layout.batch_sizes != nullptr) {
      while (layout.batch_sizes[length - 1] <= b) --length;
    }
    Team* team =
        std::min_element(teams, teams + plan.groups, [](const Team& a, const Team& c) { return a.rows < c.rows; });
    team->sequences.push_back({layout.origin(b), 0, length, layout.state_row(b)});
    team->rows += length;
  }
  for (int g = 0; g < plan.groups; ++g) {
    Team& team = teams[g];
    const int count = static_cast<int>(team.sequences.size());
    Block block{0, 0};
    std::int64_t rows = 0;
    for (int i = 0; i < count; ++i) {
      Sequence& sequence = team.sequences[static_cast<std::size_t>(i)];
      if (between_layers && block.count > 0 && rows + sequence.length > plan.block_rows) {
        team.blocks.push_back(block);
        block = {i, 0};
        rows = 0;
      }
      sequence.workspace = rows;
      rows += sequence.length;
      team.workspace_rows = std::max(team.workspace_rows, rows);
      ++block.count;
    }
    team.blocks.push_back(block);
    team.layer_end.reset(plan.directions * plan.splits);
    for (SpinBarrier& barrier : team.step_end) barrier.reset(plan.splits);
  }
}

/** Whether PACKED_LSTM_VERBOSE asks for a line a pass, as ONEDNN_VERBOSE does of oneDNN. Read once. */
bool verbose() {
  static const bool on = [] {
    const char* value = std::getenv("PACKED_LSTM_VERBOSE");
    return value != nullptr && *value != '\0' && std::string(value) != "0";
  }();
  return on;
}

template <class T>
class Forward {
 public:
  Forward(const Weights<T>& model, const Call<T>& call, const std::atomic<bool>& stop)
      : model_(model), config_(model.config()), call_(call), stop_(stop) {}

  void operator()() {
    if (!verbose()) return run();
    const auto began = std::chrono::steady_clock::now();
    run();
    report(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }

 private:
  void run() {
    const int threads = plan_is_forced() ? Pool::get().threads() : Pool::get().workers();
    plan_ = make_plan(config_, call_.layout, traits(model_.kernels(), config_.cell), threads);
    advise_huge_pages(call_.output, static_cast<std::size_t>(call_.layout.rows()) * config_.output_size() * sizeof(T));
    Pool::get().run(plan_.workers(), [this](int n) { prepare(n); }, [this](int worker, int) { work(worker); });
    release_large_scratch();
    desk.tidy();
  }

  void report(double ms) const {
    const Layout& layout = call_.layout;
    const KernelSet<T>& kernels = model_.kernels();
    const char* kind = layout.origins != nullptr ? "joined" : layout.batch_sizes != nullptr ? "packed" : "dense";
    static constexpr const char* kCells[kCellKinds] = {"lstm", "gru", "rnn tanh", "rnn relu"};
    std::fprintf(
        stderr, "packed-lstm: %s float%d%s %s, %s T %d, B %d, %lld rows, I %d, H %d, P %d, L %d, D %d; %s; %.4f ms\n",
        kCells[static_cast<int>(config_.cell)], static_cast<int>(8 * sizeof(T)),
        kernels.storage == Storage::kFloat16 ? " (weights float16)"
        : kernels.storage == Storage::kInt8  ? " (weights int8)"
                                             : "",
        kernels.isa, kind, layout.steps, layout.batch, static_cast<long long>(layout.rows()), config_.input_size,
        config_.hidden_size, config_.proj_size, config_.num_layers, config_.directions, plan_.describe().c_str(), ms);
  }

  void prepare(int workers) {
    if (workers < plan_.workers())
      plan_ = make_plan(config_, call_.layout, traits(model_.kernels(), config_.cell), workers);
    deal(call_.layout, plan_, config_.num_layers > 1);
    teams_ = desk.teams.get();
    workspace_at_ = &desk.workspace_at;
    workspace_at_->clear();
    slot_sizes_ = SlotSizes::of(model_, plan_.slots, plan_.most_hoisted(), plan_.splits);
    scratch_elements_ = (slot_sizes_.elements(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    std::size_t elements = scratch_elements_ * static_cast<std::size_t>(plan_.groups * plan_.directions);
    for (int g = 0; g < plan_.groups && config_.num_layers > 1; ++g) {
      Team& team = teams_[static_cast<std::size_t>(g)];
      workspace_at_->push_back(elements);
      elements += static_cast<std::size_t>(team.workspace_rows) * config_.output_size();
    }
    scratch_ = thread_scratch<T>(elements);
    for (int i = 0; i < plan_.groups * plan_.directions; ++i) {
      std::fill_n(scratch_of(i).zeros, config_.real_size(), T(0));
    }
  }

  void work(int worker) {
    if (worker >= plan_.workers()) return;
    const int split = worker % plan_.splits, direction = worker / plan_.splits % plan_.directions;
    const int group = worker / (plan_.splits * plan_.directions);
    Team& team = teams_[static_cast<std::size_t>(group)];
    const SlotScratch<T> scratch = scratch_of(group * plan_.directions + direction);
    const Share share{split, plan_.splits, &team.step_end[direction], &stop_};
    for (const Block& block : team.blocks) {
      for (int layer = 0; layer < config_.num_layers; ++layer) {
        for (int d = direction; d < config_.directions; d += plan_.directions) {
          walk(model_, pass(team, group, block, layer, d), scratch, share);
        }
        team.layer_end.wait(stop_);
        if (stop_.load(std::memory_order_relaxed)) return;
      }
    }
  }

  SlotScratch<T> scratch_of(int direction_of_group) const {
    return {scratch_ + scratch_elements_ * static_cast<std::size_t>(direction_of_group), slot_sizes_};
  }

  // Layers write to the output and to the workspace in turn, so that the last one writes to the output.
  bool to_output(int layer) const { return (config_.num_layers - 1 - layer) % 2 == 0; }

  RowSpace<T> written_by(int layer, int group) const {
    RowSpace<T> rows;
    rows.stride = config_.output_size();
    if (to_output(layer)) {
      rows.data = call_.output;
      lay_out(rows);
    } else {
      rows.data = scratch_ + (*workspace_at_)[static_cast<std::size_t>(group)];
      rows.in_workspace = true;
    }
    return rows;
  }

  template <class Rows>
  void lay_out(Rows& rows) const {
    const bool joined = call_.layout.origins != nullptr;
    rows.step = joined || call_.layout.batch_first ? 1 : call_.layout.batch;
    rows.step_offsets = joined ? nullptr : call_.layout.step_offsets;
  }

  Pass<T> pass(const Team& team, int group, const Block& block, int layer, int direction) const {
    Pass<T> p;
    p.weights = &model_.at(layer, direction);
    p.k_x = config_.layer_input(layer);
    p.slots = plan_.slots;
    p.hoisted = plan_.hoisted(layer);
    if (layer == 0) {
      p.x.data = call_.input;
      p.x.stride = config_.input_size;
      lay_out(p.x);
    } else {
      const RowSpace<T> below = written_by(layer - 1, group);
      p.x = {below.data, below.stride, below.step, below.step_offsets, below.in_workspace};
    }
    p.y = written_by(layer, group);
    p.y.data += direction * config_.real_size();
    p.reverse = direction == 1;
    const std::size_t state = static_cast<std::size_t>(layer * config_.directions + direction) *
                              static_cast<std::size_t>(call_.layout.states());
    const std::size_t h = state * static_cast<std::size_t>(config_.real_size());
    const std::size_t c = state * static_cast<std::size_t>(config_.hidden_size);
    p.h0 = call_.h0 != nullptr ? call_.h0 + h : nullptr;
    p.c0 = call_.c0 != nullptr ? call_.c0 + c : nullptr;
    p.hn = call_.hn + h;
    p.cn = call_.cn != nullptr ? call_.cn + c : nullptr;
    p.sequences = team.sequences.data() + block.first;
    p.count = block.count;
    return p;
  }

  const Weights<T>& model_;
  const Config& config_;
  const Call<T>& call_;
  const std::atomic<bool>& stop_;
  Plan plan_;
  Team* teams_ = nullptr;  // of the calling thread, as what follows is
  SlotSizes slot_sizes_{};
  std::size_t scratch_elements_ = 0;
  std::vector<std::size_t>* workspace_at_ = nullptr;
  T* scratch_ = nullptr;
};

}  // namespace

template <class T>
void forward(const Weights<T>& model, const Call<T>& call, const std::atomic<bool>& stop) {
  Forward<T>(model, call, stop)();
}

template void forward<float>(const Weights<float>&, const Call<float>&, const std::atomic<bool>&);
template void forward<double>(const Weights<double>&, const Call<double>&, const std::atomic<bool>&);

}  // namespace packed_lstm
