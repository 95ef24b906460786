#include "plug/library.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "agent/scripted.hpp"
#include "base/temporary_folder.hpp"
#include "game/conformance.hpp"
#include "game/rows.hpp"
#include "games/cartpole/cartpole.hpp"
#include "games/connect_four/connect_four.hpp"
#include "games/kuhn_poker/kuhn_poker.hpp"
#include "games/lanes/lanes.hpp"
#include "games/leduc_poker/leduc_poker.hpp"
#include "games/pendulum/pendulum.hpp"
#include "games/pig/pig.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"
#include "match/match.hpp"
#include "rival/game_library.hpp"

namespace rival {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// ---- a game behind the ABI is the game itself -----------------------------------------------------------------

void expect_same_spec(const Spec& a, const Spec& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.seats, b.seats);
  for (int seat = 0; seat < a.seats; ++seat) EXPECT_EQ(a.team_of(seat), b.team_of(seat));
  EXPECT_EQ(a.simultaneous, b.simultaneous);
  EXPECT_EQ(a.hidden_information, b.hidden_information);
  EXPECT_EQ(a.max_steps, b.max_steps);
  EXPECT_EQ(a.seconds_per_step, b.seconds_per_step);
  ASSERT_EQ(a.observation.size(), b.observation.size());
  for (std::size_t i = 0; i < a.observation.size(); ++i) {
    const ObservationPart &x = a.observation[i], &y = b.observation[i];
    EXPECT_EQ(std::tie(x.name, x.kind, x.channels, x.height, x.width),
              std::tie(y.name, y.kind, y.channels, y.height, y.width));
  }
  ASSERT_EQ(a.action.size(), b.action.size());
  for (std::size_t i = 0; i < a.action.size(); ++i) {
    const ActionPart &x = a.action[i], &y = b.action[i];
    EXPECT_EQ(std::tie(x.name, x.kind, x.size, x.low, x.high, x.entities, x.when_part, x.when_choices),
              std::tie(y.name, y.kind, y.size, y.low, y.high, y.entities, y.when_part, y.when_choices));
  }
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    const Parameter &x = a.parameters[i], &y = b.parameters[i];
    EXPECT_EQ(std::tie(x.name, x.value, x.low, x.high, x.step, x.description),
              std::tie(y.name, y.value, y.low, y.high, y.step, y.description));
  }
  ASSERT_EQ(a.choices.size(), b.choices.size());
  for (std::size_t i = 0; i < a.choices.size(); ++i)
    EXPECT_EQ(std::tie(a.choices[i].name, a.choices[i].options), std::tie(b.choices[i].name, b.choices[i].options));
  ASSERT_EQ(a.data.size(), b.data.size());
  for (std::size_t i = 0; i < a.data.size(); ++i)
    EXPECT_EQ(std::tie(a.data[i].name, a.data[i].hash), std::tie(b.data[i].name, b.data[i].hash));
}

// What tools see of a match.
void expect_same_match(const Batch& a, const Batch& b, int m) {
  ASSERT_EQ(a.hash(m), b.hash(m));
  EXPECT_EQ(a.status(m), b.status(m));
  EXPECT_EQ(a.steps(m), b.steps(m));
  EXPECT_EQ(a.to_act(m), b.to_act(m));
  EXPECT_EQ(a.playing(m), b.playing(m));
  EXPECT_EQ(a.text(m), b.text(m));
  EXPECT_EQ(a.stage(m), b.stage(m));
  EXPECT_EQ(a.scene(m), b.scene(m));
  for (int seat = 0; seat < a.spec().seats; ++seat) {
    EXPECT_EQ(a.text(m, seat), b.text(m, seat));
    if (a.spec().action[0].is_choice()) {
      EXPECT_EQ(a.action_text(m, seat, 0), b.action_text(m, seat, 0));
    }
  }
  const bool over = a.status(m) == Status::finished;
  for (int team = 0; over && team < a.spec().team_count(); ++team) EXPECT_EQ(a.result(m, team), b.result(m, team));
}

// The same matches in both, played at random for so many steps, with what ends started anew.
void expect_same_play(const GameEntry& one, const GameEntry& other, int steps) {
  const std::unique_ptr<Batch> a = one.make_batch(5), b = other.make_batch(5);
  EXPECT_EQ(a->has_result(), b->has_result());
  const Settings settings = default_settings(one.spec);
  a->start_all(settings, Key(3));
  b->start_all(settings, Key(3));
  BatchRows rows_a(*a), rows_b(*b);
  const std::unique_ptr<Agent> random = random_agent();
  int finished = 0;
  for (int step = 0; step < steps; ++step) {
    const Result<void> shown_a = rows_a.observe(), shown_b = rows_b.observe();
    ASSERT_TRUE(shown_a && shown_b) << (shown_b ? "" : shown_b.error().message);
    ASSERT_EQ(rows_a.seats, rows_b.seats);
    ASSERT_EQ(rows_a.observations, rows_b.observations);
    ASSERT_EQ(rows_a.masks, rows_b.masks);
    if (step % 7 == 0) expect_same_match(*a, *b, step / 7 % 5);
    random->act(rows_a.decisions(), Key(static_cast<std::uint64_t>(step)), rows_a.choices.data(), rows_a.values.data());
    ASSERT_TRUE(rows_a.take(rows_a.acting(), "random"));
    rows_b.choices = rows_a.choices;
    rows_b.values = rows_a.values;
    ASSERT_TRUE(rows_a.step() && rows_b.step());
    ASSERT_EQ(rows_a.rewards, rows_b.rewards);
    ASSERT_EQ(rows_a.status, rows_b.status);
    std::vector<int> over;
    std::vector<Key> keys;
    for (int m = 0; m < 5; ++m)
      if (rows_a.status[m] != Status::running) {
        expect_same_match(*a, *b, m);
        over.push_back(m);
        keys.push_back(Key(9).split(static_cast<std::uint64_t>(step)).split(static_cast<std::uint64_t>(m)));
      }
    finished += static_cast<int>(over.size());
    if (over.size() < 3) continue;  // leave some standing for a while
    a->start(over, settings, keys);
    b->start(over, settings, keys);
  }
  if (one.spec.max_steps > 0 && one.spec.max_steps < steps) {
    EXPECT_GT(finished, 0);
  }
}

template <class G>
const rival_game_table* table_of(std::uint32_t version) {
  return game_table<G>(version);
}

template <class G>
GameEntry behind_abi() {
  const Result<GameEntry> game = game_of_table(&table_of<G>, "lib");
  EXPECT_TRUE(game) << game.error().message;
  return game.value();
}

template <class G>
class OfLibrary : public testing::Test {};
using AllGames = testing::Types<TicTacToe, ConnectFour, Pig, CartPole, Pendulum, KuhnPoker, LeducPoker, Lanes>;
TYPED_TEST_SUITE(OfLibrary, AllGames);

TYPED_TEST(OfLibrary, IsTheGameItself) {
  const GameEntry built_in = game_entry<TypeParam>(), library = behind_abi<TypeParam>();
  expect_same_spec(built_in.spec, library.spec);
  expect_same_play(built_in, library, 300);
}

TYPED_TEST(OfLibrary, KeepsItsPromises) {
  const GameEntry library = behind_abi<TypeParam>();
  const bool lengthy = library.spec.seconds_per_step > 0;
  const Result<void> sound = check_quickly(library.make_batch, library.typed());
  EXPECT_TRUE(sound) << sound.error().message;
  if (lengthy) return;
  const ConformanceReport report = check_conformance(library.make_batch, Key(1), 3);
  EXPECT_TRUE(report.passed()) << report.text();
}

TEST(Library, CopiesGoOnAlone) {
  const GameEntry game = behind_abi<Pig>();
  const std::unique_ptr<Batch> a = game.make_batch(2), b = game.make_batch(1);
  a->start_all({}, Key(1));
  ASSERT_TRUE(b->copy_match(*a, 1, 0));
  EXPECT_EQ(a->hash(1), b->hash(0));
  const std::int32_t roll[2] = {0, 0};
  float rewards[4];
  Status status[2];
  for (int i = 0; i < 9; ++i) a->step({roll, nullptr}, {rewards, status});
  EXPECT_NE(a->text(1), b->text(0));
  for (int i = 0; i < 9; ++i) b->step({roll, nullptr}, {rewards, status});
  EXPECT_EQ(a->text(1), b->text(0));  // with the same dice, for the key came along
}

void expect_same_outcomes(const Outcomes& a, const Outcomes& b) {
  ASSERT_TRUE(a.matches && b.matches);
  EXPECT_EQ(a.probabilities, b.probabilities);
  EXPECT_EQ(a.rewards, b.rewards);
  ASSERT_EQ(a.matches->matches(), b.matches->matches());
  for (int m = 0; m < a.matches->matches(); ++m) expect_same_match(*a.matches, *b.matches, m);
}

TEST(Library, TellsAllOutcomesOfChance) {
  const GameEntry game = behind_abi<LeducPoker>();
  const auto own = BatchOf<LeducPoker>::make(1), other = game.make_batch(1);
  Outcomes a = own->starts({}), b = other->starts({});
  ASSERT_GT(a.probabilities.size(), 1u);
  expect_same_outcomes(a, b);
  // Both call; then a card is dealt, and one raises and the other folds.
  std::vector<std::size_t> branches;
  for (const LeducPoker::Choice what : {LeducPoker::call, LeducPoker::call, LeducPoker::raise, LeducPoker::fold}) {
    const std::int32_t choice = what;
    a = a.matches->outcomes(0, {&choice, nullptr});
    b = b.matches->outcomes(0, {&choice, nullptr});
    expect_same_outcomes(a, b);
    branches.push_back(b.probabilities.size());
  }
  EXPECT_EQ(branches.size(), 4u);
  EXPECT_GT(branches[1], 1u);
  EXPECT_EQ(b.matches->status(0), Status::finished);
  EXPECT_NE(b.rewards[0], 0);  // results are among the rewards
}

// ---- exceptions -----------------------------------------------------------------------------------------------

// Throws where its parameter says.
struct Thrower {
  static Spec spec() {
    return {.name = "thrower",
            .description = "Throws",
            .seats = 2,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("nothing", 1)},
            .parameters = {{.name = "where", .value = 0, .low = 0, .high = 9, .step = 1}},
            .max_steps = 3};
  }
  void may_throw(int here) const {
    if (here == where && steps == 2) throw std::runtime_error("boom");
  }
  void reset(const Settings& settings, Key) {
    steps = 0;
    where = static_cast<int>(settings.parameters[0]);
    if (where == 1) throw 7;
  }
  SeatSet to_act() const { return may_throw(2), SeatSet::one(steps % 2); }
  void observe(int, Observation) const { may_throw(3); }
  void legal(int, Mask mask) const { may_throw(4), mask.allow(0); }
  void step(const Actions&, Key, Rewards) { may_throw(5), ++steps; }
  Status status() const { return steps < 3 ? Status::running : Status::finished; }
  float result(int) const { return where == 6 ? throw std::runtime_error("boom") : 0.0f; }
  int steps = 0, where = 0;
};

TEST(Library, ExceptionsOfRulesSayWhatTheySayBuiltIn) {
  for (int where = 1; where <= 6; ++where) {
    std::string said[2];
    for (const bool library : {false, true}) {
      const auto batch = library ? behind_abi<Thrower>().make_batch(3) : BatchOf<Thrower>::make(3);
      batch->start_all({.parameters = {static_cast<float>(where)}}, Key(1));
      BatchRows rows(*batch);
      Result<void> good;
      for (int i = 0; i < 4 && good; ++i) {
        good = rows.observe();
        std::fill(rows.choices.begin(), rows.choices.end(), 0);
        if (good) good = rows.step();
      }
      ASSERT_FALSE(good) << where;
      said[library] = good.error().message;
    }
    EXPECT_TRUE(has(said[1], "threw: ")) << said[1];
    EXPECT_TRUE(said[1].starts_with(said[0] + " (")) << said[0] << "\n" << said[1];
    EXPECT_TRUE(has(said[1], " of lib)")) << said[1];
  }
}

// ---- libraries that are wrong ---------------------------------------------------------------------------------

// What rival_game() gives in these tests, for each version; copied from a good game, and then changed.
struct Wrong {
  rival_game_table table, *given = &table, *newest = &table;
  rival_spec spec;
  std::vector<rival_observation_part> observation;
  std::vector<rival_action_part> action;
  std::vector<rival_parameter> parameters;
  std::vector<rival_choice> choices;
};
Wrong wrong;

const rival_game_table* wrong_game(std::uint32_t version) {
  return version == 0 ? wrong.newest : wrong.given;
}
const char* wrong_spec(const rival_spec** spec) {
  *spec = &wrong.spec;
  return nullptr;
}
const rival_game_table& good() {
  return *game_table<TicTacToe>(1);
}

void begin_with_a_good_one() {
  wrong = {};
  wrong.table = good();
  wrong.given = wrong.newest = &wrong.table;
  wrong.table.spec = wrong_spec;
  const rival_spec* spec = nullptr;
  ASSERT_EQ(good().spec(&spec), nullptr);
  wrong.spec = *spec;
  wrong.observation.assign(spec->observation, spec->observation + spec->observation_count);
  wrong.action.assign(spec->action, spec->action + spec->action_count);
  wrong.spec.observation = wrong.observation.data();
  wrong.spec.action = wrong.action.data();
}

struct WrongCase {
  std::function<void()> change;
  std::string said;
};

const std::vector<WrongCase>& wrong_cases() {
  static const char* const kNoNames[] = {"a", nullptr};
  static const rival_parameter kParameter = {sizeof kParameter, "speed", nullptr, 3, 0, 2, 0};
  static const rival_choice kChoice = {sizeof kChoice, "hero", kNoNames, 2};
  static const std::vector<WrongCase> cases = {
      // The version.
      {[] { wrong.given = nullptr, wrong.table.abi_version = 2; },
       "this program speaks version 1 of the game ABI, and the library has version 2"},
      {[] { wrong.given = wrong.newest = nullptr; }, "and it names no version that it has"},
      {[] { wrong.table.abi_version = 2; }, "asked for version 1 of the game ABI, it gave a table of version 2"},
      // The table.
      {[] { wrong.table.struct_size = 0; }, "table.struct_size is 0"},
      {[] { wrong.table.struct_size = 16; }, "table.struct_size is 16, and not the"},
      {[] { wrong.table.struct_size = 1u << 30; }, "table.struct_size is 1073741824"},
      {[] { wrong.table.spec = nullptr; }, "table.spec is NULL, and every game needs it"},
      {[] { wrong.table.create = nullptr; }, "table.create is NULL"},
      {[] { wrong.table.destroy = nullptr; }, "table.destroy is NULL"},
      {[] { wrong.table.start = nullptr; }, "table.start is NULL"},
      {[] { wrong.table.observe = nullptr; }, "table.observe is NULL"},
      {[] { wrong.table.step = nullptr; }, "table.step is NULL"},
      {[] { wrong.table.status = nullptr; }, "table.status is NULL"},
      {[] { wrong.table.to_act = nullptr; }, "table.to_act is NULL"},
      {[] { wrong.table.observe_seat = nullptr; }, "table.observe_seat is NULL"},
      {[] { wrong.table.stage = [](auto*, auto, auto**) -> const char* { return nullptr; }; },
       "table.stage and table.scene go together"},
      // The Spec.
      {[] { wrong.table.spec = [](auto**) { return "no rules.toml"; }; }, "cannot say what its game is: no rules.toml"},
      {[] { wrong.table.spec = [](auto** spec) -> const char* { return *spec = nullptr, nullptr; }; }, "spec is NULL"},
      {[] { wrong.spec.struct_size = 0; }, "spec.struct_size is 0"},
      {[] { wrong.spec.struct_size -= 8; }, "spec.struct_size is "},
      {[] { wrong.spec.name = nullptr; }, "spec.name is NULL"},
      {[] { wrong.spec.name = "../x"; }, "has the name '../x'"},
      {[] { wrong.spec.seats = 0; }, "spec.seats is 0, and must be 1 to 64"},
      {[] { wrong.spec.seats = 65; }, "spec.seats is 65"},
      {[] { wrong.spec.masks = 2; }, "spec.masks is 2, and must be 0 or 1"},
      {[] { wrong.spec.simultaneous = -1; }, "spec.simultaneous is -1"},
      {[] { wrong.spec.max_steps = -1; }, "max_steps must not be negative"},
      {[] { wrong.spec.seconds_per_step = NAN; }, "seconds_per_step must be"},
      {[] { wrong.spec.observation_count = 0; }, "observation has no parts"},
      {[] { wrong.spec.observation_count = -1; }, "the number of spec.observation is -1"},
      {[] { wrong.spec.action_count = 1 << 30; }, "the number of spec.action is 1073741824"},
      {[] { wrong.spec.observation = nullptr; }, "spec.observation is NULL, and there should be 1"},
      {[] { wrong.observation[0].struct_size = 0; }, "spec.observation[0].struct_size is 0"},
      {[] { wrong.observation[0].struct_size += 3; },
       "spec.observation[0].struct_size is 35, which is no struct's size"},
      {[] { wrong.observation[0].name = nullptr; }, "spec.observation[0].name is NULL"},
      {[] { wrong.observation[0].kind = 3; }, "spec.observation[0].kind is 3, and must be RIVAL_VECTOR"},
      {[] { wrong.observation[0].width = 0; }, "has no cells"},
      {[] { wrong.observation[0].height = -4; }, "has no cells"},
      {[] { wrong.observation[0].width = 1 << 30; }, "has more than 16777216 cells"},
      {[] {
         wrong.observation.push_back(wrong.observation[0]);
         wrong.observation[1].struct_size += 8;
         wrong.spec.observation = wrong.observation.data();
         wrong.spec.observation_count = 2;
       },
       "spec.observation[1].struct_size is "},
      {[] { wrong.action[0].kind = -1; }, "spec.action[0].kind is -1, and must be RIVAL_DISCRETE"},
      {[] { wrong.action[0].size = 0; }, "has size 0"},
      {[] { wrong.action[0].size = 1 << 30; }, "choices"},
      {[] { wrong.action[0].kind = RIVAL_CONTINUOUS, wrong.action[0].low = NAN; }, "needs a low below its high"},
      {[] { wrong.action[0].kind = RIVAL_TARGET, wrong.action[0].entities = 5; }, "targets observation part 5"},
      {[] { wrong.action[0].when_choices = 1, wrong.action[0].when_part = -3; }, "spec.action[0].when_part is -3"},
      {[] { wrong.spec.parameters = &kParameter, wrong.spec.parameter_count = 1; },
       "its default is outside low to high"},
      {[] { wrong.spec.choices = &kChoice, wrong.spec.choice_count = 1; }, "spec.choices[0].options[1] is NULL"},
  };
  return cases;
}

TEST(Library, WhatMakesNoSenseIsNamed) {
  for (const WrongCase& c : wrong_cases()) {
    begin_with_a_good_one();
    c.change();
    const Result<GameEntry> game = game_of_table(wrong_game, "./libx.so");
    ASSERT_FALSE(game) << c.said;
    EXPECT_TRUE(game.error().message.starts_with("./libx.so: ")) << game.error().message;
    EXPECT_TRUE(has(game.error().message, c.said)) << game.error().message << "\n" << c.said;
  }
}

TEST(Library, OfALaterVersionMayHaveMoreFields) {
  begin_with_a_good_one();
  struct Part {
    rival_observation_part part;
    double more[3];
  };
  static Part parts[2];
  parts[0].part = parts[1].part = wrong.observation[0];
  parts[1].part.name = "again";
  for (Part& part : parts) part.part.struct_size = sizeof(Part);
  wrong.spec.observation = &parts[0].part;
  wrong.spec.observation_count = 2;
  static struct {
    rival_spec spec;
    double more[3];
  } spec;
  spec.spec = wrong.spec;
  spec.spec.struct_size = sizeof spec;
  wrong.table.spec = [](const rival_spec** given) -> const char* { return *given = &spec.spec, nullptr; };
  static struct {
    rival_game_table table;
    void (*more)();
  } table;
  table.table = wrong.table;
  table.table.struct_size = sizeof table;
  wrong.given = &table.table;
  const Result<GameEntry> game = game_of_table(wrong_game, "./libx.so");
  ASSERT_TRUE(game) << game.error().message;
  ASSERT_EQ(game.value().spec.observation.size(), 2u);
  EXPECT_EQ(game.value().spec.observation[1].name, "again");
  EXPECT_EQ(game.value().spec.observation[1].width, parts[0].part.width);
}

// Plays a few steps of a wrong game, and tells what went wrong.
std::string played() {
  const Result<GameEntry> game = game_of_table(wrong_game, "./libx.so");
  if (!game) return game.error().message;
  const std::unique_ptr<Batch> batch = game.value().make_batch(3);
  batch->start_all({}, Key(1));
  BatchRows rows(*batch);
  const std::unique_ptr<Agent> random = random_agent();
  for (int i = 0; i < 12; ++i) {
    if (const Result<void> shown = rows.observe(); !shown) return shown.error().message;
    random->act(rows.decisions(), Key(1), rows.choices.data(), rows.values.data());
    if (const Result<void> stepped = rows.step(); !stepped) return stepped.error().message;
    for (int m = 0; m < 3; ++m) (void)batch->to_act(m), (void)batch->playing(m), (void)batch->text(m);
    if (!batch->sound()) return batch->sound().error().message;
  }
  return "";
}

const std::vector<WrongCase>& wrong_plays() {
  static const std::vector<WrongCase> cases = {
      {[] { wrong.table.create = [](auto, auto**) { return "no memory"; }; },
       "game 'tic_tac_toe': no memory (create of ./libx.so)"},
      {[] { wrong.table.create = [](auto, auto**) -> const char* { return nullptr; }; },
       "it gave no batch (create of ./libx.so)"},
      {[] { wrong.table.start = [](auto*, auto*) { return "no start"; }; }, "no start (start of ./libx.so)"},
      {[] { wrong.table.start = [](auto*, auto*) { return ""; }; }, "an error without a message (start of"},
      {[] {
         wrong.table.step = [](auto*, auto*) { return "the dice are gone"; };
         wrong.table.error_place = [](auto*, int32_t* match, int32_t* seat) { *match = 2, *seat = 1; };
       },
       "game 'tic_tac_toe', match 2, step 0, seat 1: the dice are gone (step of ./libx.so)"},
      {[] {
         wrong.table.step = [](auto*, auto*) { return "the dice are gone"; };
         wrong.table.error_place = [](auto*, int32_t* match, int32_t* seat) { *match = 99, *seat = -7; };
       },
       "game 'tic_tac_toe': the dice are gone (step of ./libx.so)"},
      {[] {
         wrong.table.step = [](auto*, auto*) {
           static const std::string lengthy(1 << 20, 'x');
           return lengthy.c_str();
         };
       },
       "xxx (step of ./libx.so)"},
      {[] {
         wrong.table.observe = [](auto* batch, auto* rows) {
           const char* error = good().observe(batch, rows);
           rows->seats[1] = 2;
           return error;
         };
       },
       "match 1, step 0: row 1 is said to belong to seat 2 (observe of ./libx.so)"},
      {[] {
         wrong.table.observe = [](auto* batch, auto* rows) {
           const char* error = good().observe(batch, rows);
           rows->seats[2] = 0;  // also of matches that have ended
           return error;
         };
       },
       "it is to act, and the match is not running (observe of ./libx.so)"},
      {[] {
         wrong.table.observe = [](auto* batch, auto* rows) {
           const char* error = good().observe(batch, rows);
           rows->observations[3] = NAN;
           return error;
         };
       },
       "match 0, step 0, seat 0: value 3 of 'board' in its observation is nan"},
      {[] {
         wrong.table.observe = [](auto* batch, auto* rows) {
           const char* error = good().observe(batch, rows);
           std::fill_n(rows->masks + 9, 9, std::uint8_t{0});
           return error;
         };
       },
       "match 1, step 0, seat 0: it is asked to act, but its mask allows no choice"},
      {[] { wrong.table.observe = [](auto*, auto*) -> const char* { return nullptr; }; },
       "the match is running, but nobody is to act"},
      {[] { wrong.table.status = [](auto*, auto, int32_t* status) -> const char* { return *status = 3, nullptr; }; },
       "match 0, step 0: the status is 3, which is none (status of ./libx.so)"},
      {[] {
         wrong.table.step = [](auto* batch, auto* step) {
           const char* error = good().step(batch, step);
           step->status[1] = 200;
           return error;
         };
       },
       "match 1, step 0: the status is 200, which is none (step of ./libx.so)"},
      {[] {
         wrong.table.step = [](auto* batch, auto* step) {
           const char* error = good().step(batch, step);
           step->rewards[3] = INFINITY;
           return error;
         };
       },
       "match 1, step 0, seat 1: its reward or result is inf"},
      {[] {
         wrong.table.result = [](auto*, auto, auto, float* result) -> const char* { return *result = NAN, nullptr; };
       },
       "its reward or result is nan"},
      {[] { wrong.table.to_act = [](auto*, auto, uint64_t* seats) -> const char* { return *seats = 5, nullptr; }; },
       "the seats are 0x5, and the game has the seats 0 to 1 (to_act of ./libx.so)"},
      {[] { wrong.table.playing = [](auto*, auto, uint64_t* seats) -> const char* { return *seats = 4, nullptr; }; },
       "the seats are 0x4, and the game has the seats 0 to 1 (playing of ./libx.so)"},
      {[] { wrong.table.text = [](auto*, auto, auto, auto**) { return "no text"; }; },
       "match 0, step 1: no text (text of ./libx.so)"},
  };
  return cases;
}

TEST(Library, WhatGoesWrongInPlayIsNamed) {
  begin_with_a_good_one();
  EXPECT_EQ(played(), "");
  for (const WrongCase& c : wrong_plays()) {
    begin_with_a_good_one();
    c.change();
    const std::string said = played();
    EXPECT_TRUE(has(said, c.said)) << said << "\n" << c.said;
    EXPECT_LT(said.size(), 5000u);
  }
}

TEST(Library, WhatOutcomesLackIsNamed) {
  const auto judged = [] {
    const Result<GameEntry> game = game_of_table(wrong_game, "./libx.so");
    const auto batch = game.value().make_batch(1);
    EXPECT_EQ(batch->starts({}).matches, nullptr);
    return batch->sound() ? "" : batch->sound().error().message;
  };
  begin_with_a_good_one();
  EXPECT_EQ(judged(), "");  // it does not tell
  wrong.table.starts = [](auto*, auto*) -> const char* { return nullptr; };
  EXPECT_TRUE(has(judged(), "it gave no batch (starts of ./libx.so)")) << judged();
  wrong.table.starts = [](auto*, rival_outcomes* out) { return good().create(1, &out->batch); };
  EXPECT_TRUE(has(judged(), "there are no probabilities of 0 matches (starts of ./libx.so)")) << judged();
}

// ---- files ----------------------------------------------------------------------------------------------------

const std::string kExamples = RIVAL_EXAMPLES;

TEST(LibraryFile, ErrorsNameThePath) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("libtext.so")) << "no library";
  const auto said = [](const std::string& path) {
    const Result<GameEntry> game = open_game({}, path);
    return game ? "" : game.error().message;
  };
  EXPECT_TRUE(has(said(folder.file("libtext.so")), folder.file("libtext.so") + ": no shared library"));
  EXPECT_EQ(said(folder.path() + "/libtxt.so"),
            folder.file("libtxt.so") + ": there is no such library; did you mean '" + folder.file("libtext.so") + "'?");
  EXPECT_EQ(said("/none/x.so"), "/none/x.so: there is no such library");
  EXPECT_EQ(said(folder.path()), folder.path() + ": not a file, and so no library");
  EXPECT_TRUE(has(said(RIVAL_NO_GAME), RIVAL_NO_GAME ": it exports no function rival_game()"));
}

TEST(LibraryFile, OriginIsItsPathFromAnywhere) {
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(kExamples);
  for (const std::string name : {"libnim.so", "./libnim.so", "../examples/libnim.so"}) {
    const Result<GameEntry> game = open_game({}, name);
    ASSERT_TRUE(game) << game.error().message;
    EXPECT_EQ(game.value().spec.name, "nim");
    EXPECT_EQ(game.value().origin, kExamples + "/libnim.so");
  }
  std::filesystem::current_path(here);
}

TEST(LibraryFile, ConnectFourIsTheOneBuiltIn) {
  const Result<GameEntry> game = open_library(kExamples + "/libconnect_four.so");
  ASSERT_TRUE(game) << game.error().message;
  expect_same_spec(ConnectFour::spec(), game.value().spec);
  expect_same_play(game_entry<ConnectFour>(), game.value(), 500);
}

TEST(LibraryFile, NimInCKeepsItsPromises) {
  const Result<GameEntry> game = open_library(kExamples + "/libnim.so");
  ASSERT_TRUE(game) << game.error().message;
  const ConformanceReport report = check_conformance(game.value().make_batch, Key(1));
  EXPECT_TRUE(report.passed()) << report.text();
  for (const ConformanceCheck& check : report.checks)
    EXPECT_NE(check.verdict, ConformanceCheck::Verdict::warning) << check.name << check.message;
}

// Whoever leaves heaps whose sizes have an exclusive or of zero wins.
TEST(LibraryFile, NimInCIsNim) {
  const GameEntry game = open_library(kExamples + "/libnim.so").value();
  const auto batch = game.make_batch(1);
  std::vector<float> observation(9);
  std::vector<std::uint8_t> mask(21);
  int won = 0, first = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    batch->start_all({}, Key(seed));
    bool winning = false;
    for (int ply = 0; batch->status(0) == Status::running; ++ply) {
      batch->observe_seat(0, ply % 2, observation.data(), mask.data());
      EXPECT_EQ(batch->to_act(0), SeatSet::one(ply % 2));
      int heap[3] = {}, choice = -1;
      for (int i = 0; i < 9; ++i) heap[i / 3] += static_cast<int>(observation[i]) << (i % 3);
      for (int c = 0; c < 21; ++c) {
        const int of = c / 7, take = c % 7 + 1, left = heap[of] - take;
        EXPECT_EQ(mask[c], left >= 0);
        if (left < 0) continue;
        const int others = heap[0] ^ heap[1] ^ heap[2] ^ heap[of];
        if (choice < 0 || (left ^ others) == 0) choice = c;
      }
      if (ply == 0) winning = (heap[0] ^ heap[1] ^ heap[2]) != 0;
      float rewards[2];
      Status status;
      batch->step({&choice, nullptr}, {rewards, &status});
    }
    EXPECT_EQ(batch->result(0, 0), winning ? 1 : -1);
    EXPECT_EQ(batch->result(0, 1), winning ? -1 : 1);
    won += winning;
    ++first;
  }
  EXPECT_GT(won, first / 2);
  EXPECT_LT(won, first);
}

}  // namespace
}  // namespace rival
