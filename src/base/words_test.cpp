#include "base/words.hpp"

#include <gtest/gtest.h>

namespace rival {
namespace {

enum class Pace { slow, fast };

}  // namespace

template <>
inline constexpr std::array<Word<Pace>, 2> kWords<Pace>{{{"slow", Pace::slow}, {"fast", Pace::fast}}};

namespace {

TEST(Words, GoBothWays) {
  EXPECT_EQ(word_of(Pace::fast), "fast");
  EXPECT_EQ(from_word<Pace>("fast"), Pace::fast);
  EXPECT_EQ(from_word<Pace>("Fast"), std::nullopt);
  EXPECT_EQ(words_of<Pace>(), (std::vector<std::string>{"slow", "fast"}));
}

TEST(Words, AnOpenChoiceIsAuto) {
  using Open = std::optional<Pace>;
  EXPECT_EQ(word_of(Open()), "auto");
  EXPECT_EQ(word_of(Open(Pace::slow)), "slow");
  ASSERT_TRUE(from_word<Open>("auto").has_value());
  EXPECT_EQ(*from_word<Open>("auto"), Open());
  EXPECT_EQ(*from_word<Open>("fast"), Open(Pace::fast));
  EXPECT_FALSE(from_word<Open>("").has_value());
  EXPECT_EQ(words_of<Open>(), (std::vector<std::string>{"auto", "slow", "fast"}));
}

TEST(Words, AnUnknownOneIsNamedWithTheNearest) {
  EXPECT_EQ(parse_word<Pace>("pace", "fast").value(), Pace::fast);
  EXPECT_EQ(parse_word<Pace>("pace", "fats").error().message,
            "unknown pace 'fats'; did you mean 'fast'? Known: slow, fast");
}

TEST(Words, CodeMayGiveTheEnumOrTheWord) {
  Named<std::optional<Pace>> pace;
  EXPECT_FALSE(pace.value);
  pace = "slow";
  EXPECT_EQ(pace, Pace::slow);
  pace = Pace::fast;
  EXPECT_EQ(pace, Pace::fast);
  EXPECT_NE(pace, Pace::slow);
}

}  // namespace
}  // namespace rival
