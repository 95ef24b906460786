// Lanes: two teams of one to five heroes in the style of a MOBA. Waves of creeps march along three lanes (with one or
// two heroes a side only along the middle one) from base to base; towers stand in their way. Heroes earn gold by the
// last hit on creeps and heroes and experience by being near, buy items at their base, and win by destroying the
// enemy's. A team sees what is within sight of its own units. docs/lanes.md tells the rules to a designer; all numbers
// are in heroes.toml.
//
// The simulation is whole numbers only: positions in 1/64 of a unit, health in 1/16 of a point, time in ticks of half a
// second, one a step. All units decide by the state at the start of the tick; harm is dealt to all at once, so that no
// seat and no side comes first: the mirror image of a match is played as the mirror image. Nothing is drawn during a
// match; the key only draws heroes for seats that did not pick.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "games/lanes/data.hpp"
#include "rival/game.hpp"

namespace rival {

class Lanes {
 public:
  static constexpr int kTeam = lanes::kTeam, kSeats = 2 * kTeam;

  // Units of a team: heroes, towers (two a lane, the outer one first), the base, creeps (kLaneCreeps a lane).
  static constexpr int kTowers = lanes::kLaneCount * lanes::kTowersPerLane, kFirstTower = kTeam,
                       kBase = kFirstTower + kTowers, kFirstCreep = kBase + 1, kLaneCreeps = 12,
                       kUnits = kFirstCreep + lanes::kLaneCount * kLaneCreeps;
  static constexpr int kNone = 255;

  // Choices of action part 0; from `buy` on, one per item.
  enum Order { hold, move, attack, ability1, ability2, ability3, recall, buy };
  // Action parts. Direction d points d eighths of a turn from the enemy's side (0) southwards as the west team
  // sees it; the east team sees the map mirrored.
  enum Part { order, direction, enemy, ally };
  static constexpr int kDirections = 8;

  // Entities of the observation part `enemies`: heroes, the first standing tower of each lane, the base, then the
  // creeps in sight by distance. Of `allies`: likewise, without the base. The slots are targets too.
  static constexpr int kTowerSlot = kTeam, kBaseSlot = kTowerSlot + lanes::kLaneCount, kEnemyCreepSlot = kBaseSlot + 1,
                       kNearEnemies = 7, kEnemySlots = kEnemyCreepSlot + kNearEnemies, kAllyCreepSlot = kBaseSlot,
                       kNearAllies = 4, kAllySlots = kAllyCreepSlot + kNearAllies;
  static constexpr int kFeatures = 20;
  static constexpr int kSelf = 55;  // numbers of the observation part `self`

  static Spec spec();
  void reset(const Settings& settings, Key key);
  SeatSet playing() const;
  SeatSet to_act() const;
  void observe(int seat, Observation out) const;
  void legal(int seat, Mask mask) const;
  void step(const Actions& actions, Key key, Rewards rewards);
  Status status() const { return status_; }
  float result(int team) const { return static_cast<float>(team == 0 ? winner_ : -winner_); }
  std::string text() const;
  std::string text(int seat) const;
  std::string action_text(int seat, int choice) const;
  // Enemies out of sight are somewhere else out of sight, in another condition.
  void resample_hidden(int seat, Key key);
  std::string stage() const;
  std::string scene() const;

  // ---- the state, for scripted players and tests; what is inline stands in units.hpp ----

  struct Hero {
    std::uint8_t kind = 0, level = 1;
    std::uint16_t items = 0;                             // a bit each
    std::array<std::int16_t, lanes::kAbilities> wait{};  // ticks until an ability is ready
    std::int16_t respawn = 0;                            // ticks; 0: alive
    std::int16_t recall = 0;                             // ticks of the channel still to go; 0: none
    std::uint8_t haste = 0, haste_time = 0, shield_time = 0;
    std::uint8_t aggression = 0;  // ticks for which towers remember that it hurt a hero
    std::int16_t kills = 0, deaths = 0, assists = 0, last_hits = 0;
    std::int32_t shield = 0, gold = 0, earned = 0, experience = 0;
    std::array<std::int16_t, kTeam> hurt_at{};  // when enemy hero i last hurt it, in ticks; kNever
    std::int16_t last_hurt = 0;                 // by anybody
    // By level and items.
    std::int32_t damage = 0, interval = 0, range = 0, speed = 0, armour = 0, regeneration = 0, power = 0, lifesteal = 0;
    // What is in sight, by distance: units, kNone from the first that is missing.
    std::array<std::uint8_t, kNearEnemies> near_enemies{};
    std::array<std::uint8_t, kNearAllies> near_allies{};
  };
  static constexpr int kNever = -10'000;

  struct Side {
    std::array<std::int16_t, kUnits> x{}, y{};
    std::array<std::int32_t, kUnits> health{}, max_health{};
    std::array<std::int16_t, kUnits> wait{};  // until the next attack, in 1/16 of a tick
    std::array<std::uint8_t, kUnits> target{}, stun{}, slow{}, slow_time{};
    std::array<std::uint8_t, kUnits> waypoint{};  // of creeps
    std::uint64_t alive = 0;
    std::uint64_t ranged = 0;  // which creeps are
    std::uint64_t seen = 0;    // by the other team
    // How far from the own side creeps have come, in each lane: all of them, and those that the other team sees.
    std::array<std::int16_t, lanes::kLaneCount> front{}, seen_front{};
    std::array<Hero, kTeam> heroes{};
    std::int16_t kills = 0;

    bool is_alive(int unit) const { return (alive >> unit) & 1; }
    bool is_seen(int unit) const { return (seen >> unit) & 1; }
  };

  const lanes::Rules& rules() const { return *rules_; }
  const Side& side(int team) const { return sides_[team]; }
  const Hero& hero(int seat) const { return side(seat / kTeam).heroes[seat % kTeam]; }
  const lanes::Hero& kind(int seat) const { return rules_->heroes[hero(seat).kind]; }
  const lanes::Ability& ability(int seat, int a) const { return kind(seat).abilities[a]; }
  int time() const { return time_; }    // ticks since the start
  int limit() const { return limit_; }  // ticks until the match is decided
  int team_size() const { return team_size_; }
  bool lane_in_play(int lane) const { return team_size_ > 2 || lane == 1; }
  // The tower that can be attacked in a lane, or kNone once both have fallen.
  inline int front_tower(int team, int lane) const;
  inline bool base_open(int team) const;
  // The enemy unit behind a slot of `enemies`, or kNone: gone, out of sight, or not to be attacked yet.
  inline int enemy_in_slot(int seat, int slot) const;
  inline int ally_in_slot(int seat, int slot) const;
  inline int range_of(int team, int unit) const;
  inline int speed_of(int team, int unit) const;
  inline int armour_of(int team, int unit) const;
  inline int attack_of(int team, int unit) const;
  // What an attack of `damage` takes from a unit of `team`.
  inline int reduced(int damage, int team, int unit) const;
  // What a number of an ability is worth at the hero's level with its items.
  int ability_value(const Hero& hero, int value, int growth) const {
    return (value + growth * (hero.level - 1)) * (100 + hero.power) / 100;
  }
  inline bool at_base(int team, int unit) const;
  static int distance2(const Side& a, int i, const Side& b, int j) {
    const int dx = a.x[i] - b.x[j];
    const int dy = a.y[i] - b.y[j];
    return dx * dx + dy * dy;
  }

 private:
  struct Tick;
  struct Event {
    enum Kind : std::uint8_t { kill, building, cast, hit, purchase };
    Kind kind;
    std::int8_t a, b;
    std::int16_t x1, y1, x2, y2;
  };
  static constexpr int kEvents = 40, kHits = 28;  // hits leave room for the rest

  Side& side(int team) { return sides_[team]; }
  bool can_act(int team, int hero) const;
  void note(Event event) {
    if (event_count_ < (event.kind == Event::hit ? kHits : kEvents)) events_[event_count_++] = event;
  }

  void compute_stats(int team, int hero);
  void place_at_base(int team, int hero);
  void spawn_wave(int team);
  void count_down(int team);
  void obey(int team, int hero, const Actions& actions, Tick& tick);
  void strike(int team, int unit, int target, Tick& tick);
  void cast(int team, int hero, int number, const Actions& actions, Tick& tick);
  void harm(int team, int hero, const lanes::Ability& ability, int victim, Tick& tick);
  void hurt(int team, int unit, int victim, int damage, Tick& tick);
  void walk(int team, int unit, int x, int y, int stop, Tick& tick) const;
  void command_creep(int team, int unit, Tick& tick);
  void command_building(int team, int unit, Tick& tick);
  bool escorted(int team, int building, Tick& tick) const;
  void settle(int team, Tick& tick, Rewards rewards);
  void bury(int team, Tick& tick, Rewards rewards);
  void earn(int seat, int gold, Rewards rewards);
  void learn(int team, std::uint64_t heroes, int x, int y, int experience, Rewards rewards);
  void advance(int team, const Tick& tick, Rewards rewards);
  void refresh();
  void refresh_sight(int team);
  void refresh_near(int team);
  void decide();
  void write_entity(float* out, int seat, int team, int unit) const;
  std::string draw(int viewer) const;

  std::shared_ptr<const lanes::Rules> rules_;
  std::array<Side, 2> sides_{};
  std::int16_t time_ = 0, limit_ = 0;
  std::int8_t team_size_ = 0, winner_ = 0;  // winner_: 1 west, -1 east, 0 nobody
  Status status_ = Status::running;
  std::uint8_t event_count_ = 0;
  std::array<Event, kEvents> events_{};
};

}  // namespace rival
