#include "search/best_response.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/threads.hpp"

namespace rival {
namespace {

constexpr const char* kName = "best-response";

Judgement judge(const GameTree& tree, const TreePolicy& policy) {
  const int seats = tree.spec.seats;
  const std::vector<double> values = policy_values(tree, policy);
  std::vector<Judgement::Figure> by_seat;
  double gains = 0;
  for (int seat = 0; seat < seats; ++seat) {
    const std::string ending = seats == 1   ? ""
                               : seats == 2 ? (seat == 0 ? "_first" : "_second")
                                            : fmt::format("_seat_{}", seat);
    const std::string who = seats == 1   ? "it"
                            : seats == 2 ? (seat == 0 ? "the first seat" : "the second seat")
                                         : fmt::format("seat {}", seat);
    const double value = values[seat], best = best_response_value(tree, policy, seat);
    by_seat.push_back(
        {"value" + ending, value, "what " + who + " wins when " + (seats == 1 ? "it plays" : "it plays itself")});
    by_seat.push_back({"best_response_value" + ending, best,
                       seats == 1 ? "what perfect play wins" : "what the best opponent wins in " + who});
    gains += best - value;
  }
  Judgement judgement{
      {{"nash_conv", gains, "what all seats together could gain by best responses; 0: perfect"},
       {"exploitability", gains / seats,
        seats == 2 ? "what the best opponent wins a match, seats swapped" : "what a seat could gain, on average"}}};
  judgement.figures.insert(judgement.figures.end(), by_seat.begin(), by_seat.end());
  return judgement;
}

Result<Judgement> judge(Agent& agent, const BatchFactory& factory) {
  const Result<GameTree> tree = game_tree(factory);
  if (!tree) return tree.error();
  const Result<TreePolicy> policy = policy_of(agent, tree.value());
  if (!policy) return policy.error();
  return judge(tree.value(), policy.value());
}

}  // namespace

Judge best_response_judge(const BatchFactory& factory) {
  return {kName, "exact best responses over the whole game: NashConv and exploitability",
          [factory](Agent& agent, Key, int, const JudgeProgress&) -> Result<Judgement> {
            Result<Judgement> judgement = Error{""};
            // A tree is walked to its end by recursion.
            const Result<void> ran = run_on_deep_stack([&] { judgement = judge(agent, factory); });
            return ran ? judgement : ran.error();
          }};
}

std::vector<Judge> judges_of(const GameEntry& game) {
  std::vector<Judge> judges = game.judges;
  const bool has_own = std::any_of(judges.begin(), judges.end(), [](const Judge& j) { return j.name == kName; });
  if (!has_own && estimated_histories(game.make_batch) <= 10.0 * TreeLimits().nodes)
    judges.push_back(best_response_judge(game.make_batch));
  return judges;
}

}  // namespace rival
