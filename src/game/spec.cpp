#include "game/spec.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/names.hpp"
#include "base/number.hpp"

namespace rival {

int Spec::team_count() const {
  return teams.empty() ? seats : 1 + *std::max_element(teams.begin(), teams.end());
}

RowLayout::RowLayout(const Spec& spec) {
  for (const ObservationPart& part : spec.observation) {
    observation_offset.push_back(observation_size);
    observation_size += part.size();
  }
  for (const ActionPart& part : spec.action) {
    const bool discrete = part.is_choice();
    mask_offset.push_back(mask_size);
    choice_index.push_back(discrete ? choice_count : -1);
    value_offset.push_back(discrete ? -1 : value_count);
    if (discrete) {
      mask_size += part.size;
      ++choice_count;
    } else {
      value_count += part.size;
    }
  }
}

Settings default_settings(const Spec& spec) {
  Settings settings;
  for (const Parameter& parameter : spec.parameters) settings.parameters.push_back(parameter.value);
  settings.picks.assign(spec.choices.size() * static_cast<std::size_t>(spec.seats), -1);
  return settings;
}

Result<Settings> parse_settings(const Spec& spec, std::span<const std::string> assignments, const std::string& where) {
  Settings settings = default_settings(spec);
  std::vector<std::string> known;
  for (const Parameter& parameter : spec.parameters) known.push_back(parameter.name);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      return Error{where + "'" + assignment + "': write NAME=VALUE, as in " +
                   (known.empty() ? "speed" : known.front()) + "=1"};
    const std::string name = assignment.substr(0, equals), text = assignment.substr(equals + 1);
    std::size_t p = 0;
    while (p < known.size() && known[p] != name) ++p;
    if (p == known.size()) return unknown_name("parameter of " + spec.name, name, known, where);
    const Parameter& parameter = spec.parameters[p];
    const std::optional<double> real = read_real(text);
    const auto value = static_cast<float>(real.value_or(NAN));  // as the bounds are, so that 0.1 is within 0.1 to 1
    if (!std::isfinite(value) || !(value >= parameter.low && value <= parameter.high))
      return Error{where + name + " must be a number from " + shortest(parameter.low) + " to " +
                   shortest(parameter.high) + ", not '" + text + "'"};
    settings.parameters[p] = value;
  }
  return settings;
}

Result<void> validate(const Spec& spec) {
  const auto bad = [&](const std::string& what) -> Result<void> { return Error{"game '" + spec.name + "': " + what}; };
  if (spec.name.empty()) return Error{"a game's Spec has no name"};
  if (spec.seats < 1 || spec.seats > 64) return bad("seats must be 1 to 64, is " + std::to_string(spec.seats));
  if (!spec.teams.empty()) {
    if (static_cast<int>(spec.teams.size()) != spec.seats) return bad("teams must name a team for every seat");
    for (int team : spec.teams)
      if (team < 0 || team >= spec.seats) return bad("team numbers must be 0 to seats - 1");
  }
  if (spec.observation.empty()) return bad("observation has no parts: players would see nothing");
  for (const ObservationPart& part : spec.observation)
    if (part.channels < 1 || part.height < 1 || part.width < 1)
      return bad("observation part '" + part.name + "' has no cells");
  if (spec.action.empty()) return bad("action has no parts: players could do nothing");
  for (std::size_t p = 0; p < spec.action.size(); ++p) {
    const ActionPart& part = spec.action[p];
    if (part.size < 1) return bad("action part '" + part.name + "' has size " + std::to_string(part.size));
    if (part.kind == ActionPart::Kind::continuous &&
        !(std::isfinite(part.low) && std::isfinite(part.high) && part.low < part.high))
      return bad("action part '" + part.name + "' needs a finite low below high");
    if (part.kind == ActionPart::Kind::target) {
      const auto of = static_cast<std::size_t>(part.entities);
      if (part.entities < 0 || of >= spec.observation.size() ||
          spec.observation[of].kind != ObservationPart::Kind::entities)
        return bad("action part '" + part.name + "' targets observation part " + std::to_string(part.entities) +
                   ", which is not one of entities");
      if (part.size != spec.observation[of].count())
        return bad("action part '" + part.name + "' has " + std::to_string(part.size) + " targets, but '" +
                   spec.observation[of].name + "' has " + std::to_string(spec.observation[of].count()) + " entities");
    }
    if (part.when_part >= 0) {
      const auto on = static_cast<std::size_t>(part.when_part);
      if (on >= p || !spec.action[on].is_choice() || spec.action[on].size > 64 || spec.action[on].when_part >= 0)
        return bad("action part '" + part.name +
                   "' may only depend on an earlier choice among at most 64 that depends on "
                   "nothing itself");
      if (!part.is_choice()) return bad("action part '" + part.name + "': only choices can depend on others");
    }
  }
  for (const Choice& choice : spec.choices)
    if (choice.options.empty()) return bad("choice '" + choice.name + "' has no options");
  if (!(spec.seconds_per_step >= 0) || !std::isfinite(spec.seconds_per_step))
    return bad("seconds_per_step must be 0 or more");
  for (const Parameter& parameter : spec.parameters)
    if (!(parameter.low <= parameter.value && parameter.value <= parameter.high))
      return bad("parameter '" + parameter.name + "': its default is outside low to high");
  if (spec.max_steps < 0) return bad("max_steps must not be negative");
  return {};
}

}  // namespace rival
