#include "cli/settings.hpp"

#include <fmt/format.h>

#include "base/program.hpp"
#include "cli/command.hpp"
#include "game/spec.hpp"

namespace rival::cli {

void add_parameters(Arguments& arguments, std::vector<std::string>& assignments) {
  arguments.add_each(
      "--parameter", [&assignments](const std::string& text) { assignments.push_back(text); },
      fmt::format("A number of the rules (`{}` lists them), as NAME=VALUE; may be given again",
                  command_line({"games", "GAME"})));
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
