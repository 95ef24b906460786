#include "serve/watched.hpp"

#include <algorithm>
#include <numeric>

#include "base/index.hpp"

namespace rival::serve {

Watched::Watched(std::shared_ptr<const Substitutes> substitutes, int seats)
    : substitutes_(std::move(substitutes)),
      observer_(substitutes_->scale, seats),
      width_(index(substitutes_->levels.front()->sizes.observation)),
      kept_(0),
      shown_(index(seats)) {
  for (const RatingScale::Player& player : substitutes_->scale->players)
    kept_ = std::max(kept_, index(player.reaction_steps));
}

void Watched::see(const SeenView& seen) {
  const std::size_t rows = seen.tick.seats.size();
  std::vector<int> places(rows);
  std::iota(places.begin(), places.end(), 0);
  const std::vector<int> slots(seen.tick.seats.begin(), seen.tick.seats.end());
  observer_.observe({places, seen.tick.observations.data(), seen.tick.masks.data(), slots.data()}, seen.choices.data(),
                    seen.tells);
  for (std::size_t row = 0; row < rows && kept_ > 0; ++row) {
    std::deque<std::vector<float>>& shown = shown_[seen.tick.seats[row]];
    const std::span<const float> numbers = seen.tick.observations.subspan(row * width_, width_);
    shown.emplace_back(numbers.begin(), numbers.end());
    if (shown.size() > kept_) shown.pop_front();
  }
}

void Watched::forget(std::span<const std::uint32_t> seats) {
  for (const std::uint32_t seat : seats) {
    observer_.begin_match(static_cast<int>(seat));
    shown_[seat].clear();
  }
}

Watched::Substitute Watched::substitute(int seat, std::optional<RatingEstimate> record) const {
  Substitute out{.bot = nullptr, .belief = observer_.belief(seat, record), .begun = {}};
  const int level = substitutes_->scale->nearest(out.belief.substitute);
  const RatingScale::Level& at = substitutes_->scale->levels[index(level)];
  out.bot = substitutes_->levels[index(level)];
  out.rating = at.rating;
  const std::span<const float> memory = observer_.memory(seat, at.player);
  out.begun.memory.assign(memory.begin(), memory.end());
  const std::deque<std::vector<float>>& shown = shown_[index(seat)];
  const std::size_t wanted = std::min(shown.size(), index(out.bot->reaction_steps));
  for (std::size_t i = shown.size() - wanted; i < shown.size(); ++i)
    out.begun.shown.insert(out.begun.shown.end(), shown[i].begin(), shown[i].end());
  return out;
}

}  // namespace rival::serve
