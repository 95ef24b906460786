// The ladder: ratings of a set of players from a round robin that is added to and never begun again, and a dial from
// ratings to ways to play. Its file is docs/formats/ladder.md.
//
// Ratings are Elo with random play at kRandomRating, in games of any number of teams (rating/elo.hpp). Most players
// beat random play always, which would leave them as far above it as one likes; so bots are also rated warmed up (at a
// higher temperature, as *rungs*), until no step between two players is too large to be measured.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/limits.hpp"
#include "base/result.hpp"
#include "game/spec.hpp"
#include "match/match.hpp"
#include "rating/elo.hpp"
#include "rating/weng_lin.hpp"

namespace rival {

inline constexpr double kRandomRating = 1000;

struct LadderPlayer {
  enum class Kind {
    random,
    baseline,   // a scripted player of the game
    snapshot,   // a past self
    exploiter,  // rated, but no part of the dial
    final,      // the run's last bot
    rung,       // one of the bots, warmed up or slowed down
  };
  std::string name;  // unique
  Kind kind = Kind::snapshot;
  std::string bot = {};  // the bot's name; empty for random and scripted players
  float temperature = 0;
  int reaction_steps = 0;         // later than the ladder's limits ask for
  std::int64_t steps = 0;         // of training
  std::uint64_t fingerprint = 0;  // of the bot's file: results of another bot of the same name do not count

  // Found by rate().
  double rating = 0;
  double error = 0;  // standard error of the rating's distance from the ladder's mean
  double matches = 0;
  Skill skill = {};  // Weng-Lin's, with the whole side as one player; from the same results

  // Whether both are one bot played in one way.
  bool plays_as(const LadderPlayer& other) const {
    return bot == other.bot && temperature == other.temperature && reaction_steps == other.reaction_steps;
  }
  bool operator==(const LadderPlayer&) const = default;
};
std::string to_string(LadderPlayer::Kind kind);

// How one plays at a rating.
struct DialSetting {
  std::string bot;
  float temperature = 0;
  double rating = 0;
  int reaction_steps = 0;  // later than the ladder's limits ask for
  bool operator==(const DialSetting&) const = default;
};

// A rating that was asked of the dial, and what it turned out to be: against players of the ladder, taken to be exactly
// as strong as they are rated, in matches that neither the ladder nor the dial were made from.
struct LevelCheck {
  double asked = 0, measured = 0, error = 0;
  int matches = 0;
  DialSetting setting;
  bool operator==(const LevelCheck&) const = default;
};

struct Calibration {
  // The dial, from weak to strong; ratings never fall. Between two neighbours of one bot and reaction the temperature
  // is interpolated; other two neighbours have the same rating. At least two, or none.
  std::vector<DialSetting> dial;
  std::vector<LevelCheck> levels;

  double low() const { return dial.front().rating; }
  double high() const { return dial.back().rating; }
  bool operator==(const Calibration&) const = default;
};

// The conditions of all of a ladder's matches, which its ratings belong to.
struct LadderRules {
  std::string game;
  std::uint64_t data = 0;                  // data_hash(): what the rules read from files
  std::vector<float> parameters;           // of Spec::parameters
  std::vector<int> picks = {};             // of Settings; empty: nobody picks
  std::vector<DrawnParameter> drawn = {};  // for each match
  int opening = 0;                         // random steps at the start of a match
  int sides = 2;                           // Spec::team_count()
  Limits limits;                           // of the bots
  bool operator==(const LadderRules&) const = default;

  // The settings of the matches.
  MatchSettings settings(const Spec& spec) const {
    return with_defaults(spec, MatchSettings({parameters, picks}, drawn));
  }
};

struct Ladder {
  LadderRules rules;
  std::vector<LadderPlayer> players;  // a player `random` is among them
  std::vector<PairResult> results;    // at most one per pair; first < second, numbers of players
  std::optional<Calibration> calibration;

  int find(const std::string& name) const;  // -1: nobody
  double matches() const;                   // played in all
  // Fits the players' ratings to the results.
  EloRatings rate();
  bool operator==(const Ladder&) const = default;
};

// A hash of Spec::data.
std::uint64_t data_hash(const Spec& spec);

// The rules of ladders of this game, whose bots play at `temperature`: with an opening where the game and greedy
// players leave nothing to chance.
LadderRules ladder_rules(const GameEntry& game, const MatchSettings& settings, float temperature,
                         const Limits& limits = {});

// What `players` and an earlier ladder of the same rules make: these players, and the rungs of those whose bot is the
// same as before, with all results between them.
Ladder carry_over(const Ladder& earlier, LadderRules rules, std::vector<LadderPlayer> players);

// Makes the agent of a player; called from several threads at once.
using AgentMaker = std::function<Result<std::unique_ptr<Agent>>(const LadderPlayer& player)>;

// What a ladder is doing, for somebody to watch.
struct LadderProgress {
  std::string stage;   // "rating", "warming", "checking level 3 of 8"...
  double error = 0;    // root mean square of the players' standard errors
  double matches = 0;  // played by this call
  double done = 0;     // estimated share of the stage
};

struct LadderOptions {
  std::uint64_t seed = 1;
  int threads = 0;                          // 0: one per processor; results do not depend on it
  double target_error = 15;                 // stop when the root mean square of the standard errors is this
  double matches = 0;                       // or when the ladder has played so many; 0: 1000 for each player
  const std::atomic<bool>* stop = nullptr;  // set from elsewhere: returns soon, with what has been found out
  // After every wave of matches: shows, saves. An error ends the call.
  std::function<Result<void>(const Ladder& ladder, const LadderProgress& progress)> on_wave = {};
};

// Which pairs to play next, `matches` each: greedily those that lower the sum of the ratings' variances most. `matches`
// must be positive; they are of `sides` sides. A player who has not played `settled` matches is chosen at most once.
std::vector<std::pair<int, int>> choose_pairs(const Ladder& ladder, const EloRatings& ratings, int count, int matches,
                                              int sides = 2, int settled = 100);

// Rates the players: every pair meets a few times, then matches go where they tell most; where two neighbours are far
// apart, warmed-up bots join in between. Errors: a game or player that misbehaves.
Result<void> rate_ladder(const GameEntry& game, Ladder& ladder, const AgentMaker& make_agent,
                         const LadderOptions& options);

// Makes the dial of a ladder that has been rated, and checks it at `levels` ratings across its range with
// `level_matches` matches each.
//
// A rating between those of two snapshots is the stronger one of them, warmed up until it is no stronger; so weak
// levels are early snapshots, which play sensibly, rather than a strong bot at a very high temperature, which plays at
// random now and then. Below the weakest snapshot is only that one, ever warmer, down to random play. Snapshots nearer
// to each other than kDialSpacing are passed over. In real time the weaker ones also react later, as people do: by up
// to kSlowest seconds at the rating of random play.
Result<void> calibrate_ladder(const GameEntry& game, Ladder& ladder, const AgentMaker& make_agent,
                              const LadderOptions& options, int levels = 8, int level_matches = 1000);
inline constexpr double kDialSpacing = 200;
inline constexpr double kSlowest = 0.5;

// How to play at this rating. Error outside the dial's range, which it names.
Result<DialSetting> turn_dial(const Calibration& calibration, double rating);

}  // namespace rival
