#include "match/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>

#include "agent/scripted.hpp"
#include "base/index.hpp"

namespace rival {
namespace {

// What became of one match, for the agent under test.
struct Outcome {
  int team = -1;  // that the agent had; -1: the match was not played, as that place stays empty
  Placing placing;
  double mean_return = 0;
  bool truncated = false;
  int steps = 0;
  std::uint64_t course = 0;  // a hash of where the agents began, of what they did, and of the end
};

class Series {
 public:
  Series(const GameEntry& game, Agent& agent, Agent* opponent, Key key, const MatchOptions& options)
      : spec_(game.spec),
        teams_(game.spec.team_count()),
        total_((std::max(1, options.matches) + teams_ - 1) / teams_ * teams_),
        open_(options.seconds > 0 ? teams_ : total_),
        seconds_(options.seconds),
        stop_(options.stop),
        settings_(with_defaults(game.spec, options.settings)),
        key_(key),
        opening_(options.opening),
        step_limit_(options.step_limit),
        agents_{&agent, opponent ? opponent : &agent},
        batch_(game.make_batch(std::min(std::max(1, options.batch), total_))),
        probe_(teams_ > 2 ? game.make_batch(1) : nullptr),
        rows_(*batch_),
        slots_(index(batch_->matches())),
        outcomes_(index(total_)),
        recorders_(index(std::min(options.replays, total_))) {
    rows_.numbers.assign(slots_.size(), -1);
  }

  Result<MatchSummary> play() {
    std::vector<int> free(slots_.size());
    for (std::size_t i = 0; i < free.size(); ++i) free[i] = static_cast<int>(i);
    for (std::uint64_t step = 0;; ++step) {
      if (finished_ == open_) {
        settled_ = open_;
        if (!open_more()) break;
        for (std::size_t i = 0; i < slots_.size(); ++i)
          if (slots_[i].match < 0) free.push_back(static_cast<int>(i));
      }
      if ((seconds_ > 0 && elapsed() > seconds_) || (stop_ && stop_())) break;
      start(free);
      free.clear();
      if (Result<void> shown = rows_.observe(); !shown) return shown.error();
      note_beginnings();
      play_openings();
      for (int side = 0; side < 2; ++side)
        if (Result<void> acted = act(side, key_.split(2 * step + 1).split(side)); !acted) return acted.error();
      for (std::optional<ReplayRecorder>& recorder : recorders_)
        if (recorder) recorder->record(rows_.actions());
      if (Result<void> stepped = rows_.step(); !stepped) return stepped.error();
      for (int slot = 0; slot < batch_->matches(); ++slot) {
        if (slots_[slot].match < 0) continue;
        if (Result<void> sound = take_rewards(slot); !sound) return sound.error();
        if (rows_.status[slot] == Status::running) continue;
        if (batch_->steps(slot) <= opening_) {
          if (++slots_[slot].attempt == kAttempts)
            return Error{fmt::format("{}: matches end within an opening of {} random steps; ask for a shorter one",
                                     spec_.name, opening_)};
          start(slot);
          continue;
        }
        finish(slot);
        free.push_back(slot);
      }
    }
    total_ = settled_;
    outcomes_.resize(total_);
    return total_ > 0 ? summary() : MatchSummary{};
  }

 private:
  static constexpr int kAttempts = 100;
  static constexpr int kGrowth = 4;  // rounds played together are at most so many times those before

  double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

  // Lets as many further rounds begin as the last ones' pace allows; false if there is no time for any, or none is
  // left.
  bool open_more() {
    if (open_ == total_) return false;
    const double now = elapsed(), pace = (now - opened_at_) / (open_ - opened_);
    const int left = total_ - open_;
    const double fit = std::floor((seconds_ - now) / std::max(pace, 1e-9) / teams_) * teams_;
    if (fit < teams_) return false;
    const int more = fit >= left ? left : std::min(static_cast<int>(fit), kGrowth * (open_ - opened_));
    opened_at_ = now, opened_ = open_, open_ += more;
    return true;
  }

  struct Slot {
    int match = -1;  // -1: none is left for this slot
    int attempt = 0;
    int team = 0;  // the agent's
    Key key;
    std::vector<double> returns;  // [seats]
    std::uint64_t course = 0;
  };

  // 0: the agent under test, 1: the opponent.
  int side_of(int slot, int seat) const { return spec_.team_of(seat) == slots_[slot].team ? 0 : 1; }

  Key match_key(const Slot& s) const { return key_.split(0).split(s.match / teams_).split(s.attempt); }

  // Whether the slot's match has a team for the agent: each that plays has one of its round.
  bool has_team(const Slot& s) {
    if (!probe_) return true;
    const int zero = 0;
    const Key key = match_key(s);
    start_matches(*probe_, {&zero, 1}, settings_, {&key, 1});
    return s.match % teams_ < static_cast<int>(probe_->playing_teams(0).size());
  }

  void start(const std::vector<int>& free) {
    for (int slot : free) {
      Slot& s = slots_[slot];
      for (;;) {
        s.match = started_ < open_ ? started_++ : -1;
        s.attempt = 0;
        if (s.match < 0 || has_team(s)) break;
        ++finished_;
      }
      if (s.match >= 0) start(slot);
    }
  }

  // Starts the slot's match: matches of a round have the same key.
  void start(int slot) {
    Slot& s = slots_[slot];
    s.key = match_key(s);
    s.returns.assign(index(spec_.seats), 0);
    s.course = 0;
    rows_.numbers[slot] = s.match;
    start_matches(*batch_, {&slot, 1}, settings_, {&s.key, 1});
    const std::vector<int> teams = batch_->playing_teams(slot);
    s.team = teams.empty() ? 0 : teams[index(s.match % teams_) % teams.size()];
    for (Agent* agent : agents_) agent->match_started(slot);
    if (index(s.match) < recorders_.size()) recorders_[s.match].emplace(*batch_, slot, s.key);
  }

  void note_beginnings() {
    for (int slot = 0; slot < batch_->matches(); ++slot)
      if (slots_[slot].match >= 0 && batch_->ready(slot) && batch_->steps(slot) == opening_)
        note(slot, batch_->hash(slot));
  }

  void note(int slot, std::uint64_t what) {
    std::uint64_t& course = slots_[slot].course;
    course = Key::mix(course + what + 1);
  }

  // Random actions for the seats of matches in their opening; the same in all matches with the same key.
  void play_openings() {
    const int first = 0;
    for (int row : rows_.acting()) {
      const int slot = rows_.match_of(row), seat = rows_.seats[row];
      if (batch_->steps(slot) >= opening_) continue;
      const Decisions one{batch_.get(), {&first, 1}, rows_.observation(row), rows_.mask(row), rows_.seats.data() + row};
      const Key key = slots_[slot].key.split(~std::uint64_t{0}).split(batch_->steps(slot)).split(seat);
      random_->act(one, key, rows_.choice_row(row), rows_.value_row(row));
    }
  }

  Result<void> act(int side, Key key) {
    deciding_.clear();
    for (int row : rows_.acting()) {
      const int slot = rows_.match_of(row);
      if (batch_->steps(slot) >= opening_ && side_of(slot, rows_.seats[row]) == side) deciding_.push_back(row);
    }
    if (deciding_.empty()) return {};
    agents_[side]->act(rows_.decisions(deciding_), key, rows_.choices.data(), rows_.values.data());
    if (Result<void> good = rows_.take(deciding_, "agent '" + agents_[side]->name() + "'"); !good) return good;
    for (int row : deciding_) note_course(row);
    return {};
  }

  void note_course(int row) {
    const RowLayout& layout = batch_->layout();
    const int slot = rows_.match_of(row);
    for (int p = 0; p < layout.choice_count; ++p) note(slot, static_cast<std::uint64_t>(rows_.choice_row(row)[p]));
    for (int i = 0; i < layout.value_count; ++i) note(slot, std::bit_cast<std::uint32_t>(rows_.value_row(row)[i]));
  }

  // What chance made of the match shows in what was seen last.
  void note_end(int slot) {
    const int per_match = batch_->rows_per_match();
    for (int row = slot * per_match; row < (slot + 1) * per_match; ++row)
      for (int i = 0; rows_.seats[row] >= 0 && i < batch_->layout().observation_size; ++i)
        note(slot, std::bit_cast<std::uint32_t>(rows_.observation(row)[i]));
    note(slot, batch_->hash(slot));
  }

  Result<void> take_rewards(int slot) {
    for (int seat = 0; seat < spec_.seats; ++seat)
      slots_[slot].returns[seat] += rows_.rewards[slot * spec_.seats + seat];
    if (rows_.status[slot] != Status::running) return {};
    return ends_in_time(*batch_, slot, slots_[slot].match, step_limit_);
  }

  void finish(int slot) {
    Slot& s = slots_[slot];
    const std::vector<double> returns = team_returns(*batch_, slot, s.returns);
    Outcome& outcome = outcomes_[s.match];
    outcome.truncated = rows_.status[slot] == Status::truncated;
    outcome.team = s.team;
    outcome.mean_return = returns[s.team];
    if (teams_ > 1) outcome.placing = place_of(*batch_, slot, s.team, returns);
    note_end(slot);
    outcome.course = s.course;
    outcome.steps = batch_->steps(slot);
    if (index(s.match) < recorders_.size()) {
      replays_.resize(recorders_.size());
      replays_[s.match] = recorders_[s.match]->finish();
      recorders_[s.match].reset();
    }
    ++finished_;
  }

  MatchSummary summary() {
    MatchSummary sum;
    std::set<std::uint64_t> courses;
    for (const Outcome& outcome : outcomes_)
      if (outcome.team >= 0) courses.insert(outcome.course);
    sum.distinct = static_cast<int>(courses.size());
    std::vector<double> scores, returns;  // a mean per round
    std::vector<std::vector<double>> by_team(teams_);
    PairResult result;
    for (int first = 0; first < total_; first += teams_) {
      std::vector<double> round_scores, round_returns;
      for (int match = first; match < first + teams_; ++match) {
        const Outcome& outcome = outcomes_[match];
        if (outcome.team < 0) continue;
        const Placing& place = outcome.placing;
        round_scores.push_back(teams_ == 1 ? outcome.mean_return : place.score());
        round_returns.push_back(outcome.mean_return);
        by_team[outcome.team].push_back(round_scores.back());
        sum.truncated += outcome.truncated;
        sum.returns_are_results &= outcome.mean_return == -1 || outcome.mean_return == 0 || outcome.mean_return == 1;
        if (teams_ == 1) continue;
        (place.ahead > 0 ? sum.losses : place.level > 0 ? sum.draws : sum.wins) += 1;
        if (place.others() > 0) result.add(place);
      }
      sum.matches += static_cast<int>(round_scores.size());
      scores.push_back(mean(round_scores));
      returns.push_back(mean(round_returns));
    }
    sum.placings = std::move(result.placings);
    const auto estimate = [this](const std::vector<double>& values) {
      return Estimate{mean(values), teams_ == 1 ? mean_interval(values) : score_interval(values)};
    };
    sum.score = estimate(scores);
    sum.mean_return = {mean(returns), mean_interval(returns)};
    if (teams_ == 2 && sum.returns_are_results)  // the same figure as the score, and doubt remains where all are alike
      sum.mean_return.interval = {2 * sum.score.interval.low - 1, 2 * sum.score.interval.high - 1};
    for (const std::vector<double>& values : by_team) sum.score_by_team.push_back(estimate(values));
    std::int64_t steps = 0;
    for (const Outcome& outcome : outcomes_) steps += outcome.steps;
    sum.mean_steps = static_cast<double>(steps) / sum.matches;
    sum.replays = std::move(replays_);
    return sum;
  }

  const Spec& spec_;
  int teams_, total_;
  int open_;         // matches that may begin by now
  int opened_ = 0;   // and by the time before
  int settled_ = 0;  // matches that count: all that were opened with them have ended
  double seconds_, opened_at_ = 0;
  std::function<bool()> stop_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  MatchSettings settings_;
  Key key_;
  int opening_, step_limit_;
  std::unique_ptr<Agent> random_ = random_agent();
  Agent* agents_[2];
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Batch> probe_;  // a match of its own; null where all teams play always
  BatchRows rows_;
  std::vector<Slot> slots_;
  std::vector<Outcome> outcomes_;  // [matches]
  std::vector<std::optional<ReplayRecorder>> recorders_;
  std::vector<Replay> replays_;
  int started_ = 0, finished_ = 0;
  std::vector<int> deciding_;
};

}  // namespace

Result<void> ends_in_time(const Batch& batch, int match, std::int64_t number, int limit) {
  const int most = batch.spec().max_steps > 0 ? std::min(batch.spec().max_steps, limit) : limit;
  if (batch.steps(match) < most) return {};
  return Error{fmt::format("game '{}', match {}: it is still running after {} steps, the most it may take",
                           batch.spec().name, number, batch.steps(match))};
}

std::vector<double> team_returns(const Batch& batch, int match, std::span<const double> returns) {
  const Spec& spec = batch.spec();
  const SeatSet playing = batch.playing(match);
  std::vector<double> means(spec.team_count());
  std::vector<int> members(means.size());
  for (int seat = 0; seat < spec.seats; ++seat) {
    if (!playing.contains(seat)) continue;
    means[spec.team_of(seat)] += returns[seat];
    ++members[spec.team_of(seat)];
  }
  for (std::size_t team = 0; team < means.size(); ++team) means[team] /= std::max(1, members[team]);
  return means;
}

Placing place_of(const Batch& batch, int match, int team, std::span<const double> returns) {
  const auto standing = [&](int t) {
    if (!batch.has_result()) return returns[t];
    return batch.status(match) == Status::finished ? static_cast<double>(batch.result(match, t)) : 0.0;
  };
  Placing placing{.matches = 1};
  const double own = standing(team);
  for (int t = 0; t < batch.spec().team_count(); ++t) {
    if (t == team || !batch.plays(match, t)) continue;
    const double other = standing(t);
    (other > own ? placing.ahead : other < own ? placing.behind : placing.level) += 1;
  }
  return placing;
}

Result<MatchSummary> play_matches(const GameEntry& game, Agent& agent, Agent* opponent, Key key,
                                  const MatchOptions& options) {
  check(opponent || game.spec.team_count() == 1, "a game of several teams needs an opponent");
  return Series(game, agent, opponent, key, options).play();
}

}  // namespace rival
