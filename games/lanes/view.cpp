// How a match of `lanes` looks to people: text for terminals, JSON for `rival watch`.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/index.hpp"
#include "base/json.hpp"
#include "games/lanes/units.hpp"

namespace rival {

using lanes::at;

namespace {

double units(int length) {
  return std::round(100.0 * length / lanes::kLength) / 100;
}

int points(int health) {
  return (std::max(health, 0) + lanes::kHealth - 1) / lanes::kHealth;
}

}  // namespace

// The map at two units a column and three a row, and a line a hero. Heroes are 0-9 by seat, towers T and t, bases B
// and b, creeps w and e. viewer: a team, for what it sees, or -1.
std::string Lanes::draw(int viewer) const {
  const int columns = rules_->width / (2 * lanes::kLength) + 1, rows = rules_->height / (3 * lanes::kLength) + 1;
  std::vector<std::string> map(rows, std::string(columns, '.'));
  const auto put = [&](int team, int unit, char mark) {
    const Side& s = side(team);
    at(at(map, at(s.y, unit) / (3 * lanes::kLength)), at(s.x, unit) / (2 * lanes::kLength)) = mark;
  };
  const auto visible = [&](int team, int unit) {
    return side(team).is_alive(unit) && (viewer < 0 || viewer == team || side(team).is_seen(unit));
  };
  for (int from : {kFirstCreep, static_cast<int>(kFirstTower), 0})
    for (int team : {0, 1})
      for (int unit = from; unit < (from == 0 ? kTeam : from == kFirstTower ? kFirstCreep : kUnits); ++unit)
        if (visible(team, unit))
          put(team, unit,
              from == 0             ? static_cast<char>('0' + team * kTeam + unit)
              : unit == kBase       ? "Bb"[team]
              : from == kFirstTower ? "Tt"[team]
                                    : "we"[team]);
  std::string text = fmt::format("{}:{:02}  kills {}-{}  bases {}-{}\n", time_ / 120, time_ / 2 % 60, side(0).kills,
                                 side(1).kills, points(at(side(0).health, kBase)), points(at(side(1).health, kBase)));
  for (const std::string& row : map) text += row + "\n";
  for (int team : {0, 1})
    for (int h = 0; h < team_size_; ++h) {
      const Side& s = side(team);
      const Hero& hero = at(s.heroes, h);
      text += fmt::format("{} {:<11}", team * kTeam + h, lanes::data().heroes[hero.kind]);
      if (hero.respawn > 0)
        text += fmt::format("back in {} s", (hero.respawn + 1) / 2);
      else if (!visible(team, h))
        text += "out of sight";
      else
        text += fmt::format("level {} health {}/{}", hero.level, points(at(s.health, h)), points(at(s.max_health, h)));
      if (viewer < 0 || viewer == team) text += fmt::format(" gold {} last hits {}", hero.gold, hero.last_hits);
      text += "\n";
    }
  return text;
}

std::string Lanes::text() const {
  return draw(-1);
}

std::string Lanes::text(int seat) const {
  return draw(seat / kTeam);
}

std::string Lanes::action_text(int seat, int choice) const {
  switch (choice) {
    case hold:
      return "hold";
    case move:
      return "move";
    case attack:
      return "attack";
    case ability1:
    case ability2:
    case ability3:
      return lanes::data().abilities[hero(seat).kind][choice - ability1];
    case recall:
      return "recall";
    default:
      return "buy " + lanes::data().items[choice - buy];
  }
}

std::string Lanes::stage() const {
  using Json = nlohmann::json;
  const lanes::Data& data = lanes::data();
  Json stage{{"kind", "arena"},
             {"size", {units(rules_->width), units(rules_->height)}},
             {"step_seconds", 1.0 / lanes::kTicks},
             {"teams", {"West", "East"}},
             {"lanes", Json::array()},
             {"heroes", Json::array()},
             {"buildings", Json::array()},
             {"items", data.items}};
  for (int lane = 0; lane < lanes::kLaneCount; ++lane) {
    if (!lane_in_play(lane)) continue;
    Json path = Json::array();
    const lanes::Lane& points = at(rules_->lanes, lane);
    for (int i = 0; i < points.points; ++i) path.push_back({units(at(points.path, i).x), units(at(points.path, i).y)});
    stage["lanes"].push_back(path);
  }
  for (int team : {0, 1})
    for (int h = 0; h < team_size_; ++h) {
      const auto kind = at(side(team).heroes, h).kind;
      stage["heroes"].push_back({{"seat", team * kTeam + h},
                                 {"team", team},
                                 {"name", data.heroes[kind]},
                                 {"role", data.roles[kind]},
                                 {"sight", units(rules_->hero_sight)},
                                 {"abilities", data.abilities[kind]}});
    }
  for (int team : {0, 1})
    for (int b = kFirstTower; b <= kBase; ++b) {
      if (at(side(team).max_health, b) == 0) continue;
      const lanes::Unit& kind = b == kBase ? rules_->core : rules_->tower;
      stage["buildings"].push_back({{"team", team},
                                    {"kind", b == kBase ? "base" : "tower"},
                                    {"at", {units(at(side(team).x, b)), units(at(side(team).y, b))}},
                                    {"hp", points(at(side(team).max_health, b))},
                                    {"sight", units(kind.sight)}});
    }
  return json_text(stage);
}

// Written by hand: a replay has thousands of them.
std::string Lanes::scene() const {
  const auto list = [](std::string& text, const char* format, const auto&... values) {
    text += text.empty() || text.back() == '[' ? "" : ",";
    text += fmt::format(fmt::runtime(format), values...);
  };
  std::string heroes, creeps, buildings, events;
  int gold[2] = {};
  for (int team : {0, 1}) {
    const Side& s = side(team);
    for (int h = 0; h < team_size_; ++h) {
      const Hero& hero = at(s.heroes, h);
      std::string waits, items;
      for (int a = 0; a < lanes::kAbilities; ++a)
        list(waits, "{:.2g}", static_cast<double>(at(hero.wait, a)) / ability(team * kTeam + h, a).cooldown);
      for (int i = 0; i < rules_->items_count; ++i)
        if ((hero.items >> i) & 1) list(items, "{}", i);
      list(heroes, "[{},{},{},{},{},{},{},{},{},{},{},[{}],[{}]]", units(at(s.x, h)), units(at(s.y, h)),
           s.is_alive(h) ? points(at(s.health, h)) : 0, points(at(s.max_health, h)), hero.level, hero.gold, hero.kills,
           hero.deaths, hero.respawn * 0.5, static_cast<int>(s.is_seen(h)), static_cast<int>(at(s.stun, h) > 0), waits,
           items);
      gold[team] += hero.earned;
    }
    for (int unit = kFirstCreep; unit < kUnits; ++unit)
      if (s.is_alive(unit))
        list(creeps, "[{},{},{},{},{},{}]", units(at(s.x, unit)), units(at(s.y, unit)), team,
             std::max(1, 100 * at(s.health, unit) / at(s.max_health, unit)), (s.ranged >> unit) & 1,
             static_cast<int>(s.is_seen(unit)));
    for (int b = kFirstTower; b <= kBase; ++b)
      if (at(s.max_health, b) > 0) list(buildings, "{}", points(at(s.health, b)));
  }
  const auto building_index = [&](int number) {  // among those in play
    int index = 0;
    for (int i = 0; i < number; ++i)
      index += at(side(i / (kTowers + 1)).max_health, kFirstTower + i % (kTowers + 1)) > 0;
    return index;
  };
  for (int i = 0; i < event_count_; ++i) {
    const Event& e = at(events_, i);
    switch (e.kind) {
      case Event::kill:
        list(events, "[\"kill\",{},{}]", e.a, e.b);
        break;
      case Event::building:
        list(events, "[\"building\",{}]", building_index(e.a));
        break;
      case Event::cast:
        list(events, "[\"cast\",{},{},{},{},{}]", e.a, e.b, units(e.x1), units(e.y1), units(e.x2));
        break;
      case Event::hit:
        list(events, "[\"hit\",{},{},{},{},{}]", units(e.x1), units(e.y1), units(e.x2), units(e.y2), e.a);
        break;
      case Event::purchase:
        list(events, "[\"buy\",{},{}]", e.a, e.b);
        break;
    }
  }
  return fmt::format(
      R"({{"t":{},"heroes":[{}],"creeps":[{}],"buildings":[{}],"score":[{},{}],"gold":[{},{}],"events":[{}]}})",
      time_ * 0.5, heroes, creeps, buildings, side(0).kills, side(1).kills, gold[0], gold[1], events);
}

}  // namespace rival
