// Options that several commands share: `--parameter NAME=VALUE` and `--pick CHOICE=OPTION`, for all that set up
// matches, and those of training.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/options.hpp"
#include "cli/arguments.hpp"
#include "game/match_settings.hpp"
#include "rival/game.hpp"
#include "train/config.hpp"

namespace rival::cli {

// What the command line says, as assignments (set_parameters and set_picks in game/spec.hpp).
struct MatchSetup {
  std::vector<std::string> parameters, picks;
  bool empty() const { return parameters.empty() && picks.empty(); }
};

// Declares options of training (train/config.hpp), "until_score" as --until-score, with their help. What is typed is
// added to `typed` as key and text; it must live until the command runs.
void add_training_options(Arguments& arguments, std::span<const std::string_view> keys,
                          std::vector<std::pair<std::string, std::string>>& typed);

// Declares the option of a row in the same way; `more` ends its help.
void add_option(Arguments& arguments, const OptionRow& row, std::vector<std::pair<std::string, std::string>>& typed,
                const std::string& more = "");

// Declares the options; their texts are added to `setup`, which must live until the command runs.
void add_setup(Arguments& arguments, MatchSetup& setup);

// What the setup makes of the game's defaults; an error leaves as wrong usage (command.hpp). Nothing may be drawn.
Settings settings_or_usage(const Spec& spec, const MatchSetup& setup);
// The same, with what is to be drawn for each match.
MatchSettings match_settings_or_usage(const Spec& spec, const MatchSetup& setup);

// The same for a player with settings of its own: they stand instead of the defaults of the parameters, if the setup
// has none, and of the picks likewise.
MatchSettings match_settings_or_usage(const Spec& spec, const MatchSetup& setup, const MatchSettings& own);

// Adds the setup to what the configuration holds already; the last of several assignments to one name counts.
void add_setup(const MatchSetup& setup, TrainConfig& config);

}  // namespace rival::cli
