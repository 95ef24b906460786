// Options that several commands share: `--parameter NAME=VALUE`, for all that set up matches, and those of training.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "rival/game.hpp"

namespace rival::cli {

// Declares the option; its texts are added to `assignments`, which must live until the command runs.
void add_parameters(Arguments& arguments, std::vector<std::string>& assignments);

// Declares options of training (train/config.hpp), "until_score" as --until-score, with their help. What is typed is
// added to `typed` as key and text; it must live until the command runs.
void add_training_options(Arguments& arguments, std::span<const std::string_view> keys,
                          std::vector<std::pair<std::string, std::string>>& typed);

// What the assignments make of the game's defaults (parse_settings in game/spec.hpp); an error leaves as wrong usage
// (command.hpp).
Settings settings_or_usage(const Spec& spec, std::span<const std::string> assignments);

// Adds them to a list "name=value,name=value", as TrainConfig::parameters is one; the last of several for one name
// counts.
void add_assignments(std::span<const std::string> assignments, std::string& list);

// The assignments that make `settings` of the defaults: "heroes=1 fog=0"; "" for the defaults.
std::string settings_text(const Spec& spec, const Settings& settings);

}  // namespace rival::cli
