#include "cli/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/number.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "game/spec.hpp"
#include "train/config.hpp"

namespace rival::cli {

void add_setup(Arguments& arguments, MatchSetup& setup) {
  arguments.add_each(
      "--parameter", [&setup](const std::string& text) { setup.parameters.push_back(text); },
      fmt::format(
          "A number of the rules (`{}` lists them), as NAME=VALUE; where matches are trained on or played, also "
          "NAME=LOW..HIGH, NAME=A,B,C or NAME=any, to draw one for each match; may be given again",
          command_line({"games", "GAME"})));
  arguments.add_each(
      "--pick", [&setup](const std::string& text) { setup.picks.push_back(text); },
      fmt::format("What seats pick before a match (`{}` lists it): hero=a for all seats, team0.hero=a,b for those of a "
                  "team in order (one option: for each of them), 3.hero=a for a seat; what is not picked, or picked as "
                  "hero=drawn, the game draws; may be given again",
                  command_line({"games", "GAME"})));
}

void add_training_options(Arguments& arguments, std::span<const std::string_view> keys,
                          std::vector<std::pair<std::string, std::string>>& typed) {
  TrainConfig config;
  const std::vector<OptionRow> rows = option_rows(config);
  for (const std::string_view key : keys) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& r) { return r.key == key; });
    check(row != rows.end(), "an option of training");
    add_option(arguments, *row, typed);
  }
}

void add_option(Arguments& arguments, const OptionRow& row, std::vector<std::pair<std::string, std::string>>& typed,
                const std::string& more) {
  std::string name = "--" + row.key, help = help_text(row) + more;
  std::replace(name.begin(), name.end(), '_', '-');
  if (is_letter(help.front())) help.front() = static_cast<char>(help.front() & ~0x20);
  arguments.add_each(
      name, [&typed, key = row.key](const std::string& text) { typed.emplace_back(key, text); }, help);
}

namespace {

void require(const Result<void>& set) {
  if (!set) wrong_usage(set.error());
}

}  // namespace

Settings settings_or_usage(const Spec& spec, const MatchSetup& setup) {
  Settings settings = default_settings(spec);
  require(set_parameters(spec, setup.parameters, "--parameter ", settings));
  require(set_picks(spec, setup.picks, "--pick ", settings));
  return settings;
}

MatchSettings match_settings_or_usage(const Spec& spec, const MatchSetup& setup) {
  return match_settings_or_usage(spec, setup, default_settings(spec));
}

MatchSettings match_settings_or_usage(const Spec& spec, const MatchSetup& setup, const MatchSettings& own) {
  MatchSettings settings = own;
  if (!setup.parameters.empty()) settings = MatchSettings(default_settings(spec));
  settings.fixed.picks = setup.picks.empty() ? own.fixed.picks : default_settings(spec).picks;
  require(draw_parameters(spec, setup.parameters, "--parameter ", settings));
  require(set_picks(spec, setup.picks, "--pick ", settings.fixed));
  return settings;
}

void add_setup(const MatchSetup& setup, TrainConfig& config) {
  const auto append = [](const std::vector<std::string>& assignments, std::string& list) {
    for (const std::string& assignment : assignments) list += (list.empty() ? "" : ",") + assignment;
  };
  append(setup.parameters, config.parameters);
  append(setup.picks, config.picks);
}

}  // namespace rival::cli
