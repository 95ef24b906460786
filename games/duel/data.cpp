#include "games/duel/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <string>

#include "base/number.hpp"
#include "game/spec.hpp"
#include "games/data_reader.hpp"

namespace rival::duel {
namespace {

constexpr float kStep = 0.5f;  // of tunable numbers

std::string lower(std::string text) {
  for (char& c : text) c = to_lower(c);
  return text;
}

// The units', then what the second seat gets.
std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const char* name : kNames) names.push_back(lower(name));
  names.push_back("second");
  return names;
}

class Reader : public DataReader {
 public:
  using DataReader::DataReader;

  // A whole number. Not `needed`: 0 if it is missing.
  std::int32_t whole(const std::string& key, int low, int high, bool needed) {
    const toml::node* node = find(key, needed);
    if (!node) return 0;
    const auto* value = node->as_integer();
    if (!value || value->get() < low || value->get() > high) {
      fail(*node, fmt::format("'{}' must be a whole number from {} to {}", key, low, high));
      return 0;
    }
    return static_cast<std::int32_t>(value->get());
  }

  // A number { value, low, high }, each from `low` to `high`.
  Parameter tunable(const std::string& key, float low, float high, std::string description) {
    Parameter parameter{name() + "." + key, low, low, high, std::move(description), kStep};
    const toml::node* node = find(key, true);
    if (!node) return parameter;
    const toml::table* table = node->as_table();
    if (table && table->size() == 3) {
      const auto number = [&](const char* name) { return (*table)[name].value<float>().value_or(low - 1); };
      parameter.value = number("value");
      parameter.low = number("low");
      parameter.high = number("high");
    }
    const bool ordered = parameter.low <= parameter.value && parameter.value <= parameter.high;
    const bool within = parameter.low >= low && parameter.high <= high;
    if (!table || table->size() != 3 || !ordered || !within)
      fail(*node, fmt::format("'{}' needs {{ value, low, high }} with {} <= low <= value <= high <= {}", key,
                              shortest(low), shortest(high)));
    else if (!allows(parameter, parameter.value) || !allows(parameter, parameter.high))
      fail(*node, fmt::format("'{}' needs {{ value, low, high }} in steps of {}", key, shortest(kStep)));
    return parameter;
  }
};

std::uint64_t hash_of(const Unit& unit) {
  std::uint64_t hash = 0;
  for (const float number : {unit.damage, unit.health})
    hash = Key::mix(hash ^ (std::bit_cast<std::uint32_t>(number) + Key::kGolden));
  for (const std::int32_t number : {unit.reach, unit.speed, unit.aim, unit.heal, unit.heals, unit.guard})
    hash = Key::mix(hash ^ (static_cast<std::uint32_t>(number) + Key::kGolden));
  return hash;
}

}  // namespace

Result<Data> parse_data(std::string_view text, std::string_view file) {
  const Result<toml::table> parsed = parse_toml(text, file);
  if (!parsed) return parsed.error();
  const toml::table& root = parsed.value();
  Reader reader(file);
  reader.open(root, "");
  std::vector<const toml::table*> tables;
  for (const std::string& name : table_names()) {
    const toml::node* node = root.get(name);
    tables.push_back(node ? node->as_table() : nullptr);
    if (!tables.back()) reader.fail(node ? *node : root, fmt::format("the table [{}] is missing", name));
    reader.find(name, false);
  }
  reader.close("table");
  if (reader.error()) return *reader.error();

  Data data{};
  for (int u = 0; u < kUnits; ++u) {
    const std::string name = kNames[u];
    const toml::table& table = *tables[static_cast<std::size_t>(u)];
    Unit& unit = data.units[static_cast<std::size_t>(u)];
    reader.open(table, lower(name));
    data.parameters.push_back(reader.tunable("damage", 1, 1000, "damage of a hit of the " + name + ", on average"));
    unit.damage = data.parameters.back().value;
    data.parameters.push_back(reader.tunable("health", 1, 1000, "health of the " + name));
    unit.health = data.parameters.back().value;
    unit.reach = reader.whole("reach", 1, 7, true);
    unit.speed = reader.whole("speed", 1, 3, true);
    unit.aim = reader.whole("aim", 1, 5, false);
    unit.guard = reader.whole("guard", 1, 100, false);
    unit.heal = reader.whole("heal", 1, 1000, false);
    unit.heals = reader.whole("heals", 1, 10, unit.heal > 0);
    reader.close();
    if ((unit.aim > 0) + (unit.guard > 0) + (unit.heals > 0) > 1)
      reader.fail(table, "a unit has only one of 'aim', 'guard' and 'heal'");
    if (unit.heals > 0 && unit.heal == 0) reader.fail(table, "'heal' is missing");
    data.hashes.push_back({"unit " + name, hash_of(unit)});
  }
  reader.open(*tables.back(), "second");
  data.parameters.push_back(
      reader.tunable("health", 0, 100, "health that the seat that goes second has more, in percent"));
  reader.close();
  if (reader.error()) return *reader.error();
  data.hashes.push_back({"second", Key::mix(std::bit_cast<std::uint32_t>(data.parameters.back().value))});
  return data;
}

const Data& data() {
  static const Data parsed = [] {
    Result<Data> result = parse_data(embedded::units_toml, "games/duel/units.toml");
    check(result.ok(), result.ok() ? "" : result.error().message.c_str());
    return result.value();
  }();
  return parsed;
}

}  // namespace rival::duel
