// locate, step, (project,) wait, advance: the loop of one worker. All state is in fixed arrays of slots.
#include "rnn/walker.h"

#include <algorithm>
#include <type_traits>

#include "gemm/matmul.h"
#include "rnn/plan.h"

namespace packed_lstm {
namespace {

constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

template <class T>
class Walker {
 public:
  Walker(const Weights<T>& model, const Pass<T>& pass, const SlotScratch<T>& scratch, const Share& share)
      : kernels_(model.kernels()),
        config_(model.config()),
        cells_(kernels_.cell(config_.cell)),
        pass_(pass),
        scratch_(scratch),
        share_(share),
        gates_(pass.weights->gates),
        proj_(pass.weights->proj),
        quantized_(kernels_.storage == Storage::kInt8),
        x_apart_(pass.weights->inputs.count() != 0),
        row_bytes_(scratch.row_bytes),
        panel_units_(config_.shape().unit_vectors * kernels_.unit),
        first_panel_(gates_.count() * share.index / share.count),
        last_panel_(gates_.count() * (share.index + 1) / share.count),
        first_unit_(std::min(config_.hidden_size, first_panel_ * panel_units_)),
        last_unit_(std::min(config_.hidden_size, last_panel_ * panel_units_)) {
    const std::size_t padded = static_cast<std::size_t>(gates_.count() * panel_units_);
    const auto row = [](T* base, std::size_t at) { return base == nullptr ? nullptr : base + at; };
    for (int i = 0; i < pass.slots; ++i) {
      const std::size_t s = static_cast<std::size_t>(i);
      slots_[i].c = row(scratch.c, s * padded);
      slots_[i].unprojected = row(scratch.unprojected, s * padded);
      slots_[i].hoisted = row(scratch.hoisted, s * static_cast<std::size_t>(pass.hoisted) * gates_.columns_padded());
    }
    if (quantized_) {
      x8_ = scratch.quantized + static_cast<std::size_t>(share.index) * row_bytes_.worker_bytes(pass.slots);
      h8_ = x8_ + kMaxSlots * row_bytes_.x;
      unprojected8_ = h8_ + static_cast<std::size_t>(pass.slots) * row_bytes_.h;
    }
    while (active_ < pass.slots && next_ < pass.count) fill(slots_[active_++]);
  }

  void run() {
    while (active_ > 0 && !share_.stop->load(std::memory_order_relaxed)) {
      locate();
      step();
      if (proj_.count() != 0) {
        wait();
        if (quantized_) quantize(out_, active_, config_.hidden_size, unprojected8_, row_bytes_.unprojected, a8_);
        project();
      }
      wait();
      advance();
    }
  }

 private:
  struct Slot {
    const Sequence* sequence;
    int done;       // steps of it behind us
    int projected;  // steps whose input projection lies in `hoisted`, counted from `hoisted_from`
    int hoisted_from;
    const T* h;  // the state after the last step
    T *c, *unprojected, *hoisted;
  };

  int time(const Slot& slot, int done) const { return pass_.reverse ? slot.sequence->length - 1 - done : done; }

  void fill(Slot& slot) {
    slot.sequence = &pass_.sequences[next_++];
    slot.done = slot.projected = slot.hoisted_from = 0;
    const std::size_t row = static_cast<std::size_t>(slot.sequence->state_row);
    slot.h = pass_.h0 != nullptr ? pass_.h0 + row * config_.real_size() : scratch_.zeros;
    if (slot.c == nullptr) return;
    std::fill_n(slot.c + first_unit_, last_panel_ * panel_units_ - first_unit_, T(0));
    if (pass_.c0 != nullptr) {
      std::copy_n(pass_.c0 + row * config_.hidden_size + first_unit_, last_unit_ - first_unit_, slot.c + first_unit_);
    }
  }

  // `count` rows in 8 bits, from `to` on, `bytes` each.
  void quantize(const T* const* rows, int count, int k, std::byte* to, std::size_t bytes, const QuantizedRow** out) {
    if constexpr (std::is_same_v<T, float>) {
      for (int i = 0; i < count; ++i, to += bytes) {
        QuantizedRow* const row = reinterpret_cast<QuantizedRow*>(to);
        kernels_.quantization.quantize(rows[i], k, row);
        out[i] = row;
      }
    }
  }

  // Looks up where this step's rows lie.
  void locate() {
    if (pass_.hoisted != 0) hoist();
    for (int s = 0; s < active_; ++s) {
      const Slot& slot = slots_[s];
      const int t = time(slot, slot.done);
      x_[s] = pass_.x.at(*slot.sequence, t);
      y_[s] = pass_.y.at(*slot.sequence, t);
      h_[s] = slot.h;
      c_[s] = slot.c;
      out_[s] = proj_.count() != 0 ? slot.unprojected : y_[s];
      pre_[s] = pass_.hoisted != 0 ? hoisted_row(slot, slot.done) : nullptr;
    }
    if (!quantized_) return;
    if (pass_.hoisted == 0) quantize(x_, active_, pass_.k_x, x8_, row_bytes_.x, a8_);
    quantize(h_, active_, config_.real_size(), h8_, row_bytes_.h, state8_);
  }

  T* hoisted_row(const Slot& slot, int done) const {
    return slot.hoisted + std::size_t(done - slot.hoisted_from) * gates_.columns_padded();
  }

  // The input projection of the next steps of every slot that has used its own up, as products of many rows: slots
  // that began together read W_ih together.
  void hoist() {
    const T* a[kHoistRows];
    T* out[kHoistRows];
    int rows = 0;
    const bool in_8_bits = quantized_ && !x_apart_;
    const int most = in_8_bits ? kMaxSlots : kHoistRows;
    const Panels& panels = x_apart_ ? pass_.weights->inputs : gates_;
    const KernelSet<T>& kernels = x_apart_ ? *kernels_.unquantized : kernels_;
    const auto multiply = [&] {
      if (in_8_bits) quantize(a, rows, pass_.k_x, x8_, row_bytes_.x, a8_);
      matmul(kernels, Matmul<T>{panels, first_panel_, last_panel_, pass_.k_x, gates_.columns_padded(), config_.chain(),
                                rows, a, a8_, out});
      rows = 0;
    };
    for (int s = 0; s < active_; ++s) {
      Slot& slot = slots_[s];
      if (slot.done != slot.hoisted_from + slot.projected) continue;
      slot.hoisted_from = slot.done;
      slot.projected = std::min(pass_.hoisted, slot.sequence->length - slot.done);
      for (int done = slot.done; done < slot.hoisted_from + slot.projected; ++done) {
        if (rows == most) multiply();
        a[rows] = pass_.x.at(*slot.sequence, time(slot, done));
        out[rows++] = hoisted_row(slot, done);
      }
    }
    if (rows != 0) multiply();
  }

  void step() {
    CellTile<T> tile;
    tile.k_x = gates_.inputs();
    tile.k_h = config_.real_size();
    tile.units = config_.hidden_size;
    tile.chain = config_.chain();
    for_each_tile(cells_, gates_, first_panel_, last_panel_, active_,
                  [&](const PanelRange& weights, int row, int rows) {
                    tile.weights = weights;
                    tile.rows = rows;
                    if (quantized_) {
                      std::copy_n(a8_ + row, rows, tile.x8);
                      std::copy_n(state8_ + row, rows, tile.h8);
                    } else {
                      std::copy_n(x_ + row, rows, tile.x);
                    }
                    std::copy_n(pre_ + row, rows, tile.pre);
                    std::copy_n(h_ + row, rows, tile.h);
                    std::copy_n(c_ + row, rows, tile.c);
                    std::copy_n(out_ + row, rows, tile.out);
                    cells_.at[rows](tile);
                  });
  }

  void project() {
    const int begin = proj_.count() * share_.index / share_.count,
              end = proj_.count() * (share_.index + 1) / share_.count;
    matmul(kernels_, Matmul<T>{proj_, begin, end, config_.hidden_size, config_.proj_size, config_.chain(), active_,
                               out_, a8_, y_});
  }

  void wait() {
    if (share_.count > 1) share_.barrier->wait(*share_.stop);
  }

  void advance() {
    for (int s = 0; s < active_;) {
      Slot& slot = slots_[s];
      slot.h = y_[s];
      if (++slot.done < slot.sequence->length) {
        ++s;
        continue;
      }
      finish(slot);
      if (next_ < pass_.count) {
        fill(slot);
        ++s;
      } else {
        --active_;
        std::swap(slots_[s], slots_[active_]);
        std::swap(y_[s], y_[active_]);
      }
    }
  }

  void finish(const Slot& slot) {
    const std::size_t row = static_cast<std::size_t>(slot.sequence->state_row);
    if (share_.index == 0) std::copy_n(slot.h, config_.real_size(), pass_.hn + row * config_.real_size());
    if (slot.c == nullptr) return;
    std::copy_n(slot.c + first_unit_, last_unit_ - first_unit_, pass_.cn + row * config_.hidden_size + first_unit_);
  }

  const KernelSet<T>& kernels_;
  const Config& config_;
  const ByRows<CellTile<T>>& cells_;
  const Pass<T>& pass_;
  const SlotScratch<T>& scratch_;
  const Share& share_;
  const Panels &gates_, &proj_;
  const bool quantized_, x_apart_;  // the latter: x's product is always hoisted, and in float
  const QuantizedSizes row_bytes_;
  const int panel_units_, first_panel_, last_panel_, first_unit_, last_unit_;
  int active_ = 0, next_ = 0;
  Slot slots_[kMaxSlots];
  const T *x_[kMaxSlots], *pre_[kMaxSlots], *h_[kMaxSlots];
  T *c_[kMaxSlots], *out_[kMaxSlots], *y_[kMaxSlots];
  std::byte *x8_ = nullptr, *h8_ = nullptr, *unprojected8_ = nullptr;
  const QuantizedRow *a8_[kMaxSlots], *state8_[kMaxSlots];  // a8_: x, or h before the projection
};

}  // namespace

std::size_t QuantizedSizes::worker_bytes(int slots) const {
  return kMaxSlots * x + static_cast<std::size_t>(slots) * (h + unprojected);
}

template <class T>
SlotSizes SlotSizes::of(const Weights<T>& model, int slots, int hoisted, int workers) {
  const Config& config = model.config();
  const Panels& gates = model.at(0, 0).gates;
  const CellShape shape = config.shape();
  SlotSizes sizes;
  sizes.slots = slots;
  sizes.workers = workers;
  if (model.kernels().storage == Storage::kInt8) {
    const Quantization& quantization = model.kernels().quantization;
    for (int layer = 0; layer < std::min(2, config.num_layers); ++layer) {
      const int inputs = model.at(layer, 0).gates.inputs();
      if (inputs != 0) sizes.quantized.x = std::max(sizes.quantized.x, quantization.row_bytes(inputs));
    }
    sizes.quantized.h = quantization.row_bytes(config.real_size());
    if (config.proj_size != 0) sizes.quantized.unprojected = quantization.row_bytes(config.hidden_size);
  }
  sizes.hoisted = hoisted;
  sizes.padded_hidden = gates.count() * shape.unit_vectors * model.kernels().unit;
  sizes.padded_columns = gates.columns_padded();
  sizes.zeros = round_up(static_cast<std::size_t>(config.real_size()), kAlignment / sizeof(T));
  sizes.has_c = shape.has_c;
  sizes.projected = config.proj_size != 0;
  return sizes;
}

std::size_t SlotSizes::elements(std::size_t bytes) const {
  const std::size_t rows = static_cast<std::size_t>(slots);
  return static_cast<std::size_t>(workers) * quantized.worker_bytes(slots) / bytes +
         rows * padded_hidden * ((has_c ? 1 : 0) + (projected ? 1 : 0)) + rows * hoisted * padded_columns + zeros;
}

template <class T>
SlotScratch<T>::SlotScratch(T* base, const SlotSizes& sizes) {
  const std::size_t rows = static_cast<std::size_t>(sizes.slots);
  quantized = reinterpret_cast<std::byte*>(base);
  row_bytes = sizes.quantized;
  T* next = base + static_cast<std::size_t>(sizes.workers) * row_bytes.worker_bytes(sizes.slots) / sizeof(T);
  const auto take = [&](bool wanted, std::size_t elements) {
    T* const part = wanted ? next : nullptr;
    if (wanted) next += elements;
    return part;
  };
  c = take(sizes.has_c, rows * sizes.padded_hidden);
  unprojected = take(sizes.projected, rows * sizes.padded_hidden);
  hoisted = take(sizes.hoisted != 0, rows * sizes.hoisted * sizes.padded_columns);
  zeros = next;
}

template <class T>
void walk(const Weights<T>& model, const Pass<T>& pass, const SlotScratch<T>& scratch, const Share& share) noexcept {
  Walker<T>(model, pass, scratch, share).run();
}

template SlotSizes SlotSizes::of<float>(const Weights<float>&, int, int, int);
template SlotSizes SlotSizes::of<double>(const Weights<double>&, int, int, int);
template struct SlotScratch<float>;
template struct SlotScratch<double>;
template void walk<float>(const Weights<float>&, const Pass<float>&, const SlotScratch<float>&, const Share&) noexcept;
template void walk<double>(const Weights<double>&, const Pass<double>&, const SlotScratch<double>&,
                           const Share&) noexcept;

}  // namespace packed_lstm
