#include "train/advantages.hpp"

#include <algorithm>
#include <array>

#include "base/index.hpp"

namespace rival {
namespace {

constexpr int kMostSeats = 64;  // see Spec::seats

// What follows a player's last decision, as it counts at the present time.
struct Carry {
  float value = 0, advantage = 0, reward = 0;
  // Whether `value` is known; if not, whether it will be, when the player is to act again.
  enum { known, later, never } next = later;
  float weight = 1;  // of what comes after the last step

  void discount(float by) { value *= by, advantage *= by, reward *= by, weight *= by; }
};

}  // namespace

std::vector<WaitingDecision> generalised_advantages(const Trajectories& in, float discount, float lambda,
                                                    std::span<float> advantages) {
  const std::size_t matches = index(in.matches), seats = index(in.seats), players = matches * seats;
  std::vector<Carry> carry(players);
  std::vector<WaitingDecision> waiting;
  const auto set_match = [&](int match, const Carry& to) {
    std::fill_n(carry.begin() + match * in.seats, in.seats, to);
  };
  const auto settle = [&](int decision) {
    Carry& c = carry[in.player[decision]];
    const float value = in.value[decision];
    float advantage = 0;  // unknown: learns nothing
    if (c.next == Carry::known) advantage = c.reward + c.value - value + lambda * c.advantage;
    if (in.explored[decision]) advantage = std::max(advantage, 0.0f);
    if (c.next == Carry::later) waiting.push_back({decision, c.reward, c.weight});
    advantages[decision] = advantage;
    c = {value, advantage, 0, Carry::known};
  };
  std::size_t cuts = in.cuts.size(), bootstraps = in.bootstraps.size();  // still to be looked at
  const auto take_bootstraps = [&](int step) {
    for (; bootstraps > 0 && in.bootstraps[bootstraps - 1].step == step; --bootstraps) {
      Carry& c = carry[in.bootstraps[bootstraps - 1].player];
      c.value = in.bootstraps[bootstraps - 1].value, c.next = Carry::known;
    }
  };

  take_bootstraps(in.steps);
  for (int step = in.steps - 1; step >= 0; --step) {
    const float* rewards = in.rewards.data() + index(step) * players;
    const Status* status = in.status.data() + index(step) * matches;
    const std::uint8_t* stepped = in.stepped.data() + index(step) * matches;
    for (int m = 0; m < in.matches; ++m)
      if (status[m] != Status::running) set_match(m, {0, 0, 0, Carry::known});
    for (; cuts > 0 && in.cuts[cuts - 1].step == step; --cuts)
      set_match(in.cuts[cuts - 1].match, {0, 0, 0, Carry::never});
    take_bootstraps(step);
    for (std::size_t m = 0; m < matches; ++m)
      for (std::size_t player = m * seats; player < (m + 1) * seats; ++player) {
        carry[player].discount(stepped[m] ? discount : 1);
        carry[player].reward += rewards[player];
      }
    for (int d = in.first_at[step]; d < in.first_at[step + 1]; ++d) settle(d);
  }
  for (const WaitingDecision& earlier : in.waiting) {
    Carry& c = carry[in.player[earlier.decision]];
    c.discount(earlier.weight);
    c.reward += earlier.reward;
    settle(earlier.decision);
  }
  std::sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) { return a.decision < b.decision; });
  return waiting;
}

void share_rewards(const Spec& spec, SeatSet playing, float spirit, float rivalry, std::span<float> rewards) {
  const int teams = spec.team_count();
  if (teams == spec.seats) spirit = 0;
  if ((spirit <= 0 && rivalry <= 0) || teams == 1) return;
  std::array<float, kMostSeats> sum, count;
  std::fill_n(sum.begin(), teams, 0.0f), std::fill_n(count.begin(), teams, 0.0f);
  float all = 0;
  for (int seat = 0; seat < spec.seats; ++seat)
    if (playing.contains(seat)) {
      sum[spec.team_of(seat)] += rewards[seat];
      count[spec.team_of(seat)] += 1;
      all += rewards[seat];
    }
  for (int seat = 0; seat < spec.seats; ++seat)
    if (playing.contains(seat)) {
      float& reward = rewards[seat];
      const std::size_t team = spec.team_of(seat);
      const float others = static_cast<float>(playing.count()) - count[team];
      reward += spirit * (sum[team] / count[team] - reward);
      if (others > 0) reward -= rivalry * (all - sum[team]) / others;
    }
}

}  // namespace rival
