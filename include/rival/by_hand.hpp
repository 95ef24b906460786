// A match played by hand, through the rules alone: for tests of a game, scripts and searches of one's own.
//
//   TicTacToe game;
//   game.reset({}, Key(1));
//   make_moves(game, {4});                      // a seat at a time: the middle
//   legal_choices(game, 1);                     // 0 1 2 3 5 6 7 8
//   make_moves(duel, {kRock, kPaper});          // seats that act at once, the lowest first
//   make_moves(arm, {Move({2}, {0.5f, -1.f})})  // several parts: choices, and values of continuous parts
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rival/game.hpp"

namespace rival {

// What one seat does: a choice for each discrete or target part, a number for each value of the continuous parts.
struct Move {
  std::vector<std::int32_t> choices;
  std::vector<float> values;
  Move(int choice) : choices{choice} {}
  explicit Move(std::vector<std::int32_t> choices_, std::vector<float> values_ = {})
      : choices(std::move(choices_)), values(std::move(values_)) {}
};

// A game's spec with its layout, made once.
template <Game G>
const std::pair<Spec, RowLayout>& described() {
  static const std::pair<Spec, RowLayout> described = {G::spec(), RowLayout(G::spec())};
  return described;
}

// What a seat observes: [RowLayout::observation_size].
template <Game G>
std::vector<float> observed(const G& game, int seat) {
  const auto& [spec, layout] = described<G>();
  std::vector<float> row(static_cast<std::size_t>(layout.observation_size));
  game.observe(seat, Observation(row.data(), layout, spec));
  return row;
}

// The choices of a discrete or target action part that the rules allow to a seat that is to act, in ascending order.
template <Game G>
std::vector<int> legal_choices(const G& game, int seat, int part = 0) {
  const auto& [spec, layout] = described<G>();
  std::vector<std::uint8_t> row(static_cast<std::size_t>(layout.mask_size), HasLegal<G> ? 0 : 1);
  const Mask mask(row.data(), layout);
  if constexpr (HasLegal<G>) game.legal(seat, mask);
  std::vector<int> choices;
  for (int choice = 0; choice < spec.action[static_cast<std::size_t>(part)].size; ++choice)
    if (mask.part(part)[choice]) choices.push_back(choice);
  return choices;
}

// Steps the game: a move for each seat of to_act(), the lowest seat first. `key`: of the step's dice and shuffles.
// Returns what the step gave each seat; the result of a match that it ended is in game.result(). Throws
// std::invalid_argument if seats, choices or values are too few or too many.
template <Game G>
std::vector<float> make_moves(G& game, const std::vector<Move>& moves, Key key = {}) {
  const auto& [spec, layout] = described<G>();
  const auto parts = static_cast<std::size_t>(layout.choice_count),
             numbers = static_cast<std::size_t>(layout.value_count);
  const std::size_t rows = spec.simultaneous ? static_cast<std::size_t>(spec.seats) : 1;
  std::vector<std::int32_t> choices(rows * parts);
  std::vector<float> values(rows * numbers);
  const SeatSet acting = game.to_act();
  if (moves.size() != static_cast<std::size_t>(acting.count()))
    throw std::invalid_argument(std::to_string(acting.count()) + " seats are to act, and there are " +
                                std::to_string(moves.size()) + " moves");
  std::size_t move = 0;
  for (int seat = 0; seat < spec.seats; ++seat) {
    if (!acting.contains(seat)) continue;
    const std::size_t row = spec.simultaneous ? static_cast<std::size_t>(seat) : 0;
    if (moves[move].choices.size() != parts || moves[move].values.size() != numbers)
      throw std::invalid_argument("a move of " + spec.name + " has " + std::to_string(parts) + " choices and " +
                                  std::to_string(numbers) + " values");
    for (std::size_t p = 0; p < parts; ++p) choices[row * parts + p] = moves[move].choices[p];
    for (std::size_t i = 0; i < numbers; ++i) values[row * numbers + i] = moves[move].values[i];
    ++move;
  }
  std::vector<float> rewards(static_cast<std::size_t>(spec.seats));
  game.step(Actions(choices.data(), values.data(), spec.simultaneous ? 1 : 0, layout), key, Rewards(rewards.data()));
  return rewards;
}

}  // namespace rival
