// Matches of two sides under many variants of a game: the only way in which balance learns anything about it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "agent/agent.hpp"
#include "balance/results.hpp"
#include "base/result.hpp"
#include "game/replay.hpp"
#include "match/game_entry.hpp"

namespace rival::balance {

// Who plays: makes an agent for a thread; any thread may call it.
using MakeAgent = std::function<Result<std::unique_ptr<Agent>>()>;

// How the two matches of a pair are set up; `settings` has picks, those of `swapped` are the other way round.
struct PairSetup {
  Settings settings, swapped;
};

struct MeasureOptions {
  int choice = -1;  // of Spec::choices, whose options are noted; -1: none
  int pairs = 0;
  std::function<PairSetup(std::int64_t pair, Key key)> setup;  // called by several threads at once
  int threads = 0;                                             // 0: one per processor; they do not change the results
  int replays = 0;                                             // of how many matches, the first ones, to make replays
  const std::atomic<bool>* stop = nullptr;
  std::function<void(double share)> on_progress;  // called on one thread
};

struct Measurement {
  std::vector<MatchResult> results;  // by pair; the two of a pair side by side
  std::vector<Replay> replays;
  int distinct = 0;  // different matches, by what was done and how they ended
};

// Plays pairs of matches, the two of a pair with the same key, or without a choice two independent matches: every
// player on both sides is `players[pair % players.size()]`. A pair that a stop cut short is left out. Errors: as of
// play_matches (match/match.hpp).
Result<Measurement> measure(const GameEntry& game, std::span<const MakeAgent> players, Key key,
                            const MeasureOptions& options);

// ---- setups ----

// Where every seat of a side has an option of the choice, a side's being all different if there are enough; the sides
// swap them in the second match. All pairs of options come equally often. Without a choice: the settings alone.
class Picks {
 public:
  Picks(const Spec& spec, int choice) : spec_(spec), choice_(choice) {}

  int options() const { return choice_ < 0 ? 0 : static_cast<int>(spec_.choices[choice_].options.size()); }
  // Fills in the picks of the choice; all else stays as it is.
  PairSetup setup(const Settings& settings, std::int64_t pair, Key key) const;
  // How many pairs of matches give every cell at least so many matches, in sides of `side` seats.
  std::int64_t pairs_for(std::int64_t matches_per_cell, int side) const;

 private:
  const Spec& spec_;
  int choice_;
};

}  // namespace rival::balance
