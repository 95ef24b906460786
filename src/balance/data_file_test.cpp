#include "balance/data_file.hpp"

#include <gtest/gtest.h>

namespace rival::balance {
namespace {

constexpr std::string_view kFile = R"(# units of the game
speed = 3

[knight]   # tough
damage = { value = 12, low = 6, high = 24 }  # a hit
health = 80

[archer]
damage = 8.5  # damage = 9

[[hero]]
role = "tank"
health = { value = 700, low = 500, high = 1100 }
name = "War Mage"
attack = { low = 1, value = 50, high = 90 }

[[hero.abilities]]
name = "Slam"
damage = 70
)";

std::string changed(std::vector<NumberChange> changes) {
  const Result<std::string> edited = change_numbers(kFile, "units.toml", changes);
  return edited ? edited.value() : edited.error().message;
}

std::string with(std::string_view from, std::string_view to) {
  std::string text(kFile);
  return text.replace(text.find(from), from.size(), to);
}

TEST(DataFile, ChangesANumberAndNothingElse) {
  EXPECT_EQ(changed({}), kFile);
  EXPECT_EQ(changed({{"knight.damage", 9.5f}}), with("value = 12", "value = 9.5"));
  EXPECT_EQ(changed({{"knight.health", 75}}), with("health = 80", "health = 75"));
  EXPECT_EQ(changed({{"archer.damage", 8}}), with("damage = 8.5", "damage = 8"));
  EXPECT_EQ(changed({{"speed", 2.5f}}), with("speed = 3", "speed = 2.5"));
  EXPECT_EQ(changed({{"war_mage.health", 650}}), with("value = 700", "value = 650"));
  EXPECT_EQ(changed({{"war_mage.attack", 45}}), with("value = 50", "value = 45"));
}

TEST(DataFile, ChangesSeveral) {
  const std::string once = changed({{"speed", 4}, {"archer.damage", 10}});
  EXPECT_NE(once.find("speed = 4\n"), std::string::npos);
  EXPECT_NE(once.find("damage = 10  # damage = 9"), std::string::npos);
}

TEST(DataFile, NamesWhatIsNotThere) {
  EXPECT_EQ(
      changed({{"knight.reach", 1}}),
      "units.toml: 'knight.reach' is not there; it should be a key of the table that it is named after with a number");
  EXPECT_EQ(changed({{"damage", 1}}),
            "units.toml: 'damage' is not there; it should be a key above all tables with a number");
  const Result<std::string> twice =
      change_numbers("[a]\nb = 1\n[a]\nb = 2\n", "u.toml", std::vector<NumberChange>{{"a.b", 1}});
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("more than once"), std::string::npos);
}

}  // namespace
}  // namespace rival::balance
