#include "player/rating_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.hpp"
#include "base/index.hpp"
#include "league/ladder_file.hpp"
#include "player/player.hpp"

namespace rival {
namespace {

constexpr double kLeast = 1e-30;  // a probability that no temperature needs to tell from zero

// The log of what each level gives a choice, of a part whose choices have these probabilities at temperature 1.
double log_share(std::span<const float> probabilities, std::size_t choice, float temperature) {
  const auto least = [](float p) { return std::max(static_cast<double>(p), kLeast); };
  int allowed = 0;
  for (float p : probabilities) allowed += p > 0;
  double share;
  if (temperature <= 0) {
    share = choice == index(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  } else {
    const double power = 1 / static_cast<double>(temperature);
    double sum = 0;
    for (float p : probabilities)
      if (p > 0) sum += std::exp(power * std::log(least(p) / least(probabilities[choice])));
    share = 1 / std::max(sum, 1.0);
  }
  return std::log((1 - kSlip) * share + kSlip / std::max(1, allowed));
}

}  // namespace

int RatingScale::nearest(double rating) const {
  const auto at = std::min_element(levels.begin(), levels.end(), [rating](const Level& a, const Level& b) {
    return std::abs(a.rating - rating) < std::abs(b.rating - rating);
  });
  return static_cast<int>(at - levels.begin());
}

Result<std::shared_ptr<const RatingScale>> read_rating_scale(const std::string& run, const Spec& spec) {
  Result<Calibration> dial = find_dial(run);
  if (!dial) return dial.error();
  auto scale = std::make_shared<RatingScale>();
  std::map<std::pair<std::string, int>, int> known;
  const double low = dial->low(), high = dial->high();
  const int steps = std::max(1, static_cast<int>(std::ceil((high - low) / RatingScale::kStep)));
  for (int step = 0; step <= steps; ++step) {
    const double rating = low + (high - low) * step / steps;
    const DialSetting setting = turn_dial(dial.value(), rating).value();
    const auto [at, fresh] =
        known.try_emplace({setting.bot, setting.reaction_steps}, static_cast<int>(scale->players.size()));
    if (fresh) {
      Result<BotName> found = find_bot(fmt::format("{}@{:.17g}", run, rating));
      if (!found) return found.error();
      if (found->rules->limits.every > 1)
        return Error{fmt::format(
            "{} acts every {} steps only (actions a minute): whoever is compared with it would have to, too", run,
            found->rules->limits.every)};
      // One bot that reacts at several speeds is read once.
      RatingScale::Player player{.name = setting.bot};
      for (const RatingScale::Player& other : scale->players)
        if (other.name == setting.bot) player = other;
      if (!player.bot) {
        Result<ReadBot> read = read_bot(found->path, spec);
        if (!read) return read.error();
        player.bot = std::make_shared<const SharedBot>(std::move(read->bot));
        player.fingerprint = read->fingerprint;
      }
      player.reaction_steps = found->rules->limits.reaction_steps;
      if (scale->players.empty()) {
        scale->rules = *found->rules;
        scale->rules.limits.reaction_steps -= setting.reaction_steps;
      }
      scale->players.push_back(std::move(player));
    }
    scale->levels.push_back({rating, at->second, setting.temperature});
  }
  return std::shared_ptr<const RatingScale>(std::move(scale));
}

RatingObserver::RatingObserver(std::shared_ptr<const RatingScale> scale, int players)
    : scale_(std::move(scale)), layout_(scale_->players.front().bot->bot().network.action()) {
  for (const RatingScale::Player& player : scale_->players) minds_.emplace_back(player.bot);
  resize(players);
}

void RatingObserver::resize(int players) {
  players_ = players;
  likelihood_.resize(index(players) * scale_->levels.size());
  decisions_.resize(index(players));
  steps_.resize(index(players));
  for (std::size_t m = 0; m < minds_.size(); ++m) {
    minds_[m].inference.resize(players);
    const int reaction = scale_->players[m].reaction_steps;
    if (reaction > 0)  // what was shown before is lost: players come before matches
      minds_[m].delay.emplace(players, static_cast<int>(minds_[m].inference.bot().network.observation_size()),
                              reaction);
  }
}

void RatingObserver::begin_match(int player) {
  steps_[index(player)] = 0;
  for (Mind& mind : minds_) {
    mind.inference.forget(player);
    if (mind.delay) mind.delay->clear(player, 1);
  }
}

void RatingObserver::forget(int player) {
  const std::size_t levels = scale_->levels.size();
  std::fill_n(likelihood_.begin() + static_cast<std::ptrdiff_t>(index(player) * levels), levels, 0.0);
  decisions_[index(player)] = 0;
}

// The rows as this bot sees them: late, if it reacts so.
const float* RatingObserver::shown(Mind& mind, const InferenceRows& rows, std::size_t width) {
  if (!mind.delay) return rows.observations;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const std::size_t at = index(rows.rows[i]) * width;
    const int slot = rows.slots[i];
    const float* seen = mind.delay->shown(slot, steps_[index(slot)], rows.observations + at);
    if (delayed_.size() < at + width) delayed_.resize(at + width);
    std::copy_n(seen, width, delayed_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return delayed_.data();
}

void RatingObserver::tell(const InferenceRows& rows, const std::int32_t* choices, int player,
                          const float* probabilities) {
  const std::size_t levels = scale_->levels.size(), mask = index(layout_.mask_size);
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const std::size_t row = index(rows.rows[i]);
    const std::int32_t* chosen = choices + row * index(layout_.choice_count());
    double* likelihood = likelihood_.data() + index(rows.slots[i]) * levels;
    const float* p = probabilities + row * mask;
    for (std::size_t part = 0; part < layout_.discrete.size(); p += layout_.discrete[part], ++part) {
      if (!layout_.counts(static_cast<int>(part), chosen)) continue;
      for (std::size_t level = 0; level < levels; ++level)
        if (scale_->levels[level].player == player)
          likelihood[level] +=
              log_share({p, index(layout_.discrete[part])}, index(chosen[part]), scale_->levels[level].temperature);
    }
  }
}

void RatingObserver::observe(const InferenceRows& rows, const std::int32_t* choices, bool tells) {
  if (rows.rows.empty()) return;
  const std::size_t places = index(*std::max_element(rows.rows.begin(), rows.rows.end()) + 1);
  probabilities_.resize(places * index(layout_.mask_size));
  unused_choices_.resize(places * index(layout_.choice_count()));
  unused_values_.resize(places * index(layout_.value_count));
  for (std::size_t m = 0; m < minds_.size(); ++m) {
    Mind& mind = minds_[m];
    const Network& network = mind.inference.bot().network;
    const InferenceRows seen{rows.rows, shown(mind, rows, network.observation_size()), rows.masks, rows.slots};
    if (!tells && network.memory_size() == 0) continue;
    // One pass gives the probabilities of temperature 1 and moves the memory on, whatever is then chosen.
    mind.inference.act(seen, Key(0), 0, unused_choices_.data(), unused_values_.data(), probabilities_.data());
    if (tells) tell(rows, choices, static_cast<int>(m), probabilities_.data());
  }
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    ++steps_[index(rows.slots[i])];
    decisions_[index(rows.slots[i])] += tells;
  }
}

RatingBelief RatingObserver::belief(int player, std::optional<RatingEstimate> record) const {
  const std::vector<RatingScale::Level>& levels = scale_->levels;
  std::vector<double> weight(levels.size());
  for (std::size_t level = 0; level < levels.size(); ++level) {
    weight[level] = likelihood_[index(player) * levels.size() + level];
    if (record)
      weight[level] -= std::pow((levels[level].rating - record->rating) / std::max(record->error, 1.0), 2) / 2;
  }
  const auto likeliest = std::max_element(weight.begin(), weight.end());
  const double most = *likeliest;
  RatingBelief belief{.rating = levels[index(likeliest - weight.begin())].rating,
                      .interval = {},
                      .decisions = decisions_[index(player)]};
  double sum = 0, mean = 0, square = 0;
  for (double& w : weight) sum += w = std::exp(w - most);
  double below = 0;
  bool low = false, high = false;
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const double share = weight[level] / sum, distance = levels[level].rating - belief.rating;
    mean += share * distance, square += share * distance * distance;
    below += share;
    if (!low && below > 0.025) belief.interval.low = levels[level].rating, low = true;
    if (!high && below >= 0.975) belief.interval.high = levels[level].rating, high = true;
  }
  belief.substitute =
      std::max(levels.front().rating, belief.rating - std::sqrt(std::max(0.0, square - mean * mean)) / 4);
  if (!high) belief.interval.high = levels.back().rating;
  return belief;
}

void RatingObserver::act(const InferenceRows& rows, std::span<const int> levels, Key key, std::int32_t* choices,
                         float* values) {
  std::map<int, std::vector<std::size_t>> by_level;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) by_level[levels[i]].push_back(i);
  std::vector<int> places, slots;
  for (std::size_t m = 0; m < minds_.size(); ++m) {
    Mind& mind = minds_[m];
    const Network& network = mind.inference.bot().network;
    const float* seen = shown(mind, rows, network.observation_size());
    for (const auto& [level, which] : by_level) {
      const bool acts = scale_->levels[index(level)].player == static_cast<int>(m);
      if (!acts && network.memory_size() == 0) continue;
      places.clear(), slots.clear();
      for (const std::size_t i : which) places.push_back(rows.rows[i]), slots.push_back(rows.slots[i]);
      if (!acts) {
        const std::size_t room = index(*std::max_element(places.begin(), places.end()) + 1);
        unused_choices_.resize(std::max(unused_choices_.size(), room * index(layout_.choice_count())));
        unused_values_.resize(std::max(unused_values_.size(), room * index(layout_.value_count)));
      }
      mind.inference.act({places, seen, rows.masks, slots.data()}, key, scale_->levels[index(level)].temperature,
                         acts ? choices : unused_choices_.data(), acts ? values : unused_values_.data());
    }
  }
  for (std::size_t i = 0; i < rows.rows.size(); ++i) ++steps_[index(rows.slots[i])];
}

}  // namespace rival
