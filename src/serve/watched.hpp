// The players of a match who are watched, so that a bot can play on for one who leaves. Not thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "player/rating_scale.hpp"
#include "serve/batcher.hpp"
#include "serve/hosted.hpp"
#include "serve/tick.hpp"

namespace rival::serve {

class Watched {
 public:
  Watched(std::shared_ptr<const Substitutes> substitutes, int seats);

  int seats() const { return observer_.players(); }
  void see(const SeenView& seen);
  // These seats begin a new match; how their players play is not forgotten.
  void forget(std::span<const std::uint32_t> seats);

  // Who plays on for a seat: at the rating of its player's decisions, and of its record, if there is one.
  struct Substitute {
    std::shared_ptr<const Hosted> bot;
    double rating = 0;  // that it plays at
    RatingBelief belief;
    Begun begun;
  };
  Substitute substitute(int seat, std::optional<RatingEstimate> record) const;

 private:
  std::shared_ptr<const Substitutes> substitutes_;
  RatingObserver observer_;
  std::size_t width_, kept_;                           // numbers of a row; rows that the latest bot to react looks back
  std::vector<std::deque<std::vector<float>>> shown_;  // [seats] the last rows
};

}  // namespace rival::serve
