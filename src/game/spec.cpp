#include "game/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/index.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "game/match_settings.hpp"

namespace rival {

constexpr const char* kDrawn = "drawn";  // what is said instead of an option

Settings default_settings(const Spec& spec) {
  Settings settings;
  for (const Parameter& parameter : spec.parameters) settings.parameters.push_back(parameter.value);
  settings.picks.assign(spec.choices.size() * index(spec.seats), -1);
  return settings;
}

Settings with_defaults(const Spec& spec, Settings settings) {
  Settings defaults = default_settings(spec);
  if (settings.parameters.empty()) settings.parameters = std::move(defaults.parameters);
  if (settings.picks.empty()) settings.picks = std::move(defaults.picks);
  return settings;
}

namespace {

// The number that people read, so that 0.3 is on a step of 0.1.
double decimal(float value) {
  return read_real(shortest(value)).value();
}

bool on_step(const Parameter& parameter, float value) {
  const double steps = (decimal(value) - decimal(parameter.low)) / decimal(parameter.step);
  return std::fabs(steps - std::round(steps)) <= 1e-9 * std::max(1.0, std::fabs(steps));
}

}  // namespace

std::string allowed_values(const Parameter& parameter) {
  const std::string range = "number from " + shortest(parameter.low) + " to " + shortest(parameter.high);
  if (parameter.step == 1 && parameter.low == std::floor(parameter.low)) return "a whole " + range;
  return "a " + range + (parameter.step > 0 ? " in steps of " + shortest(parameter.step) : "");
}

bool allows(const Parameter& parameter, float value) {
  return std::isfinite(value) && value >= parameter.low && value <= parameter.high &&
         (parameter.step == 0 || on_step(parameter, value));
}

Result<void> set_parameters(const Spec& spec, std::span<const std::string> assignments, const std::string& where,
                            Settings& settings) {
  MatchSettings all(std::move(settings));
  const Result<void> set = draw_parameters(spec, assignments, where, all);
  settings = std::move(all.fixed);
  if (!set || all.drawn.empty()) return set;
  const std::string& name = spec.parameters[all.drawn.front().parameter].name;
  return Error{where + name + " must be one value here; only what trains or plays whole matches draws one for each"};
}

namespace {

// Some seats by their name: "team0", "3".
struct Seats {
  std::string name;
  std::vector<int> seats;
};

std::vector<Seats> named_seats(const Spec& spec) {
  std::vector<Seats> all;
  for (int team = 0; team < spec.team_count(); ++team) {
    all.push_back({fmt::format("team{}", team), {}});
    for (int seat = 0; seat < spec.seats; ++seat)
      if (spec.team_of(seat) == team) all.back().seats.push_back(seat);
  }
  for (int seat = 0; seat < spec.seats; ++seat) all.push_back({std::to_string(seat), {seat}});
  return all;
}

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& one : all) names.push_back(one.name);
  return names;
}

template <class Named>
const Named* find_named(const std::vector<Named>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// The number of an option; -1: drawn.
Result<int> find_option(const Choice& choice, const std::string& name, const std::string& where) {
  const auto folded = [](std::string text) {
    for (char& c : text) c = c == ' ' || c == '-' ? '_' : to_lower(c);
    return text;
  };
  std::vector<int> alike;
  for (std::size_t i = 0; i < choice.options.size(); ++i) {
    if (choice.options[i] == name) return static_cast<int>(i);
    if (folded(choice.options[i]) == folded(name)) alike.push_back(static_cast<int>(i));
  }
  if (alike.size() == 1) return alike.front();
  if (name == kDrawn) return -1;
  std::vector<std::string> known = choice.options;
  known.emplace_back(kDrawn);
  return unknown_name(choice.name, name, known, where);
}

// The options of a list; a single one may have commas itself.
Result<std::vector<int>> find_options(const Choice& choice, const std::string& text, const std::string& where) {
  if (const Result<int> one = find_option(choice, text, where); one || text.find(',') == std::string::npos) {
    if (!one) return one.error();
    return std::vector<int>{one.value()};
  }
  std::vector<int> options;
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    const Result<int> option = find_option(choice, text.substr(begin, end - begin), where);
    if (!option) return option.error();
    options.push_back(option.value());
  }
  return options;
}

}  // namespace

Result<void> set_picks(const Spec& spec, std::span<const std::string> assignments, const std::string& where,
                       Settings& settings) {
  const std::vector<Seats> groups = named_seats(spec);
  Seats everybody;
  for (int seat = 0; seat < spec.seats; ++seat) everybody.seats.push_back(seat);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      return Error{where + "'" + assignment + "': write [WHO.]CHOICE=OPTION, as in " +
                   (spec.choices.empty() ? "hero=warden" : spec.choices[0].name + "=" + spec.choices[0].options[0])};
    const std::string name = assignment.substr(0, equals), text = assignment.substr(equals + 1);
    const Seats* who = &everybody;
    const Choice* choice = find_named(spec.choices, name);
    if (const std::size_t dot = name.find('.'); !choice && dot != std::string::npos) {
      who = find_named(groups, name.substr(0, dot));
      if (!who)
        return unknown_name("seat or team of " + spec.name, name.substr(0, dot), names_of(groups), where + name + ": ");
      choice = find_named(spec.choices, name.substr(dot + 1));
      if (!choice)
        return unknown_name("choice of " + spec.name, name.substr(dot + 1), names_of(spec.choices),
                            where + name + ": ");
    }
    if (!choice) return unknown_name("choice of " + spec.name, name, names_of(spec.choices), where);
    const Result<std::vector<int>> options = find_options(*choice, text, where + name + ": ");
    if (!options) return options.error();
    const std::size_t count = options.value().size(), seats = who->seats.size();
    if (count > seats)
      return Error{fmt::format("{}{}: {} options for {} {}; name one for each of them, or one for all", where, name,
                               count, seats, seats == 1 ? "seat" : "seats")};
    const auto first = (choice - spec.choices.data()) * spec.seats;
    for (std::size_t i = 0; i < (count == 1 ? seats : count); ++i)
      settings.picks[first + who->seats[i]] = options.value()[count == 1 ? 0 : i];
  }
  return {};
}

std::vector<std::string> split_assignments(std::string_view list) {
  std::vector<std::string> assignments;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view piece = list.substr(begin, end - begin);
    if (assignments.empty() || piece.find('=') != std::string_view::npos)
      assignments.emplace_back(piece);
    else
      assignments.back().append(",").append(piece);
    begin = end + 1;
  }
  return assignments;
}

std::string settings_text(const Spec& spec, const Settings& settings) {
  std::string text;
  const auto add = [&text](const std::string& assignment) { text += (text.empty() ? "" : " ") + assignment; };
  for (std::size_t p = 0; p < spec.parameters.size(); ++p)
    if (settings.parameters[p] != spec.parameters[p].value)
      add(spec.parameters[p].name + "=" + shortest(settings.parameters[p]));
  const std::size_t seats = spec.seats;
  for (std::size_t c = 0; c < spec.choices.size() && !settings.picks.empty(); ++c) {
    const Choice& choice = spec.choices[c];
    const std::span<const int> picks = std::span(settings.picks).subspan(c * seats, seats);
    const bool alike = std::all_of(picks.begin(), picks.end(), [&](int pick) { return pick == picks[0]; });
    for (std::size_t seat = 0; seat < (alike ? 1 : seats); ++seat)
      if (picks[seat] >= 0)
        add(fmt::format("{}{}={}", alike ? "" : fmt::format("{}.", seat), choice.name, choice.options[picks[seat]]));
  }
  return text;
}

Result<void> fits(const Spec& spec, const Settings& settings) {
  if (settings.parameters.size() != spec.parameters.size())
    return Error{
        fmt::format("sets {} parameters, the game has {}", settings.parameters.size(), spec.parameters.size())};
  for (std::size_t p = 0; p < spec.parameters.size(); ++p)
    if (!allows(spec.parameters[p], settings.parameters[p]))
      return Error{fmt::format("sets parameter '{}' to {}, which is not {}", spec.parameters[p].name,
                               shortest(settings.parameters[p]), allowed_values(spec.parameters[p]))};
  const std::size_t seats = spec.seats;
  if (!settings.picks.empty() && settings.picks.size() != spec.choices.size() * seats)
    return Error{fmt::format("has {} picks, the game {}", settings.picks.size(), spec.choices.size() * seats)};
  for (std::size_t i = 0; i < settings.picks.size(); ++i)
    if (const Choice& choice = spec.choices[i / seats];
        settings.picks[i] < -1 || settings.picks[i] >= static_cast<int>(choice.options.size()))
      return Error{fmt::format("picks number {} of '{}', which has {} options", settings.picks[i], choice.name,
                               choice.options.size())};
  return {};
}

namespace {

constexpr int kMostParts = 64;
constexpr int kMostCells = 1 << 24;       // of an observation
constexpr int kMostChoices = 1 << 20;     // of all parts
constexpr int kMostValues = 1 << 12;      // likewise
constexpr float kLargestValue = 1e9f;     // of a continuous action
constexpr float kLongestStep = 3600;      // seconds
constexpr std::size_t kLongestName = 64;  // bytes

// A file name on every system, and a word to every shell.
bool is_plain_name(const std::string& name) {
  const auto plain = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == ':'; };
  return !name.empty() && name.size() <= kLongestName && (is_letter(name[0]) || is_digit(name[0])) &&
         std::all_of(name.begin(), name.end(), plain);
}

// What is wrong with the names of parts, parameters, choices...; "" if nothing is.
template <class Named>
std::string wrong_names(const std::string& kind, const std::vector<Named>& all) {
  std::set<std::string> seen;
  for (const Named& one : all) {
    const std::string& name = one.name;
    if (name.empty() || name.size() > kLongestName || name.find('=') != std::string::npos ||
        std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }))
      return fmt::format("{} {} needs a name of 1 to {} characters without '=' and line breaks", kind, seen.size(),
                         kLongestName);
    if (!seen.insert(name).second) return fmt::format("there are two of the name '{}' among each {}", name, kind);
  }
  return "";
}

std::string wrong_seats(const Spec& spec) {
  if (spec.seats < 1 || spec.seats > 64) return fmt::format("seats must be 1 to 64, is {}", spec.seats);
  if (spec.teams.empty()) return "";
  if (static_cast<int>(spec.teams.size()) != spec.seats) return "teams must name a team for every seat";
  for (int team : spec.teams)
    if (team < 0 || team >= spec.seats) return "team numbers must be 0 to seats - 1";
  for (int team = 0; team < spec.team_count(); ++team)
    if (std::find(spec.teams.begin(), spec.teams.end(), team) == spec.teams.end())
      return fmt::format("team {} has no seat; number the teams 0, 1, 2... without a gap", team);
  return "";
}

std::string wrong_observation(const Spec& spec) {
  if (spec.observation.empty()) return "observation has no parts: players would see nothing";
  std::int64_t cells = 0;
  for (const ObservationPart& part : spec.observation) {
    const std::string who = "observation part '" + part.name + "'";
    if (part.channels < 1 || part.height < 1 || part.width < 1) return who + " has no cells";
    const bool flat = part.kind == ObservationPart::Kind::vector, set = part.kind == ObservationPart::Kind::entities;
    if ((flat && (part.channels > 1 || part.height > 1)) || (set && part.channels > 1))
      return who + " has more dimensions than its kind; make it with vector(), grid() or entities()";
    for (std::int64_t size = 1; int side : {part.channels, part.height, part.width})
      if ((size *= side) > kMostCells) return fmt::format("{} has more than {} cells", who, kMostCells);
    if ((cells += part.size()) > kMostCells)
      return fmt::format("an observation has more than {} cells in all", kMostCells);
  }
  return wrong_names("observation part", spec.observation);
}

std::string wrong_target(const Spec& spec, const ActionPart& part) {
  const std::size_t of = part.entities;
  if (part.entities < 0 || of >= spec.observation.size() ||
      spec.observation[of].kind != ObservationPart::Kind::entities)
    return fmt::format("targets observation part {}, which is not one of entities", part.entities);
  if (part.size != spec.observation[of].count())
    return fmt::format("has {} targets, but '{}' has {} entities", part.size, spec.observation[of].name,
                       spec.observation[of].count());
  return "";
}

std::string wrong_condition(const Spec& spec, std::size_t p) {
  const ActionPart& part = spec.action[p];
  if (part.when_part == -1) return "";
  const std::size_t on = part.when_part;
  if (part.when_part < 0 || on >= p || !spec.action[on].is_choice() || spec.action[on].size > 64 ||
      spec.action[on].when_part >= 0)
    return "may only depend on an earlier choice among at most 64 that depends on nothing itself";
  const int size = spec.action[on].size;
  if (part.when_choices == 0 || (size < 64 && part.when_choices >> size))
    return fmt::format("depends on choices that '{}', which has {}, does not have", spec.action[on].name, size);
  return "";
}

std::string wrong_action(const Spec& spec) {
  if (spec.action.empty()) return "action has no parts: players could do nothing";
  if (spec.action.size() > kMostParts) return fmt::format("action has more than {} parts", kMostParts);
  std::int64_t choices = 0, values = 0;
  for (std::size_t p = 0; p < spec.action.size(); ++p) {
    const ActionPart& part = spec.action[p];
    const std::string who = "action part '" + part.name + "' ";
    if (part.size < 1) return fmt::format("{}has size {}", who, part.size);
    if ((part.is_choice() ? choices : values) += part.size; choices > kMostChoices || values > kMostValues)
      return fmt::format("an action has more than {} choices or {} continuous values in all", kMostChoices,
                         kMostValues);
    if (part.kind == ActionPart::Kind::continuous &&
        !(part.low < part.high && part.low >= -kLargestValue && part.high <= kLargestValue))
      return who + "needs a low below its high, both within -1e9 to 1e9; [-1, 1], scaled by the rules, is usual";
    if (part.kind == ActionPart::Kind::target)
      if (std::string wrong = wrong_target(spec, part); !wrong.empty()) return who + wrong;
    if (std::string wrong = wrong_condition(spec, p); !wrong.empty()) return who + wrong;
  }
  return wrong_names("action part", spec.action);
}

std::string wrong_settings(const Spec& spec) {
  for (const Parameter& parameter : spec.parameters) {
    const std::string who = "parameter '" + parameter.name + "': ";
    if (!std::isfinite(parameter.low) || !std::isfinite(parameter.high)) return who + "low and high must be finite";
    if (!(parameter.low <= parameter.value && parameter.value <= parameter.high))
      return who + "its default is outside low to high";
    if (!std::isfinite(parameter.step) || parameter.step < 0) return who + "its step must be 0 or more";
    if (parameter.step > 0 && !(on_step(parameter, parameter.value) && on_step(parameter, parameter.high)))
      return who + "its default and high must be low and a number of whole steps";
  }
  if (std::string wrong = wrong_names("parameter", spec.parameters); !wrong.empty()) return wrong;
  for (const Choice& choice : spec.choices) {
    if (choice.options.empty()) return "choice '" + choice.name + "' has no options";
    struct Option {
      const std::string& name;
    };
    std::vector<Option> options;
    for (const std::string& option : choice.options) options.push_back({option});
    if (std::string wrong = wrong_names("option", options); !wrong.empty())
      return "choice '" + choice.name + "': " + wrong;
  }
  if (std::string wrong = wrong_names("choice", spec.choices); !wrong.empty()) return wrong;
  if (std::string wrong = wrong_names("rule data", spec.data); !wrong.empty()) return wrong;
  if (!(spec.seconds_per_step >= 0 && spec.seconds_per_step <= kLongestStep))
    return "seconds_per_step must be 0 to 3600";
  if (spec.max_steps < 0) return "max_steps must not be negative";
  if (spec.description.find('\n') != std::string::npos) return "description must be one line";
  return "";
}

}  // namespace

Result<void> validate(const Spec& spec) {
  if (spec.name.empty()) return Error{"a game's Spec has no name"};
  if (!is_plain_name(spec.name))
    return Error{fmt::format(
        "a game's Spec has the name '{}'; it names folders too, so it may hold up to {} letters, digits and the signs "
        "_ - . : and begins with a letter or digit, as in 'my_game'",
        spec.name, kLongestName)};
  for (const auto& wrong : {wrong_seats, wrong_observation, wrong_action, wrong_settings})
    if (const std::string what = wrong(spec); !what.empty()) return Error{"game '" + spec.name + "': " + what};
  return {};
}

}  // namespace rival
