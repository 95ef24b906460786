#include "games/kuhn_poker/kuhn_poker.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "agent/scripted.hpp"
#include "game/conformance.hpp"
#include "games/poker/policy_agent.hpp"
#include "rival/by_hand.hpp"
#include "search/best_response.hpp"

namespace rival {
namespace {

Result<Judgement> judge(Agent& agent) {
  return best_response_judge(&BatchOf<KuhnPoker>::make).judge(agent, Key(), 0, {});
}

double figure(Agent& agent, const std::string& name) {
  const Result<Judgement> judgement = judge(agent);
  if (!judgement) {
    ADD_FAILURE() << judgement.error().message;
    return std::numeric_limits<double>::quiet_NaN();
  }
  for (const Judgement::Figure& figure : judgement.value().figures)
    if (figure.name == name) return figure.value;
  ADD_FAILURE() << "no figure " << name;
  return 0;
}

std::unique_ptr<Agent> fixed(float pass, float bet) {
  return policy_agent<KuhnPoker>("fixed", [=](const KuhnPoker&, int, float* p) {
    p[KuhnPoker::pass] = pass;
    p[KuhnPoker::bet] = bet;
  });
}

TEST(KuhnPoker, PaysOutByTheRules) {
  // What the first seat wins with the higher card and with the lower one.
  const std::map<std::string, std::pair<float, float>> payoffs = {
      {"pp", {1, -1}}, {"pbp", {-1, -1}}, {"pbb", {2, -2}}, {"bp", {1, 1}}, {"bb", {2, -2}}};
  int ends = 0;
  const auto play = [&](const auto& self, const KuhnPoker& game) -> void {
    if (game.status() == Status::finished) {
      ++ends;
      ASSERT_TRUE(payoffs.contains(game.history())) << game.history();
      const auto [higher, lower] = payoffs.at(game.history());
      EXPECT_EQ(game.result(0), game.card(0) > game.card(1) ? higher : lower) << game.text();
      EXPECT_EQ(game.result(1), -game.result(0));
      return;
    }
    for (int choice : {0, 1}) {
      KuhnPoker next = game;
      make_moves(next, {choice});
      self(self, next);
    }
  };
  for (const Chance<KuhnPoker>& start : KuhnPoker::starts({})) play(play, start.state);
  EXPECT_EQ(ends, 30);
  EXPECT_EQ(game_tree(&BatchOf<KuhnPoker>::make)->information_sets.size(), 12u);
}

TEST(KuhnPoker, DealsFairly) {
  std::map<std::pair<int, int>, int> deals;
  for (std::uint64_t i = 0; i < 12'000; ++i) {
    KuhnPoker game;
    game.reset({}, Key(i));
    ++deals[{game.card(0), game.card(1)}];
  }
  EXPECT_EQ(deals.size(), 6u);
  for (const auto& [deal, count] : deals) EXPECT_NEAR(count, 2000, 6 * std::sqrt(2000.));
}

TEST(KuhnPoker, UniformPlay) {
  EXPECT_NEAR(figure(*random_agent(), "nash_conv"), 0.916667, 1e-6);
  EXPECT_NEAR(figure(*random_agent(), "exploitability"), 0.458333, 1e-6);
  EXPECT_NEAR(figure(*random_agent(), "value_first"), 0.125, 1e-6);
}

TEST(KuhnPoker, AlwaysFolding) {
  EXPECT_NEAR(figure(*fixed(1, 0), "nash_conv"), 2, 1e-9);
  EXPECT_NEAR(figure(*fixed(1, 0), "best_response_value_first"), 1, 1e-9);
  EXPECT_NEAR(figure(*fixed(1, 0), "best_response_value_second"), 1, 1e-9);
}

TEST(KuhnPoker, EquilibriaAreUnbeatable) {
  for (double a : {0.0, 1.0 / 6, 0.25, 1.0 / 3}) {
    EXPECT_NEAR(figure(*kuhn_equilibrium(a), "nash_conv"), 0, 1e-6) << a;
    EXPECT_NEAR(figure(*kuhn_equilibrium(a), "value_first"), -1.0 / 18, 1e-6) << a;
  }
}

TEST(KuhnPoker, ASlipFromEquilibriumIsSeen) {
  const auto slip = policy_agent<KuhnPoker>("slip", [](const KuhnPoker& game, int seat, float* p) {
    const bool call = game.history() == "b" && game.card(seat) == 1;
    p[KuhnPoker::bet] = call || game.card(seat) == 2 ? 1.f : 0.f;
    p[KuhnPoker::pass] = 1 - p[KuhnPoker::bet];
  });
  EXPECT_GT(figure(*slip, "nash_conv"), 0.1);
}

TEST(KuhnPoker, CfrPlusFindsTheValue) {
  const GameTree tree = game_tree(&BatchOf<KuhnPoker>::make).value();
  const TreePolicy policy = cfr_plus(tree, 1000);
  EXPECT_LT(nash_conv(tree, policy), 1e-3);
  EXPECT_NEAR(policy_values(tree, policy)[0], -1.0 / 18, 1e-4);
}

TEST(KuhnPoker, TheJudgeRefusesWhatIsNoPolicy) {
  const auto silent = scripted_agent<KuhnPoker>("silent", [](const KuhnPoker&, int, Random&) { return 0; });
  const Result<Judgement> none = judge(*silent);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("'silent' does not say"), std::string::npos) << none.error().message;
  for (const auto& [pass, bet] : {std::pair{0.6f, 0.6f}, {1.2f, -0.2f}, {std::nanf(""), 1.f}}) {
    const Result<Judgement> bad = judge(*fixed(pass, bet));
    ASSERT_FALSE(bad.ok());
    EXPECT_NE(bad.error().message.find("where seat 0 sees: your card J"), std::string::npos) << bad.error().message;
  }
}

TEST(KuhnPoker, AgentsDrawWhatTheyState) {
  const std::unique_ptr<Agent> agent = fixed(0.3f, 0.7f);
  BatchOf<KuhnPoker> batch(10'000);
  batch.start_all({}, Key(1));
  std::vector<int> rows(10'000);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<std::int8_t> seats(rows.size());
  std::vector<std::int32_t> choices(rows.size());
  agent->act({&batch, rows, nullptr, nullptr, seats.data()}, Key(2), choices.data(), nullptr);
  EXPECT_NEAR(std::accumulate(choices.begin(), choices.end(), 0), 7000, 250);
}

TEST(KuhnPoker, Conforms) {
  const ConformanceReport report = check_conformance(&BatchOf<KuhnPoker>::make, Key(1));
  EXPECT_TRUE(report.passed()) << report.text();
  EXPECT_EQ(report.check("hidden").verdict, ConformanceCheck::Verdict::passed) << report.text();
  EXPECT_EQ(report.check("results").message, "zero-sum");
}

}  // namespace
}  // namespace rival
