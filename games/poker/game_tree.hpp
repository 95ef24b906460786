// Exact play of small two-player zero-sum games with chance and hidden cards: the whole game as an explicit tree, the
// value of a policy in it, best responses, and equilibria by CFR+.
//
// A game joins by two members that spell out its chance; what a seat observes is its information set, so observations
// must hold all that the seat has seen since the start of the match (perfect recall):
//
//   static std::vector<Outcome<G>> starts();                    // the states reset() may give
//   std::vector<Outcome<G>> successors(int choice) const;       // the states step() may give
#pragma once

#include <concepts>
#include <map>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "rival/game.hpp"

namespace rival {

template <class G>
struct Outcome {
  G state;
  double probability;
};

template <class G>
concept EnumerableGame = Game<G> && HasResult<G> && HasLegal<G> && requires(const G& g, int choice) {
  { G::starts() } -> std::same_as<std::vector<Outcome<G>>>;
  { g.successors(choice) } -> std::same_as<std::vector<Outcome<G>>>;
};

struct GameTree {
  enum class Kind { terminal, chance, decision };
  struct Node {
    Kind kind = Kind::terminal;
    double payoff = 0;                  // terminal: to seat 0; seat 1 gets its negative
    std::vector<int> children;          // chance: an outcome each; decision: a choice each, -1 where not allowed
    std::vector<double> probabilities;  // chance
    int information_set = -1;           // decision
  };
  struct InformationSet {
    int seat = 0;
    std::vector<int> nodes;  // which the seat cannot tell apart
  };
  int choices = 0;          // of the game's one action part
  std::vector<Node> nodes;  // [0] is the root; parents come before their children
  std::vector<InformationSet> information_sets;

  const Node& node(int n) const { return nodes[static_cast<std::size_t>(n)]; }
};

// The probability of every choice at every information set: [information sets x choices], 0 where not allowed.
using Policy = std::vector<double>;

Policy uniform_policy(const GameTree& tree);

// The expected payoff to seat 0 if both seats play `policy`.
double policy_value(const GameTree& tree, const Policy& policy);

// What `responder` can expect at most if the other seat plays `policy`.
double best_response_value(const GameTree& tree, const Policy& policy, int responder);

// The sum of what both seats could gain by best responses: 0 exactly in equilibrium.
double nash_conv(const GameTree& tree, const Policy& policy);

// An approximate equilibrium: the average policy of CFR+ (Tammelin, "Solving large imperfect information games using
// CFR+", 2014): alternating updates, regrets floored at 0, iteration t weighs t in the average.
Policy cfr_plus(const GameTree& tree, int iterations);

// The tree of a game, and its information sets as the game's own states.
template <EnumerableGame G>
class GameTreeOf {
 public:
  GameTreeOf() : spec_(G::spec()), layout_(spec_) {
    check(spec_.team_count() == 2 && spec_.seats == 2 && !spec_.simultaneous && layout_.choice_count == 1 &&
              layout_.value_count == 0,
          "a game tree needs two seats that act in turn by one discrete choice");
    tree_.choices = layout_.mask_size;
    add(G::starts());
  }

  const GameTree& tree() const { return tree_; }
  // For each information set a state in which its seat is to act there.
  const std::vector<G>& states() const { return states_; }
  // The information set of the seat to act; a bug if the tree has no such one.
  int information_set(const G& state) const { return ids_.at(observation(state)); }

 private:
  int add(const std::vector<Outcome<G>>& outcomes) {
    if (outcomes.size() == 1) return add(outcomes[0].state);
    const std::size_t n = new_node(GameTree::Kind::chance);
    for (const Outcome<G>& outcome : outcomes) {
      const int child = add(outcome.state);
      tree_.nodes[n].children.push_back(child);
      tree_.nodes[n].probabilities.push_back(outcome.probability);
    }
    return static_cast<int>(n);
  }

  int add(const G& state) {
    if (state.status() != Status::running) {
      const std::size_t n = new_node(GameTree::Kind::terminal);
      check(state.result(0) == -state.result(1), "a game tree needs a zero-sum game");
      tree_.nodes[n].payoff = state.result(0);
      return static_cast<int>(n);
    }
    const std::size_t n = new_node(GameTree::Kind::decision);
    const int seat = state.to_act().lowest();
    const auto [entry, is_new] = ids_.emplace(observation(state), static_cast<int>(states_.size()));
    const int id = entry->second;
    if (is_new) {
      states_.push_back(state);
      tree_.information_sets.push_back({seat, {}});
    }
    tree_.information_sets[static_cast<std::size_t>(id)].nodes.push_back(static_cast<int>(n));
    tree_.nodes[n].information_set = id;
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(tree_.choices));
    state.legal(seat, Mask(mask.data(), layout_));
    for (int choice = 0; choice < tree_.choices; ++choice) {
      const int child = mask[static_cast<std::size_t>(choice)] ? add(state.successors(choice)) : -1;
      tree_.nodes[n].children.push_back(child);
    }
    return static_cast<int>(n);
  }

  std::size_t new_node(GameTree::Kind kind) {
    tree_.nodes.push_back({.kind = kind, .payoff = 0, .children = {}, .probabilities = {}});
    return tree_.nodes.size() - 1;
  }

  std::vector<float> observation(const G& state) const {
    std::vector<float> row(static_cast<std::size_t>(layout_.observation_size));
    const int seat = state.to_act().lowest();
    state.observe(seat, Observation(row.data(), layout_, spec_));
    row.push_back(static_cast<float>(seat));
    return row;
  }

  Spec spec_;
  RowLayout layout_;
  GameTree tree_;
  std::vector<G> states_;
  std::map<std::vector<float>, int> ids_;
};

}  // namespace rival
