// Seeded matches between agents: the figures behind every claim of strength. Seats are swapped and seeds paired: a
// *round* plays the same match key once for each team that the agent under test can take, so that neither the first
// move nor lucky cards favour anybody, and figures come from whole rounds.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "game/match_settings.hpp"
#include "game/replay.hpp"
#include "match/game_entry.hpp"
#include "rating/elo.hpp"
#include "rating/interval.hpp"

namespace rival {

// Steps of a match that is longer than any game's should be, where the Spec says no bound.
inline constexpr int kStepLimit = 100'000;

struct MatchOptions {
  // Rounded up to whole rounds; fewer are played where places stay empty, since a round has one for each team that
  // plays.
  int matches = 1000;
  MatchSettings settings;  // empty parameters or picks: the game's defaults; drawn ones are a round's
  int batch = 256;         // matches played at once; does not change what the figures mean, but may change their digits
  // Steps of random play that every match begins with, the same for all matches of a round; agents are not asked. A
  // match that ends within them is drawn anew. Makes matches differ where rules and players leave nothing to chance.
  int opening = 0;
  int replays = 0;              // how many of the first matches to record
  int step_limit = kStepLimit;  // a match longer than this (or than Spec::max_steps) is an error of the game's
  // The time to take at most, about; 0: all the matches' time. With a limit a first round is played alone, then as many
  // at once as its pace allows. Figures come from the whole rounds that were played together and ended in time.
  double seconds = 0;
  std::function<bool()> stop;  // asked before every step: true ends the matches as if time were up
};

// Figures with their 95% interval.
struct Estimate {
  double value = 0;
  Interval interval;
};

// From the point of view of the agent under test.
struct MatchSummary {
  int matches = 0;  // 0, and no other figure means anything: the time was too short for any
  // Games of several teams: by result (a truncated match is a draw), or by return where the game has no results.
  // Against several teams, a win is to be ahead of all, a draw to share the lead. Zero in games of one team.
  int wins = 0, draws = 0, losses = 0;
  // The same in full, the agent's being the side that stands alone; each kind once.
  std::vector<Placing> placings;
  int truncated = 0;
  int distinct = 0;  // different matches, by what was done and where it ended: few if both players never vary
  // The mean over matches and other teams of 1 ahead of it, 1/2 level with it, 0 behind it, so that even play is 1/2
  // with any number of teams; in games of one team the mean return.
  Estimate score;
  // Rewards over the match plus the result, a seat's mean.
  Estimate mean_return;
  // The score when the agent takes team t, [teams].
  std::vector<Estimate> score_by_team;
  double mean_steps = 0;
  // Whether every return was -1, 0 or 1, as in games where all there is to gain is to win.
  bool returns_are_results = true;
  std::vector<Replay> replays;  // of matches 0, 1, 2...
};

// An error of the game's if a match of the batch, which people call `number`, still runs after `limit` steps, or after
// Spec::max_steps.
Result<void> ends_in_time(const Batch& batch, int match, std::int64_t number, int limit = kStepLimit);

// How a team stood among the others that played when a match ended: by result, where a truncated match is a draw; in
// games without results by `returns` [teams].
Placing place_of(const Batch& batch, int match, int team, std::span<const double> returns);

// What each team's seats of the match returned on average: [teams] from [seats]; 0 for a team that does not play.
std::vector<double> team_returns(const Batch& batch, int match, std::span<const double> returns);

// Plays `agent` as each team in turn, `opponent` (which may be the same object) as all others; in games of one team
// the opponent is not used and may be null. Error, naming the match, step, agent and seat, for a choice that the mask
// forbids, an action that is not finite, and a game that breaks its promises: observations or rewards that are not
// finite, a mask that allows nothing, a match in which nobody acts or which does not end.
Result<MatchSummary> play_matches(const GameEntry& game, Agent& agent, Agent* opponent, Key key,
                                  const MatchOptions& options = {});

}  // namespace rival
