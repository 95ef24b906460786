#include "games/pig/optimal.hpp"

#include <algorithm>
#include <cmath>

namespace rival::pig {
namespace {

// A win probability that depends linearly on another one, which is not yet known.
struct Linear {
  double constant = 0, slope = 0;
  double at(double x) const { return constant + slope * x; }
};

// By own and other points at the start of a turn.
using Table = std::vector<double>;
std::size_t cell(int own, int other) {
  return static_cast<std::size_t>(own * kGoal + other);
}

// The probability that the mover, who starts its turn, wins, as a function of its probability of winning after losing
// the turn's points, `lost`. after_hold(points): its probability of winning once it has banked so many.
template <class AfterHold>
Linear turn_value(const Policy& policy, int own, int other, AfterHold after_hold) {
  Linear values[kGoal + 6];
  for (int turn = kGoal - own; turn < kGoal - own + 6; ++turn) values[turn] = {1, 0};
  for (int turn = kGoal - own - 1; turn >= 0; --turn) {
    Linear roll = {0, 1.0 / 6};
    for (int points = 2; points <= 6; ++points) {
      roll.constant += values[turn + points].constant / 6;
      roll.slope += values[turn + points].slope / 6;
    }
    const double p = turn == 0 ? 1 : policy.roll(own, other, turn);
    values[turn] = {p * roll.constant, p * roll.slope};
    if (p < 1) values[turn].constant += (1 - p) * after_hold(turn);
  }
  return values[0];
}

class PolicyPlayer final : public Agent {
 public:
  PolicyPlayer(std::string name, Policy policy) : name_(std::move(name)), policy_(std::move(policy)) {}
  std::string name() const override { return name_; }

  void act(const Decisions& decisions, Key key, std::int32_t* choices, float*) override {
    for (int row : decisions.rows) {
      Random random(key.split(static_cast<std::uint64_t>(row)));
      choices[row] = random.uniform() < roll(decisions, row) ? Pig::kRoll : Pig::kHold;
    }
  }

  bool probabilities(const Decisions& decisions, float* probabilities) override {
    for (int row : decisions.rows) {
      probabilities[2 * row + Pig::kRoll] = static_cast<float>(roll(decisions, row));
      probabilities[2 * row + Pig::kHold] = static_cast<float>(1 - roll(decisions, row));
    }
    return true;
  }

 private:
  double roll(const Decisions& decisions, int row) const {
    const Pig* game = decisions.batch->state<Pig>(row);
    check(game != nullptr, "a player of Pig was given another game");
    const int seat = decisions.seats[row], own = game->banked(seat), other = game->banked(1 - seat);
    // Goals other than 100 are beyond the table; there the player holds at 20.
    if (std::max(own + game->turn(), other) >= kGoal) return game->turn() < 20 ? 1 : 0;
    return game->turn() == 0 ? 1 : policy_.roll(own, other, game->turn());
  }

  std::string name_;
  Policy policy_;
};

Result<Judgement> judge(Agent& agent, Key, int, const JudgeProgress&) {
  const Result<Policy> policy = policy_of(agent);
  if (!policy) return policy.error();
  const Policy optimal = optimal_policy();
  const double first = win_probability(policy.value(), optimal, true);
  const double second = win_probability(policy.value(), optimal, false);
  return Judgement{{
      {"win_rate_vs_optimal", (first + second) / 2, "of matches won against perfect play, exactly; 50% is perfect"},
      {"win_rate_first", first, "the same, moving first"},
      {"win_rate_second", second, "the same, moving second"},
      {"optimal_win_rate_first", win_probability(optimal, optimal, true), "what perfect play reaches, moving first"},
  }};
}

}  // namespace

Policy hold_at(int points) {
  Policy policy;
  for (int own = 0; own < kGoal; ++own)
    for (int other = 0; other < kGoal; ++other)
      for (int turn = points; turn < kGoal; ++turn) policy.roll(own, other, turn) = 0;
  return policy;
}

Policy optimal_policy() {
  Policy policy;
  Table wins(std::size_t{kGoal} * kGoal, 0.5);  // of the mover, at the start of its turn
  // The best play of a turn, given what losing the turn's points leads to; returns the mover's win probability.
  const auto best_turn = [&](int own, int other, double lost) {
    double values[kGoal + 6];
    for (int turn = kGoal - own; turn < kGoal - own + 6; ++turn) values[turn] = 1;
    for (int turn = kGoal - own - 1; turn >= 0; --turn) {
      double roll = lost / 6;
      for (int points = 2; points <= 6; ++points) roll += values[turn + points] / 6;
      const double hold = turn == 0 ? 0 : 1 - wins[cell(other, own + turn)];
      policy.roll(own, other, turn) = roll >= hold ? 1 : 0;
      values[turn] = std::max(roll, hold);
    }
    return values[0];
  };
  // Points only grow, so positions are solved from the end; only (a, b) and (b, a) depend on each other.
  for (int sum = 2 * (kGoal - 1); sum >= 0; --sum)
    for (int a = std::max(0, sum - kGoal + 1); 2 * a <= sum; ++a) {
      const int b = sum - a;
      double& wins_a = wins[cell(a, b)];
      double& wins_b = wins[cell(b, a)];
      for (double change = 1; change > 1e-13;) {
        const double next_a = best_turn(a, b, 1 - wins_b);
        const double next_b = best_turn(b, a, 1 - next_a);
        change = std::max(std::abs(next_a - wins_a), std::abs(next_b - wins_b));
        wins_a = next_a;
        wins_b = next_b;
      }
    }
  return policy;
}

double win_probability(const Policy& a, const Policy& b, bool a_moves_first, int head_start) {
  check(head_start >= 0 && head_start < kGoal, "a head start in Pig is below the goal");
  // The probability that `a` wins, by a's and b's points, when a and when b starts a turn.
  Table a_to_move(std::size_t{kGoal} * kGoal), b_to_move(std::size_t{kGoal} * kGoal);
  for (int sum = 2 * (kGoal - 1); sum >= 0; --sum)
    for (int x = std::max(0, sum - kGoal + 1); x <= std::min(sum, kGoal - 1); ++x) {
      const int y = sum - x;
      const Linear a_turn = turn_value(a, x, y, [&](int turn) { return b_to_move[cell(x + turn, y)]; });
      const Linear b_turn = turn_value(b, y, x, [&](int turn) { return 1 - a_to_move[cell(x, y + turn)]; });
      // p = a_turn(q) and 1 - q = b_turn(1 - p), with p and q a's chances when a and when b starts its turn.
      const double q = (1 - b_turn.at(1 - a_turn.constant)) / (1 - b_turn.slope * a_turn.slope);
      b_to_move[cell(x, y)] = q;
      a_to_move[cell(x, y)] = a_turn.at(q);
    }
  return a_moves_first ? a_to_move[cell(0, head_start)] : b_to_move[cell(head_start, 0)];
}

Result<Policy> policy_of(Agent& agent) {
  constexpr int kBatch = 2048;
  BatchOf<Pig> batch(kBatch);
  BatchRows shown(batch);
  batch.start_all(default_settings(batch.spec()), Key());
  std::vector<float> probabilities(std::size_t{kBatch} * 2);

  Policy policy;
  std::vector<int> rows;
  std::vector<double*> targets;
  const auto flush = [&] {
    for (int row : rows) agent.match_started(row);
    if (!shown.observe() || !agent.probabilities(shown.decisions(rows), probabilities.data())) return false;
    for (std::size_t i = 0; i < rows.size(); ++i) *targets[i] = static_cast<double>(probabilities[2 * i + Pig::kRoll]);
    rows.clear();
    targets.clear();
    return true;
  };
  const Error silent{"pig: " + agent.name() + " cannot be judged: it gives no probabilities of its choices"};
  for (int own = 0; own < kGoal; ++own)
    for (int other = 0; other < kGoal; ++other)
      for (int turn = 2; own + turn < kGoal; ++turn) {
        const int row = static_cast<int>(rows.size());
        batch.set_state(row, Pig::at(own, other, turn));
        rows.push_back(row);
        targets.push_back(&policy.roll(own, other, turn));
        if (rows.size() == kBatch && !flush()) return silent;
      }
  if (!flush()) return silent;
  return policy;
}

std::unique_ptr<Agent> player(std::string name, Policy policy) {
  return std::make_unique<PolicyPlayer>(std::move(name), std::move(policy));
}

GameEntry game_entry() {
  GameEntry entry = rival::game_entry<Pig>();
  entry.baselines = {
      {"hold20", "holds as soon as a turn has brought 20 points", [] { return player("hold20", hold_at(20)); }},
      {"optimal", "perfect play", [] { return player("optimal", optimal_policy()); }},
  };
  entry.judges = {{"optimal", "exact probability of winning against optimal play", judge}};
  return entry;
}

}  // namespace rival::pig
