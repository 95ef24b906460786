#include "balance/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>
#include <optional>
#include <set>

#include "base/index.hpp"
#include "base/threads.hpp"
#include "match/match.hpp"

namespace rival::balance {
namespace {

constexpr int kShards = 16;  // pieces of the work, each with its own randomness, whoever plays it
constexpr int kBatch = 256;  // matches of a shard that are played at once

// What the threads share.
struct Shared {
  std::atomic<int> next_shard{0};
  std::atomic<std::int64_t> ended{0};  // matches
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::optional<Error> error;
};

struct Outcome {
  std::optional<MatchResult> match;
  std::uint64_t course = 0;
};

// Plays the pairs `begin` to `end` - 1.
class Shard {
 public:
  Shard(const GameEntry& game, std::span<const MakeAgent> players, Key key, const MeasureOptions& options,
        std::vector<Outcome>& outcomes, std::vector<std::optional<Replay>>& replays, int begin, int end, Shared& shared)
      : spec_(game.spec),
        options_(options),
        key_(key),
        next_(begin),
        end_(end),
        outcomes_(outcomes),
        replays_(replays),
        shared_(shared),
        batch_(game.make_batch(std::min(kBatch, end - begin))),
        rows_(*batch_),
        slots_(index(batch_->matches())),
        makers_(players) {
    rows_.numbers.assign(slots_.size(), -1);
  }

  void play(bool leads) {
    if (Result<void> played = run(leads); !played) {
      const std::scoped_lock lock(shared_.mutex);
      if (!shared_.error) shared_.error = played.error();
      shared_.failed = true;
    }
  }

 private:
  struct Slot {
    std::int64_t match = -1;      // 2 * pair, + 1 for the swapped one; -1: idle
    std::int64_t pair_left = -1;  // whose second match comes next; -1: none
    PairSetup setup;              // of the pair
    Key key;
    std::vector<double> returns;
    std::uint64_t course = 0;
    std::optional<ReplayRecorder> recorder;

    const Settings& settings() const { return match % 2 == 0 ? setup.settings : setup.swapped; }
  };

  Result<void> run(bool leads) {
    for (const MakeAgent& make : makers_) {
      Result<std::unique_ptr<Agent>> agent = make();
      if (!agent) return agent.error();
      agents_.push_back(std::move(agent.value()));
    }
    for (;; ++turn_) {
      bool busy = false;
      for (int slot = 0; slot < batch_->matches(); ++slot) {
        if (slots_[slot].match < 0) start(slot);
        busy |= slots_[slot].match >= 0;
      }
      if (!busy || (options_.stop && *options_.stop) || shared_.failed) return {};
      if (Result<void> shown = rows_.observe(); !shown) return shown;
      if (Result<void> acted = act(); !acted) return acted;
      if (Result<void> stepped = rows_.step(); !stepped) return stepped;
      for (int slot = 0; slot < batch_->matches(); ++slot)
        if (slots_[slot].match >= 0)
          if (Result<void> ended = look(slot); !ended) return ended;
      if (leads && options_.on_progress)
        options_.on_progress(static_cast<double>(shared_.ended) / (2.0 * std::max(1, options_.pairs)));
    }
  }

  // The two matches of a pair are played one after the other in one slot.
  void start(int slot) {
    Slot& s = slots_[slot];
    if (s.pair_left >= 0) {
      s.match = 2 * s.pair_left + 1;
      s.pair_left = -1;
    } else {
      if (next_ == end_) return;
      s.pair_left = next_++;
      s.match = 2 * s.pair_left;
      s.setup = options_.setup(s.pair_left, pair_key(s).split(1));
    }
    const Key key = pair_key(s);
    s.key = key.split(options_.choice >= 0 ? 0 : 2 + s.match % 2);  // with nothing to swap, two of their own
    s.returns.assign(index(spec_.seats), 0);
    s.course = 0;
    rows_.numbers[slot] = static_cast<int>(s.match);
    batch_->start({&slot, 1}, s.settings(), {&s.key, 1});
    for (const std::unique_ptr<Agent>& agent : agents_) agent->match_started(slot);
    if (s.match < options_.replays) s.recorder.emplace(*batch_, slot, s.key);
  }

  Key pair_key(const Slot& s) const { return key_.split(static_cast<std::uint64_t>(s.match / 2)); }
  std::size_t player_of(const Slot& s) const { return index(s.match / 2) % agents_.size(); }

  Result<void> act() {
    for (std::size_t player = 0; player < agents_.size(); ++player) {
      deciding_.clear();
      for (const int row : rows_.acting()) {
        const int slot = rows_.match_of(row);
        const Slot& s = slots_[slot];
        if (s.match >= 0 && player_of(s) == player) deciding_.push_back(row);
      }
      if (deciding_.empty()) continue;
      agents_[player]->act(rows_.decisions(deciding_), key_.split(~std::uint64_t{1}).split(first_).split(turn_),
                           rows_.choices.data(), rows_.values.data());
      if (Result<void> good = rows_.take(deciding_, "agent '" + agents_[player]->name() + "'"); !good) return good;
    }
    for (const int row : rows_.acting()) {
      Slot& s = slots_[rows_.match_of(row)];
      const RowLayout& layout = batch_->layout();
      for (int p = 0; p < layout.choice_count; ++p) note(s, static_cast<std::uint64_t>(rows_.choice_row(row)[p]));
      for (int i = 0; i < layout.value_count; ++i) note(s, std::bit_cast<std::uint32_t>(rows_.value_row(row)[i]));
    }
    for (Slot& s : slots_)
      if (s.recorder) s.recorder->record(rows_.actions());
    return {};
  }

  static void note(Slot& s, std::uint64_t what) { s.course = Key::mix(s.course + what + 1); }

  Result<void> look(int slot) {
    Slot& s = slots_[slot];
    for (int seat = 0; seat < spec_.seats; ++seat) s.returns[seat] += rows_.rewards[slot * spec_.seats + seat];
    if (rows_.status[slot] == Status::running) return ends_in_time(*batch_, slot, s.match);
    const std::vector<double> returns = team_returns(*batch_, slot, s.returns);
    MatchResult result{.pair = options_.choice >= 0 ? s.match / 2 : s.match,
                       .parameters = s.settings().parameters,
                       .steps = batch_->steps(slot)};
    result.score = static_cast<float>(place_of(*batch_, slot, 0, returns).score());
    if (options_.choice >= 0) {
      const SeatSet playing = batch_->playing(slot);
      for (int seat = 0; seat < spec_.seats; ++seat)
        if (playing.contains(seat))
          (spec_.team_of(seat) == 0 ? result.first : result.second)
              .push_back(s.settings().picks[options_.choice * spec_.seats + seat]);
    }
    note(s, batch_->hash(slot));
    outcomes_[index(s.match)] = {std::move(result), s.course};
    if (s.recorder) {
      replays_[index(s.match)] = s.recorder->finish();
      s.recorder.reset();
    }
    s.match = -1;
    ++shared_.ended;
    return {};
  }

  const Spec& spec_;
  const MeasureOptions& options_;
  Key key_;
  std::int64_t next_, end_;
  std::uint64_t first_ = static_cast<std::uint64_t>(next_);
  std::vector<Outcome>& outcomes_;
  std::vector<std::optional<Replay>>& replays_;
  Shared& shared_;
  std::unique_ptr<Batch> batch_;
  BatchRows rows_;
  std::vector<Slot> slots_;
  std::span<const MakeAgent> makers_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<int> deciding_;
  std::uint64_t turn_ = 0;
};

}  // namespace

Result<Measurement> measure(const GameEntry& game, std::span<const MakeAgent> players, Key key,
                            const MeasureOptions& options) {
  check(!players.empty() && options.setup && game.spec.team_count() == 2, "a measurement is of two sides");
  std::vector<Outcome> outcomes(2 * index(options.pairs));
  std::vector<std::optional<Replay>> replays(index(std::min(options.replays, 2 * options.pairs)));
  Team team(options.threads);
  const std::int64_t shards = std::clamp(options.pairs, 1, kShards), pairs = options.pairs;
  Shared shared;
  team.run([&](int member) {
    for (int shard; (shard = shared.next_shard++) < shards && !shared.failed;) {
      const int begin = static_cast<int>(pairs * shard / shards), end = static_cast<int>(pairs * (shard + 1) / shards);
      if (begin < end) Shard(game, players, key, options, outcomes, replays, begin, end, shared).play(member == 0);
    }
  });
  if (shared.error) return *shared.error;
  Measurement measurement;
  std::set<std::uint64_t> courses;
  for (std::size_t pair = 0; pair < index(options.pairs); ++pair) {
    Outcome &one = outcomes[2 * pair], &other = outcomes[2 * pair + 1];
    if (!one.match || !other.match) continue;
    for (Outcome* half : {&one, &other}) {
      courses.insert(half->course);
      measurement.results.push_back(std::move(*half->match));
    }
  }
  for (std::optional<Replay>& replay : replays)
    if (replay) measurement.replays.push_back(std::move(*replay));
  measurement.distinct = static_cast<int>(courses.size());
  return measurement;
}

// Every pair of options in turn, in an order of its own each time round; the other seats of a side take others.
PairSetup Picks::setup(const Settings& settings, std::int64_t pair, Key key) const {
  PairSetup both{settings, settings};
  if (choice_ < 0) return both;
  const int n = options(), seats = spec_.seats;
  const std::int64_t cells = std::max(1, n * (n - 1) / 2);
  std::int64_t cell = pair % cells;
  int a = 0, b = 0;
  if (n > 1) {
    while (cell >= n - 1 - a) cell -= n - 1 - a++;
    b = a + 1 + static_cast<int>(cell);
  }
  Random random(key);
  if (random.below(2) == 1) std::swap(a, b);
  std::vector<int> sides[2];
  for (int side = 0; side < 2; ++side) {
    int size = 0;
    for (int seat = 0; seat < seats; ++seat) size += spec_.team_of(seat) == side;
    std::vector<int> all(index(n));
    for (int i = 0; i < n; ++i) all[i] = i;
    std::swap(all[0], all[side == 0 ? a : b]);
    for (int i = 1; i < n; ++i) std::swap(all[i], all[i + random.below(n - i)]);
    for (int i = 0; i < size; ++i) sides[side].push_back(i < n ? all[i] : random.below(n));
    // Which seat has which matters as little as possible.
    for (int i = 0; i + 1 < size; ++i) std::swap(sides[side][i], sides[side][i + random.below(size - i)]);
  }
  const bool swaps = sides[0].size() == sides[1].size();
  for (const bool swapped : {false, true}) {
    Settings& of = swapped ? both.swapped : both.settings;
    if (of.picks.empty()) of.picks.assign(spec_.choices.size() * index(seats), -1);
    std::size_t taken[2] = {0, 0};
    for (int seat = 0; seat < seats; ++seat) {
      const int team = spec_.team_of(seat), side = swapped && swaps ? 1 - team : team;
      of.picks[choice_ * seats + seat] = sides[side][taken[team]++];
    }
  }
  return both;
}

std::int64_t Picks::pairs_for(std::int64_t matches_per_cell, int side) const {
  const std::int64_t n = options();
  if (n < 2) return (matches_per_cell + 1) / 2;
  const std::int64_t cells = n * (n - 1) / 2;
  // In teams of k, each match fills about k k of n n ordered cells, a few of them of an option against itself.
  const double per_match =
      side > 1 ? std::max(1.0, static_cast<double>(side) * side * static_cast<double>(n - 1) / static_cast<double>(n))
               : 1;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(matches_per_cell * cells) / (2 * per_match)));
}

}  // namespace rival::balance
