#include "search/search.hpp"

#include <gtest/gtest.h>

#include <map>

#include "agent/scripted.hpp"
#include "games/catalog.hpp"
#include "games/connect_four/connect_four.hpp"
#include "games/pendulum/pendulum.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"
#include "match/match.hpp"
#include "rival/by_hand.hpp"

namespace rival {
namespace {

std::unique_ptr<Agent> search(BatchFactory factory, int simulations, int threads = 1) {
  Result<std::unique_ptr<Agent>> agent = search_agent(factory, {.simulations = simulations, .threads = threads});
  EXPECT_TRUE(agent.ok());
  return std::move(*agent);
}

MatchSummary play(const GameEntry& game, Agent& agent, Agent& opponent, int matches, std::uint64_t seed = 1) {
  Result<MatchSummary> played = play_matches(game, agent, &opponent, Key(seed), {.matches = matches});
  EXPECT_TRUE(played.ok()) << (played ? "" : played.error().message);
  return played ? played.value() : MatchSummary();
}

// What an agent chooses in one position of a game.
template <Game G>
int choice_in(Agent& agent, const G& state, Key key = Key(1)) {
  BatchOf<G> batch(1);
  batch.set_state(0, state);
  std::vector<float> observation(batch.rows() * batch.layout().observation_size);
  std::vector<std::uint8_t> masks(batch.rows() * batch.layout().mask_size);
  std::vector<std::int8_t> seats(batch.rows());
  std::vector<std::int32_t> choices(seats.size());
  batch.observe({observation.data(), masks.data(), seats.data()});
  const int row = 0;
  agent.act({&batch, {&row, 1}, observation.data(), masks.data(), seats.data()}, key, choices.data(), nullptr);
  return choices[0];
}

// Rock, paper, scissors.
struct Hands {
  static Spec spec() {
    return {.name = "hands",
            .seats = 2,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("hand", 3)},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key) { *this = Hands(); }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions& actions, Key, Rewards) {
    hands[0] = actions.choice(0);
    hands[1] = actions.choice(1);
  }
  Status status() const { return hands[0] < 0 ? Status::running : Status::finished; }
  float result(int team) const {
    static constexpr float kPayoff[3][3] = {{0, -1, 1}, {1, 0, -1}, {-1, 1, 0}};
    return kPayoff[hands[team]][hands[1 - team]];
  }
  int hands[2] = {-1, -1};
};

// The seat guesses a coin that lies hidden, or, if it is `tossed`, will be thrown after the guess.
template <bool tossed>
struct Coin {
  static Spec spec() {
    return {.name = "coin",
            .seats = 1,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("guess", 2)},
            .hidden_information = !tossed,
            .max_steps = 1};
  }
  void reset(const Settings&, Key key) {
    *this = Coin();
    coin = Random(key).below(2);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions& actions, Key key, Rewards rewards) {
    if (tossed) coin = Random(key).below(2);
    rewards[0] += actions.choice(0) == coin ? 1.f : 0.f;
    over = true;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  int coin = 0;
  bool over = false;
};
struct RedrawnCoin : Coin<false> {
  void resample_hidden(int, Key key) { coin = Random(key).below(2); }
};

// The best result that `seat` can be held to by any opponent when the agent plays it.
float worst_result(Agent& agent, const TicTacToe& game, int seat, std::map<std::string, float>& known) {
  if (game.status() != Status::running) return game.result(seat);
  const auto [entry, is_new] = known.emplace(game.text(), 0.f);
  if (!is_new) return entry->second;
  std::vector<int> cells = legal_choices(game, game.to_act().lowest());
  if (game.to_act().contains(seat)) cells = {choice_in(agent, game)};
  float worst = 1;
  for (int cell : cells) {
    TicTacToe next = game;
    make_moves(next, {cell});
    worst = std::min(worst, worst_result(agent, next, seat, known));
  }
  return known[game.text()] = worst;
}

TEST(Search, NeverLosesTicTacToeWhateverTheOtherDoes) {
  const std::unique_ptr<Agent> agent = search(&BatchOf<TicTacToe>::make, 2000);
  for (int seat : {0, 1}) {
    std::map<std::string, float> known;
    EXPECT_EQ(worst_result(*agent, TicTacToe(), seat, known), 0) << "seat " << seat;
    EXPECT_GT(known.size(), 50u);
  }
  // The same test sees that few simulations do lose.
  std::map<std::string, float> known;
  EXPECT_EQ(worst_result(*search(&BatchOf<TicTacToe>::make, 5), TicTacToe(), 1, known), -1);
}

TEST(Search, BeatsRandomPlayInConnectFour) {
  const std::unique_ptr<Agent> agent = search(&BatchOf<ConnectFour>::make, 100);
  EXPECT_GT(play(built_in("connect_four"), *agent, *random_agent(), 100).score.value, 0.95);
}

TEST(Search, SearchesForReturnsOfOneSeatAndByValues) {
  const std::unique_ptr<Agent> agent = search(&BatchOf<Pendulum>::make, 50);
  const GameEntry game = built_in("pendulum");
  const double found = play(game, *agent, *agent, 4).score.value;
  EXPECT_GT(found, play(game, *random_agent(), *agent, 4).score.value + 300);
}

TEST(Search, MixesWhereChoicesAreMadeAtOnce) {
  const std::unique_ptr<Agent> agent = search(&BatchOf<Hands>::make, 300);
  int counts[3] = {};
  for (std::uint64_t i = 0; i < 600; ++i) ++counts[choice_in(*agent, Hands(), Key(i))];
  for (int count : counts) EXPECT_NEAR(count, 200, 60);
}

TEST(Search, DoesNotLookAtWhatIsHiddenNorAtWhatIsToCome) {
  const auto score = [](const auto& coin) {
    using Game = std::decay_t<decltype(coin)>;
    const GameEntry game = game_entry<Game>();
    const std::unique_ptr<Agent> agent = search(game.make_batch, 20);
    return play(game, *agent, *agent, 1000).score.value;
  };
  EXPECT_NEAR(score(RedrawnCoin()), 0.5, 0.08);
  EXPECT_NEAR(score(Coin<true>()), 0.5, 0.08);
}

TEST(Search, RefusesHiddenInformationThatItCannotRedraw) {
  const Result<std::unique_ptr<Agent>> agent = search_agent(&BatchOf<Coin<false>>::make, {});
  ASSERT_FALSE(agent.ok());
  EXPECT_NE(agent.error().message.find("coin has hidden information but no resample_hidden"), std::string::npos)
      << agent.error().message;
}

TEST(Search, DecisionsDependOnTheKeyAndNotOnThreads) {
  const GameEntry game = built_in("connect_four");
  const auto course = [&](int threads, std::uint64_t seed) {
    MatchOptions options{.matches = 8};
    options.replays = 8;
    const std::unique_ptr<Agent> agent = search(game.make_batch, 20, threads);
    const Result<MatchSummary> played = play_matches(game, *agent, agent.get(), Key(seed), options);
    std::vector<std::byte> all;
    for (const Replay& replay : played.value().replays) {
      const std::vector<std::byte> bytes = serialize(replay);
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
  };
  EXPECT_EQ(course(1, 1), course(3, 1));
  EXPECT_NE(course(1, 1), course(1, 2));
}

TEST(Search, IsNamedByItsSimulations) {
  EXPECT_EQ(search_simulations("search:100").value(), 100);
  EXPECT_FALSE(is_search("searching"));
  for (const char* name : {"search", "search:", "search:0", "search:-1", "search:1.5", "search:many", "search:1e9"}) {
    EXPECT_TRUE(is_search(name)) << name;
    EXPECT_FALSE(search_simulations(name).ok()) << name;
  }
}

TEST(SearchSlow, MoreSimulationsBeatFewer) {
  const GameEntry game = built_in("connect_four");
  for (int simulations : {25, 100}) {
    const std::unique_ptr<Agent> fewer = search(game.make_batch, simulations, 0);
    const std::unique_ptr<Agent> more = search(game.make_batch, 4 * simulations, 0);
    EXPECT_GT(play(game, *more, *fewer, 200).score.interval.low, 0.55) << simulations;
  }
}

}  // namespace
}  // namespace rival
