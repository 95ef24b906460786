#include "search/game_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "agent/scripted.hpp"
#include "base/index.hpp"

namespace rival {
namespace {

constexpr int kTrials = 1000;  // random matches that must run as the tree says

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return Key::mix(a ^ (b + Key::kGolden));
}

const ActionPart* continuous_part(const Spec& spec) {
  for (const ActionPart& part : spec.action)
    if (!part.is_choice()) return &part;
  return nullptr;
}

// A history on the way, besides the state of its match.
struct History {
  std::vector<std::uint64_t> seen;  // [seats] what a seat saw and chose so far
  std::vector<double> returns;      // [seats]
  int steps = 0;
};

class Builder {
 public:
  Builder(const BatchFactory& factory, const TreeLimits& limits)
      : factory_(factory),
        limits_(limits),
        start_(factory(1)),
        layout_(start_->layout()),
        observation_(index(layout_.observation_size)),
        mask_(index(layout_.mask_size)) {
    tree_.spec = start_->spec();
  }

  Result<GameTree> build() {
    const Spec& spec = tree_.spec;
    if (const ActionPart* part = continuous_part(spec))
      return Error{
          fmt::format("{}: the action '{}' is continuous, and only games of choices can be walked to their end",
                      spec.name, part->name)};
    const Settings settings = default_settings(spec);
    if (!start_->copy_match(*start_, 0, 0))
      return Error{"an exact judge branches by copies of a match, and " + spec.name + " does not give any"};
    Outcomes starts = start_->starts(settings);
    if (Result<void> sound = start_->sound(); !sound) return sound.error();
    if (!starts.matches) {
      start_->start_all(settings, Key());
      starts = {std::move(start_), {1}, std::vector<float>(index(spec.seats))};
    }
    add_chance(starts, {std::vector<std::uint64_t>(index(spec.seats)), std::vector<double>(index(spec.seats)), 0});
    if (error_) return *error_;
    if (Result<void> held = run_trials(settings); !held) return held.error();
    return std::move(tree_);
  }

 private:
  // The seats and parts that are chosen in a step, one after the other.
  struct Decision {
    int seat, part;
    int sight;
    std::uint64_t seen;  // by the seat, up to and with this step's observation
    std::vector<std::uint8_t> mask;
  };
  struct Position {
    const Batch* batch;
    int match;
    const History* history;
    std::vector<Decision> decisions;
    std::vector<std::int32_t> choices;  // [rows of a match x choice_count]
    std::uint64_t hash;
  };

  int new_node(GameTree::Kind kind, std::uint64_t hash = 0) {
    if (static_cast<int>(tree_.nodes.size()) >= limits_.nodes)
      fail(
          fmt::format("{} has more than {} histories, too many for an exact judge; search:N is a yardstick for games "
                      "of any size",
                      tree_.spec.name, limits_.nodes));
    tree_.nodes.push_back({.kind = kind, .position_hash = hash});
    return static_cast<int>(tree_.nodes.size()) - 1;
  }

  void fail(std::string message) {
    if (!error_) error_ = Error{std::move(message)};
  }

  // Edges stand together, so they are stored when all of a node's children are known.
  void set_edges(int node, const std::vector<GameTree::Edge>& edges) {
    tree_.nodes[node].first = static_cast<int>(tree_.edges.size());
    tree_.nodes[node].count = static_cast<int>(edges.size());
    tree_.edges.insert(tree_.edges.end(), edges.begin(), edges.end());
  }

  int add_chance(const Outcomes& outcomes, const History& before) {
    const int seats = tree_.spec.seats, count = outcomes.matches->matches();
    const auto after = [&](int i) {
      History history = before;
      for (int seat = 0; seat < seats; ++seat) history.returns[seat] += outcomes.rewards[i * seats + seat];
      return history;
    };
    if (count == 1) return add_position(*outcomes.matches, 0, after(0));
    const double sum = std::accumulate(outcomes.probabilities.begin(), outcomes.probabilities.end(), 0.0);
    if (!(std::fabs(sum - 1) < 1e-6) || count == 0)
      fail(fmt::format("{}: the probabilities that {} gives after {} steps sum to {}", tree_.spec.name,
                       before.steps == 0 ? "starts()" : "outcomes()", before.steps, sum));
    const int node = new_node(GameTree::Kind::chance);
    std::vector<GameTree::Edge> edges;
    for (int i = 0; i < count && !error_; ++i)
      edges.push_back({.node = add_position(*outcomes.matches, i, after(i)), .probability = outcomes.probabilities[i]});
    set_edges(node, edges);
    return node;
  }

  int add_position(const Batch& batch, int match, const History& history) {
    if (history.steps > limits_.steps)
      fail(fmt::format("{} may take more than {} steps, too many for an exact judge", tree_.spec.name, limits_.steps));
    if (Result<void> sound = batch.sound(); !sound) fail(sound.error().message);
    if (error_) return 0;
    if (batch.status(match) != Status::running) {
      const int node = new_node(GameTree::Kind::terminal, batch.hash(match));
      tree_.nodes[node].first = static_cast<int>(tree_.payoffs.size()) / tree_.spec.seats;
      tree_.payoffs.insert(tree_.payoffs.end(), history.returns.begin(), history.returns.end());
      return node;
    }
    Position position{&batch, match, &history, {}, {}, batch.hash(match)};
    position.choices.resize(batch.rows_per_match() * layout_.choice_count);
    for (SeatSet acting = batch.to_act(match); !acting.empty(); acting = acting.without(acting.lowest())) {
      const int seat = acting.lowest();
      batch.observe_seat(match, seat, observation_.data(), mask_.data());
      const std::uint64_t sight = sight_hash(layout_, seat, observation_.data(), mask_.data());
      for (int part = 0; part < static_cast<int>(tree_.spec.action.size()); ++part)
        position.decisions.push_back(
            {seat, part, sight_id(sight, batch, match, seat), mix(history.seen[seat], sight), mask_});
    }
    if (Result<void> sound = batch.sound(); !sound) fail(sound.error().message);
    if (position.decisions.empty()) fail(tree_.spec.name + ": a match is running, but nobody is to act");
    return error_ ? 0 : add_decision(position, 0);
  }

  int sight_id(std::uint64_t hash, const Batch& batch, int match, int seat) {
    const int next = static_cast<int>(tree_.sights.size());
    const auto [entry, is_new] = tree_.sight_ids.emplace(hash, next);
    if (!is_new) return entry->second;
    const int place = next % GameTree::kPositions;
    if (place == 0) tree_.positions.push_back(factory_(GameTree::kPositions));
    tree_.positions.back()->copy_match(batch, match, place);
    tree_.sights.push_back({seat, next});
    return next;
  }

  // The decision number `d` of the position; those before it have been made, in position.choices.
  int add_decision(Position& position, std::size_t d) {
    if (d == position.decisions.size()) return add_step(position);
    const Decision& decision = position.decisions[d];
    const std::size_t part = decision.part;
    const int node = new_node(GameTree::Kind::decision, d == 0 ? position.hash : 0);
    if (error_) return node;
    const std::uint8_t* mask = decision.mask.data() + layout_.mask_offset[part];
    const int size = tree_.spec.action[part].size;
    // What the seat chose in the parts before this one it knows.
    std::uint64_t key = mix(decision.seen, index(decision.part));
    std::int32_t* own =
        position.choices.data() + (position.batch->rows_per_match() > 1 ? decision.seat : 0) * layout_.choice_count;
    for (int p = 0; p < decision.part; ++p)
      key = mix(key, static_cast<std::uint64_t>(own[layout_.choice_index[p]]) + 1);
    const auto [entry, is_new] = ids_.emplace(key, static_cast<int>(tree_.information_sets.size()));
    tree_.nodes[node].information_set = entry->second;
    if (is_new) {
      tree_.information_sets.push_back({decision.seat, decision.part, node, tree_.slots, decision.sight});
      tree_.slots += static_cast<int>(std::count_if(mask, mask + size, [](std::uint8_t m) { return m != 0; }));
    } else {
      GameTree::InformationSet& set = tree_.information_sets[entry->second];
      tree_.nodes[node].next_alike = set.node;
      set.node = node;
    }
    std::vector<GameTree::Edge> edges;
    for (int choice = 0; choice < size && !error_; ++choice) {
      if (!mask[choice]) continue;
      own[layout_.choice_index[part]] = choice;
      edges.push_back({.node = add_decision(position, d + 1), .choice = choice});
    }
    if (edges.empty() && !error_)
      fail(fmt::format("{}: seat {} is asked to act, but its mask allows no choice of '{}'", tree_.spec.name,
                       decision.seat, tree_.spec.action[part].name));
    set_edges(node, edges);
    return node;
  }

  int add_step(const Position& position) {
    History after = *position.history;
    ++after.steps;
    for (const Decision& decision : position.decisions) {
      const int row = position.batch->rows_per_match() > 1 ? decision.seat : 0;
      const int choice = position.choices[row * layout_.choice_count + layout_.choice_index[decision.part]];
      std::uint64_t& seen = after.seen[decision.seat];
      if (decision.part == 0) seen = decision.seen;
      seen = mix(seen, static_cast<std::uint64_t>(choice) + 1);
    }
    const ActionRows actions{position.choices.data(), nullptr};
    const Outcomes outcomes = position.batch->outcomes(position.match, actions);
    if (Result<void> sound = position.batch->sound(); !sound) fail(sound.error().message);
    if (error_) return 0;
    if (outcomes.matches) return add_chance(outcomes, after);
    // A match for each depth, since those before are still branching.
    if (levels_.size() <= index(after.steps)) levels_.resize(index(after.steps) + 1);
    if (!levels_[after.steps]) levels_[after.steps] = factory_(1);
    Batch& next = *levels_[after.steps];
    next.copy_match(*position.batch, position.match, 0);
    std::vector<float> rewards(tree_.spec.seats);
    Status status;
    next.step(actions, {rewards.data(), &status});
    for (std::size_t seat = 0; seat < rewards.size(); ++seat) after.returns[seat] += rewards[seat];
    return add_position(next, 0, after);
  }

  // Random matches, each with its own key, must all be in the tree: else there is chance that the game does not say.
  Result<void> run_trials(const Settings& settings) const {
    const std::unique_ptr<Batch> batch = factory_(1);
    BatchRows rows(*batch);
    const std::unique_ptr<Agent> agent = random_agent();
    for (int trial = 0; trial < kTrials; ++trial) {
      const Key key = Key(1).split(trial);
      batch->start_all(settings, key);
      std::vector<double> returns(tree_.spec.seats);
      rows.status[0] = batch->status(0);
      // Where in the tree the match may stand; several nodes where nobody sees yet what chance has brought.
      std::vector<int> nodes = after_chance({0}, batch->hash(0));
      for (int step = 1; !nodes.empty() && rows.status[0] == Status::running; ++step) {
        if (Result<void> shown = rows.observe(); !shown) return shown;
        agent->act(rows.decisions(), key.split(step), rows.choices.data(), nullptr);
        if (Result<void> stepped = rows.step(); !stepped) return stepped;
        for (std::size_t seat = 0; seat < returns.size(); ++seat) returns[seat] += rows.rewards[seat];
        nodes = after_chance(after_choices(nodes, rows), batch->hash(0));
      }
      const bool known = std::any_of(nodes.begin(), nodes.end(), [&](int n) {
        const double* payoffs = tree_.payoffs.data() + tree_.node(n).first * tree_.spec.seats;
        return tree_.node(n).kind == GameTree::Kind::terminal && std::equal(returns.begin(), returns.end(), payoffs);
      });
      if (!known)
        return Error{fmt::format(
            "{}: random match {} came after {} steps to what the game's own account of its chance does not hold. An "
            "exact judge needs all outcomes of chance: starts(settings) for what reset() draws, outcomes(actions) for "
            "what step() draws; docs/yardsticks.md shows them",
            tree_.spec.name, trial, batch->steps(0))};
    }
    return {};
  }

  std::vector<int> after_choices(std::vector<int> nodes, const BatchRows& rows) const {
    for (int row : rows.acting())
      for (std::size_t part = 0; part < tree_.spec.action.size(); ++part) {
        const int choice = rows.choice_row(row)[layout_.choice_index[part]];
        for (int& n : nodes) {
          const GameTree::Node node = tree_.node(n);
          n = -1;
          for (int e = 0; e < node.count; ++e)
            if (tree_.edge(node, e).choice == choice) n = tree_.edge(node, e).node;
        }
        std::erase(nodes, -1);
      }
    return nodes;
  }

  std::vector<int> after_chance(const std::vector<int>& nodes, std::uint64_t hash) const {
    std::vector<int> after;
    const auto add = [&](int n) {
      if (tree_.node(n).position_hash == hash) after.push_back(n);
    };
    for (int n : nodes) {
      const GameTree::Node& node = tree_.node(n);
      if (node.kind != GameTree::Kind::chance) add(n);
      for (int e = 0; e < node.count && node.kind == GameTree::Kind::chance; ++e) add(tree_.edge(node, e).node);
    }
    return after;
  }

  BatchFactory factory_;
  TreeLimits limits_;
  std::unique_ptr<Batch> start_;
  RowLayout layout_;
  std::vector<float> observation_;
  std::vector<std::uint8_t> mask_;
  GameTree tree_;
  std::unordered_map<std::uint64_t, int> ids_;  // what a seat has seen and chosen -> information set
  std::vector<std::unique_ptr<Batch>> levels_;
  std::optional<Error> error_;
};

class BestResponse {
 public:
  BestResponse(const GameTree& tree, const TreePolicy& policy, int responder)
      : tree_(tree),
        policy_(policy),
        responder_(responder),
        reach_(tree.nodes.size(), 1.0),
        values_(tree.nodes.size(), std::numeric_limits<double>::quiet_NaN()),
        best_(tree.information_sets.size(), -1) {
    for (std::size_t n = 0; n < tree.nodes.size(); ++n)
      for (int e = 0; e < tree.nodes[n].count; ++e)
        reach_[index(tree.edge(tree.nodes[n], e).node)] = reach_[n] * weight(tree.nodes[n], e);
  }

  // The payoff to the responder from node `n` on.
  double value(int n) {
    double& known = values_[n];
    if (std::isnan(known)) known = find_value(tree_.node(n));
    return known;
  }

 private:
  bool responds(const GameTree::Node& node) const {
    return node.kind == GameTree::Kind::decision && tree_.information_sets[node.information_set].seat == responder_;
  }

  // How likely chance or another seat takes the edge `e`; 1 for the responder's own choices.
  double weight(const GameTree::Node& node, int e) const {
    if (node.kind == GameTree::Kind::chance) return tree_.edge(node, e).probability;
    return responds(node) ? 1 : policy_[tree_.information_sets[node.information_set].slot + e];
  }

  double find_value(const GameTree::Node& node) {
    if (node.kind == GameTree::Kind::terminal) return tree_.payoffs[node.first * tree_.spec.seats + responder_];
    if (responds(node)) return value(tree_.edge(node, best_choice(node.information_set)).node);
    double sum = 0;
    for (int e = 0; e < node.count; ++e)
      if (weight(node, e) > 0) sum += weight(node, e) * value(tree_.edge(node, e).node);
    return sum;
  }

  // The edge that is best on average over what may be true there.
  int best_choice(int information_set) {
    int& best = best_[information_set];
    if (best >= 0) return best;
    const int first = tree_.information_sets[information_set].node;
    double best_value = -std::numeric_limits<double>::infinity();
    for (int e = 0; e < tree_.node(first).count; ++e) {
      double sum = 0;
      for (int n = first; n >= 0; n = tree_.node(n).next_alike)
        if (reach_[n] > 0) sum += reach_[n] * value(tree_.edge(tree_.node(n), e).node);
      if (sum > best_value) {
        best_value = sum;
        best = e;
      }
    }
    return best;
  }

  const GameTree& tree_;
  const TreePolicy& policy_;
  int responder_;
  std::vector<double> reach_;  // how likely chance and the others come to a node, if the responder makes for it
  std::vector<double> values_;
  std::vector<int> best_;
};

// Sets the policy at an information set in proportion to the weights; uniform where all are 0.
void normalise(const GameTree& tree, const std::vector<double>& weights, const GameTree::InformationSet& set,
               TreePolicy& policy) {
  const int count = tree.node(set.node).count;
  const auto first = weights.begin() + set.slot;
  const double sum = std::accumulate(first, first + count, 0.0);
  for (int c = 0; c < count; ++c) policy[set.slot + c] = sum > 0 ? first[c] / sum : 1.0 / count;
}

class CfrPlus {
 public:
  explicit CfrPlus(const GameTree& tree)
      : tree_(tree), current_(uniform_policy(tree)), regret_(current_.size()), average_(current_.size()) {}

  void iterate(int t) {
    for (int seat : {0, 1}) {
      std::vector<double> gain(current_.size());
      walk(0, seat, {1, 1}, t, gain);
      for (std::size_t i = 0; i < gain.size(); ++i) regret_[i] = std::max(0.0, regret_[i] + gain[i]);
      for (const GameTree::InformationSet& set : tree_.information_sets)
        if (set.seat == seat) normalise(tree_, regret_, set, current_);
    }
  }

  TreePolicy average() const {
    TreePolicy policy = uniform_policy(tree_);
    for (const GameTree::InformationSet& set : tree_.information_sets) normalise(tree_, average_, set, policy);
    return policy;
  }

 private:
  // The payoff to `seat` from node `n` on; adds the regrets of its choices to `gain`. `reach`: how likely the other
  // seat and chance ([0]), and the seat itself ([1]), come here.
  double walk(int n, int seat, std::array<double, 2> reach, int t, std::vector<double>& gain) {
    const GameTree::Node& node = tree_.node(n);
    if (node.kind == GameTree::Kind::terminal) return tree_.payoffs[node.first * tree_.spec.seats + seat];
    const bool chance = node.kind == GameTree::Kind::chance;
    const int first = chance ? 0 : tree_.information_sets[node.information_set].slot;
    const bool own = !chance && tree_.information_sets[node.information_set].seat == seat;
    double value = 0;
    for (int e = 0; e < node.count; ++e) {
      const GameTree::Edge& edge = tree_.edge(node, e);
      const std::size_t slot = first + e;
      const double p = chance ? edge.probability : current_[slot];
      const double v =
          walk(edge.node, seat, own ? std::array{reach[0], reach[1] * p} : std::array{reach[0] * p, reach[1]}, t, gain);
      value += p * v;
      if (!own) continue;
      gain[slot] += reach[0] * v;
      average_[slot] += t * reach[1] * p;
    }
    for (int e = 0; e < node.count && own; ++e) gain[first + e] -= reach[0] * value;
    return value;
  }

  const GameTree& tree_;
  TreePolicy current_;
  std::vector<double> regret_, average_;
};

class TableAgent final : public Agent {
 public:
  TableAgent(std::string name, std::shared_ptr<const GameTree> tree, const TreePolicy& policy)
      : name_(std::move(name)), tree_(std::move(tree)), layout_(tree_->spec) {
    table_.resize(tree_->sights.size() * index(layout_.mask_size));
    std::vector<bool> filled(tree_->sights.size() * tree_->spec.action.size());
    for (const GameTree::InformationSet& set : tree_->information_sets) {
      const auto place = index(set.sight) * tree_->spec.action.size() + index(set.part);
      check(!filled[place], "a sight stands for several information sets: the observation lacks what went before");
      filled[place] = true;
      const GameTree::Node& node = tree_->node(set.node);
      for (int e = 0; e < node.count; ++e)
        table_[index(set.sight * layout_.mask_size + layout_.mask_offset[set.part] + tree_->edge(node, e).choice)] =
            static_cast<float>(policy[set.slot + e]);
    }
  }

  std::string name() const override { return name_; }

  void act(const Decisions& decisions, Key key, std::int32_t* choices, float*) override {
    for (int row : decisions.rows) {
      Random random(key.split(row));
      const float* probabilities = row_of(decisions, row);
      for (std::size_t p = 0; p < tree_->spec.action.size(); ++p) {
        const float* part = probabilities + layout_.mask_offset[p];
        float left = random.uniform();
        int choice = 0;
        for (int c = 0; c < tree_->spec.action[p].size && left >= 0; ++c) {
          if (part[c] <= 0) continue;
          choice = c;
          left -= part[c];
        }
        choices[row * layout_.choice_count + layout_.choice_index[p]] = choice;
      }
    }
  }

  bool probabilities(const Decisions& decisions, float* probabilities) override {
    for (int row : decisions.rows)
      std::copy_n(row_of(decisions, row), layout_.mask_size, probabilities + row * layout_.mask_size);
    return true;
  }

 private:
  const float* row_of(const Decisions& decisions, int row) const {
    const std::uint64_t sight =
        sight_hash(layout_, decisions.seats[row], decisions.observations + row * layout_.observation_size,
                   decisions.masks + row * layout_.mask_size);
    const auto found = tree_->sight_ids.find(sight);
    check(found != tree_->sight_ids.end(), "a position that the game's tree does not hold");
    return table_.data() + found->second * layout_.mask_size;
  }

  std::string name_;
  std::shared_ptr<const GameTree> tree_;
  RowLayout layout_;
  std::vector<float> table_;  // [sights x mask_size]
};

}  // namespace

std::uint64_t sight_hash(const RowLayout& layout, int seat, const float* observation, const std::uint8_t* mask) {
  std::uint64_t h = Key::mix(static_cast<std::uint64_t>(seat) + 1);
  for (int i = 0; i < layout.observation_size; ++i)
    if (observation[i] != 0) h = mix(mix(h, index(i)), std::bit_cast<std::uint32_t>(observation[i]));
  for (int i = 0; i < layout.mask_size; ++i)
    if (mask[i]) h = mix(h, ~index(i));
  return h;
}

Result<GameTree> game_tree(const BatchFactory& factory, const TreeLimits& limits) {
  return Builder(factory, limits).build();
}

double estimated_histories(const BatchFactory& factory) {
  constexpr int kWays = 100;
  constexpr double kEnough = 1e12;  // no need to know more
  const std::unique_ptr<Batch> batch = factory(1);
  const Spec& spec = batch->spec();
  if (continuous_part(spec)) return std::numeric_limits<double>::infinity();
  BatchRows rows(*batch);
  double sum = 0;
  for (int way = 0; way < kWays; ++way) {
    Random random(Key(2).split(way));
    batch->start_all(default_settings(spec), Key(3).split(way));
    double product = 1;
    rows.status[0] = batch->status(0);
    while (rows.status[0] == Status::running && product < kWays * kEnough) {
      if (!rows.observe()) return std::numeric_limits<double>::infinity();
      for (int row : rows.acting())
        for (std::size_t p = 0; p < spec.action.size(); ++p) {
          std::vector<int> allowed;
          for (int c = 0; c < spec.action[p].size; ++c)
            if (rows.mask(row, p)[c]) allowed.push_back(c);
          product *= static_cast<double>(allowed.size());
          rows.choice_row(row)[batch->layout().choice_index[p]] =
              allowed[random.below(static_cast<int>(allowed.size()))];
        }
      if (batch->steps(0) >= TreeLimits().steps || !rows.step()) return std::numeric_limits<double>::infinity();
    }
    sum += product;
    if (sum >= kWays * kEnough) return std::numeric_limits<double>::infinity();
  }
  return sum / kWays;
}

TreePolicy uniform_policy(const GameTree& tree) {
  TreePolicy policy(index(tree.slots));
  const std::vector<double> nothing(policy.size());
  for (const GameTree::InformationSet& set : tree.information_sets) normalise(tree, nothing, set, policy);
  return policy;
}

Result<TreePolicy> policy_of(Agent& agent, const GameTree& tree) {
  const RowLayout layout(tree.spec);
  std::vector<float> table(tree.sights.size() * index(layout.mask_size));  // [sights x mask_size]
  for (std::size_t b = 0; b < tree.positions.size(); ++b) {
    const Batch& batch = *tree.positions[b];
    const int first = static_cast<int>(b) * GameTree::kPositions;
    const int count = std::min(GameTree::kPositions, static_cast<int>(tree.sights.size()) - first);
    const int per_match = batch.rows_per_match();
    std::vector<float> observations(batch.rows() * layout.observation_size);
    std::vector<float> probabilities(batch.rows() * layout.mask_size);
    std::vector<std::uint8_t> masks(probabilities.size());
    std::vector<std::int8_t> seats(batch.rows());
    std::vector<int> rows;
    for (int i = 0; i < count; ++i) {
      const int seat = tree.sights[first + i].seat;
      const int row = per_match > 1 ? i * per_match + seat : i;
      batch.observe_seat(i, seat, observations.data() + row * layout.observation_size,
                         masks.data() + row * layout.mask_size);
      seats[row] = static_cast<std::int8_t>(seat);
      rows.push_back(row);
      agent.match_started(i);
    }
    if (!agent.probabilities({&batch, rows, observations.data(), masks.data(), seats.data()}, probabilities.data()))
      return Error{"the player '" + agent.name() +
                   "' does not say how likely it makes each choice, so it has no best response"};
    for (int i = 0; i < count; ++i)
      std::copy_n(probabilities.begin() + rows[i] * layout.mask_size, layout.mask_size,
                  table.begin() + (first + i) * layout.mask_size);
  }

  TreePolicy policy(index(tree.slots));
  for (const GameTree::InformationSet& set : tree.information_sets) {
    const ActionPart& part = tree.spec.action[set.part];
    const float* row = table.data() + set.sight * layout.mask_size + layout.mask_offset[set.part];
    const GameTree::Node& node = tree.node(set.node);
    const Batch& batch = *tree.positions[set.sight / GameTree::kPositions];
    const int match = set.sight % GameTree::kPositions;
    const auto where = [&] {
      const std::string text = batch.text(match, set.seat);
      return fmt::format(" where seat {}{}", set.seat, text.empty() ? " is to act" : " sees: " + text);
    };
    double sum = 0;
    for (int choice = 0, e = 0; choice < part.size; ++choice) {
      const bool allowed = e < node.count && tree.edge(node, e).choice == choice;
      const double p = static_cast<double>(row[choice]);
      if (!(p >= 0) || (!allowed && p > 1e-6))
        return Error{fmt::format(
            "the player '{}' plays '{}' with probability {}{}", agent.name(),
            set.part == 0 ? batch.action_text(match, set.seat, choice) : fmt::format("{} {}", part.name, choice), p,
            where())};
      if (!allowed) continue;
      policy[set.slot + e++] = p;
      sum += p;
    }
    if (!(std::fabs(sum - 1) < 1e-3))
      return Error{fmt::format("the player '{}' has probabilities that sum to {}{}", agent.name(), sum, where())};
    for (int e = 0; e < node.count; ++e) policy[set.slot + e] /= sum;
  }
  return policy;
}

std::vector<double> policy_values(const GameTree& tree, const TreePolicy& policy) {
  const std::size_t seats = tree.spec.seats;
  std::vector<double> values(tree.nodes.size() * seats);
  for (std::size_t n = tree.nodes.size(); n-- > 0;) {
    const GameTree::Node& node = tree.nodes[n];
    if (node.kind == GameTree::Kind::terminal)
      std::copy_n(tree.payoffs.data() + index(node.first) * seats, seats, values.data() + n * seats);
    for (int e = 0; e < node.count; ++e) {
      const GameTree::Edge& edge = tree.edge(node, e);
      const double p = node.kind == GameTree::Kind::chance
                           ? edge.probability
                           : policy[tree.information_sets[node.information_set].slot + e];
      for (std::size_t seat = 0; seat < seats; ++seat)
        values[n * seats + seat] += p * values[index(edge.node) * seats + seat];
    }
  }
  values.resize(seats);
  return values;
}

double best_response_value(const GameTree& tree, const TreePolicy& policy, int responder) {
  return BestResponse(tree, policy, responder).value(0);
}

double nash_conv(const GameTree& tree, const TreePolicy& policy) {
  const std::vector<double> values = policy_values(tree, policy);
  double gains = 0;
  for (int seat = 0; seat < tree.spec.seats; ++seat) gains += best_response_value(tree, policy, seat) - values[seat];
  return gains;
}

TreePolicy cfr_plus(const GameTree& tree, int iterations) {
  check(tree.spec.seats == 2, "CFR+ is for two seats");
  CfrPlus solver(tree);
  for (int t = 1; t <= iterations; ++t) solver.iterate(t);
  return solver.average();
}

std::unique_ptr<Agent> table_agent(std::string name, std::shared_ptr<const GameTree> tree, TreePolicy policy) {
  return std::make_unique<TableAgent>(std::move(name), std::move(tree), policy);
}

}  // namespace rival
