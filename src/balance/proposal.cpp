#include "balance/proposal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "base/index.hpp"
#include "base/number.hpp"

namespace rival::balance {
namespace {

constexpr double kSpare = 0.5;  // of the tolerance, to which targets are aimed at

// What the targets are worth at some values, and what they would be.
class Judge {
 public:
  Judge(const Targets& targets, const Surfaces& surfaces) : targets_(targets), surfaces_(surfaces) {}

  // Calls each(target, value).
  void look(std::span<const double> values, const std::function<void(const Target&, double)>& each) const {
    std::array<std::optional<Measured>, std::size(kBands) + 1> measured;
    for (const Target& target : targets_.targets) {
      auto& of = measured[index(target.band + 1)];
      if (!of) of = surfaces_.of(target).predict(values);
      each(target, target.value(*of));
    }
  }

  // Sum of squares of how far values lie out of their ranges, less `spare`, in tolerances.
  double outside(std::span<const double> values, double spare) const {
    double sum = 0;
    look(values, [&](const Target& t, double v) {
      const double u = std::max({0.0, (t.low - v) / t.tolerance + spare, (v - t.high) / t.tolerance + spare});
      sum += u * u;
    });
    return sum;
  }

  double size(std::span<const double> values) const {
    double sum = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      const Tunable& t = targets_.tunables[k];
      sum += t.cost * std::fabs(values[k] - t.from) / (t.high - t.low);
    }
    return sum;
  }

 private:
  const Targets& targets_;
  const Surfaces& surfaces_;
};

// Minimises f along one coordinate: samples, then a golden section about the best.
double line_minimum(const std::function<double(double)>& f, double low, double high, double now, double also) {
  constexpr int kSamples = 8;
  double best = now, best_value = f(now);
  const auto consider = [&](double x) {
    const double value = f(x);
    if (value < best_value) best = x, best_value = value;
  };
  if (also >= low && also <= high) consider(also);
  for (int i = 0; i <= kSamples; ++i) consider(low + (high - low) * i / kSamples);
  double a = std::max(low, best - (high - low) / kSamples), b = std::min(high, best + (high - low) / kSamples);
  constexpr double kGolden = 0.6180339887498949;
  double x = b - kGolden * (b - a), y = a + kGolden * (b - a), fx = f(x), fy = f(y);
  for (int i = 0; i < 18; ++i) {
    if (fx < fy)
      b = y, y = x, fy = fx, x = b - kGolden * (b - a), fx = f(x);
    else
      a = x, x = y, fx = fy, y = a + kGolden * (b - a), fy = f(y);
  }
  consider((a + b) / 2);
  return best;
}

// Coordinate descent from `values`, of the coordinates that may move.
void descend(const Targets& targets, const Box& box, const std::function<double(std::span<const double>)>& f,
             const std::vector<bool>& moves, std::vector<double>& values) {
  double before = f(values);
  for (int sweep = 0; sweep < 60; ++sweep) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (!moves[k]) continue;
      const double from = targets.tunables[k].from;
      values[k] = line_minimum(
          [&](double x) {
            const double kept = values[k];
            values[k] = x;
            const double value = f(values);
            values[k] = kept;
            return value;
          },
          box.low[k], box.high[k], values[k], from);
    }
    const double after = f(values);
    if (before - after < 1e-6 * std::max(1.0, before)) break;
    before = after;
  }
}

// Makes all values allowed ones: each to the better of its two neighbours, given the others.
void settle(const Spec& spec, const Targets& targets, const Box& box,
            const std::function<double(std::span<const double>)>& f, std::vector<double>& values) {
  for (int round = 0; round < 2; ++round)
    for (std::size_t k = 0; k < values.size(); ++k) {
      const Tunable& t = targets.tunables[k];
      const Parameter& parameter = spec.parameters[t.parameter];
      if (values[k] == t.from) continue;
      const double step = static_cast<double>(parameter.step), now = values[k];
      double best = allowed(parameter, now, t.low, t.high), best_value = INFINITY;
      for (const double candidate : {now, now - step, now + step, t.from}) {
        const double x = allowed(parameter, candidate, std::max(t.low, box.low[k]), std::min(t.high, box.high[k]));
        values[k] = x;
        if (const double value = f(values); value < best_value - 1e-12) best = x, best_value = value;
      }
      values[k] = best;
    }
}

}  // namespace

double allowed(const Parameter& parameter, double value, double low, double high) {
  value = std::clamp(value, low, high);
  if (parameter.step > 0) {
    const double base = static_cast<double>(parameter.low), step = static_cast<double>(parameter.step);
    value = base + std::round((value - base) / step) * step;
    if (value > high + 1e-9) value -= step;
    if (value < low - 1e-9) value += step;
  }
  // As few digits as tell it apart from its neighbours: people will read it.
  const double range = static_cast<double>(parameter.high) - static_cast<double>(parameter.low);
  const double unit = std::pow(10, std::floor(std::log10(range)) - 3);
  const double rounded = parameter.step > 0 ? value : std::clamp(std::round(value / unit) * unit, low, high);
  return static_cast<double>(static_cast<float>(rounded));
}

Variant expected(const Targets& targets, const Surfaces& surfaces, std::vector<double> values) {
  const Judge judge(targets, surfaces);
  Variant variant{.values = std::move(values)};
  variant.size = judge.size(variant.values);
  judge.look(variant.values, [&](const Target& t, double v) {
    variant.worst = std::max(variant.worst, t.is_share() ? t.gap(v) : 0);
    variant.violation = std::max(variant.violation, t.gap(v) / t.tolerance);
  });
  return variant;
}

std::vector<Variant> propose(const Spec& spec, const Targets& targets, const Surfaces& surfaces, const Box& box) {
  const Judge judge(targets, surfaces);
  const std::vector<bool> all(targets.tunables.size(), true);
  std::vector<double> values;
  for (std::size_t k = 0; k < targets.tunables.size(); ++k)
    values.push_back(std::clamp(targets.tunables[k].from, box.low[k], box.high[k]));
  std::vector<double> least = values;
  settle(
      spec, targets, box, [&](std::span<const double> v) { return judge.size(v); }, least);
  std::vector<Variant> front = {expected(targets, surfaces, std::move(least))};
  // From a penalty under which nothing changes to one that hardly counts.
  const double start = std::max(1.0, judge.outside(values, kSpare)) * 20;
  for (double penalty = start; penalty > start * 1e-6; penalty /= 3) {
    const auto f = [&](std::span<const double> v) { return judge.outside(v, kSpare) + penalty * judge.size(v); };
    descend(targets, box, f, all, values);
    std::vector<double> settled = values;
    settle(spec, targets, box, f, settled);
    Variant variant = expected(targets, surfaces, std::move(settled));
    if (variant.values == front.back().values) continue;
    front.push_back(std::move(variant));
    if (judge.outside(values, kSpare) < 1e-9) break;  // no closer is of any use
  }
  return front;
}

Variant choose(const Spec& spec, const Targets& targets, const Surfaces& surfaces, const Box& box,
               std::span<const Variant> front) {
  const Judge judge(targets, surfaces);
  const auto first_within = [&](double spare) {
    return std::find_if(front.begin(), front.end(),
                        [&](const Variant& v) { return judge.outside(v.values, spare) < 1e-6; });
  };
  auto chosen = first_within(0.33);
  if (chosen == front.end()) chosen = first_within(0);
  if (chosen == front.end())
    chosen = std::min_element(front.begin(), front.end(),
                              [](const Variant& a, const Variant& b) { return a.violation < b.violation - 1e-3; });
  if (chosen->size == 0) return *chosen;
  std::vector<bool> moves;
  for (std::size_t k = 0; k < chosen->values.size(); ++k)
    moves.push_back(std::fabs(chosen->values[k] - targets.tunables[k].from) > 1e-9);
  const auto f = [&](std::span<const double> v) { return judge.outside(v, 1) + 1e-3 * judge.size(v); };
  std::vector<double> values = chosen->values;
  descend(targets, box, f, moves, values);
  settle(spec, targets, box, f, values);
  Variant centred = expected(targets, surfaces, std::move(values));
  return centred.violation <= chosen->violation + 1e-9 ? centred : *chosen;
}

}  // namespace rival::balance
