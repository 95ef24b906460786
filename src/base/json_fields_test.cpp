#include "base/json_fields.hpp"

#include <gtest/gtest.h>

namespace rival {
namespace {

using nlohmann::json;

// What reading a field says; "" if it is fine.
template <class Read>
std::string complaint(const std::string& text, Read read) {
  const Result<json> parsed = parse_json(text, "x");
  if (!parsed) return parsed.error().message;
  std::optional<Error> error;
  JsonFields fields(parsed.value(), "x", error);
  read(fields);
  return error ? error->message : "";
}

TEST(JsonFields, WholeNumbersAreCheckedBeforeTheyAreConverted) {
  const auto width = [](const std::string& value) {
    return complaint("{\"n\":" + value + "}", [](JsonFields& fields) { fields.whole<int>("n", {1, 8192}); });
  };
  for (const char* good : {"1", "8192"}) EXPECT_EQ(width(good), "");
  EXPECT_EQ(width("8193"), "x: 'n' must be a whole number from 1 to 8192, not 8193");
  for (const char* bad : {"0", "-1", "128.5", "128.0", "1e300", "-1e300", "4294967297", "-9223372036854775808",
                          "9223372036854775808", "18446744073709551615", "\"7\"", "true", "null", "[1]", "{}"})
    EXPECT_EQ(width(bad).find("x: 'n' must be a whole number from 1 to 8192, not "), 0u) << bad << ": " << width(bad);
  EXPECT_EQ(complaint("{}", [](JsonFields& fields) { fields.whole<int>("n"); }), "x: 'n' is missing");
  const json largest = {{"n", INT64_MAX}, {"least", INT64_MIN}, {"bits", UINT64_MAX}};
  std::optional<Error> error;
  JsonFields fields(largest, "x", error);
  EXPECT_EQ(fields.whole("n"), INT64_MAX);
  EXPECT_EQ(fields.whole("least"), INT64_MIN);
  EXPECT_EQ(fields.bits("bits"), UINT64_MAX);
  EXPECT_FALSE(error);
  EXPECT_EQ(fields.whole<int>("n", {3, 5}), 3);  // harmless
  EXPECT_TRUE(error);
}

TEST(JsonFields, RealsAreFiniteAndInRange) {
  const auto share = [](const std::string& value) {
    return complaint("{\"n\":" + value + "}", [](JsonFields& fields) { fields.real("n", {0, 1}); });
  };
  for (const char* good : {"0", "1", "0.5", "1e-300"}) EXPECT_EQ(share(good), "");
  EXPECT_EQ(share("1.5"), "x: 'n' must be a number from 0 to 1, not 1.5");
  for (const char* bad : {"-0.1", "1e300", "\"0\"", "null", "18446744073709551615"}) EXPECT_NE(share(bad), "") << bad;
  EXPECT_NE(share("1e999"), "");  // no number at all
  const auto single = [](const std::string& value) {
    return complaint("{\"n\":" + value + "}", [](JsonFields& fields) { fields.real<float>("n"); });
  };
  EXPECT_EQ(single("3e38"), "");
  EXPECT_NE(single("4e38"), "");
  EXPECT_NE(single("-1e300"), "");
}

TEST(JsonFields, TextIsOneLineWithoutControlCharacters) {
  const auto name = [](const std::string& value) {
    return complaint("{\"n\":\"" + value + "\"}", [](JsonFields& fields) { fields.text("n"); });
  };
  EXPECT_EQ(name("Größe 大"), "");
  EXPECT_EQ(name(std::string(1000, 'a')), "");
  for (const char* bad : {"\\u001b[2J", "a\\nb", "\\u0000", "\\u007f", "\\u009b2J"}) {
    EXPECT_EQ(name(bad).find("x: 'n' must be a line of text, not "), 0u) << bad;
    for (const char c : name(bad)) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << bad;
  }
  EXPECT_NE(name(std::string(1001, 'a')), "");
  EXPECT_LT(name(std::string(1'000'000, 'a')).size(), 200u);
}

TEST(JsonFields, ListsAreBounded) {
  const auto list = [](const std::string& value) {
    return complaint("{\"n\":" + value + "}", [](JsonFields& fields) { fields.wholes<int>("n", 2, {0, 9}); });
  };
  EXPECT_EQ(list("[]"), "");
  EXPECT_EQ(list("[0,9]"), "");
  EXPECT_EQ(list("[0,9,1]"), "x: 'n' has 3 entries; at most 2 are possible");
  EXPECT_EQ(list("[0,9.5]"), "x: 'n' must be a whole number from 0 to 9, not 9.5");
  EXPECT_EQ(list("{}"), "x: 'n' must be a list, not an object");
}

TEST(JsonFields, OtherFieldsThanThoseThatAreKnownAreErrors) {
  const auto look = [](const std::string& text) {
    return complaint(text, [](JsonFields& fields) { fields.only(std::vector<std::string>{"rank", "players"}); });
  };
  EXPECT_EQ(look(R"({"rank": 1})"), "");
  EXPECT_EQ(look(R"({"rang": 1})"), "x: unknown key 'rang'; did you mean 'rank'? Known: rank, players");
  EXPECT_EQ(look("[]"), "x: must be an object, not a list");
}

TEST(JsonFields, TheFirstErrorStays) {
  EXPECT_EQ(complaint("{\"a\":1}", [](JsonFields& fields) { fields.text("a"), fields.text("b"); }),
            "x: 'a' must be a line of text, not 1");
  EXPECT_EQ(complaint("7", [](JsonFields& fields) { fields.text("a"); }), "x: must be an object, not 7");
}

TEST(ParseJson, RefusesWhatReadersMayUnderstandDifferently) {
  const auto problem = [](const std::string& text) {
    const Result<json> parsed = parse_json(text, "x");
    return parsed ? "" : parsed.error().message;
  };
  EXPECT_EQ(problem(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"), "");
  EXPECT_EQ(problem(R"({"a":1,"b":[{"c":1,"c":2}]})"), "x: an object has the key \"c\" twice");
  for (const char* bad : {"", "{", "{\"a\":1}}", "nan", "{\"a\":\"\xff\"}"})
    EXPECT_EQ(problem(bad), "x: no valid JSON");
  EXPECT_EQ(problem(std::string(30, '[') + std::string(30, ']')), "");
  EXPECT_EQ(problem(std::string(40, '[') + std::string(40, ']')), "x: objects and lists are more than 32 deep");
  EXPECT_NE(problem(std::string(1'000'000, '[')), "");
  // In no time that grows faster than the text.
  std::string many = "{\"0\":{}";
  for (int n = 1; n < 40'000; ++n) many += ",\"" + std::to_string(n) + "\":{}";
  EXPECT_EQ(problem(many + "}"), "");
  EXPECT_EQ(problem(many + ",\"7\":0}"), "x: an object has the key \"7\" twice");
}

}  // namespace
}  // namespace rival
