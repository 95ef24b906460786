// Whether a substitute does what it should: matches in which a player of known rating leaves at a random moment and a
// bot plays on, beside the same matches in which it stays.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "match/game_entry.hpp"
#include "player/rating_scale.hpp"

namespace rival {

struct SubstitutionOptions {
  std::vector<int> after = {10, 20, 50};  // decisions of the leaver that are seen, of this match and of those before it
  int matches = 3000;                     // for each of `after`, evenly over the ratings
  int ratings = 5;                        // of the leavers, evenly over their scale but for its ends
  std::uint64_t seed = 1;
  int threads = 0;  // 0: one per processor; results do not depend on it
  std::function<void(double share)> progress = nullptr;
  std::function<bool()> stop = nullptr;
};

// Of matches with a swap; differences are of the leaver's team's score (0 to 1), with the substitute less without the
// swap, the same match otherwise. Intervals are of 95%.
struct SubstitutionFigures {
  int after = 0;
  double rating = 0;  // of the leavers; of all together: 0
  int matches = 0;
  double score = 0;  // without a swap
  double difference = 0;
  Interval interval;
  double medium_difference = 0;  // the same for a fixed bot from the middle of the scale
  Interval medium_interval;
  // Of the estimates: their mean error, its root mean square, and how often their intervals held the rating.
  double bias = 0, rms_error = 0, covered = 0;
};

struct SubstitutionSummary {
  std::vector<SubstitutionFigures> all;        // one for each of `after`
  std::vector<SubstitutionFigures> by_rating;  // one for each of `after` and rating

  // The sizes of the differences at each rating, averaged: what does not even out between strong and weak leavers.
  double mean_size(int after, bool medium) const;
  // Whether at some rating leaving raises the score beyond chance: the probability that it is said of any of them,
  // though it raises none, is below 1 in 40.
  bool leaving_pays() const;
};

// Everybody in a match plays at one rating of `leavers`; who leaves is replaced by one of `scale`, which may be the
// same. Errors: a game of one team; of the game or its bots.
Result<SubstitutionSummary> measure_substitution(const GameEntry& game, std::shared_ptr<const RatingScale> leavers,
                                                 std::shared_ptr<const RatingScale> scale,
                                                 const SubstitutionOptions& options);

}  // namespace rival
