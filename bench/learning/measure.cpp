#include <memory>

#include "agent/scripted.hpp"
#include "bench/learning/task.hpp"
#include "search/game_tree.hpp"

namespace rival::learning {

Measure mean_return(int matches) {
  return {.name = "return", .matches = matches, .figure = [](const GameEntry& game, Agent& player, Key key, int count) {
            const std::unique_ptr<Agent> others = random_agent();
            const auto played = play_matches(game, player, others.get(), key, {.matches = count});
            return played ? Result<Estimate>(played.value().mean_return) : Result<Estimate>(played.error());
          }};
}

Measure score_against(const std::string& name, std::function<std::unique_ptr<Agent>()> opponent, int matches) {
  return {.name = "score against " + name,
          .matches = matches,
          .figure = [opponent](const GameEntry& game, Agent& player, Key key, int count) {
            const std::unique_ptr<Agent> other = opponent();
            // Where neither draws anything, two random steps make matches differ.
            const bool plain = !game.spec.simultaneous && !game.spec.hidden_information;
            const auto played =
                play_matches(game, player, other.get(), key, {.matches = count, .opening = plain ? 2 : 0});
            return played ? Result<Estimate>(played.value().score) : Result<Estimate>(played.error());
          }};
}

Measure exact_nash_conv() {
  return {.name = "NashConv", .less_is_better = true, .figure = [](const GameEntry& game, Agent& player, Key, int) {
            const Result<GameTree> tree = game_tree(game.make_batch);
            if (!tree) return Result<Estimate>(tree.error());
            const Result<TreePolicy> policy = policy_of(player, tree.value());
            if (!policy) return Result<Estimate>(policy.error());
            const double value = nash_conv(tree.value(), policy.value());
            return Result<Estimate>(Estimate{value, {value, value}});
          }};
}

}  // namespace rival::learning
