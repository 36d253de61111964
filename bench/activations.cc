// The activations of native/kernels/math.inl.h over every float32, beside a reference in double: worst and mean error in units
// of the last place of the exact result. Compiled and run by activations.mjs.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include "kernels/inline.h"
#include "kernels/kernel_set.h"

namespace packed_lstm {
namespace {

#include "kernels/isa/vec_scalar.h"
using Vec = VecF32;
using Reg = Vec::Reg;
#include "kernels/math.inl.h"

using V = Interleaved<1>;

// Near 0 a series is as good as the library, and most floats are there.
double exact_tanh(double x) { return std::fabs(x) < 0x1p-12 ? x - x * x * x / 3 : std::tanh(x); }
double exact_sigmoid(double x) { return std::fabs(x) < 0x1p-12 ? 0.5 + x / 4 : 1 / (1 + std::exp(-x)); }

V::Reg of_sigmoid(const V::Reg& x) { return sigmoid<V>(x); }
V::Reg of_tanh(const V::Reg& x) { return tanh<V>(x); }
V::Reg one_over_denominator(const V::Reg& x) { return V::div(V::set1(1), sigmoid_denominator<V>(x)); }
V::Reg of_fraction(const V::Reg& x) {
  const Fraction<V> fraction = tanh_fraction<V>(x);
  return V::div(fraction.numerator, fraction.denominator);
}

struct Error {
  double worst = 0, sum = 0, subnormal = 0;
  float at = 0;
  std::uint64_t count = 0;

  void add(float x, float got, double exact) {
    if (std::fabs(exact) < 0x1p-126 && exact != x) {  // what sigmoid holds at 0
      subnormal = std::max(subnormal, std::fabs(got - exact));
      return;
    }
    const double place = std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23), error = std::fabs(got - exact) / place;
    if (!(error <= worst)) {
      worst = error;
      at = x;
    }
    sum += error;
    ++count;
  }
  void join(const Error& other) {
    if (other.worst > worst) {
      worst = other.worst;
      at = other.at;
    }
    sum += other.sum;
    count += other.count;
    subnormal = std::max(subnormal, other.subnormal);
  }
};

/** Over the floats whose bits are `sign` | [first, last). */
template <class F>
Error errors(const F& f, double (*exact)(double), std::uint32_t sign, std::uint32_t first, std::uint32_t last) {
  Error out;
  for (std::uint32_t bits = first; bits < last; bits += Vec::U) {
    V::Reg x, y;
    for (int i = 0; i < Vec::U; ++i) {
      const std::uint32_t one = sign | (bits + static_cast<std::uint32_t>(i));
      std::memcpy(&x.v[0].v[i], &one, sizeof one);
    }
    y = f(x);
    for (int i = 0; i < Vec::U; ++i) {
      if (x.v[0].v[i] != 0) out.add(x.v[0].v[i], y.v[0].v[i], exact(x.v[0].v[i]));
    }
  }
  return out;
}

template <class F>
void report(const char* name, const F& f, double (*exact)(double), std::uint32_t sign) {
  constexpr std::uint32_t kInfinity = 0x7f800000u, kPart = 1u << 23;
  const unsigned workers = std::max(1u, std::thread::hardware_concurrency());
  std::vector<Error> found(workers);
  std::vector<std::thread> threads;
  for (unsigned w = 0; w < workers; ++w) {
    threads.emplace_back([&, w] {
      for (std::uint32_t part = w * kPart; part < kInfinity; part += workers * kPart) {
        found[w].join(errors(f, exact, sign, part, part + kPart));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (unsigned w = 1; w < workers; ++w) found[0].join(found[w]);
  std::printf("%-28s %-6s worst %.3f ulp at %.9g, mean %.4f", name, sign != 0 ? "x < 0" : "x > 0", found[0].worst,
              static_cast<double>(found[0].at), found[0].sum / static_cast<double>(found[0].count));
  if (found[0].subnormal > 0) std::printf("; subnormal results off by %.2g", found[0].subnormal);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace
}  // namespace packed_lstm

int main() {
  using namespace packed_lstm;
  for (const std::uint32_t sign : {0u, 0x80000000u}) {
    report("sigmoid", of_sigmoid, exact_sigmoid, sign);
    report("1 / sigmoid's denominator", one_over_denominator, exact_sigmoid, sign);
    report("tanh", of_tanh, exact_tanh, sign);
    report("tanh's fraction", of_fraction, exact_tanh, sign);
  }
}
