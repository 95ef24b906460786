// Learning from samples that no rollout made: the moves of a script, from recorded matches.
#include <gtest/gtest.h>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "games/connect_four/connect_four.hpp"
#include "match/match.hpp"
#include "rival/by_hand.hpp"
#include "train/learner.hpp"

namespace rival {
namespace {

// Wins if it can at once, blocks if it must, else plays as near to the centre as it can: no luck in it.
int move(const ConnectFour& game, int seat, Random&) {
  constexpr int kNearCentre[] = {3, 2, 4, 1, 5, 0, 6};
  for (int player : {seat, 1 - seat})
    for (int column : legal_choices(game, seat))
      if (player == seat) {
        ConnectFour next = game;
        make_moves(next, {column});
        if (next.status() == Status::finished && next.result(seat) > 0) return column;
      } else {
        for (int other : legal_choices(game, seat)) {
          if (other == column) continue;
          ConnectFour next = game;
          make_moves(next, {other});
          if (next.status() == Status::finished || !next.can_play(column)) continue;
          make_moves(next, {column});
          if (next.status() == Status::finished && next.result(player) > 0) return column;
        }
      }
  for (int column : kNearCentre)
    if (game.can_play(column)) return column;
  return 0;
}

std::vector<Replay> matches(int count, std::uint64_t key) {
  const auto script = scripted_agent<ConnectFour>("script", move), random = random_agent();
  Result<MatchSummary> sum =
      play_matches(game_entry<ConnectFour>(), *script, random.get(), Key(key), {.matches = count, .replays = count});
  EXPECT_TRUE(sum.ok()) << sum.error().message;
  return std::move(sum->replays);
}

// Of the script's moves in the samples (as seat 0), those that the network would make.
double agreement(const Bot& bot, const std::vector<Replay>& replays) {
  BotAgent agent(bot, ConnectFour::spec(), 0);
  int same = 0, all = 0;
  for (const Replay& replay : replays) {
    BatchOf<ConnectFour> batch(1);
    BatchRows rows(batch);
    const int zero = 0;
    batch.start({&zero, 1}, replay.settings, {&replay.key, 1});
    for (int choice : replay.choices) {
      EXPECT_TRUE(rows.observe().ok());
      agent.act(rows.decisions(), Key(1), rows.choices.data(), nullptr);
      if (rows.seats[0] == 0) same += rows.choices[0] == choice, ++all;
      rows.choices[0] = choice;
      EXPECT_TRUE(rows.step().ok());
    }
  }
  return static_cast<double>(same) / all;
}

TEST(Imitation, ALikelihoodLossLearnsTheMovesOfAScript) {
  const Spec spec = ConnectFour::spec();
  Team team(2);
  const Network network = Network::make(spec, {.hidden = {128, 128}}).value();
  const auto backend = make_backend("onednn", network, Precision::f32).value();
  Bot bot = untrained_bot(spec.name, network, Key(2));
  // The script takes each seat in turn: matches 0, 2, 4... are those of seat 0.
  std::vector<Replay> own, held_out;
  std::vector<Replay> all = matches(3000, 7);
  for (std::size_t i = 0; i < all.size(); i += 2) (i % 10 ? own : held_out).push_back(std::move(all[i]));
  Result<Samples> samples = samples_of(own, 0, &BatchOf<ConnectFour>::make, *backend, bot.scale);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_LT(agreement(bot, held_out), 0.4) << "the control: nothing is known yet";

  Learner learner(network, HeadLayout(spec), *backend, team, 1, bot.parameters);
  Samples* const shards[] = {&samples.value()};
  const auto updated =
      learner.update(shards, {.loss = LossKind::likelihood, .epochs = 12, .minibatches = 40, .value = 0}, Key(3));
  ASSERT_TRUE(updated.ok()) << updated.error().message;
  bot.parameters = learner.parameters();
  EXPECT_GT(agreement(bot, held_out), 0.85);
}

}  // namespace
}  // namespace rival
