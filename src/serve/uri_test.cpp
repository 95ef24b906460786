#include "serve/uri.hpp"

#include <gtest/gtest.h>

namespace rival::serve {
namespace {

TEST(Uri, BytesAreDecoded) {
  EXPECT_EQ(uri_decoded("a%2Fb%20c%c3%B6+%00"), std::string("a/b cö+\0", 9));
  EXPECT_EQ(uri_decoded("%2525"), "%25") << "once";
  EXPECT_EQ(uri_decoded(""), "");
  for (const char* bad : {"%", "a%2", "%zz", "%+1", "%-1", "% 1", "%1%", "%0x"})
    EXPECT_EQ(uri_decoded(bad), std::nullopt) << bad;
}

TEST(Uri, QueriesHaveOnlyWhatIsKnown) {
  const std::vector<std::string> known = {"game", "limit"};
  using Values = std::map<std::string, std::string>;
  EXPECT_EQ(read_query("", known).value(), Values());
  EXPECT_EQ(read_query("game=a%26b+c&&limit=3&", known).value(), (Values{{"game", "a&b c"}, {"limit", "3"}}));
  EXPECT_EQ(read_query("game&limit=a=b", known).value(), (Values{{"game", ""}, {"limit", "a=b"}}));
  EXPECT_EQ(read_query("gmae=a", known).error().message,
            "unknown parameter 'gmae'; did you mean 'game'? Known: game, limit");
  EXPECT_EQ(read_query("game=a&g%61me=b", known).error().message, "'game' is there twice");
  EXPECT_EQ(read_query("game=%g", known).error().message,
            "the query has a '%' without two hexadecimal digits after it");
}

}  // namespace
}  // namespace rival::serve
