#include "games/tic_tac_toe/tic_tac_toe.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "rival/by_hand.hpp"

namespace rival {
namespace {

struct Count {
  int first = 0, second = 0, draws = 0;
};

void play_all(const TicTacToe& game, Count& count) {
  if (game.status() == Status::finished) {
    EXPECT_EQ(game.result(0), -game.result(1));
    ++(game.result(0) > 0 ? count.first : game.result(0) < 0 ? count.second : count.draws);
    return;
  }
  for (int cell : legal_choices(game, game.to_act().lowest())) {
    TicTacToe next = game;
    make_moves(next, {cell});
    play_all(next, count);
  }
}

TEST(TicTacToe, AllCompleteGames) {
  Count count;
  play_all(TicTacToe(), count);
  EXPECT_EQ(count.first, 131184);
  EXPECT_EQ(count.second, 77904);
  EXPECT_EQ(count.draws, 46080);
  EXPECT_EQ(count.first + count.second + count.draws, 255168);
}

TEST(TicTacToe, ShowsTheBoardFromTheMoversView) {
  TicTacToe game;
  for (int cell : {4, 0}) make_moves(game, {cell});
  EXPECT_EQ(game.text(), "O . .\n. X .\n. . .\n");
  std::vector<float> row = observed(game, 0);
  EXPECT_EQ(row[4], 1);
  EXPECT_EQ(row[9], 1);
  row = observed(game, 1);
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
