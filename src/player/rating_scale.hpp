// A run's dial as a measure of others: how strong somebody plays, from what they were shown and what they chose, and a
// bot that plays on just so. What stands behind substitutes in mid-match.
//
// Every rating of the dial is a way to play, which gives each choice a probability; a player's decisions make some of
// them likelier than others (Bayes). Nothing else is assumed of how people play, but that now and then they choose
// anything: with probability kSlip, as random play does.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/inference.hpp"
#include "agent/limits.hpp"
#include "base/index.hpp"
#include "base/result.hpp"
#include "game/spec.hpp"
#include "league/ladder.hpp"
#include "rating/elo.hpp"
#include "rating/interval.hpp"

namespace rival {

inline constexpr double kSlip = 0.02;

struct RatingScale {
  // A bot of the dial and how late it reacts; temperatures tell its levels apart.
  struct Player {
    std::string name;  // of the bot in its run
    std::shared_ptr<const SharedBot> bot;
    int reaction_steps = 0;
    std::uint64_t fingerprint = 0;  // of its file
  };
  struct Level {
    double rating = 0;
    int player = 0;  // of `players`
    float temperature = 0;
  };
  LadderRules rules;
  std::vector<Player> players;
  std::vector<Level> levels;  // from weak to strong, about kStep apart; at least two
  static constexpr double kStep = 25;

  int nearest(double rating) const;  // the level
};

// Of a run with a calibrated ladder. Errors: as of RUN@RATING (find_bot); a run whose bots act every few steps only.
Result<std::shared_ptr<const RatingScale>> read_rating_scale(const std::string& run, const Spec& spec);

// What is believed of a player's rating.
struct RatingBelief {
  // The likeliest. (The mean would be nearer to the truth on average, but draw the weak up and the strong down, so that
  // a weak player would win by leaving.)
  double rating = 0;
  Interval interval;  // 95%
  // What a substitute plays at: a quarter of a standard deviation lower, so that there is nothing in leaving.
  double substitute = 0;
  int decisions = 0;  // that were seen
};

// Watches players, and plays on for them. Not thread-safe. Remembers, for each player, what each bot of the scale would
// remember in its place.
class RatingObserver {
 public:
  explicit RatingObserver(std::shared_ptr<const RatingScale> scale, int players = 0);

  const RatingScale& scale() const { return *scale_; }
  int players() const { return players_; }
  void resize(int players);
  void begin_match(int player);  // what it saw in the last match is over; how it plays is not forgotten
  void forget(int player);       // nor is that kept

  // Decisions of players, `rows.slots`, and what they chose, [places x choice_count]. Those that do not tell (a
  // substitute's, say) only show what there was to be seen. Continuous values tell nothing.
  void observe(const InferenceRows& rows, const std::int32_t* choices, bool tells = true);

  // Before any decision every rating of the scale is as likely, or as a record says, if there is one.
  RatingBelief belief(int player, std::optional<RatingEstimate> record = {}) const;

  // Plays on: as the level, one per row in the order of `rows.rows`. Row r draws its randomness from key.split(r).
  void act(const InferenceRows& rows, std::span<const int> levels, Key key, std::int32_t* choices, float* values);

  // What the bot of a scale's player would remember in the place of a player of the match.
  std::span<const float> memory(int player, int of) const { return minds_[index(of)].inference.memory(player); }

 private:
  // A bot of the scale in the place of every player.
  struct Mind {
    explicit Mind(std::shared_ptr<const SharedBot> bot) : inference(std::move(bot)) {}
    Inference inference;
    std::optional<DelayLine> delay;
  };
  const float* shown(Mind& mind, const InferenceRows& rows, std::size_t width);
  void tell(const InferenceRows& rows, const std::int32_t* choices, int player, const float* probabilities);

  std::shared_ptr<const RatingScale> scale_;
  HeadLayout layout_;
  int players_ = 0;
  std::deque<Mind> minds_;          // [scale's players]
  std::vector<double> likelihood_;  // [players x levels] log
  std::vector<int> decisions_;      // [players] that told
  std::vector<int> steps_;          // [players] rows of the match so far
  std::vector<float> probabilities_, delayed_, unused_values_;
  std::vector<std::int32_t> unused_choices_;
};

}  // namespace rival
