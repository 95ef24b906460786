#include "search/best_response.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "agent/scripted.hpp"
#include "games/catalog.hpp"

namespace rival {
namespace {

constexpr int kRock = 0, kPaper = 1, kScissors = 2;

// Rock, paper, scissors, `rounds` times, each seeing what was played; the winner of a round gets the stake of its hand.
template <int rounds, int stake_of_rock = 1>
struct Hands {
  static Spec spec() {
    return {.name = "hands",
            .seats = 2,
            .observation = {ObservationPart::vector("played", 6 * rounds)},
            .action = {ActionPart::discrete("hand", 3)},
            .simultaneous = true,
            .max_steps = rounds};
  }
  void reset(const Settings&, Key) { *this = Hands(); }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    for (int r = 0; r < round; ++r) {
      out[6 * r + hands[r][seat]] = 1;
      out[6 * r + 3 + hands[r][1 - seat]] = 1;
    }
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    for (int seat : {0, 1}) hands[round][seat] = actions.choice(seat);
    const int* hand = hands[round++];
    const int winner = (hand[0] - hand[1] + 3) % 3 == 1 ? 0 : (hand[1] - hand[0] + 3) % 3 == 1 ? 1 : -1;
    if (winner < 0) return;
    const auto stake = static_cast<float>(hand[winner] == kRock ? stake_of_rock : 1);
    rewards[winner] += stake;
    rewards[1 - winner] -= stake;
  }
  Status status() const { return round == rounds ? Status::finished : Status::running; }
  int hands[rounds][2] = {};
  int round = 0;
};

// Matching pennies for three seats in turn that do not see each other: the odd one out loses 2, the others get 1; all
// alike: nothing. Two action parts, of which only the first counts.
struct OddOneOut {
  static Spec spec() {
    return {.name = "odd_one_out",
            .seats = 3,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("side", 2), ActionPart::discrete("flourish", 2)},
            .hidden_information = true,
            .max_steps = 3};
  }
  void reset(const Settings&, Key) { *this = OddOneOut(); }
  SeatSet to_act() const { return SeatSet::one(count); }
  void observe(int, Observation) const {}
  void step(const Actions& actions, Key, Rewards) {
    sides[count] = actions.choice(count);
    ++count;
  }
  Status status() const { return count == 3 ? Status::finished : Status::running; }
  float result(int team) const {
    const int heads = sides[0] + sides[1] + sides[2];
    if (heads == 0 || heads == 3) return 0;
    return (heads == 1) == (sides[team] == 1) ? -2.f : 1.f;
  }
  int sides[3] = {};
  int count = 0;
};

// One seat guesses a die; thrown before it guesses and hidden, or after. It does not say what may come.
enum class Thrown { before, after };
template <Thrown thrown>
struct Die {
  static Spec spec() {
    return {.name = "die",
            .seats = 1,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("guess", 6)},
            .hidden_information = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key key) {
    *this = Die();
    if (thrown == Thrown::before) die = Random(key).below(6);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation) const {}
  void step(const Actions& actions, Key key, Rewards rewards) {
    if (thrown == Thrown::after) die = Random(key).below(6);
    rewards[0] += actions.choice(0) == die ? 6.f : 0.f;
    over = true;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  int die = 0;
  bool over = false;
};
// The same, and it says so.
template <class Said>
std::vector<Chance<Said>> all_throws() {
  std::vector<Chance<Said>> outcomes;
  Said game;
  for (game.die = 0; game.die < 6; ++game.die) outcomes.push_back({game, 1.0 / 6});
  return outcomes;
}
struct ThrownBefore : Die<Thrown::before> {
  static std::vector<Chance<ThrownBefore>> starts(const Settings&) { return all_throws<ThrownBefore>(); }
};
struct ThrownAfter : Die<Thrown::after> {
  std::vector<Chance<ThrownAfter>> outcomes(const Actions& actions) const {
    std::vector<Chance<ThrownAfter>> throws = all_throws<ThrownAfter>();
    for (Chance<ThrownAfter>& chance : throws) {
      chance.rewards = {actions.choice(0) == chance.state.die ? 6.f : 0.f};
      chance.state.over = true;
    }
    return throws;
  }
};

// Goes on for as long as is asked.
template <int choices, int steps>
struct Long {
  static Spec spec() {
    return {.name = "long",
            .seats = 1,
            .observation = {ObservationPart::vector("step", 1)},
            .action = {ActionPart::discrete("choice", choices)}};
  }
  void reset(const Settings&, Key) { step_ = 0; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = static_cast<float>(step_); }
  void step(const Actions&, Key, Rewards) { ++step_; }
  Status status() const { return step_ == steps ? Status::finished : Status::running; }
  int step_ = 0;
};

// Plays each part with these probabilities, whatever it sees.
class Fixed final : public Agent {
 public:
  explicit Fixed(std::vector<float> row) : row_(std::move(row)) {}
  std::string name() const override { return "fixed"; }
  void act(const Decisions&, Key, std::int32_t*, float*) override {}
  bool probabilities(const Decisions& decisions, float* probabilities) override {
    for (int row : decisions.rows)
      std::copy(row_.begin(), row_.end(), probabilities + row * decisions.batch->layout().mask_size);
    return true;
  }

 private:
  std::vector<float> row_;
};

template <Game G>
double figure(Agent& agent, const std::string& name = "nash_conv") {
  const Result<Judgement> judgement = best_response_judge(&BatchOf<G>::make).judge(agent, Key(), 0, {});
  EXPECT_TRUE(judgement.ok()) << (judgement ? "" : judgement.error().message);
  if (judgement)
    for (const Judgement::Figure& figure : judgement.value().figures)
      if (figure.name == name) return figure.value;
  ADD_FAILURE() << "no figure " << name;
  return std::numeric_limits<double>::quiet_NaN();
}

template <Game G>
std::string refusal(Agent& agent) {
  const Result<Judgement> judgement = best_response_judge(&BatchOf<G>::make).judge(agent, Key(), 0, {});
  EXPECT_FALSE(judgement.ok());
  return judgement ? "" : judgement.error().message;
}

TEST(BestResponse, RockPaperScissors) {
  Fixed always_rock({1, 0, 0}), leaning({0.5f, 0.25f, 0.25f});
  EXPECT_NEAR(figure<Hands<1>>(*random_agent()), 0, 1e-9);
  EXPECT_NEAR(figure<Hands<1>>(always_rock), 2, 1e-9);  // each seat gains 1
  EXPECT_NEAR(figure<Hands<1>>(always_rock, "exploitability"), 1, 1e-9);
  EXPECT_NEAR(figure<Hands<1>>(leaning), 2 * 0.25, 1e-6);
  EXPECT_NEAR(figure<Hands<3>>(*random_agent()), 0, 1e-9);
  EXPECT_NEAR(figure<Hands<3>>(always_rock), 6, 1e-9);
  EXPECT_NEAR(figure<Hands<3>>(leaning), 6 * 0.25, 1e-6);
}

TEST(BestResponse, BiasedRockPaperScissors) {
  // Rock beats scissors by 3, the others by 1: the equilibrium is rock, paper, scissors : 1, 3, 1.
  Fixed equilibrium({0.2f, 0.6f, 0.2f});
  EXPECT_NEAR((figure<Hands<2, 3>>(equilibrium)), 0, 1e-6);
  // Against uniform play rock wins 3/3 - 1/3.
  EXPECT_NEAR((figure<Hands<1, 3>>(*random_agent())), 2 * 2.0 / 3, 1e-9);
}

TEST(BestResponse, EquilibriumOfSimultaneousMoves) {
  const auto tree = std::make_shared<const GameTree>(game_tree(&BatchOf<Hands<1, 3>>::make).value());
  const std::unique_ptr<Agent> agent = table_agent("equilibrium", tree, cfr_plus(*tree, 2000));
  EXPECT_LT((figure<Hands<1, 3>>(*agent)), 1e-3);
  const TreePolicy policy = policy_of(*agent, *tree).value();
  EXPECT_NEAR(policy[kPaper], 0.6, 0.01);
  EXPECT_NEAR(policy[kScissors], 0.2, 0.01);
}

TEST(BestResponse, ThreeSeatsAndSeveralParts) {
  EXPECT_NEAR(figure<OddOneOut>(*random_agent()), 0, 1e-9);
  // If the others show heads with 3/4: heads wins alike 9/16 * 0, one differs 6/16 * 1, both differ 1/16 * -2; tails
  // the mirror: 1/16 * 0, 6/16 * 1, 9/16 * -2. A seat plays heads with 3/4 itself.
  Fixed heads({0.25f, 0.75f, 0.5f, 0.5f});
  const double of_heads = 6.0 / 16 - 2.0 / 16, of_tails = 6.0 / 16 - 18.0 / 16;
  EXPECT_NEAR(figure<OddOneOut>(heads), 3 * (of_heads - (0.75 * of_heads + 0.25 * of_tails)), 1e-6);
  EXPECT_NEAR(figure<OddOneOut>(heads, "best_response_value_seat_2"), of_heads, 1e-6);
  EXPECT_EQ(game_tree(&BatchOf<OddOneOut>::make)->information_sets.size(), 3u + 6u);
}

TEST(BestResponse, ChanceIsWhatTheGameSays) {
  EXPECT_NEAR(figure<ThrownBefore>(*random_agent(), "best_response_value"), 1, 1e-9);
  EXPECT_NEAR(figure<ThrownAfter>(*random_agent(), "best_response_value"), 1, 1e-9);
  EXPECT_NEAR(figure<ThrownAfter>(*random_agent(), "value"), 1, 1e-9);
  for (const std::string& message :
       {refusal<Die<Thrown::before>>(*random_agent()), refusal<Die<Thrown::after>>(*random_agent())})
    EXPECT_NE(message.find("An exact judge needs all outcomes of chance: starts(settings)"), std::string::npos)
        << message;
}

TEST(BestResponse, RefusesWhatIsTooLarge) {
  const Result<GameTree> large = game_tree(&BatchOf<Long<2, 10>>::make, {.nodes = 2046});
  ASSERT_FALSE(large.ok());
  EXPECT_NE(large.error().message.find("long has more than 2046 histories"), std::string::npos);
  EXPECT_TRUE(game_tree(&BatchOf<Long<2, 10>>::make, {.nodes = 2047}).ok());
  EXPECT_EQ((figure<Long<1, 1000>>(*random_agent())), 0);  // as long as can be
  EXPECT_NE((refusal<Long<1, 5000>>(*random_agent()).find("more than 1000 steps")), std::string::npos);
  EXPECT_NE(refusal<Hands<1>>(*scripted_agent<Hands<1>>("mute", [](const auto&, int, Random&) { return 0; }))
                .find("'mute' does not say"),
            std::string::npos);
  const GameEntry pendulum = built_in("pendulum");
  const Result<Judgement> continuous = best_response_judge(pendulum.make_batch).judge(*random_agent(), Key(), 0, {});
  ASSERT_FALSE(continuous.ok());
  EXPECT_NE(continuous.error().message.find("the action 'torque' is continuous"), std::string::npos)
      << continuous.error().message;
}

TEST(BestResponse, EstimatesTheNumberOfHistories) {
  EXPECT_DOUBLE_EQ((estimated_histories(&BatchOf<Long<2, 10>>::make)), 1024);
  EXPECT_DOUBLE_EQ((estimated_histories(&BatchOf<Hands<2>>::make)), 81);
  const double tic_tac_toe = estimated_histories(built_in("tic_tac_toe").make_batch);
  EXPECT_GT(tic_tac_toe, 255168 / 2);  // the number of complete games
  EXPECT_LT(tic_tac_toe, 255168 * 2);
}

TEST(BestResponse, IsOfferedWhereGamesAreSmall) {
  const auto offered = [](const std::string& game) {
    for (const Judge& judge : judges_of(built_in(game)))
      if (judge.name == "best-response") return true;
    return false;
  };
  for (const char* small : {"tic_tac_toe", "kuhn_poker", "leduc_poker"}) EXPECT_TRUE(offered(small)) << small;
  for (const char* large : {"connect_four", "pig", "cartpole", "pendulum", "lanes"})
    EXPECT_FALSE(offered(large)) << large;
}

TEST(BestResponse, RandomTicTacToe) {
  const GameTree tree = game_tree(built_in("tic_tac_toe").make_batch).value();
  EXPECT_EQ(tree.nodes.size(), 549946u);
  EXPECT_EQ(tree.sights.size(), 4520u);
  // The first wins 737 of 1260, the second 363.
  const TreePolicy uniform = uniform_policy(tree);
  const std::vector<double> values = policy_values(tree, uniform);
  EXPECT_NEAR(values[0], -values[1], 1e-12);
  EXPECT_NEAR(values[0], 374.0 / 1260, 1e-9);
}

}  // namespace
}  // namespace rival
