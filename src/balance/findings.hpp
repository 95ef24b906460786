// What a study has found out, and how it is told: docs/formats/balance.md has the report's fields.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "balance/data_file.hpp"
#include "balance/proposal.hpp"
#include "balance/surface.hpp"
#include "balance/targets.hpp"

namespace rival::balance {

// The best players, and weaker ones (kBands): where a training was too short for those, the best again.
struct Levels {
  Measured best;
  std::vector<Measured> bands = std::vector<Measured>(std::size(kBands));

  const Measured& of(const Target& target) const {
    return target.band < 0 ? best : bands[static_cast<std::size_t>(target.band)];
  }
};

// Whether a target is missed, as far as the matches can tell: its interval lies outside of the range, or the value does
// and is known to within the tolerance.
bool measurably_missed(const Targets& targets, const Levels& levels);

struct Findings {
  struct Band {
    std::string name;
    double elo = 0;  // from the best players
    std::int64_t steps = 0;
    Measured measured;
  };
  struct Exact {
    double value = 0;   // to the side that goes first, in payoff
    double within = 0;  // NashConv of the play that gives it
  };
  struct Bias {
    double mean = 0, worst = 0;  // 0 to 1, over pairs of options
  };
  struct Real {
    std::string file;
    std::size_t matches = 0;
    Measured measured;
  };
  bool skilled = false;  // the players know the game: else nothing is claimed
  Levels before;
  std::vector<Band> bands;         // of the game as it is, weakest first
  std::optional<Levels> after;     // if there is a change
  std::vector<double> proposal;    // values of the tunables
  std::vector<Variant> front;      // the last one is what was chosen
  std::optional<Surface> surface;  // about the proposal
  std::optional<Bias> bias;        // of the instrument
  std::optional<Exact> exact;
  std::optional<Real> real;
  std::vector<std::string> warnings;
};

// The parameters that these values of the tunables change.
std::vector<NumberChange> changes(const Spec& spec, const Targets& targets, std::span<const double> values);

// The report, but for what it took.
nlohmann::ordered_json to_json(const Spec& spec, const Targets& targets, const Findings& findings);

}  // namespace rival::balance
