// aim, step, (project,) meet, advance: the loop of one worker. All state is in fixed arrays of slots.
#include "rnn/walker.h"

#include <algorithm>

#include "gemm/matmul.h"
#include "rnn/plan.h"

namespace packed_lstm {
namespace {

constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

template <class T>
std::size_t row_elements(const Config& config) {
  return round_up(static_cast<std::size_t>(config.real_size()), kAlignment / sizeof(T));
}

template <class T>
class Walker {
 public:
  Walker(const Weights<T>& model, const Pass<T>& pass, const SlotScratch<T>& scratch, int slots, int hoisted,
         const Share& share)
      : kernels_(model.kernels()),
        config_(model.config()),
        pass_(pass),
        scratch_(scratch),
        share_(share),
        hoisted_(pass.k_x >= kernels_.unit ? hoisted : 0),
        gates_(pass.weights->gates),
        proj_(pass.weights->proj),
        first_panel_(gates_.count() * share.index / share.count),
        last_panel_(gates_.count() * (share.index + 1) / share.count),
        first_unit_(std::min(config_.hidden_size, first_panel_ * kernels_.unit)),
        last_unit_(std::min(config_.hidden_size, last_panel_ * kernels_.unit)) {
    const std::size_t padded = static_cast<std::size_t>(gates_.count()) * kernels_.unit;
    for (int s = 0; s < slots; ++s) {
      Slot& slot = slots_[s];
      slot.c = scratch.c + s * padded;
      slot.unprojected = scratch.unprojected + s * (scratch.unprojected != nullptr ? padded : 0);
      slot.hoisted = scratch.hoisted + (hoisted_ != 0 ? s * std::size_t(hoisted) * gates_.columns_padded() : 0);
    }
    while (active_ < slots && next_ < pass.count) fill(slots_[active_++]);
  }

  void run() {
    while (active_ > 0 && !share_.stop->load(std::memory_order_relaxed)) {
      aim();
      step();
      if (proj_.count() != 0) {
        meet();
        project();
      }
      meet();
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
    std::fill_n(slot.c + first_unit_, last_panel_ * kernels_.unit - first_unit_, T(0));
    if (pass_.c0 != nullptr) {
      std::copy_n(pass_.c0 + row * config_.hidden_size + first_unit_, last_unit_ - first_unit_, slot.c + first_unit_);
    }
  }

  // Looks up where this step's rows lie.
  void aim() {
    if (hoisted_ != 0) hoist();
    for (int s = 0; s < active_; ++s) {
      const Slot& slot = slots_[s];
      const int t = time(slot, slot.done);
      x_[s] = pass_.x.at(*slot.sequence, t);
      y_[s] = pass_.y.at(*slot.sequence, t);
      h_[s] = slot.h;
      c_[s] = slot.c;
      out_[s] = proj_.count() != 0 ? slot.unprojected : y_[s];
      pre_[s] = hoisted_ != 0 ? hoisted_row(slot, slot.done) : nullptr;
    }
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
    const auto multiply = [&] {
      matmul(kernels_, gates_, first_panel_, last_panel_, rows, pass_.k_x, gates_.columns_padded(), config_.chain(), a,
             out);
      rows = 0;
    };
    for (int s = 0; s < active_; ++s) {
      Slot& slot = slots_[s];
      if (slot.done != slot.hoisted_from + slot.projected) continue;
      slot.hoisted_from = slot.done;
      slot.projected = std::min(hoisted_, slot.sequence->length - slot.done);
      for (int done = slot.done; done < slot.hoisted_from + slot.projected; ++done) {
        if (rows == kHoistRows) multiply();
        a[rows] = pass_.x.at(*slot.sequence, time(slot, done));
        out[rows++] = hoisted_row(slot, done);
      }
    }
    if (rows != 0) multiply();
  }

  void step() {
    const Tiles tiles(active_, rows_at_once(kernels_, gates_));
    const int block = tiles.count() == 1 ? last_panel_ - first_panel_ : panels_per_block(gates_.panel_bytes());
    CellTile<T> tile;
    tile.k_x = pass_.k_x;
    tile.k_h = config_.real_size();
    tile.units = config_.hidden_size;
    tile.chain = config_.chain();
    for (int first = first_panel_; first < last_panel_; first += block) {
      tile.weights = gates_.range(first, std::min(last_panel_, first + block));
      for (int i = 0; i < tiles.count(); ++i) {
        const int row = tiles.begin(i), height = tiles.begin(i + 1) - row;
        tile.rows = height;
        std::copy_n(x_ + row, height, tile.x);
        std::copy_n(pre_ + row, height, tile.pre);
        std::copy_n(h_ + row, height, tile.h);
        std::copy_n(c_ + row, height, tile.c);
        std::copy_n(out_ + row, height, tile.out);
        kernels_.cell[height](tile);
        tile.weights.far = false;
      }
    }
  }

  void project() {
    const int begin = proj_.count() * share_.index / share_.count,
              end = proj_.count() * (share_.index + 1) / share_.count;
    matmul(kernels_, proj_, begin, end, active_, config_.hidden_size, config_.proj_size, config_.chain(), out_, y_);
  }

  void meet() {
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
    std::copy_n(slot.c + first_unit_, last_unit_ - first_unit_, pass_.cn + row * config_.hidden_size + first_unit_);
  }

  const KernelSet<T>& kernels_;
  const Config& config_;
  const Pass<T>& pass_;
  const SlotScratch<T>& scratch_;
  const Share& share_;
  const int hoisted_;
  const Panels &gates_, &proj_;
  const int first_panel_, last_panel_, first_unit_, last_unit_;
  int active_ = 0, next_ = 0;
  Slot slots_[kMaxSlots];
  const T *x_[kMaxSlots], *pre_[kMaxSlots], *h_[kMaxSlots];
  T *c_[kMaxSlots], *out_[kMaxSlots], *y_[kMaxSlots];
};

}  // namespace

template <class T>
std::size_t SlotScratch<T>::elements(const Config& config, int padded_hidden, int slots, int hoisted) {
  const std::size_t rows = static_cast<std::size_t>(slots) * padded_hidden;
  return rows * (config.proj_size != 0 ? 2 : 1) + rows * 4 * hoisted + row_elements<T>(config);
}

template <class T>
SlotScratch<T>::SlotScratch(T* base, const Config& config, int padded_hidden, int slots, int hoisted) {
  const std::size_t rows = static_cast<std::size_t>(slots) * padded_hidden;
  T* next = base;
  c = next;
  next += rows;
  unprojected = config.proj_size != 0 ? next : nullptr;
  if (config.proj_size != 0) next += rows;
  this->hoisted = hoisted != 0 ? next : nullptr;
  zeros = next + rows * 4 * hoisted;
}

template <class T>
void walk(const Weights<T>& model, const Pass<T>& pass, const SlotScratch<T>& scratch, int slots, int hoisted,
          const Share& share) noexcept {
  Walker<T>(model, pass, scratch, slots, hoisted, share).run();
}

template struct SlotScratch<float>;
template struct SlotScratch<double>;
template void walk<float>(const Weights<float>&, const Pass<float>&, const SlotScratch<float>&, int, int,
                          const Share&) noexcept;
template void walk<double>(const Weights<double>&, const Pass<double>&, const SlotScratch<double>&, int, int,
                           const Share&) noexcept;

}  // namespace packed_lstm
