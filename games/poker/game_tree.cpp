#include "games/poker/game_tree.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace rival {
namespace {

std::size_t slot(const GameTree& tree, int information_set, std::size_t choice = 0) {
  return static_cast<std::size_t>(information_set) * static_cast<std::size_t>(tree.choices) + choice;
}

int seat_of(const GameTree& tree, const GameTree::Node& node) {
  return tree.information_sets[static_cast<std::size_t>(node.information_set)].seat;
}

class BestResponse {
 public:
  BestResponse(const GameTree& tree, const Policy& policy, int responder)
      : tree_(tree),
        policy_(policy),
        responder_(responder),
        reach_(tree.nodes.size(), 1.0),
        best_(tree.information_sets.size(), -1) {
    for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
      const GameTree::Node& node = tree.nodes[n];
      for (std::size_t c = 0; c < node.children.size(); ++c)
        if (node.children[c] >= 0) reach_[static_cast<std::size_t>(node.children[c])] = reach_[n] * weight(node, c);
    }
  }

  // The payoff to the responder from node `n` on.
  double value(int n) {
    const GameTree::Node& node = tree_.node(n);
    if (node.kind == GameTree::Kind::terminal) return responder_ == 0 ? node.payoff : -node.payoff;
    if (responds(node)) return value(node.children[static_cast<std::size_t>(best_choice(node.information_set))]);
    double sum = 0;
    for (std::size_t c = 0; c < node.children.size(); ++c)
      if (node.children[c] >= 0 && weight(node, c) > 0) sum += weight(node, c) * value(node.children[c]);
    return sum;
  }

 private:
  bool responds(const GameTree::Node& node) const {
    return node.kind == GameTree::Kind::decision && seat_of(tree_, node) == responder_;
  }

  // How likely chance or the other seat goes on to child `c`; 1 for the responder's own choices.
  double weight(const GameTree::Node& node, std::size_t c) const {
    if (node.kind == GameTree::Kind::chance) return node.probabilities[c];
    return responds(node) ? 1 : policy_[slot(tree_, node.information_set, c)];
  }

  // The choice that is best on average over what may be true there.
  int best_choice(int information_set) {
    int& best = best_[static_cast<std::size_t>(information_set)];
    if (best >= 0) return best;
    const std::vector<int>& nodes = tree_.information_sets[static_cast<std::size_t>(information_set)].nodes;
    double best_value = -std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < static_cast<std::size_t>(tree_.choices); ++c) {
      if (tree_.node(nodes[0]).children[c] < 0) continue;
      double sum = 0;
      for (int n : nodes) sum += reach_[static_cast<std::size_t>(n)] * value(tree_.node(n).children[c]);
      if (sum > best_value) {
        best_value = sum;
        best = static_cast<int>(c);
      }
    }
    return best;
  }

  const GameTree& tree_;
  const Policy& policy_;
  int responder_;
  std::vector<double> reach_;
  std::vector<int> best_;
};

class CfrPlus {
 public:
  explicit CfrPlus(const GameTree& tree)
      : tree_(tree), current_(uniform_policy(tree)), regret_(current_.size()), average_(current_.size()) {}

  void iterate(int t) {
    for (int seat : {0, 1}) {
      std::vector<double> gain(current_.size());
      walk(0, seat, {1, 1}, t, gain);
      for (std::size_t i = 0; i < gain.size(); ++i) regret_[i] = std::max(0.0, regret_[i] + gain[i]);
      match_regrets(seat);
    }
  }

  Policy average() const {
    Policy policy = uniform_policy(tree_);
    for (std::size_t i = 0; i < tree_.information_sets.size(); ++i) normalise(average_, static_cast<int>(i), policy);
    return policy;
  }

 private:
  // The payoff to `seat` from node `n` on; adds the regrets of its choices to `gain`. `reach`: how likely the other
  // seat and chance ([0]), and the seat itself ([1]), come here.
  double walk(int n, int seat, std::array<double, 2> reach, int t, std::vector<double>& gain) {
    const GameTree::Node& node = tree_.node(n);
    if (node.kind == GameTree::Kind::terminal) return seat == 0 ? node.payoff : -node.payoff;
    double value = 0;
    if (node.kind == GameTree::Kind::chance || seat_of(tree_, node) != seat) {
      for (std::size_t c = 0; c < node.children.size(); ++c) {
        if (node.children[c] < 0) continue;
        const double p = node.kind == GameTree::Kind::chance ? node.probabilities[c]
                                                             : current_[slot(tree_, node.information_set, c)];
        value += p * walk(node.children[c], seat, {reach[0] * p, reach[1]}, t, gain);
      }
      return value;
    }
    const std::size_t first = slot(tree_, node.information_set);
    for (std::size_t c = 0; c < node.children.size(); ++c) {
      if (node.children[c] < 0) continue;
      const double p = current_[first + c];
      const double v = walk(node.children[c], seat, {reach[0], reach[1] * p}, t, gain);
      value += p * v;
      gain[first + c] += reach[0] * v;
      average_[first + c] += t * reach[1] * p;
    }
    for (std::size_t c = 0; c < node.children.size(); ++c)
      if (node.children[c] >= 0) gain[first + c] -= reach[0] * value;
    return value;
  }

  void match_regrets(int seat) {
    for (std::size_t i = 0; i < tree_.information_sets.size(); ++i)
      if (tree_.information_sets[i].seat == seat) normalise(regret_, static_cast<int>(i), current_);
  }

  // Sets the policy at an information set in proportion to the weights; uniform where all are 0.
  void normalise(const std::vector<double>& weights, int information_set, Policy& policy) const {
    const GameTree::Node& node = tree_.node(tree_.information_sets[static_cast<std::size_t>(information_set)].nodes[0]);
    const std::size_t first = slot(tree_, information_set);
    double sum = 0, allowed = 0;
    for (std::size_t c = 0; c < node.children.size(); ++c)
      if (node.children[c] >= 0) {
        sum += weights[first + c];
        ++allowed;
      }
    for (std::size_t c = 0; c < node.children.size(); ++c)
      if (node.children[c] >= 0) policy[first + c] = sum > 0 ? weights[first + c] / sum : 1 / allowed;
  }

  const GameTree& tree_;
  Policy current_;
  std::vector<double> regret_, average_;
};

}  // namespace

Policy uniform_policy(const GameTree& tree) {
  Policy policy(slot(tree, static_cast<int>(tree.information_sets.size())));
  for (std::size_t i = 0; i < tree.information_sets.size(); ++i) {
    const std::vector<int>& children = tree.node(tree.information_sets[i].nodes[0]).children;
    const auto allowed = std::count_if(children.begin(), children.end(), [](int child) { return child >= 0; });
    for (std::size_t c = 0; c < children.size(); ++c)
      if (children[c] >= 0) policy[slot(tree, static_cast<int>(i), c)] = 1 / static_cast<double>(allowed);
  }
  return policy;
}

double policy_value(const GameTree& tree, const Policy& policy) {
  std::vector<double> value(tree.nodes.size());
  for (std::size_t n = tree.nodes.size(); n-- > 0;) {
    const GameTree::Node& node = tree.nodes[n];
    value[n] = node.payoff;
    for (std::size_t c = 0; c < node.children.size(); ++c) {
      if (node.children[c] < 0) continue;
      const double p =
          node.kind == GameTree::Kind::chance ? node.probabilities[c] : policy[slot(tree, node.information_set, c)];
      value[n] += p * value[static_cast<std::size_t>(node.children[c])];
    }
  }
  return value[0];
}

double best_response_value(const GameTree& tree, const Policy& policy, int responder) {
  return BestResponse(tree, policy, responder).value(0);
}

double nash_conv(const GameTree& tree, const Policy& policy) {
  return best_response_value(tree, policy, 0) + best_response_value(tree, policy, 1);
}

Policy cfr_plus(const GameTree& tree, int iterations) {
  CfrPlus solver(tree);
  for (int t = 1; t <= iterations; ++t) solver.iterate(t);
  return solver.average();
}

}  // namespace rival
