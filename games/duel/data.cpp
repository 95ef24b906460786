#include "games/duel/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <string>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/names.hpp"
#include "base/number.hpp"
#include "game/spec.hpp"

namespace rival::duel {
namespace {

constexpr float kStep = 0.5f;  // of tunable numbers

std::string lower(std::string text) {
  for (char& c : text) c = to_lower(c);
  return text;
}

// Reads the file table by table. The first error is kept; once there is one, nothing more is read.
class Reader {
 public:
  Reader(const toml::table& root, std::string_view file) : root_(root), table_(&root), file_(file) {}

  const std::optional<Error>& error() const { return error_; }

  bool open(const std::string& name) {
    tables_.push_back(name);
    name_.clear();
    const toml::node* node = root_.get(name);
    table_ = node ? node->as_table() : nullptr;
    if (!table_) fail(node ? *node : root_, fmt::format("the table [{}] is missing", name));
    name_ = name;
    known_.clear();
    return !error_;
  }

  // What is left unread in the table must not be there.
  void close() { all_known(*table_, known_, "key"); }
  void close_file() {
    name_.clear();
    all_known(root_, tables_, "table");
  }

  void fail(const toml::node& at, const std::string& message) {
    const std::string where = name_.empty() ? "" : name_ + ": ";
    if (!error_) error_ = Error{fmt::format("{}:{}: {}{}", file_, at.source().begin.line, where, message)};
  }
  void fail_table(const std::string& message) { fail(*table_, message); }

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
    Parameter parameter{name_ + "." + key, low, low, high, std::move(description), kStep};
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

 private:
  const toml::node* find(const std::string& key, bool needed) {
    if (error_) return nullptr;
    known_.push_back(key);
    const toml::node* node = table_->get(key);
    if (!node && needed) fail_table(fmt::format("'{}' is missing", key));
    return node;
  }
  void all_known(const toml::table& table, const std::vector<std::string>& known, const char* what) {
    for (const auto& [key, node] : table)
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        fail(node, unknown_name(what, key.str(), known).message);
  }

  const toml::table& root_;
  const toml::table* table_;
  std::string_view file_;
  std::string name_;
  std::vector<std::string> tables_, known_;
  std::optional<Error> error_;
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
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed)
    return Error{fmt::format("{}:{}: {}", file, parsed.error().source().begin.line, parsed.error().description())};
  Reader reader(parsed.table(), file);
  Data data{};
  for (int u = 0; u < kUnits; ++u) {
    const std::string name = kNames[u];
    Unit& unit = data.units[static_cast<std::size_t>(u)];
    if (!reader.open(lower(name))) return *reader.error();
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
      reader.fail_table("a unit has only one of 'aim', 'guard' and 'heal'");
    if (unit.heals > 0 && unit.heal == 0) reader.fail_table("'heal' is missing");
    data.hashes.push_back({"unit " + name, hash_of(unit)});
  }
  if (!reader.open("second")) return *reader.error();
  data.parameters.push_back(
      reader.tunable("health", 0, 100, "health that the seat that goes second has more, in percent"));
  reader.close();
  reader.close_file();
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
