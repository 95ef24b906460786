// How the matches are set up: all alike, or with parameters drawn anew for each match, which its key alone
// decides. And what a player that is to play under many settings sees of those of its match.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "game/batch.hpp"
#include "game/spec.hpp"
#include "rival/game.hpp"
#include "rival/random.hpp"

namespace rival {

// A parameter that is drawn: all of its values are as likely.
struct DrawnParameter {
  int parameter = 0;         // of Spec::parameters
  double low = 0, high = 0;  // inclusive
  double step = 0;           // values are low, low + step... up to high; 0: anything between
  // If there are any, only these are drawn, and `low` and `high` are the least and the greatest of them.
  std::vector<float> values = {};

  float draw(Key key) const;
  bool contains(float value) const;
  bool operator==(const DrawnParameter&) const = default;
};

struct MatchSettings {
  Settings fixed;                     // of what is not drawn
  std::vector<DrawnParameter> drawn;  // at most one of a parameter, in the order of parameters

  MatchSettings(Settings all = {}) : fixed(std::move(all)) {}
  MatchSettings(Settings rest, std::vector<DrawnParameter> draws) : fixed(std::move(rest)), drawn(std::move(draws)) {}

  // Those of the match with this key.
  Settings draw(Key key) const;
  // Whether a match under `other` might be one of these.
  bool cover(const MatchSettings& other) const;
  bool operator==(const MatchSettings&) const = default;
};

MatchSettings with_defaults(const Spec& spec, MatchSettings settings);

// Sets what the assignments say, as set_parameters() does: "name=value", "name=low..high", "name=value,value..." or
// "name=any", any allowed value. "all=any" draws all parameters, but those that later assignments set.
Result<void> draw_parameters(const Spec& spec, std::span<const std::string> assignments, const std::string& where,
                             MatchSettings& settings);

// settings_text() with what is drawn: "goal=50 team_size=1..5".
std::string settings_text(const Spec& spec, const MatchSettings& settings);

// fits() for what is drawn too.
Result<void> fits(const Spec& spec, const MatchSettings& settings);

// Starts matches of a batch, match matches[i] with keys[i] and the settings that belong to it.
void start_matches(Batch& batch, std::span<const int> matches, const MatchSettings& settings,
                   std::span<const Key> keys);

// ---- parameters that a player sees ----

// One that was drawn while it learnt, and between which values.
struct ObservedParameter {
  std::string name;
  float low = 0, high = 0;
  bool operator==(const ObservedParameter&) const = default;
};

// Those that are drawn.
std::vector<ObservedParameter> observed_parameters(const Spec& spec, const MatchSettings& settings);

// The name of the observation part, the last one, that holds them: a vector with a value of -1 (low) to 1 (high) each.
inline constexpr const char* kRulesPart = "rules";
// The Spec as such a player sees it, for its network; nothing is added if nothing is observed.
Spec with_rules(Spec spec, std::span<const ObservedParameter> observed);

// Makes of the rows of a game what such a player sees. Not thread-safe.
class RulesSight {
 public:
  // Every name must be one of the Spec's parameters.
  RulesSight(const Spec& spec, std::vector<ObservedParameter> observed);

  std::string who = "the player";  // how errors call it

  int size() const { return static_cast<int>(observed_.size()); }
  const std::vector<ObservedParameter>& observed() const { return observed_; }

  // Writes size() values: the rules of a match. One that is out of its range makes the batch fail.
  void write(const Batch& batch, int match, float* out) const;
  // The named rows of `observations` [batch rows x the game's observation_size] with the rules behind each, in their
  // places of [batch rows x (that + size())]; the array itself if nothing is observed. Valid until the next call.
  const float* rows(const Batch& batch, std::span<const int> rows, const float* observations);

 private:
  std::vector<ObservedParameter> observed_;
  std::vector<std::size_t> parameter_;  // of each, its number in the Spec
  std::vector<float> defaults_;
  std::vector<float> rows_;
};

}  // namespace rival
