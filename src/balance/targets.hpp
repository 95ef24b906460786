// What a designer wants of a game's balance, and what may change for it: a file of TOML (docs/formats/targets.md).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/results.hpp"
#include "rival/game.hpp"

namespace rival::balance {

// What is measured of a game at one level of skill.
struct Measured {
  WinRates rates;
  Conditions conditions;
};

struct Target {
  enum class Kind { overall, pair, first, draws, length, share, diversity };
  Kind kind = Kind::overall;
  int option = -1, against = -1;  // of overall, pair and share (of the pick equilibrium)
  // Where the value should lie, inclusive; infinite on a side that does not matter. Rates and shares are 0 to 1.
  double low = 0, high = 0;
  double tolerance = 0.03;  // half of the range, or how finely a one-sided bound is aimed at
  int band = -1;            // of skill (kBands), -1: the best players

  // "Knight overall", "Knight against Archer", "the side that goes first" ...
  std::string name(const Choice* choice) const;
  std::string wanted() const;  // "47 to 53%"
  std::string unit() const;    // "rate", "share", "steps" or "count"
  bool is_share() const { return kind != Kind::length && kind != Kind::diversity; }
  double value(const Measured& measured) const;
  Interval interval(const Measured& measured) const;
  // How far a value lies outside of the range, in its own unit; 0 within it.
  double gap(double value) const;
};

// Levels of skill below the best players', by the share of their training.
inline constexpr const char* kBands[] = {"beginners", "intermediates"};

// A parameter that may change.
struct Tunable {
  int parameter = 0;  // of Spec::parameters
  double from = 0;    // its value now
  double low = 0, high = 0;
  double cost = 1;  // of a change by its whole range
  // The option whose own it is, by its name: `knight.damage` is the Knight's. It does nothing in matches without it.
  // -1: nobody's.
  int owner = -1;
};

struct Targets {
  int choice = -1;  // of Spec::choices: the one whose options are balanced; -1: none, only the sides
  std::vector<Target> targets;
  std::vector<Tunable> tunables;
};

// Without a file: every option of the first choice wins 47 to 53% overall; without choices, so does the side that goes
// first. Every parameter may change in its whole range, at the same cost.
Targets default_targets(const Spec& spec, const Settings& settings);

// Reads a file. Errors begin with `file`, the line if it is of one, and name the key and what it may be.
Result<Targets> read_targets(const Spec& spec, const Settings& settings, std::string_view text, std::string_view file);

// The file that says what the defaults are, with comments, for people to go on from.
std::string targets_template(const Spec& spec, const Settings& settings);

// How a name is written as a key: letters, digits, '_', '-' and '.'; '_' for all else.
std::string key_of(std::string_view name);

}  // namespace rival::balance
