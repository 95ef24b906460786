#include "agent/parts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "game/spec.hpp"

namespace rival {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxSize = 1 << 24;  // of all parts together
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
  switch (part.kind) {
    case ActionPart::Kind::target:
      return {{"name", part.name}, {"kind", "target"}, {"size", part.size}, {"entities", part.entities}};
    case ActionPart::Kind::continuous:
      return {{"name", part.name}, {"kind", "continuous"}, {"size", part.size}, {"low", part.low}, {"high", part.high}};
    default:
      return {{"name", part.name}, {"kind", "discrete"}, {"size", part.size}};
  }
}

// A whole number from 0 to kMaxSize; throws what json throws, so that one handler makes the Error.
int number_at(const json& part, const char* key) {
  const json& number = part.at(key);
  if (!number.is_number_unsigned() || number.get<std::uint64_t>() > kMaxSize)
    throw json::other_error::create(500, "not a number of that range", nullptr);
  return number.get<int>();
}

ObservationPart observation_from(const json& j) {
  const std::string name = j.at("name").get<std::string>(), kind = j.at("kind").get<std::string>();
  if (kind == "vector") return ObservationPart::vector(name, number_at(j, "size"));
  if (kind == "grid")
    return ObservationPart::grid(name, number_at(j, "channels"), number_at(j, "height"), number_at(j, "width"));
  if (kind == "entities") return ObservationPart::entities(name, number_at(j, "count"), number_at(j, "features"));
  throw json::other_error::create(500, "unknown kind", nullptr);
}

ActionPart action_from(const json& j) {
  const std::string name = j.at("name").get<std::string>(), kind = j.at("kind").get<std::string>();
  const int size = number_at(j, "size");
  if (kind == "discrete") return ActionPart::discrete(name, size);
  if (kind == "target") return ActionPart::target(name, number_at(j, "entities"), size);
  if (kind == "continuous")
    return ActionPart::continuous(name, size, j.at("low").get<float>(), j.at("high").get<float>());
  throw json::other_error::create(500, "unknown kind", nullptr);
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
      return fmt::format("{} targets in '{}'", part.size,
                         spec.observation[static_cast<std::size_t>(part.entities)].name);
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
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Spec> parts_from_json(const std::string& text, const std::string& name, const std::string& file) {
  const Error damaged{file + ": the metadata 'parts', which tell the game's observations and actions, are damaged"};
  const json j = json::parse(text, nullptr, false);
  Spec spec{.name = name};
  try {
    const json &observation = j.at("observation"), &action = j.at("action");
    if (!observation.is_array() || !action.is_array() || observation.size() > kMaxParts || action.size() > kMaxParts)
      return damaged;
    std::uint64_t total = 0;
    for (const json& part : observation) {
      const ObservationPart o = observation_from(part);
      const std::uint64_t rows = static_cast<std::uint64_t>(o.channels) * static_cast<std::uint64_t>(o.height);
      if (rows > kMaxSize) return damaged;
      total += rows * static_cast<std::uint64_t>(o.width);
      if (total > kMaxSize) return damaged;
      spec.observation.push_back(o);
    }
    for (const json& part : action) {
      spec.action.push_back(action_from(part));
      total += static_cast<std::uint64_t>(spec.action.back().size);
      if (total > kMaxSize) return damaged;
    }
  } catch (const json::exception&) {
    return damaged;
  }
  if (auto valid = validate(spec); !valid) return Error{damaged.message + ": " + valid.error().message};
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
