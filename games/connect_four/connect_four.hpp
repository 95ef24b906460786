// Connect Four: drop stones into 7 columns of height 6; four in a row win, a full board is a draw. With perfect play
// seat 0 wins from the middle column, draws from its neighbours and loses from the others: a handicap keeps its first
// stone away from the middle.
#pragma once

#include <array>
#include <cstring>

#include "games/connect_four/bitboard.hpp"
#include "rival/game.hpp"

namespace rival {

class ConnectFour {
 public:
  static Spec spec() {
    return {.name = "connect_four",
            .description = "Four in a row on 7 columns of height 6",
            .source = "Milton Bradley, 1974; solved by James D. Allen and Victor Allis, 1988",
            .seats = 2,
            .observation = {ObservationPart::grid("board", 2, 6, 7)},  // own stones, the other's; y = 0 is the top row
            .action = {ActionPart::discrete("column", 7)},
            .parameters = {{"handicap", 0, 0, 3, "columns from the middle that the first stone must be, at least", 1}},
            .max_steps = 42};
  }

  void reset(const Settings& settings, Key) {
    *this = ConnectFour();
    handicap_ = static_cast<std::int8_t>(settings.parameters[0]);
  }

  SeatSet to_act() const { return SeatSet::one(mover()); }

  void observe(int seat, Observation out) const {
    write_plane(stones_[seat], out.part());
    write_plane(stones_[1 - seat], out.part() + 42);
  }

  void legal(int, Mask mask) const {
    const connect_four::Board squares = moves();
    for (int c = 0; c < 7; ++c) mask.part()[c] = (squares & connect_four::column(c)) != 0;
  }

  void step(const Actions& actions, Key, Rewards) { play(actions.choice(mover())); }

  Status status() const { return winner_ >= 0 || plies_ == 42 ? Status::finished : Status::running; }

  float result(int team) const { return winner_ < 0 ? 0.0f : winner_ == team ? 1.0f : -1.0f; }

  std::string text() const;
  std::string action_text(int, int choice) const { return std::to_string(choice + 1); }

  // ---- for scripted players, the solver and tests ----
  int mover() const { return plies_ & 1; }
  int plies() const { return plies_; }
  int winner() const { return winner_; }  // the seat, or -1
  connect_four::Board stones(int seat) const { return stones_[seat]; }
  connect_four::Board occupied() const { return stones_[0] | stones_[1]; }
  // The squares that can be played.
  connect_four::Board moves() const {
    const connect_four::Board all = connect_four::playable(occupied());
    return plies_ == 0 ? all & ~connect_four::middle(handicap_) : all;
  }
  bool can_play(int choice) const { return (moves() & connect_four::column(choice)) != 0; }
  void play(int choice) {
    const connect_four::Board free = connect_four::column(choice) & ~occupied();
    connect_four::Board& own = stones_[mover()];
    own |= free & (0 - free);
    if (connect_four::has_four(own)) winner_ = static_cast<std::int8_t>(mover());
    ++plies_;
  }

 private:
  // The 42 floats of one player's stones, a row of seven at a time.
  static void write_plane(connect_four::Board stones, float* plane) {
    for (int y = 0; y < 6; ++y)
      std::memcpy(plane + 7 * y, kRowFloats[(stones >> (8 * (5 - y))) & 127].data(), 7 * sizeof(float));
  }

  // Entry b: the low seven bits of b as floats.
  static constexpr auto kRowFloats = [] {
    std::array<std::array<float, 8>, 128> table{};
    for (unsigned b = 0; b < 128; ++b)
      for (unsigned x = 0; x < 7; ++x) table[b][x] = static_cast<float>((b >> x) & 1);
    return table;
  }();

  connect_four::Board stones_[2] = {};
  std::int8_t plies_ = 0, winner_ = -1, handicap_ = 0;
};

}  // namespace rival
