#include "games/lanes/lanes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "agent/scripted.hpp"
#include "base/index.hpp"
#include "game/conformance.hpp"
#include "game/spec.hpp"
#include "games/lanes/players.hpp"
#include "games/lanes/units.hpp"
#include "match/match.hpp"
#include "match/playthrough.hpp"
#include "nlohmann/json.hpp"
#include "rival/by_hand.hpp"

namespace rival {
namespace {

// One match that is stepped by hand.
class Match {
 public:
  explicit Match(Key key, int team_size = 5, std::vector<int> picks = {}) : spec_(Lanes::spec()), layout_(spec_) {
    settings_ = default_settings(spec_);
    settings_.parameters[0] = static_cast<float>(team_size);
    if (!picks.empty()) settings_.picks = std::move(picks);
    game.reset(settings_, key);
    choices_.resize(Lanes::kSeats * layout_.choice_count);
  }

  std::vector<float> observation(int seat) const { return observed(game, seat); }
  std::vector<std::uint8_t> mask(int seat) const {
    std::vector<std::uint8_t> row(layout_.mask_size);
    game.legal(seat, Mask(row.data(), layout_));
    return row;
  }
  std::int32_t& choice(int seat, int part) { return choices_[seat * layout_.choice_count + part]; }
  void order(int seat, int what, int direction = 0, int enemy = 0, int ally = 0) {
    choice(seat, Lanes::order) = what;
    choice(seat, Lanes::direction) = direction;
    choice(seat, Lanes::enemy) = enemy;
    choice(seat, Lanes::ally) = ally;
  }
  // Random allowed choices for a seat.
  void randomise(int seat, Random& random) {
    for (int p = 0; p < layout_.choice_count; ++p) {
      const std::vector<int> allowed = legal_choices(game, seat, p);
      choice(seat, p) = allowed[random.below(static_cast<int>(allowed.size()))];
    }
  }
  std::vector<float> step() {
    std::vector<float> rewards(Lanes::kSeats);
    game.step(Actions(choices_.data(), nullptr, 1, layout_), Key(), Rewards(rewards.data()));
    return rewards;
  }

  const Lanes& state() const { return game; }

  Lanes game;
  const RowLayout& layout() const { return layout_; }

 private:
  Spec spec_;
  RowLayout layout_;
  Settings settings_;
  std::vector<std::int32_t> choices_;
};

// The west's picks, for both sides.
std::vector<int> mirrored_picks() {
  return {0, 3, 5, 7, 9, 0, 3, 5, 7, 9};
}

TEST(Lanes, MirroredPlayIsMirrored) {
  for (int team_size : {1, 2, 5})
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      Match match(Key(1), team_size, mirrored_picks());
      Random random{Key(seed)};
      std::vector<float> rewards;
      while (match.game.status() == Status::running) {
        for (int seat = 0; seat < team_size; ++seat) {
          ASSERT_EQ(match.observation(seat), match.observation(seat + 5)) << "at tick " << match.game.time();
          ASSERT_EQ(match.mask(seat), match.mask(seat + 5)) << "at tick " << match.game.time();
          match.randomise(seat, random);
          // Random play seldom meets: mostly attack what there is.
          if (random.below(2) == 0 && match.mask(seat)[Lanes::attack]) match.choice(seat, 0) = Lanes::attack;
          for (int p = 0; p < 4; ++p) match.choice(seat + 5, p) = match.choice(seat, p);
        }
        rewards = match.step();
        for (int seat = 0; seat < team_size; ++seat) ASSERT_NEAR(rewards[seat], rewards[seat + 5], 1e-5);
      }
      EXPECT_EQ(match.game.result(0), 0);
      EXPECT_GT(match.state().side(0).kills + match.state().hero(0).last_hits, 0) << "nothing happened";
    }
}

// What is within sight of a team's units, worked out anew.
bool within_sight(const Lanes& game, int team, int enemy_unit) {
  const Lanes::Side &own = game.side(team), &other = game.side(1 - team);
  for (int unit = 0; unit < Lanes::kUnits; ++unit) {
    if (!own.is_alive(unit)) continue;
    const lanes::Rules& rules = game.rules();
    const int sight = unit < Lanes::kTeam        ? rules.hero_sight
                      : unit == Lanes::kBase     ? rules.core.sight
                      : unit < Lanes::kBase      ? rules.tower.sight
                      : (own.ranged >> unit) & 1 ? rules.ranged.sight
                                                 : rules.melee.sight;
    if (Lanes::distance2(own, unit, other, enemy_unit) <= sight * sight) return true;
  }
  return false;
}

TEST(Lanes, FogHidesWhatIsOutOfSight) {
  Match match(Key(2));
  Random random{Key(3)};
  int hidden = 0, shown = 0, redrawn = 0;
  while (match.game.status() == Status::running) {
    const Lanes& game = match.state();
    const int enemies = match.layout().observation_offset[1];
    for (int seat = 0; seat < Lanes::kSeats; ++seat) {
      match.randomise(seat, random);
      if (match.mask(seat)[Lanes::attack] && random.below(2) == 0) match.choice(seat, 0) = Lanes::attack;
      if (game.time() % 7 != 0) continue;
      const int team = seat / 5;
      const std::vector<float> row = match.observation(seat);
      if (game.side(team).is_alive(seat % 5))
        for (int h = 0; h < 5; ++h) {
          const bool there = game.side(1 - team).is_alive(h) && within_sight(game, team, h);
          EXPECT_EQ(row[enemies + h * Lanes::kFeatures], there ? 1.0f : 0.0f);
          ++(there ? shown : hidden);
        }
      // Whatever else the enemy may be up to, the seat sees and may do the same.
      Match other = match;
      other.game.resample_hidden(seat, Key(random.next()));
      EXPECT_EQ(other.observation(seat), row) << "seat " << seat << " at tick " << game.time();
      EXPECT_EQ(other.mask(seat), match.mask(seat));
      for (int enemy = 0; enemy < 5; ++enemy)
        redrawn += other.observation((1 - team) * 5 + enemy) != match.observation((1 - team) * 5 + enemy);
    }
    match.step();
  }
  EXPECT_GT(shown, 100);
  EXPECT_GT(hidden, 100);
  EXPECT_GT(redrawn, 100) << "redrawing changed nothing, so that the comparison proves nothing";
}

TEST(Lanes, ReplaysAreTheSameOnEveryMachine) {
  Match match(Key(4));
  Random random{Key(5)};
  std::uint64_t hash = 0;
  const auto add = [&](std::int64_t value) {
    hash = Key::mix(hash ^ (static_cast<std::uint64_t>(value) + Key::kGolden));
  };
  while (match.game.status() == Status::running) {
    for (int seat = 0; seat < Lanes::kSeats; ++seat) {
      match.randomise(seat, random);
      if (match.mask(seat)[Lanes::attack] && random.below(2) == 0) match.choice(seat, 0) = Lanes::attack;
    }
    match.step();
    for (int team : {0, 1}) {
      const Lanes::Side& side = match.state().side(team);
      for (std::size_t unit = 0; unit < Lanes::kUnits; ++unit) {
        add(side.x[unit]);
        add(side.y[unit]);
        add(side.health[unit]);
      }
      for (const Lanes::Hero& hero : side.heroes) add(hero.gold);
    }
  }
  // Meant to change along with the rules and the numbers, never with the machine or the compiler.
  EXPECT_EQ(hash, 17897903460303526355u);
}

TEST(Lanes, IsSmall) {
  EXPECT_LT(sizeof(Lanes), 4096u);
  EXPECT_LT(Match(Key(1)).layout().observation_size, 700);
}

TEST(Lanes, TeamSizes) {
  for (int size = 1; size <= 5; ++size) {
    Match match(Key(6), size);
    const SeatSet acting = match.game.to_act();
    EXPECT_EQ(acting.count(), 2 * size);
    for (int seat = 0; seat < Lanes::kSeats; ++seat) EXPECT_EQ(acting.contains(seat), seat % 5 < size);
    for (int lane : {0, 1, 2}) EXPECT_EQ(match.game.front_tower(0, lane) != Lanes::kNone, size > 2 || lane == 1);
    const auto stage = nlohmann::json::parse(match.game.stage()), scene = nlohmann::json::parse(match.game.scene());
    EXPECT_EQ(stage["heroes"].size(), index(2 * size));
    EXPECT_EQ(scene["heroes"].size(), index(2 * size));
    EXPECT_EQ(stage["buildings"].size(), size > 2 ? 14u : 6u);
    EXPECT_EQ(scene["buildings"].size(), stage["buildings"].size());
  }
}

TEST(Lanes, HeroesArePickedOrDrawn) {
  std::vector<int> picks(10, -1);
  picks[1] = 4;
  picks[7] = 4;
  bool differ = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Match match(Key(seed), 5, picks);
    EXPECT_EQ(match.state().hero(1).kind, 4);
    EXPECT_EQ(match.state().hero(7).kind, 4);
    for (int a = 0; a < 10; ++a)
      for (int b = a + 1; b < (a < 5 ? 5 : 10); ++b)
        EXPECT_NE(match.state().hero(a).kind, match.state().hero(b).kind) << "twice in a team";
    differ = differ || match.state().hero(0).kind != Match(Key(100), 5, picks).state().hero(0).kind;
  }
  EXPECT_TRUE(differ);
}

TEST(Lanes, ParametersTakeEffect) {
  const Spec spec = Lanes::spec();
  for (std::size_t p = 2; p < spec.parameters.size(); ++p) {
    Settings low = default_settings(spec), high = low, standard = low;
    low.parameters[p] = spec.parameters[p].low;
    high.parameters[p] = spec.parameters[p].high;
    Lanes a, b, c, d;
    a.reset(low, Key(1));
    b.reset(high, Key(1));
    c.reset(standard, Key(1));
    d.reset({}, Key(1));
    EXPECT_NE(std::memcmp(&a.rules(), &b.rules(), sizeof(lanes::Rules)), 0) << spec.parameters[p].name;
    EXPECT_EQ(&c.rules(), &d.rules()) << "the standard numbers are shared";
  }
  Settings strong = default_settings(spec);
  for (std::size_t p = 0; p < spec.parameters.size(); ++p)
    if (spec.parameters[p].name == "warden.health") strong.parameters[p] = 1000;
  strong.picks[0] = 0;
  Lanes game;
  game.reset(strong, Key(1));
  const Lanes& state = game;
  EXPECT_EQ(state.side(0).max_health[0], 1000 * lanes::kHealth);
}

TEST(Lanes, OrdersDoWhatTheySay) {
  Match match(Key(7), 1, std::vector<int>(10, 4));  // Strider against Strider
  const Lanes& game = match.state();
  const int x = game.side(0).x[0], width = game.rules().width;
  match.order(0, Lanes::move, 0);
  match.order(5, Lanes::move, 0);
  match.step();
  EXPECT_EQ(game.side(0).x[0], x + game.hero(0).speed) << "direction 0 leads to the enemy";
  EXPECT_EQ(game.side(1).x[0], width - game.side(0).x[0]);
  match.order(0, Lanes::move, 2);
  const int y = game.side(0).y[0];
  match.step();
  EXPECT_GT(game.side(0).y[0], y);

  // Boots cost less than half a minute of gold; they are for sale at the base alone.
  match.order(0, Lanes::hold);
  match.order(5, Lanes::hold);
  while (game.hero(0).gold < 300) match.step();
  EXPECT_TRUE(match.mask(0)[Lanes::buy + 1]);
  const int gold = game.hero(0).gold, speed = game.hero(0).speed;
  match.order(0, Lanes::buy + 1);
  match.step();
  EXPECT_LT(game.hero(0).gold, gold);
  EXPECT_GT(game.hero(0).speed, speed);
  EXPECT_FALSE(match.mask(0)[Lanes::buy + 1]);

  // Attack walks to the tower, and the tower shoots back.
  for (int i = 0; i < 80 && game.hero(0).deaths == 0; ++i) {
    match.order(0, Lanes::attack, 0, Lanes::kTowerSlot + 1);
    match.step();
  }
  EXPECT_EQ(game.hero(0).deaths, 1);
  EXPECT_FALSE(game.to_act().contains(0)) << "the dead are not asked";
  const auto mask = match.mask(0);
  EXPECT_EQ(std::count(mask.begin(), mask.begin() + 15, 1), 1) << "and could only hold";
  EXPECT_LT(game.side(1).health[game.front_tower(1, 1)], game.rules().tower.health);
  match.order(0, Lanes::hold);
  for (int i = 0; i < 60 && !game.side(0).is_alive(0); ++i) match.step();
  EXPECT_TRUE(game.at_base(0, 0)) << "and come back at their base";
}

TEST(Lanes, AsksThoseWhoCanDoMoreThanWait) {
  Match match(Key(7), 1);
  const auto all = SeatSet::one(0).with(5);
  const auto recall = [&](std::vector<int> seats) {
    for (int seat : seats)
      while (!match.mask(seat)[Lanes::recall]) {
        match.order(seat, match.state().hero(seat).gold < 300 ? Lanes::hold : Lanes::move);
        match.step();
      }
    for (int seat : seats) match.order(seat, Lanes::recall);
    match.step();
    for (int seat : {0, 5}) match.order(seat, Lanes::hold);
    for (int seat : seats) EXPECT_GT(match.state().hero(seat).recall, 0);
  };
  EXPECT_EQ(match.state().to_act(), all);
  recall({0});
  EXPECT_EQ(match.state().to_act(), SeatSet::one(5));
  while (match.state().hero(0).recall > 0) match.step();
  EXPECT_EQ(match.state().to_act(), all);
  recall({0, 5});
  EXPECT_EQ(match.state().to_act(), all) << "nobody can do anything, but somebody has to be asked";
  const auto mask = match.mask(0);
  EXPECT_EQ(std::count(mask.begin(), mask.begin() + Lanes::buy + match.state().rules().items_count, 1), 1);
  EXPECT_TRUE(mask[Lanes::hold]);
}

TEST(Lanes, TheBaseDecides) {
  Match match(Key(8), 5);
  const Lanes& game = match.state();
  // The east holds; the west marches on the towers of the middle and then the base.
  while (game.status() == Status::running) {
    for (int seat = 0; seat < 5; ++seat)
      match.order(seat, Lanes::attack, 0, game.base_open(1) ? Lanes::kBaseSlot : Lanes::kTowerSlot + 1);
    match.step();
  }
  EXPECT_EQ(game.result(0), 1);
  EXPECT_EQ(game.result(1), -1);
  EXPECT_LT(game.time(), game.limit());
  EXPECT_FALSE(game.side(1).is_alive(Lanes::kBase));
}

// ---- the data file ------------------------------------------------------------------------------------------

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(LanesData, ErrorsNameTheLineAndTheKey) {
  const std::string good(embedded::heroes_toml);
  ASSERT_TRUE(lanes::parse_data(good, "heroes.toml").ok());
  struct Case {
    std::string text, error;
  };
  for (const Case& c : {
           Case{with(good, "width = 96.0", "width = "), "heroes.toml:"},
           Case{with(good, "width = 96.0", "widht = 96.0"), "map: 'width' is missing; there is 'widht'"},
           Case{with(good, "width = 96.0", "width = \"wide\""),
                "map: 'width' must be a number or { value, low, high }"},
           Case{with(good, "width = 96.0", "width = 960.0"), "map: 'width' must be between 40 and 200"},
           Case{with(good, "first_wave = 5.0\n", ""), "creeps: 'first_wave' is missing"},
           Case{with(good, "low = 150, high = 600", "low = 350, high = 600"),
                "creeps.melee: 'health' needs { value, low, high } with low <= value <= high"},
           Case{with(good, "value = 28, low = 8, high = 60", "value = 28, low = 8, high = 60.5"),
                "creeps.melee: 'gold' needs { value, low, high } in steps of 1"},
           Case{with(good, "value = 25.0, low = 15.0", "value = 25.25, low = 15.0"),
                "creeps: 'interval' needs { value, low, high } in steps of 0.5"},
           Case{with(good, "role = \"tank\"", "role = \"tnak\""), "unknown role 'tnak'; did you mean 'tank'"},
           Case{with(good, "aim = \"area\"\nradius", "aim = \"arena\"\nradius"),
                "Warden.ability 1: unknown aim 'arena'"},
           Case{with(good, "stun = 1.0", "stnu = 1.0"), "Warden.ability 1: unknown key 'stnu'"},
           Case{with(good, "name = \"Ironroot\"", "name = \"Warden\""), "there are two heroes 'Warden'"},
           Case{with(good, "levels = [110, 250", "levels = [110, 25"), "economy: 'levels' must be whole numbers"},
           Case{with(good, "[48.0, 7.0]", "[58.0, 7.0]"), "'path': points must lie in the western half"},
           Case{with(good, "[[items]]", "[[itmes]]"), "unknown key 'itmes'; did you mean 'items'"},
       }) {
    const auto result = lanes::parse_data(c.text, "heroes.toml");
    ASSERT_FALSE(result.ok()) << c.error;
    EXPECT_NE(result.error().message.find(c.error), std::string::npos) << result.error().message;
    EXPECT_EQ(result.error().message.rfind("heroes.toml:", 0), 0u) << result.error().message;
  }
}

TEST(LanesData, HashesTellWhatHasChanged) {
  const std::string good(embedded::heroes_toml);
  const auto before = lanes::parse_data(good, "a"),
             after = lanes::parse_data(with(good, "stun = 1.0", "stun = 1.5"), "b");
  ASSERT_TRUE(before.ok() && after.ok());
  const auto &a = before.value()->hashes, &b = after.value()->hashes;
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].hash != b[i].hash, a[i].name == "hero Warden") << a[i].name;
}

// ---- scripted players ---------------------------------------------------------------------------------------

MatchSummary play(const std::string& player, const std::string& against, int team_size, int matches) {
  const GameEntry entry = lanes::game_entry();
  const auto make = [&](const std::string& name) {
    for (const Baseline& baseline : entry.baselines)
      if (baseline.name == name) return baseline.make();
    return random_agent();
  };
  MatchOptions options{.matches = matches, .settings = default_settings(entry.spec), .batch = 64};
  options.settings.fixed.parameters[0] = static_cast<float>(team_size);
  const Result<MatchSummary> summary = play_matches(entry, *make(player), make(against).get(), Key(9), options);
  EXPECT_TRUE(summary.ok()) << summary.error().message;
  return summary.value();
}

TEST(LanesPlayers, EachBeatsTheOneBefore) {
  for (int team_size : {1, 5}) {
    EXPECT_GT(play("expert", "adept", team_size, 20).score.value, 0.6);
    EXPECT_GT(play("adept", "novice", team_size, 20).score.value, 0.6);
    EXPECT_GT(play("novice", "random", team_size, 20).score.value, 0.6);
  }
}

TEST(LanesPlayersSlow, EachBeatsTheOneBeforeForSure) {
  for (int team_size : {1, 2, 3, 4, 5}) {
    EXPECT_GT(play("expert", "adept", team_size, 400).score.interval.low, 0.75);
    EXPECT_GT(play("adept", "novice", team_size, 400).score.interval.low, 0.75);
    EXPECT_GT(play("novice", "random", team_size, 400).score.interval.low, 0.75);
  }
}

TEST(LanesPlayersSlow, MatchesOfExpertsEndByThemselves) {
  const MatchSummary summary = play("expert", "expert", 5, 200);
  EXPECT_GT(summary.mean_steps, 4 * 120);
  EXPECT_LT(summary.mean_steps, 9 * 120);
  EXPECT_TRUE(summary.score.interval.low < 0.5 && summary.score.interval.high > 0.5) << "against itself";
}

}  // namespace
}  // namespace rival
