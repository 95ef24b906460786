#include "games/lanes/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/names.hpp"
#include "base/number.hpp"
#include "game/spec.hpp"
#include "games/data_reader.hpp"

namespace rival::lanes {
namespace {

constexpr double kSpeed = static_cast<double>(kLength) / kTicks;  // from units a second to parts a tick
constexpr double kRate = static_cast<double>(kHealth) / kTicks;   // from points a second to parts a tick
constexpr double kPace = kTicks * kPhase;                         // from seconds to parts of a tick

class Reader : public DataReader {
 public:
  Reader(std::string_view file, Data& data) : DataReader(file), data_(data) {}

  // A number of the file times `scale`, rounded. `needed`: an error if it is missing, else it is 0.
  void number(std::string_view key, std::int32_t& out, double scale, double low, double high, bool needed = true) {
    const toml::node* node = find(key, needed);
    if (!node) return;
    double value = 0;
    if (const toml::table* tunable = node->as_table()) {
      double range[3];
      const char* const keys[] = {"value", "low", "high"};
      for (int i = 0; i < 3; ++i) {
        const auto got = (*tunable)[keys[i]].value<double>();
        if (!got) return fail(*node, "'" + std::string(key) + "' needs numbers { value, low, high }");
        range[i] = *got;
      }
      if (tunable->size() != 3 || !(range[1] <= range[0] && range[0] <= range[2]))
        return fail(*node, "'" + std::string(key) + "' needs { value, low, high } with low <= value <= high");
      if (range[1] < low || range[2] > high) return out_of_range(*node, key, low, high);
      value = range[0];
      std::string name = this->name() + "." + std::string(key);
      for (char& c : name) c = c == ' ' ? '_' : to_lower(c);
      // Whole numbers, and times in ticks; of finer quantities any value, to be rounded.
      const double step = scale == 1 || scale == kTicks ? 1 / scale : 0;
      const Parameter parameter{name,
                                static_cast<float>(range[0]),
                                static_cast<float>(range[1]),
                                static_cast<float>(range[2]),
                                std::string(key) + " of " + this->name(),
                                static_cast<float>(step)};
      if (!allows(parameter, parameter.value) || !allows(parameter, parameter.high))
        return fail(*node, "'" + std::string(key) + "' needs { value, low, high } in steps of " + shortest(step));
      const std::ptrdiff_t offset = reinterpret_cast<char*>(&out) - reinterpret_cast<char*>(&data_.rules);
      data_.tunables.push_back({parameter, offset, scale});
    } else if (const auto got = node->value<double>(); got && node->is_number()) {
      value = *got;
    } else {
      return fail(*node, "'" + std::string(key) + "' must be a number or { value, low, high }");
    }
    if (!(value >= low && value <= high)) return out_of_range(*node, key, low, high);
    out = static_cast<std::int32_t>(std::lround(value * scale));
  }

  void text(std::string_view key, std::string& out) {
    const toml::node* node = find(key, true);
    if (!node) return;
    const auto* value = node->as_string();
    if (!value || value->get().empty()) return fail(*node, "'" + std::string(key) + "' must be a string");
    out = value->get();
  }

  // A list of points [[x, y], ...], each within the map.
  std::vector<Point> points(std::string_view key, std::size_t at_least, std::size_t at_most) {
    std::vector<Point> points;
    const toml::node* node = find(key, true);
    if (!node) return points;
    const toml::array* list = node->as_array();
    if (!list || list->size() < at_least || list->size() > at_most) {
      fail(*node, fmt::format("'{}' must be a list of {}{} points [x, y]", key, at_least,
                              at_most > at_least ? fmt::format(" to {}", at_most) : ""));
      return points;
    }
    for (const toml::node& item : *list) points.push_back(point(item, key));
    return points;
  }
  Point point(std::string_view key) {
    const toml::node* node = find(key, true);
    return node ? point(*node, key) : Point();
  }

  const toml::table& table(std::string_view key) {
    static const toml::table kEmpty;
    const toml::node* node = find(key, true);
    if (!node) return kEmpty;
    if (const toml::table* table = node->as_table()) return *table;
    fail(*node, "'" + std::string(key) + "' must be a table [" + std::string(key) + "]");
    return kEmpty;
  }
  std::vector<const toml::table*> tables(std::string_view key, std::size_t at_least, std::size_t at_most) {
    std::vector<const toml::table*> tables;
    const toml::node* node = find(key, true);
    if (!node) return tables;
    const toml::array* list = node->as_array();
    if (!list || list->size() < at_least || list->size() > at_most || !list->is_homogeneous<toml::table>()) {
      fail(*node, fmt::format("[[{}]] must be there {}{} times", key, at_least,
                              at_most > at_least ? fmt::format(" to {}", at_most) : ""));
      return tables;
    }
    for (const toml::node& item : *list) tables.push_back(item.as_table());
    return tables;
  }

 private:
  void out_of_range(const toml::node& node, std::string_view key, double low, double high) {
    fail(node, "'" + std::string(key) + "' must be between " + shortest(low) + " and " + shortest(high));
  }
  Point point(const toml::node& node, std::string_view key) {
    const toml::array* pair = node.as_array();
    const auto x = pair && pair->size() == 2 ? (*pair)[0].value<double>() : std::nullopt;
    const auto y = x ? (*pair)[1].value<double>() : std::nullopt;
    if (!y) {
      fail(node, "'" + std::string(key) + "' must hold points [x, y]");
      return {};
    }
    const Rules& rules = data_.rules;
    const Point p{static_cast<std::int32_t>(std::lround(*x * kLength)),
                  static_cast<std::int32_t>(std::lround(*y * kLength))};
    if (p.x < 0 || p.x > rules.width / 2 || p.y < 0 || p.y > rules.height)
      fail(node, "'" + std::string(key) + "': points must lie in the western half of the map");
    return p;
  }

  Data& data_;
};

void read_unit(Reader& reader, Unit& unit, bool creep) {
  if (creep) {
    reader.number("count", unit.count, 1, 0, 4);
    reader.number("speed", unit.speed, kSpeed, 0.5, 8);
  } else {
    reader.number("unescorted", unit.unescorted, 1, 0, 100);
    reader.number("health_per_hero", unit.health_per_hero, kHealth, 0, 5000);
  }
  reader.number("health", unit.health, kHealth, 1, 20'000);
  reader.number("attack", unit.attack, kHealth, 0, 1000);
  reader.number("attack_interval", unit.attack_interval, kPace, 0.5, 5);
  reader.number("range", unit.range, kLength, 0.5, 20);
  reader.number("armour", unit.armour, 1, 0, 500);
  reader.number("sight", unit.sight, kLength, 1, 30);
  reader.number("gold", unit.gold, 1, 0, 1000);
  reader.number("experience", unit.experience, 1, 0, 1000);
  reader.close();
}

void read_ability(Reader& reader, Ability& ability, std::string& name, const toml::table& table) {
  reader.text("name", name);
  std::string aim;
  reader.text("aim", aim);
  const std::vector<std::string> aims = {"area", "enemy", "ally", "direction"};
  const auto found = std::find(aims.begin(), aims.end(), aim);
  if (found == aims.end()) reader.fail(table, unknown_name("aim", aim, aims).message);
  ability.aim = static_cast<Aim>(found - aims.begin());
  reader.number("cooldown", ability.cooldown, kTicks, 0.5, 120);
  reader.number("range", ability.range, kLength, 0, 20, false);
  reader.number("radius", ability.radius, kLength, 0, 12, false);
  reader.number("damage", ability.damage, kHealth, 0, 1000, false);
  reader.number("damage_growth", ability.damage_growth, kHealth, 0, 200, false);
  reader.number("heal", ability.heal, kHealth, 0, 1000, false);
  reader.number("heal_growth", ability.heal_growth, kHealth, 0, 200, false);
  reader.number("shield", ability.shield, kHealth, 0, 1000, false);
  reader.number("shield_growth", ability.shield_growth, kHealth, 0, 200, false);
  reader.number("stun", ability.stun, kTicks, 0, 5, false);
  reader.number("slow", ability.slow, 1, 0, 90, false);
  reader.number("haste", ability.haste, 1, 0, 200, false);
  reader.number("duration", ability.duration, kTicks, 0, 20, false);
  reader.number("dash", ability.dash, kLength, 0, 12, false);
  reader.number("pull", ability.pull, kLength, 0, 12, false);
  reader.close();
  const bool targeted = ability.aim == Aim::enemy || ability.aim == Aim::ally;
  if (targeted && ability.range == 0) reader.fail(table, "an ability with a target needs a 'range'");
  if ((ability.slow > 0 || ability.haste > 0 || ability.shield > 0) && ability.duration == 0)
    reader.fail(table, "slow, haste and shield need a 'duration'");
  if (ability.aim == Aim::ally && (!ability.helps() || ability.harms()))
    reader.fail(table, "an ability for an ally needs heal, shield or haste, and does no harm");
  if (!ability.harms() && !ability.helps() && ability.dash == 0) reader.fail(table, "the ability does nothing");
}

void read_hero(Reader& reader, Hero& hero) {
  reader.number("health", hero.health, kHealth, 50, 5000);
  reader.number("health_growth", hero.health_growth, kHealth, 0, 500);
  reader.number("attack", hero.attack, kHealth, 1, 500);
  reader.number("attack_growth", hero.attack_growth, kHealth, 0, 50);
  reader.number("attack_interval", hero.attack_interval, kPace, 0.5, 5);
  reader.number("range", hero.range, kLength, 1, 12);
  reader.number("speed", hero.speed, kSpeed, 1, 8);
  reader.number("armour", hero.armour, 1, 0, 300);
  reader.number("armour_growth", hero.armour_growth, 10, 0, 30);  // in tenths
  reader.number("regeneration", hero.regeneration, kRate, 0, 100);
  reader.number("regeneration_growth", hero.regeneration_growth, kRate, 0, 20);
}

void read_lane(Reader& reader, const Rules& rules, Lane& lane, const toml::table& table) {
  const std::vector<Point> path = reader.points("path", 2, 3), towers = reader.points("towers", 2, 2);
  reader.close();
  if (reader.error()) return;
  if (path.front().x != rules.base.x || path.front().y != rules.base.y || path.back().x != rules.width / 2)
    return reader.fail(table, "'path' must lead from the base to the middle of the map");
  for (const Point& p : path) lane.path[lane.points++] = p;
  for (std::size_t i = path.size() - 1; i-- > 0;) lane.path[lane.points++] = {rules.width - path[i].x, path[i].y};
  std::copy(towers.begin(), towers.end(), lane.towers.begin());
}

void read_levels(Reader& reader, Rules& rules) {
  const toml::node* node = reader.find("levels", true);
  if (!node) return;
  const toml::array* list = node->as_array();
  if (!list || list->empty() || list->size() >= kMaxLevel)
    return reader.fail(*node, fmt::format("'levels' must be a list of 1 to {} numbers", kMaxLevel - 1));
  std::int64_t last = 0;
  for (const toml::node& item : *list) {
    const auto value = item.value<std::int64_t>();
    if (!value || *value <= last || *value > 1'000'000)
      return reader.fail(*node, "'levels' must be whole numbers, each above the one before");
    last = *value;
    rules.levels[rules.max_level++] = static_cast<std::int32_t>(last);
  }
  ++rules.max_level;
}

template <class T>
std::uint64_t hash_of(const T& numbers) {
  static_assert(sizeof(T) % sizeof(std::int32_t) == 0);
  std::int32_t words[sizeof(T) / sizeof(std::int32_t)];
  std::memcpy(words, &numbers, sizeof(T));
  std::uint64_t hash = sizeof(T);
  for (const std::int32_t word : words)
    hash = Key::mix(hash ^ (static_cast<std::uint64_t>(static_cast<std::uint32_t>(word)) + Key::kGolden));
  return hash;
}

}  // namespace

Result<std::shared_ptr<const Data>> parse_data(std::string_view text, std::string_view file) {
  const Result<toml::table> parsed = parse_toml(text, file);
  if (!parsed) return parsed.error();
  const toml::table& root = parsed.value();
  auto data = std::make_shared<Data>();
  Rules& rules = data->rules;
  Reader reader(file, *data);

  reader.open(root, "");
  const toml::table& map = reader.table("map");
  const auto lanes = reader.tables("lanes", kLaneCount, kLaneCount);
  const toml::table &creeps = reader.table("creeps"), &tower = reader.table("tower"), &base = reader.table("base");
  const toml::table &economy = reader.table("economy"), &heroes = reader.table("heroes");
  const toml::table& rewards = reader.table("rewards");
  const auto items = reader.tables("items", 1, kMaxItems), hero_list = reader.tables("hero", kTeam, kMaxHeroes);
  reader.close();
  if (reader.error()) return *reader.error();

  reader.open(map, "map");
  reader.number("width", rules.width, kLength, 40, 200);
  reader.number("height", rules.height, kLength, 20, 200);
  reader.number("fountain", rules.fountain, kLength, 1, 30);
  rules.width &= ~1;
  rules.base = reader.point("base");
  reader.close();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    reader.open(*lanes[i], fmt::format("lanes {}", i + 1));
    reader.text("name", data->lanes.emplace_back());
    read_lane(reader, rules, rules.lanes[i], *lanes[i]);
  }

  reader.open(creeps, "creeps");
  reader.number("first_wave", rules.first_wave, kTicks, 0, 120);
  reader.number("interval", rules.wave_interval, kTicks, 5, 120);
  reader.number("reinforcement", rules.reinforcement, kTicks, 30, 3600);
  reader.number("growth", rules.creep_growth, 1, 0, 100);
  reader.number("aggression", rules.aggression, kLength, 1, 20);
  const toml::table &melee = reader.table("melee"), &ranged = reader.table("ranged");
  reader.close();
  reader.open(melee, "creeps.melee");
  read_unit(reader, rules.melee, true);
  reader.open(ranged, "creeps.ranged");
  read_unit(reader, rules.ranged, true);
  reader.open(tower, "tower");
  read_unit(reader, rules.tower, false);
  reader.open(base, "base");
  read_unit(reader, rules.core, false);

  reader.open(economy, "economy");
  reader.number("start_gold", rules.start_gold, 1, 0, 5000);
  reader.number("gold_per_minute", rules.gold_per_minute, 1, 0, 2000);
  reader.number("kill_gold", rules.kill_gold, 1, 0, 2000);
  reader.number("assist_gold", rules.assist_gold, 1, 0, 2000);
  reader.number("kill_experience", rules.kill_experience, 1, 0, 2000);
  reader.number("kill_experience_per_level", rules.kill_experience_per_level, 1, 0, 500);
  reader.number("experience_radius", rules.experience_radius, kLength, 1, 60);
  read_levels(reader, rules);
  reader.close();

  reader.open(heroes, "heroes");
  reader.number("sight", rules.hero_sight, kLength, 1, 30);
  reader.number("respawn", rules.respawn, kTicks, 0.5, 60);
  reader.number("respawn_per_level", rules.respawn_per_level, kTicks, 0, 10);
  reader.number("recall", rules.recall, kTicks, 0.5, 20);
  reader.number("fountain_percent", rules.fountain_percent, 1, 0, 100);
  reader.number("assist_time", rules.assist_time, kTicks, 0, 60);
  reader.close();

  reader.open(rewards, "rewards");
  reader.number("gold", rules.rewards.gold, kReward, -0.01, 0.01);
  reader.number("spent", rules.rewards.spent, kReward, -0.01, 0.01);
  reader.number("experience", rules.rewards.experience, kReward, -0.01, 0.01);
  reader.number("last_hit", rules.rewards.last_hit, kReward, -1, 1);
  reader.number("kill", rules.rewards.kill, kReward, -1, 1);
  reader.number("assist", rules.rewards.assist, kReward, -1, 1);
  reader.number("death", rules.rewards.death, kReward, -1, 1);
  reader.number("tower", rules.rewards.tower, kReward, -1, 1);
  reader.number("base", rules.rewards.base, kReward, -1, 1);
  reader.number("health", rules.rewards.health, kReward, -1, 1);
  reader.close();

  for (const toml::table* table : items) {
    Item& item = rules.items[rules.items_count++];
    reader.open(*table, fmt::format("item {}", rules.items_count));
    reader.text("name", data->items.emplace_back());
    reader.open(*table, data->items.back());
    reader.find("name", true);
    reader.number("price", item.price, 1, 1, 5000);
    reader.number("health", item.health, kHealth, 0, 5000, false);
    reader.number("attack", item.attack, kHealth, 0, 500, false);
    reader.number("armour", item.armour, 1, 0, 300, false);
    reader.number("speed", item.speed, kSpeed, 0, 5, false);
    reader.number("power", item.power, 1, 0, 300, false);
    reader.number("lifesteal", item.lifesteal, 1, 0, 100, false);
    reader.number("attack_speed", item.attack_speed, 1, 0, 200, false);
    reader.number("regeneration", item.regeneration, kRate, 0, 100, false);
    reader.close();
  }

  const std::vector<std::string> roles = {"tank", "fighter", "marksman", "mage", "support", "assassin"};
  for (const toml::table* table : hero_list) {
    Hero& hero = rules.heroes[rules.heroes_count++];
    reader.open(*table, fmt::format("hero {}", rules.heroes_count));
    std::string name;
    reader.text("name", name);
    if (std::find(data->heroes.begin(), data->heroes.end(), name) != data->heroes.end())
      reader.fail(*table, "there are two heroes '" + name + "'");
    data->heroes.push_back(name);
    reader.open(*table, name);
    reader.find("name", true);
    std::string& role = data->roles.emplace_back();
    reader.text("role", role);
    if (std::find(roles.begin(), roles.end(), role) == roles.end())
      reader.fail(*table, unknown_name("role", role, roles).message);
    read_hero(reader, hero);
    const auto abilities = reader.tables("abilities", kAbilities, kAbilities);
    reader.close();
    data->abilities.emplace_back();
    for (std::size_t a = 0; a < abilities.size(); ++a) {
      reader.open(*abilities[a], fmt::format("{}.ability {}", name, a + 1));
      read_ability(reader, hero.abilities[a], data->abilities.back()[a], *abilities[a]);
    }
    if (reader.error()) return *reader.error();
  }
  if (reader.error()) return *reader.error();

  const auto add = [&](const std::string& name, std::uint64_t hash) { data->hashes.push_back({name, hash}); };
  for (std::size_t i = 0; i < data->heroes.size(); ++i) add("hero " + data->heroes[i], hash_of(rules.heroes[i]));
  for (std::size_t i = 0; i < data->items.size(); ++i) add("item " + data->items[i], hash_of(rules.items[i]));
  Rules rest = rules;  // all but heroes and items
  rest.melee = rest.ranged = rest.tower = rest.core = {};
  rest.lanes = {};
  rest.items = {};
  rest.heroes = {};
  add("creeps", hash_of(std::array{rules.melee, rules.ranged}));
  add("tower", hash_of(rules.tower));
  add("base", hash_of(rules.core));
  add("lanes", hash_of(rules.lanes));
  add("everything else", hash_of(rest));
  return std::shared_ptr<const Data>(std::move(data));
}

const Data& data() {
  static const std::shared_ptr<const Data> parsed = [] {
    Result<std::shared_ptr<const Data>> result = parse_data(embedded::heroes_toml, "games/lanes/heroes.toml");
    check(result.ok(), result.ok() ? "" : result.error().message.c_str());
    return result.value();
  }();
  return *parsed;
}

}  // namespace rival::lanes
