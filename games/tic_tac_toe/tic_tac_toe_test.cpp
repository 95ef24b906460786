#include "games/tic_tac_toe/tic_tac_toe.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "game/batch.hpp"

namespace rival {
namespace {

struct Count {
  int first = 0, second = 0, draws = 0;
};

void play_all(const TicTacToe& game, const RowLayout& layout, Count& count) {
  if (game.status() == Status::finished) {
    EXPECT_EQ(game.result(0), -game.result(1));
    ++(game.result(0) > 0 ? count.first : game.result(0) < 0 ? count.second : count.draws);
    return;
  }
  std::uint8_t mask[9] = {};
  game.legal(game.to_act().lowest(), Mask(mask, layout));
  for (std::int32_t cell = 0; cell < 9; ++cell) {
    if (!mask[cell]) continue;
    TicTacToe next = game;
    float rewards[2] = {};
    next.step(Actions(&cell, nullptr, 0, layout), Key(), Rewards(rewards));
    play_all(next, layout, count);
  }
}

TEST(TicTacToe, AllCompleteGames) {
  const RowLayout layout(TicTacToe::spec());
  TicTacToe game;
  Count count;
  play_all(game, layout, count);
  EXPECT_EQ(count.first, 131184);
  EXPECT_EQ(count.second, 77904);
  EXPECT_EQ(count.draws, 46080);
  EXPECT_EQ(count.first + count.second + count.draws, 255168);
}

TEST(TicTacToe, ShowsTheBoardFromTheMoversView) {
  const Spec spec = TicTacToe::spec();
  const RowLayout layout(spec);
  TicTacToe game;
  float rewards[2] = {};
  for (std::int32_t cell : {4, 0}) game.step(Actions(&cell, nullptr, 0, layout), Key(), Rewards(rewards));
  EXPECT_EQ(game.text(), "O . .\n. X .\n. . .\n");
  float row[18] = {};
  game.observe(0, Observation(row, layout, spec));
  EXPECT_EQ(row[4], 1);
  EXPECT_EQ(row[9], 1);
  game.observe(1, Observation(row, layout, spec));
  EXPECT_EQ(row[0], 1);
  EXPECT_EQ(row[9 + 4], 1);
  EXPECT_EQ(game.action_text(0, 0), "a3");
  EXPECT_EQ(game.action_text(0, 8), "c1");
}

TEST(TicTacToe, FitsIn80Lines) {
  std::ifstream file(std::string(RIVAL_SOURCE_DIR) + "/games/tic_tac_toe/tic_tac_toe.hpp");
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  EXPECT_GT(lines, 0);
  EXPECT_LE(lines, 80);
}

}  // namespace
}  // namespace rival
