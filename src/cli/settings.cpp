#include "cli/settings.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "base/names.hpp"
#include "cli/command.hpp"
#include "game/spec.hpp"

namespace rival::cli {

void add_parameters(Arguments& arguments, std::vector<std::string>& assignments) {
  arguments.add_each(
      "--parameter", [&assignments](const std::string& text) { assignments.push_back(text); },
      "A number of the rules (`rival games GAME` lists them), as NAME=VALUE; may be given again");
}

Result<Settings> parse_settings(const Spec& spec, std::span<const std::string> assignments) {
  Settings settings = default_settings(spec);
  std::vector<std::string> known;
  for (const Parameter& parameter : spec.parameters) known.push_back(parameter.name);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      return Error{fmt::format("--parameter '{}': write NAME=VALUE, as in --parameter {}=1", assignment,
                               known.empty() ? "speed" : known.front())};
    const std::string name = assignment.substr(0, equals), text = assignment.substr(equals + 1);
    std::size_t p = 0;
    while (p < known.size() && known[p] != name) ++p;
    if (p == known.size()) return unknown_name(fmt::format("parameter of {}", spec.name), name, known, "--parameter: ");
    const Parameter& parameter = spec.parameters[p];
    char* end = nullptr;
    const float value = std::strtof(text.c_str(), &end);
    if (text.empty() || *end != '\0') return Error{fmt::format("--parameter {}: '{}' is not a number", name, text)};
    if (!(value >= parameter.low && value <= parameter.high))
      return Error{
          fmt::format("--parameter {}: {} is not within {:g} to {:g}", name, text, parameter.low, parameter.high)};
    settings.parameters[p] = value;
  }
  return settings;
}

Settings settings_or_usage(const Spec& spec, std::span<const std::string> assignments) {
  Result<Settings> settings = parse_settings(spec, assignments);
  if (!settings) wrong_usage(settings.error());
  return std::move(settings).value();
}

std::string settings_text(const Spec& spec, const Settings& settings) {
  std::string text;
  for (std::size_t p = 0; p < spec.parameters.size(); ++p)
    if (settings.parameters[p] != spec.parameters[p].value)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", spec.parameters[p].name, settings.parameters[p]);
  return text;
}

}  // namespace rival::cli
