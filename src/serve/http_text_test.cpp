#include "serve/http_text.hpp"

#include <gtest/gtest.h>

namespace rival::serve {
namespace {

using Parts = std::vector<std::string>;

TEST(HttpText, PathsAreDecodedPartByPart) {
  EXPECT_EQ(path_parts("/models/a%401200"), (Parts{"models", "a@1200"}));
  EXPECT_EQ(path_parts("/a%2Fb/c"), (Parts{"a/b", "c"}));
  EXPECT_EQ(path_parts("/"), (Parts{""}));
  EXPECT_EQ(path_parts(""), (Parts{""}));
  EXPECT_EQ(path_parts("/v2/"), (Parts{"v2", ""}));
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%41"), "%zzA");
}

TEST(HttpText, Queries) {
  EXPECT_EQ(query_value("limit=3&url=a%2Fb+c", "url"), "a/b c");
  EXPECT_EQ(query_value("limit=3&url", "url"), "");
  EXPECT_EQ(query_value("limit=3", "lim"), std::nullopt);
  EXPECT_EQ(query_value("", ""), std::nullopt);
}

TEST(HttpText, BytesAreDecodedStrictly) {
  EXPECT_EQ(strictly_decoded("a%2Fb%20c%c3%B6+%00"), std::string("a/b cö+\0", 9));
  EXPECT_EQ(strictly_decoded("%2525"), "%25") << "once";
  EXPECT_EQ(strictly_decoded(""), "");
  for (const char* bad : {"%", "a%2", "%zz", "%+1", "%-1", "% 1", "%1%", "%0x"})
    EXPECT_EQ(strictly_decoded(bad), std::nullopt) << bad;
}

TEST(HttpText, QueriesHaveOnlyWhatIsKnown) {
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

TEST(HttpText, Forms) {
  // As curl -F 'other=1' -F data=@rows.json sends them.
  const std::string body =
      "--xyz\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n"
      "--xyz\r\nContent-Disposition: form-data; name=\"data\"; filename=\"rows.json\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n[[1],\r\n[2]]\r\n--xyz--\r\n";
  EXPECT_EQ(form_values("multipart/form-data; boundary=xyz", body, {"data", "body"}), (Parts{"[[1],\r\n[2]]"}));
  EXPECT_EQ(form_values("Multipart/Form-Data; boundary=\"xyz\"", body, {"body", "other"}), (Parts{"1"}));
  EXPECT_EQ(form_values("multipart/form-data; boundary=xyz", body, {"body"}), Parts());
  EXPECT_EQ(form_values("multipart/form-data", body, {"data"}), Parts());
  EXPECT_EQ(form_values("application/json", body, {"data"}), Parts());
  const std::string part = "\r\nContent-Disposition: form-data; name=data\r\n\r\n1\r\n--x--";
  EXPECT_EQ(form_values("multipart/form-data; boundary=x", "--x\r\n--x" + part, {"data"}), Parts{"1"})
      << "one is empty";
  EXPECT_EQ(form_values("application/x-www-form-urlencoded", "data=%5B1%5D&data=2", {"data"}), (Parts{"[1]", "2"}));
  EXPECT_EQ(form_values("application/x-www-form-urlencoded", R"({"observation": [1]})", {"data"}), Parts());
}

}  // namespace
}  // namespace rival::serve
