#include "base/names.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace rival {
namespace {

const std::vector<std::string> kGames = {"cartpole", "pendulum", "tic_tac_toe", "connect_four", "kuhn_poker", "pig"};

TEST(Names, FindsTheNearest) {
  EXPECT_EQ(nearest("cartpol", kGames), "cartpole");    // left out
  EXPECT_EQ(nearest("carrtpole", kGames), "cartpole");  // put in
  EXPECT_EQ(nearest("catrpole", kGames), "cartpole");   // swapped
  EXPECT_EQ(nearest("Tic-Tac-Toe", kGames), "tic_tac_toe");
  EXPECT_EQ(nearest("conect_for", kGames), "connect_four");
  EXPECT_EQ(nearest("kuhn", kGames), "kuhn_poker");
  EXPECT_EQ(nearest("pgi", kGames), "pig");
}

TEST(Names, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("chess", kGames), "");
  EXPECT_EQ(nearest("", kGames), "");
  EXPECT_EQ(nearest("x", {}), "");
  EXPECT_EQ(nearest(std::string(1 << 20, 'a'), kGames), "");
  const std::vector<std::string> one = {"a"};
  EXPECT_EQ(nearest("b", one), "");  // one edit, but nothing in common
}

TEST(Names, SwappedNeighboursAreOneEdit) {
  const std::vector<std::string> names = {"abcd"};
  EXPECT_EQ(nearest("abdc", names), "abcd");  // two replacements would be too far for four letters
}

TEST(Names, SaysWhatWasMeantAndWhatIsKnown) {
  const std::vector<std::string> names = {"seed", "epochs"};
  EXPECT_EQ(unknown_name("option", "epoch", names, "config.toml:3: ").message,
            "config.toml:3: unknown option 'epoch'; did you mean 'epochs'? Known: seed, epochs");
  EXPECT_EQ(unknown_name("game", "go", {}).message, "unknown game 'go'; Known: none");
}

TEST(PlainFileName, LeadsNowhereElse) {
  for (const char* good : {"final", "step_0000001000", "exploiter_1", "A-b.c_9"}) EXPECT_TRUE(is_plain_file_name(good));
  for (const char* bad :
       {"", ".", "..", ".hidden", "../../elsewhere", "a/b", "/etc/passwd", "a\\b", "a b", "a\n", "\xc3\xa4"})
    EXPECT_FALSE(is_plain_file_name(bad)) << bad;
  EXPECT_FALSE(is_plain_file_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_plain_file_name(std::string(200, 'a')));
  EXPECT_FALSE(is_plain_file_name(std::string(201, 'a')));
}

}  // namespace
}  // namespace rival
