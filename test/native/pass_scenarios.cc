// Whole passes on the pool, under plans that the scenario draws: the bits are those of one thread, an abort ends a pass
// soon, and what an aborted pass leaves behind does not reach the next one.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/aligned.h"
#include "base/pool.h"
#include "crowd.h"
#include "kernels/isa/sets.h"
#include "rnn/run.h"
#include "scenarios.h"
#include "schedule.h"

namespace packed_lstm {
namespace {

using schedule::draw;

Plan drawn;  // what make_plan gives, cut down to the threads there are

const std::atomic<bool> kNever{false};

/** A model, a batch of unequal lengths, and what one thread makes of it. */
struct Setup {
  Config config;
  AlignedBuffer<std::byte> memory;
  std::unique_ptr<Weights<float>> model;
  std::vector<std::int32_t> batch_sizes;
  std::vector<std::int64_t> step_offsets;
  std::vector<float> input, h0, c0;
  Layout layout;

  explicit Setup(bool two_layers) {
    const KernelSet<float>& kernels = scalar::kFloat32;
    config.input_size = kernels.unit + draw(2);
    config.hidden_size = 2 * kernels.unit + draw(kernels.unit);
    config.proj_size = draw(3) == 0 ? kernels.unit + 1 : 0;
    config.num_layers = two_layers ? 2 : 1;
    config.directions = 1 + draw(2);
    std::vector<std::vector<float>> parameters;
    for (int layer = 0; layer < config.num_layers; ++layer) {
      for (int d = 0; d < config.directions; ++d) {
        const int gates = 4 * config.hidden_size;
        for (int size : {gates * config.layer_input(layer), gates * config.real_size(), gates, gates}) {
          parameters.push_back(values(size));
        }
        if (config.proj_size != 0) parameters.push_back(values(config.proj_size * config.hidden_size));
      }
    }
    std::vector<float*> pointers;
    for (auto& parameter : parameters) pointers.push_back(parameter.data());
    memory = AlignedBuffer<std::byte>(Weights<float>(config, kernels, nullptr).bytes());
    model = std::make_unique<Weights<float>>(config, kernels, memory.data());
    model->pack(pointers);
    layout.batch = 3;
    layout.steps = 3;
    batch_sizes = {3, 1 + draw(3), 1};
    if (batch_sizes[1] < batch_sizes[2]) batch_sizes[1] = batch_sizes[2];
    std::int64_t row = 0;
    for (const int size : batch_sizes) {
      step_offsets.push_back(row);
      row += size;
    }
    layout.batch_sizes = batch_sizes.data();
    layout.step_offsets = step_offsets.data();
    input = values(static_cast<int>(layout.rows()) * config.input_size);
    const int states = config.num_layers * config.directions * layout.batch;
    h0 = values(states * config.real_size());
    c0 = values(states * config.hidden_size);
  }

  static std::vector<float> values(int count) {
    std::vector<float> out(static_cast<std::size_t>(count));
    for (float& value : out) value = static_cast<float>(draw(2001) - 1000) / 2000;
    return out;
  }
};

struct Result {
  std::vector<float> output, hn, cn;

  bool operator==(const Result& other) const {
    return same(output, other.output) && same(hn, other.hn) && same(cn, other.cn);
  }
  static bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }
};

Result pass(const Setup& setup, const std::atomic<bool>& stop) {
  const Config& config = setup.config;
  Result result;
  result.output.assign(static_cast<std::size_t>(setup.layout.rows() * config.output_size()), 7.0f);
  result.hn.assign(setup.h0.size(), 7.0f);
  result.cn.assign(setup.c0.size(), 7.0f);
  forward<float>(*setup.model,
                 {setup.layout, setup.input.data(), result.output.data(), setup.h0.data(), setup.c0.data(),
                  result.hn.data(), result.cn.data()},
                 stop);
  return result;
}

Result alone(const Setup& setup) {
  Pool::get().set_threads(1);
  drawn = Plan();
  drawn.slots = setup.layout.batch;
  drawn.block_rows = setup.layout.rows();
  return pass(setup, kNever);
}

void draw_plan(const Setup& setup) {
  drawn.groups = 1 + draw(2);
  drawn.directions = 1 + draw(setup.config.directions);
  drawn.splits = drawn.groups * drawn.directions == 4 ? 1 : 1 + draw(2);
  drawn.slots = 1 + draw(setup.layout.batch);
  drawn.hoisted_below = draw(2) * (1 + draw(setup.layout.steps));
  drawn.hoisted_above = draw(2) * (1 + draw(setup.layout.steps));
  drawn.block_rows = 1 + draw(6);
  Pool::get().set_threads(4);
}

void the_bits_of_one_thread() {
  const Setup setup(draw(2) != 0);
  const Result expected = alone(setup);
  for (int i = 0; i < 3; ++i) {
    draw_plan(setup);
    SCHEDULE_EXPECT(pass(setup, kNever) == expected);
  }
}

void passes_of_several_callers() {
  const Setup setup(true);
  const Result expected = alone(setup);
  draw_plan(setup);
  Crowd crowd;
  crowd.start([&] { SCHEDULE_EXPECT(pass(setup, kNever) == expected); });
  SCHEDULE_EXPECT(pass(setup, kNever) == expected);
  crowd.wait();
}

void a_pass_after_an_abort() {
  const Setup setup(draw(2) != 0);
  const Result expected = alone(setup);
  draw_plan(setup);
  drawn.splits = 2;
  for (int i = 0; i < 3; ++i) {
    std::atomic<bool> stop{false};
    Crowd crowd;
    crowd.start([&] {
      for (int n = draw(60); n > 0; --n) schedule::yield();
      stop.store(true);
    });
    pass(setup, stop);
    crowd.wait();
    SCHEDULE_EXPECT(pass(setup, kNever) == expected);
  }
}

// What a pass allocates is allocated before it has written to anything.
void a_pass_without_memory() {
  const Setup setup(true);
  const Result expected = alone(setup);
  for (int i = 0; i < 4; ++i) {
    draw_plan(setup);
    Result untouched{std::vector<float>(expected.output.size(), 7.0f), std::vector<float>(expected.hn.size(), 7.0f),
                     std::vector<float>(expected.cn.size(), 7.0f)};
    const Result before = untouched;
    schedule::fail_allocation_after(draw(8));
    bool thrown = false;
    try {
      forward<float>(*setup.model,
                     {setup.layout, setup.input.data(), untouched.output.data(), setup.h0.data(), setup.c0.data(),
                      untouched.hn.data(), untouched.cn.data()},
                     kNever);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    schedule::fail_allocation_after(-1);
    SCHEDULE_EXPECT(untouched == (thrown ? before : expected));
    SCHEDULE_EXPECT(pass(setup, kNever) == expected);
  }
}

}  // namespace

// In the place of rnn/plan.cc: fewer threads than planned give up splits, then directions, then groups.
Plan make_plan(const Config&, const Layout&, const KernelTraits&, int threads) {
  Plan plan = drawn;
  for (int* part : {&plan.splits, &plan.directions, &plan.groups}) {
    while (plan.workers() > threads && *part > 1) --*part;
  }
  return plan;
}

bool plan_is_forced() { return true; }

std::string Plan::describe() const { return "drawn"; }

}  // namespace packed_lstm

const Scenario kPassScenarios[] = {
    {"a pass has the bits of one thread under every plan", packed_lstm::the_bits_of_one_thread},
    {"passes of several callers keep apart", packed_lstm::passes_of_several_callers},
    {"a split pass that is aborted ends, and the next one is whole", packed_lstm::a_pass_after_an_abort},
    {"a pass without memory writes nothing, and the next one is whole", packed_lstm::a_pass_without_memory},
    {nullptr, nullptr}};
