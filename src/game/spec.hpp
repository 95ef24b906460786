// Helpers on Spec: defaults, and a complete check that a Spec makes sense.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rival/game.hpp"

namespace rival {

// The default value of every parameter, and nothing picked.
Settings default_settings(const Spec& spec);

// `settings`, with the defaults instead of what is empty.
Settings with_defaults(const Spec& spec, Settings settings);

// What a parameter may be: "a whole number from 1 to 5", "a number from 0 to 2 in steps of 0.25", "a number from 0 to
// 1".
std::string allowed_values(const Parameter& parameter);
// Finite, in range and on a step.
bool allows(const Parameter& parameter, float value);

// Sets what the assignments "name=value" say. Errors, which begin with `where` ("--parameter "), name the nearest
// parameter or the allowed values; `settings` is then changed in part.
Result<void> set_parameters(const Spec& spec, std::span<const std::string> assignments, const std::string& where,
                            Settings& settings);

// The same of picks: "[WHO.]CHOICE=OPTION[,OPTION...]". WHO is a seat ("3") or a team ("team0"); without it, all seats.
// One option is for every seat of WHO; several are for its seats in order, and the seats that are left stay as they
// were. "drawn" (unless an option is called so): the game draws, as it does where nothing is picked. In options upper
// and lower case count as equal, and so do spaces, '-' and '_', where that leaves no doubt. Later assignments count.
Result<void> set_picks(const Spec& spec, std::span<const std::string> assignments, const std::string& where,
                       Settings& settings);

// A list "name=value,name=value" as assignments. A piece without '=' belongs to the one before it.
std::vector<std::string> split_assignments(std::string_view list);

// What these settings would be asked for by: "goal=50", and "hero=Warden" or "3.hero=Warden". "": the defaults.
// `settings` must fit the Spec.
std::string settings_text(const Spec& spec, const Settings& settings);

// Whether settings from elsewhere fit the Spec: as many parameters, each an allowed value, and as many picks, or none.
// The error goes on after who has them: "picks number 7 of 'hero', which has 2 options".
Result<void> fits(const Spec& spec, const Settings& settings);

// An error that names the first field that makes no sense (no observation, a grid without cells, low > high, ...).
Result<void> validate(const Spec& spec);

}  // namespace rival
