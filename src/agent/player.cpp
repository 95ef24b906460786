#include "agent/player.hpp"

namespace rival {

BotAgent::BotAgent(std::shared_ptr<const SharedBot> bot, const Spec& spec, float temperature, Precision precision)
    : inference_(std::move(bot), 0, precision),
      sight_(spec, inference_.bot().rules),
      seats_(spec.seats),
      temperature_(temperature) {
  set_name(name_);
}

BotAgent::BotAgent(Bot bot, const Spec& spec, float temperature, Precision precision)
    : BotAgent(std::make_shared<const SharedBot>(std::move(bot)), spec, temperature, precision) {}

void BotAgent::set_name(const std::string& name) {
  name_ = name;
  sight_.who = "agent '" + name + "'";
}

InferenceRows BotAgent::rows_of(const Decisions& decisions) {
  slot_of_row_.clear();
  if (bot().network.memory_size() > 0) {
    inference_.resize(decisions.batch->matches() * seats_);
    for (int row : decisions.rows)
      slot_of_row_.push_back(row / decisions.batch->rows_per_match() * seats_ + decisions.seats[row]);
  }
  const float* seen = sight_.rows(*decisions.batch, decisions.rows, decisions.observations);
  return {decisions.rows, seen, decisions.masks, slot_of_row_.data()};
}

void BotAgent::act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) {
  inference_.act(rows_of(decisions), key, temperature_, choices, values);
}

bool BotAgent::probabilities(const Decisions& decisions, float* probabilities) {
  if (inference_.layout().value_count) return false;
  inference_.probabilities(rows_of(decisions), temperature_, probabilities);
  return true;
}

bool BotAgent::estimate(const Decisions& decisions, float* values) {
  inference_.values(rows_of(decisions), values);
  return true;
}

void BotAgent::match_started(int match) {
  const int first = match * seats_;
  if (first + seats_ <= inference_.slots()) inference_.forget(first, seats_);  // else nothing is remembered of it yet
}

std::unique_ptr<Agent> make_player(std::shared_ptr<const SharedBot> bot, const Spec& spec,
                                   const PlayerOptions& options) {
  auto player = std::make_unique<BotAgent>(std::move(bot), spec, options.temperature, options.precision);
  player->set_name(options.name);
  if (!options.limits.any()) return player;
  return std::make_unique<LimitedAgent>(std::move(player), spec, options.limits);
}

}  // namespace rival
