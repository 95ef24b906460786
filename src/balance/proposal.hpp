// The smallest change that meets the targets, on a fitted surface.
#pragma once

#include <span>
#include <vector>

#include "balance/surface.hpp"
#include "balance/targets.hpp"

namespace rival::balance {

// A variant of the game, and what is expected of it.
struct Variant {
  std::vector<double> values;  // [tunables]
  double size = 0;             // of the change: sum of cost * |change| / range
  double worst = 0;      // the furthest that any target lies outside of its range, in its own unit (a rate: 0 to 1)
  double violation = 0;  // the same in tolerances
};

// Of a surface per level of skill: that of the best players, and those of kBands that targets name (the others null).
struct Surfaces {
  const Surface* best = nullptr;
  const Surface* bands[std::size(kBands)] = {};

  const Surface& of(const Target& target) const { return target.band < 0 ? *best : *bands[target.band]; }
};

// A tunable's values within a box around some variant.
struct Box {
  std::vector<double> low, high;  // [tunables]
};

// The variants within the box, from the least change to the closest one, each the smallest change for its closeness: a
// Pareto front, by an absolute-value penalty on changes (which leaves most parameters as they are; Tibshirani 1996) of
// falling weight. Values are allowed ones of the parameters.
std::vector<Variant> propose(const Spec& spec, const Targets& targets, const Surfaces& surfaces, const Box& box);

// Of a front, the first one that is expected to meet all targets, with a third of the tolerance to spare if any has
// that, moved to the middle of the targets by the parameters it changes; otherwise the closest.
Variant choose(const Spec& spec, const Targets& targets, const Surfaces& surfaces, const Box& box,
               std::span<const Variant> front);

// What is expected of some values.
Variant expected(const Targets& targets, const Surfaces& surfaces, std::vector<double> values);

// The nearest allowed value of a parameter.
double allowed(const Parameter& parameter, double value, double low, double high);

}  // namespace rival::balance
