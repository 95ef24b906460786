// What decisions turned out to be worth: generalised advantages (GAE: Schulman et al., 2016) and the sharing of rewards
// between seats. Pure functions of columns: they know of no batch and no network, and may be called from any thread.
//
// A player is a seat of one of the matches: match * seats + seat. Step t goes from time t to time t + 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "game/spec.hpp"

namespace rival {

// A decision whose player has not been to act since, in a match that goes on.
struct WaitingDecision {
  int decision;  // its index
  float reward;  // since then, as it counted when it was made
  float weight;  // of what is to come: the discount since then
};

// What happened in some steps of some matches. A view: it owns nothing.
struct Trajectories {
  struct Cut {
    int step, match;
  };
  struct Bootstrap {
    int step, player;
    float value;
  };

  int steps, matches, seats;
  std::span<const float> rewards;         // [steps x players]
  std::span<const Status> status;         // [steps x matches] when the step was over
  std::span<const std::uint8_t> stepped;  // [steps x matches] whether time passed in the match: if not, no discount
  // Matches that were stopped after a step while they ran, with nobody knowing what would have come: by step.
  std::span<const Cut> cuts;
  // What is still to come to a player, as estimated: after its match was truncated in a step, or after all of them
  // (step = steps). By step. After a truncated match without one comes nothing.
  std::span<const Bootstrap> bootstraps;

  // The decisions in order of time: first those of `waiting`, which are of earlier collections, then those at the
  // beginning of step t, first_at[t] up to first_at[t + 1].
  std::span<const int> player;               // [decisions]
  std::span<const float> value;              // [decisions] estimated return
  std::span<const std::uint8_t> explored;    // [decisions] of explorers: worth no less than expected (exploration.hpp)
  std::span<const int> first_at;             // [steps + 1]
  std::span<const WaitingDecision> waiting;  // what an earlier call returned, numbered anew from 0
};

// Fills the advantages of all decisions. With decision i of a player at time t(i), R(i) all its reward until the next
// one, V the values, and the discount raised to the time that passes:
//   A(i) = R(i) + discount^(t(i+1) - t(i)) (V(i+1) + lambda A(i+1)) - V(i).
// Where V(i+1) is not known, A(i) is 0, and where an explorer decided, at least 0. Returns, in ascending order, those
// decisions whose V(i+1) a later call will know, because the player's match goes on.
std::vector<WaitingDecision> generalised_advantages(const Trajectories& in, float discount, float lambda,
                                                    std::span<float> advantages);

// Shares the rewards of one step of one match, [seats], between those that take part in it:
//   r = (1 - spirit) r + spirit (mean r of the seat's team) - rivalry (mean r of all other teams' seats).
// Spirit does nothing where every seat is a team, nor does anything where there is one team only.
void share_rewards(const Spec& spec, SeatSet playing, float spirit, float rivalry, std::span<float> rewards);

}  // namespace rival
