// Exact play of small games: the whole game as an explicit tree of histories, walked through its rules; the value of
// a policy in it, best responses, and equilibria by CFR+. Any number of seats, in turn or at once, by choices.
//
// What a seat saw at its decisions and what it chose there is its information set; a best response may use all of it,
// an agent is asked by what it sees now. Seats that act at once choose one after the other here, none knowing what the
// others chose; so are the parts of an action. Chance is what the game says of it (starts, outcomes); where it says
// nothing the rules must always do the same.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/agent.hpp"
#include "base/result.hpp"
#include "game/batch.hpp"

namespace rival {

struct GameTree {
  enum class Kind : std::uint8_t { terminal, chance, decision };
  struct Node {
    Kind kind = Kind::terminal;
    int first = 0, count = 0;         // chance, decision: its edges; terminal: `first` is a row of payoffs
    int information_set = -1;         // decision
    int next_alike = -1;              // decision: another node of the same information set
    std::uint64_t position_hash = 0;  // Batch::hash() of the match; 0 if it stands within a step
  };
  struct Edge {
    int node;
    int choice = 0;          // decision
    double probability = 1;  // chance
  };
  struct InformationSet {
    int seat, part;
    int node;   // one of its nodes; next_alike names the others
    int slot;   // in a TreePolicy: where its allowed choices begin
    int sight;  // what the seat sees there
  };
  // What a seat may see: where to ask an agent.
  struct Sight {
    int seat;
    int match;  // of `positions`: match % kPositions of batch match / kPositions
  };
  static constexpr int kPositions = 256;

  Spec spec;
  std::vector<Node> nodes;      // [0] is the root; parents come before their children
  std::vector<Edge> edges;      // of a node in order of its choices
  std::vector<double> payoffs;  // [terminals x seats] rewards and result
  std::vector<InformationSet> information_sets;
  int slots = 0;
  std::vector<Sight> sights;
  std::unordered_map<std::uint64_t, int> sight_ids;  // sight_hash() -> sight
  std::vector<std::unique_ptr<Batch>> positions;     // a match for each sight

  const Node& node(int n) const { return nodes[n]; }
  const Edge& edge(const Node& node, int i) const { return edges[node.first + i]; }
};

struct TreeLimits {
  int nodes = 1'000'000;
  int steps = 1'000;
};

// The tree of a game by its default settings. Error: continuous actions; a game larger than the limits; chance that
// the game does not say, as 1,000 random matches show; probabilities that do not sum to 1.
Result<GameTree> game_tree(const BatchFactory& factory, const TreeLimits& limits = {});

// About how many histories a game has, chance not counted: the mean product of choices on random ways through it
// (Knuth, "Estimating the efficiency of backtrack programs", 1975). Infinite with continuous actions.
double estimated_histories(const BatchFactory& factory);

// The probability of every allowed choice at every information set: [GameTree::slots].
using TreePolicy = std::vector<double>;

TreePolicy uniform_policy(const GameTree& tree);

// What an agent does at every information set. Error if it gives no probabilities, or none that are a distribution
// over the allowed choices. An agent with memory is asked with its memory empty, as if the match began there.
Result<TreePolicy> policy_of(Agent& agent, const GameTree& tree);

// What each seat can expect if all play `policy`: [seats].
std::vector<double> policy_values(const GameTree& tree, const TreePolicy& policy);

// What `responder` can expect at most if all others play `policy`.
double best_response_value(const GameTree& tree, const TreePolicy& policy, int responder);

// The sum of what each seat could gain by a best response: 0 exactly in equilibrium.
double nash_conv(const GameTree& tree, const TreePolicy& policy);

// An approximate equilibrium of a zero-sum game of two seats: the average policy of CFR+ (Tammelin, "Solving large
// imperfect information games using CFR+", 2014): alternating updates, regrets floored at 0, iteration t weighs t in
// the average.
TreePolicy cfr_plus(const GameTree& tree, int iterations);

// An agent that plays a policy of the tree, by what it sees. A bug if one sight stands for several information sets.
std::unique_ptr<Agent> table_agent(std::string name, std::shared_ptr<const GameTree> tree, TreePolicy policy);

// What a seat sees and may do, as a hash; `observation` and `mask` are rows of `layout`.
std::uint64_t sight_hash(const RowLayout& layout, int seat, const float* observation, const std::uint8_t* mask);

}  // namespace rival
