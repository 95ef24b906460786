#include "train/rollout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/index.hpp"
#include "nn/reference.hpp"

namespace rival {
namespace {

constexpr int kChoices = 16, kMemory = 4;

// What a match did in a step, written down by the game itself.
struct Event {
  int step = 0;  // of the match, from 0
  SeatSet acting, next;
  std::vector<int> choices;                // per seat; -1: did not act
  std::vector<float> rewards;              // per seat, the result included
  std::vector<float> worth_before, worth;  // per seat: the first observed number, before and after the step
  Status status = Status::running;
  const void* game = nullptr;
  bool cut_short = false;  // the next match took its place before it was over
};
std::vector<Event> journal;  // Batch::step steps its matches in order: step t of match m is journal[t * matches + m]

enum class Kind { turns, simultaneous, single };

// Matches whose turns, rewards, ends and observations are arbitrary numbers drawn from the match's key.
template <Kind kind>
struct Arbitrary {
  static constexpr int kSeats = kind == Kind::turns ? 2 : kind == Kind::simultaneous ? 3 : 1;
  Key key;
  int steps = 0;
  Status now = Status::running;

  static Spec spec() {
    return {.name = "arbitrary",
            .description = "numbers from a key",
            .seats = kSeats,
            .observation = {ObservationPart::vector("worth", 2)},
            .action = {ActionPart::discrete("choice", kChoices)},
            .simultaneous = kind == Kind::simultaneous};
  }
  float number(int what, int seat) const {
    return Random(key.split(static_cast<std::uint64_t>(steps)).split(static_cast<std::uint64_t>(what * 8 + seat)))
        .uniform();
  }
  float worth(int seat) const { return 4 * number(0, seat); }
  void reset(const Settings&, Key k) {
    const auto last = std::find_if(journal.rbegin(), journal.rend(), [this](const Event& e) { return e.game == this; });
    if (last != journal.rend()) last->cut_short = last->status == Status::running;
    *this = {k.split(9)};
  }
  SeatSet to_act() const {
    if constexpr (kind == Kind::single) return SeatSet::one(0);
    if constexpr (kind == Kind::turns) return SeatSet::one(number(1, 0) < 0.5f ? 0 : 1);
    SeatSet set = SeatSet::one(static_cast<int>(number(1, 0) * kSeats));
    for (int seat = 0; seat < kSeats; ++seat)
      if (number(2, seat) < 0.5f) set = set.with(seat);
    return set;
  }
  void observe(int seat, Observation out) const { out[0] = worth(seat); }
  void step(const Actions& actions, Key, Rewards rewards) {
    Event event{.step = steps, .acting = to_act()};
    for (int seat = 0; seat < kSeats; ++seat) {
      event.choices.push_back(event.acting.contains(seat) ? actions.choice(seat) : -1);
      event.worth_before.push_back(worth(seat));
    }
    ++steps;
    const float end = number(3, 0);
    if (end < 0.12f) now = Status::finished;
    if (end > 0.94f) now = Status::truncated;
    for (int seat = 0; seat < kSeats; ++seat) {
      rewards[seat] += number(4, seat) - 0.5f;
      event.rewards.push_back(number(4, seat) - 0.5f + (now == Status::finished ? result(seat) : 0.0f));
      event.worth.push_back(worth(seat));
    }
    event.status = now;
    event.game = this;
    event.next = to_act();
    journal.push_back(event);
  }
  Status status() const { return now; }
  float result(int team) const { return number(5, team) < 0.5f ? -1.0f : 1.0f; }
};

// A network that is known in full: its value is value_mean + value_scale * (worth + h), where h, if it has a memory, is
// 1 - 2^-n after n decisions of a player in a match; its logits favour `favourite` beyond doubt, or nothing if it is
// -1.
struct Known {
  static constexpr float kMean = 0.25f, kScale = 1.5f;
  Network network;
  std::vector<float> parameters;
  ObservationScale scale{{0, 0}, {1, 1}};
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Weights> weights;

  Known(const Spec& spec, bool memory, int favourite)
      : network(Network::make(spec, {.hidden = {kMemory}, .memory = memory ? kMemory : 0}).value()),
        parameters(network.parameter_count(), 0.0f),
        backend(make_reference_backend(network)),
        weights(backend->make_weights()) {
    const Operation& head = network.operation("head");
    parameters[network.operation("trunk.0").weight] = 1;
    parameters[head.weight + index(network.value_column())] = 1;
    if (memory) parameters[network.operation("memory").bias + kMemory] = 1;
    if (favourite >= 0) parameters[head.bias + index(favourite)] = 80;
    backend->pack(parameters, *weights);
  }
  Policy policy() const { return {weights.get(), &scale, parameters.data() + network.log_std(), kMean, kScale}; }
  static double value(float worth, bool memory, int decisions) {
    const double h = memory ? 1 - std::pow(0.5, decisions) : 0;
    return kMean + kScale * (static_cast<double>(worth) + h);
  }
};

struct Decision {
  int step = 0, sample = 0;  // step < 0: of an earlier collection
  double value = 0;
  double reward = 0;  // since then, in earlier collections, as it counts at the step
};

// A decision of the last collection whose player was not to act since.
struct Carried {
  std::size_t player = 0;
  int sample = 0, choice = 0;
  int step = 0;  // as the next collection counts
  double value = 0, reward = 0;
};

struct Case {
  Kind kind;
  bool memory;
  double discount, lambda;
};

// Collects three times in a row and compares every sample with what the journal says.
template <Kind kind>
void check_against_the_textbook(bool memory, double discount, double lambda) {
  using G = Arbitrary<kind>;
  constexpr int kMatches = 12, kSteps = 40, kSeats = G::kSeats;
  const Spec spec = G::spec();
  const Known known(spec, memory, -1);
  Rollout rollout(BatchOf<G>::make(kMatches), *known.backend, known.network, {.horizon = kSteps, .staggered = true});
  const auto executor = known.backend->make_executor(rollout.max_rows());
  rollout.start({}, Key(5));
  std::vector<int> decided(kMatches * kSeats);  // in the present match, by player
  std::vector<Carried> carried;
  int finished = 0, truncated = 0, cut = 0, unknown = 0, episodes = 0, cut_short = 0;

  for (int collection = 0; collection < 3; ++collection) {
    journal.clear();
    ASSERT_TRUE(rollout.collect(
        *executor, known.policy(), {},
        {.steps = kSteps, .discount = static_cast<float>(discount), .lambda = static_cast<float>(lambda)},
        Key(6).split(collection)));
    ASSERT_EQ(journal.size(), index(kMatches * kSteps));
    const Samples& samples = rollout.samples();
    const auto at = [&](int step, int match) -> const Event& { return journal[step * kMatches + match]; };

    // Which sample is whose, from the order of rows alone.
    std::vector<std::vector<Decision>> decisions(decided.size());
    std::vector<std::vector<double>> finals(decided.size(), std::vector<double>(kSteps));
    std::vector<int> began(decided.size(), -1);
    int count = 0;
    for (const Carried& c : carried) {
      const std::size_t sample = count;
      ASSERT_EQ(samples.player[sample], static_cast<int>(c.player));
      ASSERT_EQ(samples.choices[sample], c.choice);
      ASSERT_NEAR(static_cast<double>(samples.value[sample]), c.value, 1e-5);
      ASSERT_EQ(samples.previous[sample], -1);
      ASSERT_EQ(samples.initial[sample], static_cast<int>(c.player));
      if (memory) {
        ASSERT_NEAR(static_cast<double>(rollout.samples().initial_states[c.player * kMemory]),
                    1 - std::pow(0.5, decided[c.player] - 1), 1e-6);
      }
      decisions[c.player].push_back({c.step, count++, c.value, c.reward});
    }
    for (int t = 0; t < kSteps; ++t)
      for (int m = 0; m < kMatches; ++m) {
        const Event& event = at(t, m);
        for (int seat = 0; seat < kSeats; ++seat) {
          const std::size_t player = m * kSeats + seat;
          if (event.acting.contains(seat)) {
            const std::size_t sample = count;
            ASSERT_EQ(samples.player[sample], static_cast<int>(player));
            ASSERT_EQ(samples.choices[sample], event.choices[seat]);
            const double value = Known::value(event.worth_before[seat], memory, ++decided[player]);
            ASSERT_NEAR(static_cast<double>(samples.value[sample]), value, 1e-5);
            const bool first = decisions[player].empty() || began[player] > std::max(-1, decisions[player].back().step);
            ASSERT_EQ(samples.previous[sample], first ? -1 : decisions[player].back().sample);
            // A sample without one before it continues from the state at which collecting began, or from none at all.
            const bool same_match_as_before = decisions[player].empty() && began[player] == -1;
            ASSERT_EQ(samples.initial[sample], same_match_as_before ? static_cast<int>(player) : -1);
            if (memory && same_match_as_before) {
              ASSERT_NEAR(static_cast<double>(rollout.samples().initial_states[player * kMemory]),
                          1 - std::pow(0.5, decided[player] - 1), 1e-6);
            }
            decisions[player].push_back({t, count, value});
            ++count;
          }
          finals[player][t] = Known::value(event.worth[seat], memory, decided[player] + 1);
          if (event.status != Status::running || event.cut_short) decided[player] = 0, began[player] = t + 1;
        }
        cut_short += event.cut_short;
        episodes += event.status != Status::running;
      }
    ASSERT_EQ(samples.count, count);
    ASSERT_EQ(rollout.decisions(), count - static_cast<int>(carried.size()));
    carried.clear();
    int ended = 0;
    for (const Event& event : journal) ended += event.status != Status::running;
    EXPECT_EQ(rollout.episodes().size(), index(ended));

    // Decision i is made at step t_i. delta_i = R_i + discount^(t_(i+1) - t_i) V_(i+1) - V_i, where R_i is all reward
    // until the player's next decision, discounted by how long after t_i it came;
    // A_i = sum over k of discount^(t_(i+k) - t_i) lambda^k delta_(i+k), up to the end of the match or of what is
    // known.
    for (std::size_t player = 0; player < decisions.size(); ++player) {
      const int m = static_cast<int>(player) / kSeats;
      const std::size_t seat = static_cast<int>(player) % kSeats;
      const std::vector<Decision>& own = decisions[player];
      for (std::size_t i = 0; i < own.size(); ++i) {
        double advantage = 0, weight = 1, rest = 0;
        bool complete = false;
        for (std::size_t k = i; k < own.size(); ++k) {
          double reward = own[k].reward, next = 0;
          bool last = false, is_known = true;
          const int until = k + 1 < own.size() ? own[k + 1].step : kSteps;
          int t = std::max(0, own[k].step);
          for (; t < until && !last; ++t) {
            reward += std::pow(discount, t - own[k].step) * static_cast<double>(at(t, m).rewards[seat]);
            last = at(t, m).status != Status::running || at(t, m).cut_short;
            if (at(t, m).cut_short) is_known = false;
            if (at(t, m).status == Status::truncated) next = finals[player][t];
            if (at(t, m).status == Status::finished) complete = true;
            truncated += at(t, m).status == Status::truncated && k == i;
          }
          if (!last && k + 1 < own.size()) {
            next = own[k + 1].value;
          } else if (!last) {
            is_known = at(kSteps - 1, m).next.contains(static_cast<int>(seat));
            next = finals[player][kSteps - 1];
            last = true;
            cut += k == i;
            if (k == i && !is_known) {
              ++unknown;
              if (spec.simultaneous)
                carried.push_back({player, own[i].sample, samples.choices[own[i].sample], own[i].step - kSteps,
                                   own[i].value, reward});
            }
          }
          rest += reward;
          const double passed = std::pow(discount, t - own[k].step);
          if (is_known) advantage += weight * (reward + passed * next - own[k].value);
          weight *= passed * lambda;
          if (last) break;
        }
        const std::size_t sample = own[i].sample;
        ASSERT_NEAR(static_cast<double>(samples.advantage[sample]), advantage, 1e-4)
            << "player " << player << " step " << own[i].step;
        ASSERT_NEAR(static_cast<double>(samples.target[sample]), own[i].value + advantage, 1e-4);
        if (!complete) continue;
        ++finished;
        if (discount == 1 && lambda == 1) {
          ASSERT_NEAR(static_cast<double>(samples.advantage[sample]), rest - own[i].value, 1e-4);
        }
      }
    }
    std::sort(carried.begin(), carried.end(), [](const Carried& a, const Carried& b) { return a.sample < b.sample; });
  }
  // All that was to be seen was seen.
  EXPECT_GT(finished, 100);
  EXPECT_GT(truncated, 10);
  EXPECT_GT(cut, 10);
  EXPECT_GT(cut_short, 3);
  EXPECT_EQ(unknown > 0, kind != Kind::single);
  EXPECT_GT(episodes, 100);
}

class Advantages : public testing::TestWithParam<Case> {};

TEST_P(Advantages, AreTheTextbooksForEveryPlayer) {
  const Case c = GetParam();
  if (c.kind == Kind::turns) check_against_the_textbook<Kind::turns>(c.memory, c.discount, c.lambda);
  if (c.kind == Kind::simultaneous) check_against_the_textbook<Kind::simultaneous>(c.memory, c.discount, c.lambda);
  if (c.kind == Kind::single) check_against_the_textbook<Kind::single>(c.memory, c.discount, c.lambda);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (Kind kind : {Kind::turns, Kind::simultaneous, Kind::single})
    for (bool memory : {false, true})
      for (auto [discount, lambda] : {std::pair{1.0, 1.0}, {1.0, 0.0}, {0.9, 1.0}, {0.97, 0.8}})
        all.push_back({kind, memory, discount, lambda});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Rollout, Advantages, testing::ValuesIn(cases()), [](const auto& instance) {
  const Case& c = instance.param;
  return std::string(c.kind == Kind::turns    ? "turns"
                     : c.kind == Kind::single ? "single"
                                              : "simultaneous") +
         (c.memory ? "_memory" : "") + "_" + std::to_string(static_cast<int>(c.discount * 100)) + "_" +
         std::to_string(static_cast<int>(c.lambda * 100));
});

// The learner always takes choice 0 and past selves choice 5; what is taken else is chance.
template <Kind kind>
void check_who_is_learnt_from(int past_matches, double opening_share) {
  using G = Arbitrary<kind>;
  constexpr int kMatches = 16, kSteps = 64, kSeats = G::kSeats;
  const Spec spec = G::spec();
  const Known learner(spec, false, 0), past(spec, false, 5);
  Rollout rollout(BatchOf<G>::make(kMatches), *learner.backend, learner.network,
                  {.horizon = kSteps, .opponent_matches = past_matches, .opening_share = opening_share});
  const auto executor = learner.backend->make_executor(rollout.max_rows());
  rollout.start({}, Key(7));
  const Policy other = past.policy();
  int samples = 0, by_past = 0, by_learner = 0, by_chance = 0;
  std::int64_t decisions = 0;
  for (int collection = 0; collection < 3; ++collection) {
    journal.clear();
    ASSERT_TRUE(rollout.collect(*executor, learner.policy(), {.policy = &other}, {.steps = kSteps, .lambda = 1},
                                Key(8).split(collection)));
    samples += rollout.samples().count;
    decisions += rollout.decisions();
    for (int i = 0; i < rollout.samples().count; ++i) {
      const std::size_t s = i;
      ASSERT_EQ(rollout.samples().choices[s], 0);
      ASSERT_NEAR(static_cast<double>(rollout.samples().log_probability[s]), 0, 1e-6);
      const int match = rollout.samples().player[s] / kSeats, seat = rollout.samples().player[s] % kSeats;
      if (match >= kMatches - past_matches) {
        ASSERT_EQ(seat, match % kSeats);
      }
    }
    for (std::size_t i = 0; i < journal.size(); ++i) {
      const int match = static_cast<int>(i) % kMatches;
      for (int seat = 0; seat < kSeats; ++seat) {
        const int choice = journal[i].choices[seat];
        if (choice < 0) continue;
        const bool is_past = match >= kMatches - past_matches && seat != match % kSeats;
        if (choice == (is_past ? 5 : 0))
          ++(is_past ? by_past : by_learner);
        else
          ++by_chance;
      }
    }
  }
  EXPECT_EQ(by_past > 0, past_matches > 0);
  EXPECT_EQ(by_chance > 0, opening_share > 0);
  // At most: decisions that come again in the next collection.
  const int carried = spec.simultaneous ? 2 * kMatches * kSeats : 0;
  if (opening_share == 0) {
    EXPECT_GE(samples, by_learner);
    EXPECT_LE(samples, by_learner + carried);
    EXPECT_EQ(decisions, by_learner + by_past);
  } else {  // a random move may be the learner's
    EXPECT_LE(samples, by_learner + carried);
    EXPECT_GT(samples, by_learner / 2);
    EXPECT_LE(decisions, by_learner + by_past);
    EXPECT_NEAR(static_cast<double>(by_learner + by_past) - static_cast<double>(decisions),
                by_chance / (kChoices - 1.0), by_chance / 10.0 + 5);
  }
}

TEST(Rollout, LearnsFromItsOwnDecisionsOnly) {
  for (int past_matches : {0, 5})
    for (double opening_share : {0.0, 0.7}) {
      check_who_is_learnt_from<Kind::turns>(past_matches, opening_share);
      check_who_is_learnt_from<Kind::simultaneous>(past_matches, opening_share);
    }
}

// Matches of ten steps.
struct TenSteps : Arbitrary<Kind::single> {
  void step(const Actions&, Key, Rewards) { now = ++steps == 10 ? Status::finished : Status::running; }
};

TEST(Rollout, StaggersMatchesThatBeganTogether) {
  const Known known(TenSteps::spec(), false, -1);
  for (bool staggered : {false, true}) {
    Rollout rollout(BatchOf<TenSteps>::make(100), *known.backend, known.network,
                    {.horizon = 20, .staggered = staggered});
    const auto executor = known.backend->make_executor(rollout.max_rows());
    rollout.start({}, Key(1));
    std::vector<int> ends(20);  // by the step of the second collection
    for (int collection = 0; collection < 2; ++collection) {
      ASSERT_TRUE(rollout.collect(*executor, known.policy(), {}, {.steps = 20}, Key(2).split(collection)));
      for (const Episode& episode : rollout.episodes()) {
        EXPECT_EQ(episode.length, 10);
        if (collection == 1) ++ends[episode.step];
      }
    }
    for (std::size_t step = 0; step < ends.size(); ++step) {
      if (staggered)
        EXPECT_NEAR(ends[step], 10, 9) << step;
      else
        EXPECT_EQ(ends[step], step % 10 == 9 ? 100 : 0) << step;
    }
  }
}

TEST(Rollout, StartsTheSameWayAgain) {
  const Spec spec = Arbitrary<Kind::turns>::spec();
  const Known known(spec, true, -1);
  Rollout rollout(BatchOf<Arbitrary<Kind::turns>>::make(8), *known.backend, known.network,
                  {.horizon = 32, .opponent_matches = 2, .opening_share = 0.5});
  const auto executor = known.backend->make_executor(rollout.max_rows());
  std::vector<float> advantages[2];
  for (auto& result : advantages) {
    rollout.start({}, Key(1));
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(rollout.collect(*executor, known.policy(), {}, {.steps = 32, .lambda = 0.9f}, Key(2).split(i)));
      const float* a = rollout.samples().advantage.data();
      result.insert(result.end(), a, a + rollout.samples().count);
    }
  }
  EXPECT_EQ(advantages[0], advantages[1]);
}

}  // namespace
}  // namespace rival
