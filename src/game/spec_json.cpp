#include "game/spec_json.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/index.hpp"
#include "base/json_fields.hpp"
#include "base/words.hpp"

namespace rival {

template <>
inline constexpr std::array<Word<ObservationPart::Kind>, 3> kWords<ObservationPart::Kind>{
    {{"vector", ObservationPart::Kind::vector},
     {"grid", ObservationPart::Kind::grid},
     {"entities", ObservationPart::Kind::entities}}};
template <>
inline constexpr std::array<Word<ActionPart::Kind>, 3> kWords<ActionPart::Kind>{
    {{"discrete", ActionPart::Kind::discrete},
     {"target", ActionPart::Kind::target},
     {"continuous", ActionPart::Kind::continuous}}};

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kLargestSize = 1 << 24;
constexpr std::size_t kLongestList = 4096;

ordered_json to_json(const ActionPart& part, const Spec& spec) {
  ordered_json action{{"name", part.name}, {"size", part.size}, {"kind", word_of(part.kind)}};
  if (part.kind == ActionPart::Kind::continuous) action.update({{"low", part.low}, {"high", part.high}});
  if (part.kind == ActionPart::Kind::target) action["entities"] = spec.observation[part.entities].name;
  if (part.when_part < 0) return action;
  action["when_part"] = spec.action[part.when_part].name;
  action["when_choices"] = ordered_json::array();
  for (std::uint64_t left = part.when_choices; left; left &= left - 1)
    action["when_choices"].push_back(__builtin_ctzll(left));
  return action;
}

// Reads the fields of one object of the Spec; those that may be missing keep the value that they have.
class Reader {
 public:
  Reader(const json& object, const std::string& place, std::optional<Error>& error)
      : fields_(object, place, error), error_(error) {}

  bool has(const char* name) const { return fields_.has(name); }
  std::string name() { return fields_.text("name"); }
  template <class T>
  T word(const char* name) {
    return fields_.word<T>(name);
  }
  void text(const char* name, std::string& value) {
    if (has(name)) value = fields_.text(name);
  }
  void whole(const char* name, int& value, Range<int> range) {
    if (has(name)) value = fields_.whole<int>(name, range);
  }
  void real(const char* name, float& value) {
    if (has(name)) value = fields_.real<float>(name);
  }
  void flag(const char* name, bool& value) {
    if (!has(name)) return;
    if (fields_.field(name).is_boolean())
      value = fields_.field(name).get<bool>();
    else
      fields_.fail(name, "must be true or false");
  }
  std::vector<int> wholes(const char* name, std::size_t longest, Range<int> range) {
    return has(name) ? fields_.wholes<int>(name, longest, range) : std::vector<int>{};
  }
  std::uint64_t bits(const char* name) { return fields_.bits(name); }
  bool is_list(const char* name) const { return fields_.field(name).is_array(); }
  std::vector<std::string> lines(const char* name) {
    std::vector<std::string> lines;
    for (const json& line : fields_.list(name, kLongestList)) {
      const json holder{{"text", line}};
      lines.push_back(JsonFields(holder, fields_.place() + ", " + name, error_).text("text"));
    }
    return lines;
  }
  // Each object of a list, which may be missing.
  template <class Each>
  void each(const char* name, const Each& each) {
    if (!has(name)) return;
    int number = 0;
    for (const json& object : fields_.list(name, kLongestList)) {
      Reader reader(object, fmt::format("{}, {} {}", fields_.place(), name, number++), error_);
      each(reader);
    }
  }
  // The place of a part, which is named or numbered, in `parts`.
  template <class Parts>
  int part(const char* name, const Parts& parts) {
    if (!fields_.field(name).is_string()) return fields_.whole<int>(name, {0, static_cast<int>(kLongestList)});
    const std::string wanted = fields_.text(name);
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (parts[p].name == wanted) return static_cast<int>(p);
    fields_.fail(name, "names '" + wanted + "', of which there is none before it");
    return 0;
  }

 private:
  JsonFields fields_;
  std::optional<Error>& error_;
};

ObservationPart observation_part(Reader& from) {
  ObservationPart part;
  part.name = from.name();
  part.kind = from.word<ObservationPart::Kind>("kind");
  from.whole("channels", part.channels, {1, kLargestSize});
  from.whole("height", part.height, {1, kLargestSize});
  from.whole("width", part.width, {1, kLargestSize});
  return part;
}

ActionPart action_part(Reader& from, const Spec& spec) {
  ActionPart part;
  part.name = from.name();
  part.kind = from.word<ActionPart::Kind>("kind");
  from.whole("size", part.size, {1, kLargestSize});
  from.real("low", part.low);
  from.real("high", part.high);
  if (part.kind == ActionPart::Kind::target) part.entities = from.part("entities", spec.observation);
  if (!from.has("when_part")) return part;
  part.when_part = from.part("when_part", spec.action);
  for (int choice : from.wholes("when_choices", 64, {0, 63})) part.when_choices |= std::uint64_t{1} << choice;
  return part;
}

}  // namespace

ordered_json spec_to_json(const Spec& spec) {
  ordered_json json{{"name", spec.name}, {"description", spec.description}, {"source", spec.source}};
  json["seats"] = spec.seats;
  json["teams"] = spec.team_count();
  json["team_of"] = ordered_json::array();
  for (int seat = 0; seat < spec.seats; ++seat) json["team_of"].push_back(spec.team_of(seat));
  json["simultaneous"] = spec.simultaneous;
  json["hidden_information"] = spec.hidden_information;
  json["max_steps"] = spec.max_steps;
  json["seconds_per_step"] = spec.seconds_per_step;
  json["observation"] = ordered_json::array();
  for (const ObservationPart& part : spec.observation)
    json["observation"].push_back({{"name", part.name},
                                   {"kind", word_of(part.kind)},
                                   {"channels", part.channels},
                                   {"height", part.height},
                                   {"width", part.width}});
  json["action"] = ordered_json::array();
  for (const ActionPart& part : spec.action) json["action"].push_back(to_json(part, spec));
  json["parameters"] = ordered_json::array();
  for (const Parameter& parameter : spec.parameters)
    json["parameters"].push_back({{"name", parameter.name},
                                  {"value", parameter.value},
                                  {"low", parameter.low},
                                  {"high", parameter.high},
                                  {"step", parameter.step},
                                  {"description", parameter.description}});
  json["choices"] = ordered_json::array();
  for (const Choice& choice : spec.choices)
    json["choices"].push_back({{"name", choice.name}, {"options", choice.options}});
  if (!spec.data.empty()) json["data"] = ordered_json::array();
  for (const RuleData& data : spec.data) json["data"].push_back({{"name", data.name}, {"hash", data.hash}});
  return json;
}

Result<Spec> spec_from_json(const json& object, const std::string& place) {
  std::optional<Error> error;
  Reader from(object, place, error);
  Spec spec;
  spec.name = from.name();
  from.text("description", spec.description);
  from.text("source", spec.source);
  from.whole("seats", spec.seats, {1, 64});
  // The team of each seat; `teams`, if it is no list, is but their number.
  for (const char* name : {"team_of", "teams"})
    if (spec.teams.empty() && from.is_list(name)) spec.teams = from.wholes(name, 64, {0, 63});
  bool own = spec.teams.size() == index(spec.seats);  // every seat is a team of its own
  for (std::size_t seat = 0; seat < spec.teams.size(); ++seat) own = own && spec.teams[seat] == static_cast<int>(seat);
  if (own) spec.teams.clear();
  from.flag("simultaneous", spec.simultaneous);
  from.flag("hidden_information", spec.hidden_information);
  from.whole("max_steps", spec.max_steps, {0, 1 << 30});
  from.real("seconds_per_step", spec.seconds_per_step);
  from.each("observation", [&](Reader& part) { spec.observation.push_back(observation_part(part)); });
  from.each("action", [&](Reader& part) { spec.action.push_back(action_part(part, spec)); });
  from.each("parameters", [&](Reader& one) {
    Parameter parameter{.name = one.name()};
    one.real("value", parameter.value);
    one.real("low", parameter.low);
    one.real("high", parameter.high);
    one.real("step", parameter.step);
    one.text("description", parameter.description);
    spec.parameters.push_back(parameter);
  });
  from.each("choices", [&](Reader& one) { spec.choices.push_back({one.name(), one.lines("options")}); });
  from.each("data", [&](Reader& one) { spec.data.push_back({one.name(), one.bits("hash")}); });
  if (error) return *error;
  return spec;
}

}  // namespace rival
