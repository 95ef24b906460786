// A task of the learning suite: a game, how a player of it is measured, and the bar that a trained one should reach.
// A bar comes from an exact value, a published result or a script; it is set before the trainer has tried the task, and
// is not moved afterwards.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "match/match.hpp"

namespace rival::learning {

// The suite is split in two of like mixture: training is improved by looking at one half, and judged by the other.
enum class Half { tune, judge };

// What is measured of a player. Error: the game or the player misbehaves.
struct Measure {
  std::string name;  // of the figure, for people: "return", "score against 3-ply"
  bool less_is_better = false;
  int matches = 0;  // of which the figure is the mean, about; 0: it is exact
  std::function<Result<Estimate>(const GameEntry& game, Agent& player, Key key, int matches)> figure;
};

struct Task {
  std::string kind;  // of what is hard about it: "exploration", "memory"...
  Half half = Half::tune;
  GameEntry game;
  Measure measure;
  double bar = 0;
  std::string source;  // where the bar comes from
  // A player that reaches the bar, where there is a cheap one.
  std::function<std::unique_ptr<Agent>()> reference = nullptr;

  const std::string& name() const { return game.spec.name; }
  bool reached(double value) const { return measure.less_is_better ? value <= bar : value >= bar; }
};

// The mean of a seat's rewards and result. In games of several teams the others play at random, which is for games in
// which they do not matter.
Measure mean_return(int matches = 400);

// What a player scores against another, which `opponent` makes: 1/2 is even. Two random steps begin matches of games
// without chance.
Measure score_against(const std::string& name, std::function<std::unique_ptr<Agent>()> opponent, int matches = 400);

// What all seats could gain together by best responses: exact, for small games of choices. Memories stand empty.
Measure exact_nash_conv();

// All tasks, in a fixed order. Their names differ.
std::vector<Task> tasks();

}  // namespace rival::learning
