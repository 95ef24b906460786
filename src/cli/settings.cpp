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

void add_parameters(Arguments& arguments, std::vector<std::string>& assignments) {
  arguments.add_each(
      "--parameter", [&assignments](const std::string& text) { assignments.push_back(text); },
      fmt::format("A number of the rules (`{}` lists them), as NAME=VALUE; may be given again",
                  command_line({"games", "GAME"})));
}

void add_training_options(Arguments& arguments, std::span<const std::string_view> keys,
                          std::vector<std::pair<std::string, std::string>>& typed) {
  TrainConfig config;
  const std::vector<OptionRow> rows = option_rows(config);
  for (const std::string_view key : keys) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& r) { return r.key == key; });
    check(row != rows.end(), "an option of training");
    std::string name = "--" + row->key, help = help_text(*row);
    std::replace(name.begin(), name.end(), '_', '-');
    if (is_letter(help.front())) help.front() = static_cast<char>(help.front() & ~0x20);
    arguments.add_each(
        name, [&typed, key = row->key](const std::string& text) { typed.emplace_back(key, text); }, help);
  }
}

Settings settings_or_usage(const Spec& spec, std::span<const std::string> assignments) {
  Result<Settings> settings = parse_settings(spec, assignments, "--parameter ");
  if (!settings) wrong_usage(settings.error());
  return std::move(settings).value();
}

void add_assignments(std::span<const std::string> assignments, std::string& list) {
  for (const std::string& assignment : assignments) list += (list.empty() ? "" : ",") + assignment;
}

std::string settings_text(const Spec& spec, const Settings& settings) {
  std::string text;
  for (std::size_t p = 0; p < spec.parameters.size(); ++p)
    if (settings.parameters[p] != spec.parameters[p].value)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", spec.parameters[p].name, settings.parameters[p]);
  return text;
}

}  // namespace rival::cli
