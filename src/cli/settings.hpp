// `--parameter NAME=VALUE`: how the matches of a command are set up, for every command that sets up matches.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "rival/game.hpp"

namespace rival::cli {

// Declares the option; its texts are added to `assignments`, which must live until the command runs.
void add_parameters(Arguments& arguments, std::vector<std::string>& assignments);

// What the assignments make of the game's defaults (parse_settings in game/spec.hpp); an error leaves as wrong usage
// (command.hpp).
Settings settings_or_usage(const Spec& spec, std::span<const std::string> assignments);

// Adds them to a list "name=value,name=value", as TrainConfig::parameters is one; the last of several for one name
// counts.
void add_assignments(std::span<const std::string> assignments, std::string& list);

// The assignments that make `settings` of the defaults: "heroes=1 fog=0"; "" for the defaults.
std::string settings_text(const Spec& spec, const Settings& settings);

}  // namespace rival::cli
