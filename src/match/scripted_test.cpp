// Scripts as players of matches.
#include "agent/scripted.hpp"

#include <gtest/gtest.h>

#include "match/match.hpp"

namespace rival {
namespace {

// Two archers at once: whoever aims nearer to the wind, with the bow drawn, wins.
struct Archery {
  static Spec spec() {
    return {.name = "archery",
            .seats = 2,
            .observation = {ObservationPart::vector("wind", 1)},
            .action = {ActionPart::discrete("draw", 2), ActionPart::continuous("aim", 2, -1, 1).when(0, {1})},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key key) { *this = {.wind = Random(key).uniform(-1, 1)}; }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int, Observation out) const { out[0] = wind; }
  void step(const Actions& actions, Key, Rewards) {
    for (int seat = 0; seat < 2; ++seat)
      off[seat] = actions.choice(seat) == 0 ? 9 : std::abs(actions.value(seat, 1, 1) - wind);
    over = true;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  float result(int team) const { return off[team] < off[1 - team] ? 1.f : off[team] > off[1 - team] ? -1.f : 0.f; }
  float wind = 0, off[2] = {};
  bool over = false;
};

std::unique_ptr<Agent> archer(float error) {
  return scripted_agent<Archery>("archer", [error](const Archery& game, int, Random&) {
    return Move({1}, {0, game.wind + (game.wind < 0 ? error : -error)});
  });
}

TEST(ScriptedAgent, GivesAllPartsOfAMove) {
  const GameEntry game = game_entry<Archery>();
  const auto good = archer(0.1f), bad = archer(0.2f);
  const Result<MatchSummary> sum = play_matches(game, *good, bad.get(), Key(1), {.matches = 100});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().wins, 100);
}

template <class Script>
std::string complaint(Script script) {
  const auto good = archer(0), bad = scripted_agent<Archery>("bad", script);
  const Result<MatchSummary> sum = play_matches(game_entry<Archery>(), *good, bad.get(), Key(1), {.matches = 2});
  return sum ? "" : sum.error().message;
}

TEST(ScriptedAgent, WhatItDoesWrongIsNamed) {
  const std::string place = "game 'archery', match 0, step 0, seat 1: ", threw = place + "the script 'bad' threw: ";
  EXPECT_EQ(complaint([](const Archery&, int, Random&) -> Move { throw std::runtime_error("no arrows"); }),
            threw + "no arrows");
  EXPECT_EQ(complaint([](const Archery&, int, Random&) { return Move({1}, {0}); }),
            threw + "a move of archery has 1 choices and 2 values, not 1 and 1");
  EXPECT_EQ(complaint([](const Archery&, int, Random&) { return 1; }),
            threw + "a script of archery must give a Move, not one number");
  EXPECT_EQ(complaint([](const Archery&, int, Random&) {
              return Move({2}, {0, 0});
            }),
            place + "agent 'bad' made the illegal choice 2 of 'draw'; allowed: 0, 1");
}

}  // namespace
}  // namespace rival
