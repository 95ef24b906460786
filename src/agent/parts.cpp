#include "agent/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "game/spec.hpp"

namespace rival {
namespace {

using nlohmann::json;

constexpr int kMaxSize = 1 << 24;  // of all parts together
constexpr std::size_t kMaxParts = 1024;

json to_json(const ObservationPart& part) {
  switch (part.kind) {
    case ObservationPart::Kind::grid:
      return {{"name", part.name},
              {"kind", "grid"},
              {"channels", part.channels},
              {"height", part.height},
              {"width", part.width}};
    case ObservationPart::Kind::entities:
      return {{"name", part.name}, {"kind", "entities"}, {"count", part.count()}, {"features", part.features()}};
    default:
      return {{"name", part.name}, {"kind", "vector"}, {"size", part.size()}};
  }
}

json to_json(const ActionPart& part) {
  json j{{"name", part.name}, {"size", part.size}};
  switch (part.kind) {
    case ActionPart::Kind::target:
      j["kind"] = "target", j["entities"] = part.entities;
      break;
    case ActionPart::Kind::continuous:
      j["kind"] = "continuous", j["low"] = part.low, j["high"] = part.high;
      break;
    default:
      j["kind"] = "discrete";
  }
  if (part.when_part < 0) return j;
  j["when"] = {{"part", part.when_part}, {"choices", json::array()}};
  for (std::uint64_t left = part.when_choices; left; left &= left - 1)
    j["when"]["choices"].push_back(std::countr_zero(left));
  return j;
}

ObservationPart observation_from(JsonFields& fields) {
  const auto size = [&](const char* name) { return fields.whole<int>(name, {1, kMaxSize}); };
  const std::string name = fields.text("name"), kind = fields.text("kind");
  if (kind == "grid") return ObservationPart::grid(name, size("channels"), size("height"), size("width"));
  if (kind == "entities") return ObservationPart::entities(name, size("count"), size("features"));
  if (kind != "vector") fields.fail("kind", "must be vector, grid or entities");
  return ObservationPart::vector(name, size("size"));
}

ActionPart kind_from(JsonFields& fields) {
  const std::string name = fields.text("name"), kind = fields.text("kind");
  const int size = fields.whole<int>("size", {1, kMaxSize});
  if (kind == "target")
    return ActionPart::target(name, fields.whole<int>("entities", {0, static_cast<int>(kMaxParts)}), size);
  if (kind == "continuous")
    return ActionPart::continuous(name, size, fields.real<float>("low"), fields.real<float>("high"));
  if (kind != "discrete") fields.fail("kind", "must be discrete, target or continuous");
  return ActionPart::discrete(name, size);
}

// The choices of an earlier part along with which it counts, if it says so.
ActionPart action_from(JsonFields& fields, std::optional<Error>& error) {
  ActionPart part = kind_from(fields);
  if (!fields.has("when")) return part;
  JsonFields when(fields.field("when"), fields.place() + ", when", error);
  part.when_part = when.whole<int>("part", {0, static_cast<int>(kMaxParts)});
  for (int choice : when.wholes<int>("choices", 64, {0, 63})) part.when_choices |= std::uint64_t{1} << choice;
  return part;
}

std::string text_of(const ObservationPart& part) {
  switch (part.kind) {
    case ObservationPart::Kind::grid:
      return fmt::format("a grid of {} x {} x {}", part.channels, part.height, part.width);
    case ObservationPart::Kind::entities:
      return fmt::format("{} entities of {} features", part.count(), part.features());
    default:
      return fmt::format("{} values", part.size());
  }
}

std::string text_of(const ActionPart& part, const Spec& spec) {
  switch (part.kind) {
    case ActionPart::Kind::target:
      return fmt::format("{} targets in '{}'", part.size, spec.observation[part.entities].name);
    case ActionPart::Kind::continuous:
      return fmt::format("{} values in {} to {}", part.size, part.low, part.high);
    default:
      return fmt::format("{} choices", part.size);
  }
}

// `text` gives the description of part p of the Spec.
template <class Text>
std::string first_difference(const char* kind, const auto& then, const auto& now, Text text) {
  for (std::size_t p = 0; p < std::max(then.size(), now.size()); ++p) {
    if (p >= then.size()) return fmt::format("there was no {} part '{}'", kind, now[p].name);
    if (p >= now.size()) return fmt::format("there is no {} part '{}' any more", kind, then[p].name);
    if (then[p].name != now[p].name)
      return fmt::format("{} part {} was '{}', is '{}'", kind, p, then[p].name, now[p].name);
    const std::string before = text(then[p], true), after = text(now[p], false);
    if (before != after) return fmt::format("{} part '{}' had {}, has {}", kind, then[p].name, before, after);
  }
  return "";
}

}  // namespace

std::string parts_to_json(const Network& network) {
  json j = {{"observation", json::array()}, {"action", json::array()}};
  for (const ObservationPart& part : network.observation()) j["observation"].push_back(to_json(part));
  for (const ActionPart& part : network.action()) j["action"].push_back(to_json(part));
  return json_text(j);
}

json rules_to_json(const std::vector<ObservedParameter>& rules) {
  json list = json::array();
  for (const ObservedParameter& rule : rules)
    list.push_back({{"name", rule.name}, {"low", rule.low}, {"high", rule.high}});
  return list;
}

std::vector<ObservedParameter> rules_from_json(JsonFields& fields, std::optional<Error>& error) {
  constexpr std::size_t kMostRules = 1 << 16;
  std::vector<ObservedParameter> rules;
  std::set<std::string> names;
  if (!fields.has("rules")) return rules;
  for (const json& entry : fields.list("rules", kMostRules)) {
    JsonFields rule(entry, fmt::format("{}, rules {}", fields.place(), rules.size()), error);
    rules.push_back({rule.text("name"), rule.real<float>("low"), rule.real<float>("high")});
    if (!(rules.back().low < rules.back().high)) rule.fail("high", "must be above 'low'");
    if (!names.insert(rules.back().name).second) rule.fail("name", "is that of an earlier one");
    if (error) break;
  }
  return rules;
}

Result<Spec> parts_from_json(const std::string& text, const std::string& name, const std::string& file) {
  const std::string place = file + ": the metadata 'parts'";
  const Result<json> parsed = parse_json(text, place);
  if (!parsed) return parsed.error();
  std::optional<Error> error;
  JsonFields fields(parsed.value(), place, error);
  Spec spec{.name = name};
  std::uint64_t total = 0;
  const auto add = [&](const char* list, std::uint64_t size) {
    total += std::min<std::uint64_t>(size, kMaxSize + 1);
    if (total > kMaxSize) fields.fail(list, fmt::format("has more than {} numbers", kMaxSize));
  };
  for (const json& entry : fields.list("observation", kMaxParts)) {
    JsonFields part(entry, fmt::format("{}, observation {}", place, spec.observation.size()), error);
    const ObservationPart o = observation_from(part);
    const std::uint64_t rows = static_cast<std::uint64_t>(o.channels) * static_cast<std::uint64_t>(o.height);
    add("observation", rows > kMaxSize ? rows : rows * static_cast<std::uint64_t>(o.width));
    if (error) return *error;
    spec.observation.push_back(o);
  }
  for (const json& entry : fields.list("action", kMaxParts)) {
    JsonFields part(entry, fmt::format("{}, action {}", place, spec.action.size()), error);
    spec.action.push_back(action_from(part, error));
    add("action", static_cast<std::uint64_t>(spec.action.back().size));
    if (error) return *error;
  }
  if (error) return *error;
  if (auto valid = validate(spec); !valid) return Error{place + ": " + valid.error().message};
  return spec;
}

std::string parts_difference(const Spec& then, const Spec& now) {
  const std::string observation = first_difference("observation", then.observation, now.observation,
                                                   [](const ObservationPart& part, bool) { return text_of(part); });
  if (!observation.empty()) return observation;
  return first_difference("action", then.action, now.action,
                          [&](const ActionPart& part, bool before) { return text_of(part, before ? then : now); });
}

}  // namespace rival
