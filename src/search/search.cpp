#include "search/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/index.hpp"
#include "base/number.hpp"
#include "base/threads.hpp"
#include "search/game_tree.hpp"

namespace rival {
namespace {

constexpr std::string_view kPrefix = "search:";

// What was tried once, and what came of it.
struct Arm {
  int visits = 0;
  double total = 0;  // of returns from here on
  double mean() const { return total / visits; }
};

// What a seat knows of one action part where it sees the same.
struct Part {
  std::vector<Arm> arms;      // of choices: one each; of continuous parts: what was tried so far
  std::vector<float> values;  // [arms x size], of continuous parts
};

struct Node {
  int visits = 0;
  std::vector<Part> parts;
};

// Searches one decision at a time.
class Search {
 public:
  Search(const BatchFactory& factory, const SearchOptions& options)
      : options_(options),
        batch_(factory(1)),
        spec_(batch_->spec()),
        layout_(batch_->layout()),
        rows_(*batch_),
        members_(index(spec_.team_count())) {
    for (int seat = 0; seat < spec_.seats; ++seat) ++members_[spec_.team_of(seat)];
  }

  // Writes the action of `seat` in a match of `from` to one row of choices and one of values.
  Result<void> decide(const Batch& from, int match, int seat, Key key, std::int32_t* choices, float* values) {
    nodes_.clear();
    ids_.clear();
    low_ = std::numeric_limits<double>::infinity();
    high_ = -low_;
    for (int s = 0; s < options_.simulations; ++s)
      if (Result<void> simulated = simulate(from, match, seat, key.split(s)); !simulated) return simulated;
    // The first node is the seat's own: a simulation begins where it is to act, but others may act along with it.
    Random random(key.split(~std::uint64_t{0}));
    choose_finally(nodes_[root_], random, choices, values);
    return {};
  }

 private:
  // A decision within a simulation, to be told what came of it.
  struct Visit {
    int node, team;
    int first_arm;  // in arms_: the arm taken, per part
    double before;  // what the team had returned by then
  };

  Result<void> simulate(const Batch& from, int match, int seat, Key key) {
    check(batch_->copy_match(from, match, 0, key.split(0)), "a search copies matches");
    if (spec_.hidden_information) batch_->resample_hidden(0, seat, key.split(1));
    Random random(key.split(2));
    visits_.clear();
    arms_.clear();
    returns_.assign(members_.size(), 0);
    bool growing = true;
    rows_.status[0] = Status::running;
    for (int step = 0; step < options_.rollout_steps && rows_.status[0] == Status::running; ++step) {
      if (Result<void> shown = rows_.observe(); !shown) return shown;
      bool grown = false;
      for (int row : rows_.acting()) {
        const int actor = rows_.seats[row];
        if (growing)
          grown |= choose_by_counts(row, actor, step == 0 && actor == seat, random);
        else
          choose_randomly(row, random);
      }
      growing &= !grown;
      if (Result<void> stepped = rows_.step(); !stepped) return stepped;
      for (int s = 0; s < spec_.seats; ++s) {
        const int team = spec_.team_of(s);
        returns_[team] += static_cast<double>(rows_.rewards[s]) / members_[team];
      }
    }
    for (const Visit& visit : visits_) learn(visit, returns_[visit.team] - visit.before);
    return {};
  }

  void learn(const Visit& visit, double value) {
    Node& node = nodes_[visit.node];
    ++node.visits;
    for (std::size_t p = 0; p < node.parts.size(); ++p) {
      Arm& arm = node.parts[p].arms[arms_[index(visit.first_arm) + p]];
      ++arm.visits;
      arm.total += value;
    }
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }

  // True if the seat has never seen this before.
  bool choose_by_counts(int row, int seat, bool root, Random& random) {
    const std::uint64_t sight = sight_hash(layout_, seat, rows_.observation(row), rows_.mask(row));
    const auto [entry, is_new] = ids_.emplace(sight, static_cast<int>(nodes_.size()));
    const int id = entry->second;
    if (is_new) {
      nodes_.emplace_back();
      nodes_.back().parts.resize(spec_.action.size());
      for (std::size_t p = 0; p < spec_.action.size(); ++p)
        if (spec_.action[p].is_choice()) nodes_.back().parts[p].arms.resize(spec_.action[p].size);
    }
    if (root) root_ = id;
    const int team = spec_.team_of(seat);
    visits_.push_back({id, team, static_cast<int>(arms_.size()), returns_[team]});
    Node& node = nodes_[id];
    for (std::size_t p = 0; p < spec_.action.size(); ++p) {
      const ActionPart& part = spec_.action[p];
      Part& known = node.parts[p];
      if (!part.is_choice() && known.arms.size() * known.arms.size() <= index(node.visits)) {
        known.arms.emplace_back();
        for (int i = 0; i < part.size; ++i) known.values.push_back(random.uniform(part.low, part.high));
      }
      const int arm = best_arm(known, node.visits, part.is_choice() ? rows_.mask(row, p) : nullptr, random);
      arms_.push_back(arm);
      take(row, p, known, arm);
    }
    return is_new;
  }

  // The arm with the highest upper confidence bound; first those never tried, in random order.
  int best_arm(const Part& part, int visits, const std::uint8_t* allowed, Random& random) const {
    const double log_visits = std::log(std::max(1, visits)), range = high_ > low_ ? high_ - low_ : 1;
    double best = -std::numeric_limits<double>::infinity();
    int choice = -1, equals = 0;
    for (int a = 0; a < static_cast<int>(part.arms.size()); ++a) {
      if (allowed && !allowed[a]) continue;
      const Arm& arm = part.arms[a];
      const double bound =
          arm.visits == 0 ? std::numeric_limits<double>::infinity()
                          : (arm.mean() - low_) / range + options_.exploration * std::sqrt(log_visits / arm.visits);
      if (choice < 0 || bound > best) {
        best = bound;
        choice = a;
        equals = 1;
      } else if (bound == best && random.below(++equals) == 0) {
        choice = a;
      }
    }
    check(choice >= 0, "a mask allows nothing");
    return choice;
  }

  void choose_randomly(int row, Random& random) {
    for (std::size_t p = 0; p < spec_.action.size(); ++p) {
      const ActionPart& part = spec_.action[p];
      if (part.is_choice()) {
        const std::uint8_t* allowed = rows_.mask(row, p);
        int left = 0;
        for (int c = 0; c < part.size; ++c) left += allowed[c];
        check(left > 0, "a mask allows nothing");
        int choice = 0;
        for (left = random.below(left); !allowed[choice] || left-- > 0;) ++choice;
        rows_.choice_row(row)[layout_.choice_index[p]] = choice;
      } else {
        for (int i = 0; i < part.size; ++i)
          rows_.value_row(row)[layout_.value_offset[p] + i] = random.uniform(part.low, part.high);
      }
    }
  }

  void take(int row, std::size_t p, const Part& part, int arm) {
    write(p, part, arm, rows_.choice_row(row), rows_.value_row(row));
  }

  void write(std::size_t p, const Part& part, int arm, std::int32_t* choices, float* values) const {
    const int size = spec_.action[p].size;
    if (spec_.action[p].is_choice())
      choices[layout_.choice_index[p]] = arm;
    else
      std::copy_n(part.values.begin() + arm * size, size, values + layout_.value_offset[p]);
  }

  void choose_finally(const Node& node, Random& random, std::int32_t* choices, float* values) const {
    const bool mixed = spec_.simultaneous || spec_.hidden_information;
    for (std::size_t p = 0; p < node.parts.size(); ++p) {
      const std::vector<Arm>& arms = node.parts[p].arms;
      int best = -1, total = 0;
      for (int a = 0; a < static_cast<int>(arms.size()); ++a) {
        const Arm& arm = arms[a];
        if (arm.visits == 0) continue;
        if (best < 0 || arm.visits > arms[best].visits ||
            (arm.visits == arms[best].visits && arm.mean() > arms[best].mean()))
          best = a;
      }
      // What was tried seldom was tried to explore.
      const auto counts = [&](const Arm& arm) { return 10 * arm.visits >= arms[best].visits ? arm.visits : 0; };
      int taken = best;
      if (mixed) {
        for (const Arm& arm : arms) total += counts(arm);
        int left = random.below(total);
        for (taken = 0; left >= counts(arms[taken]); ++taken) left -= counts(arms[taken]);
      }
      write(p, node.parts[p], taken, choices, values);
    }
  }

  SearchOptions options_;
  std::unique_ptr<Batch> batch_;  // one match, the simulation's
  const Spec& spec_;
  const RowLayout& layout_;
  BatchRows rows_;
  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, int> ids_;  // sight -> node
  int root_ = 0;
  double low_ = 0, high_ = 0;  // of all returns so far
  std::vector<Visit> visits_;
  std::vector<int> arms_;
  std::vector<int> members_;     // [teams] how many seats
  std::vector<double> returns_;  // [teams] what the simulation has returned, a seat's mean
};

class SearchAgent final : public Agent {
 public:
  SearchAgent(const BatchFactory& factory, const SearchOptions& options)
      : name_(fmt::format("{}{}", kPrefix, options.simulations)), team_(options.threads) {
    for (int member = 0; member < team_.size(); ++member) searches_.emplace_back(factory, options);
  }

  std::string name() const override { return name_; }

  void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override {
    const RowLayout& layout = decisions.batch->layout();
    const Batch& batch = *decisions.batch;
    std::atomic<std::size_t> next = 0;
    std::vector<std::optional<BatchFailure>> failures(searches_.size());
    team_.run([&](int member) {
      for (std::size_t i; (i = next.fetch_add(1)) < decisions.rows.size();) {
        const int row = decisions.rows[i], match = row / batch.rows_per_match();
        const Result<void> decided =
            searches_[member].decide(batch, match, decisions.seats[row], key.split(row),
                                     choices + row * layout.choice_count, values + row * layout.value_count);
        if (decided) continue;
        failures[member] = {match, batch.steps(match), decisions.seats[row],
                            "in a simulation of " + name_ + " from here: " + decided.error().message};
        return;
      }
    });
    for (const auto& failure : failures)
      if (failure) batch.fail(*failure);
  }

 private:
  std::string name_;
  Team team_;
  std::vector<Search> searches_;
};

}  // namespace

Result<std::unique_ptr<Agent>> search_agent(const BatchFactory& factory, const SearchOptions& options) {
  check(options.simulations > 0 && options.rollout_steps > 0, "a search needs simulations");
  const std::unique_ptr<Batch> batch = factory(1);
  const Spec& spec = batch->spec();
  batch->start_all(default_settings(spec), Key());
  if (!batch->copy_match(*batch, 0, 0))
    return Error{"search plays copies of a match to their end, and " + spec.name + " does not give any"};
  if (spec.hidden_information) {
    if (!batch->resample_hidden(0, batch->to_act(0).lowest(), Key()))
      return Error{spec.name +
                   " has hidden information but no resample_hidden(seat, key), without which a search would look at "
                   "what its seat must not know; docs/yardsticks.md says how to write it"};
  }
  return std::unique_ptr<Agent>(std::make_unique<SearchAgent>(factory, options));
}

bool is_search(std::string_view name) {
  return name == kPrefix.substr(0, kPrefix.size() - 1) || name.starts_with(kPrefix);
}

Result<int> search_simulations(std::string_view name) {
  const std::string_view number = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : "";
  return parse_number<int>("the number of simulations in search:N", number, {1, 1'000'000});
}

}  // namespace rival
