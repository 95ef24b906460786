#include "report/balance_page.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "tests/balance_sample.hpp"

namespace rival {
namespace {

using Json = nlohmann::json;

std::string error_of(const Json& report) {
  const Result<std::string> page = balance_page(report);
  return page.ok() ? "" : page.error().message;
}

TEST(BalancePage, TakesAnyNumberOfChoices) {
  for (int choices : {0, 1, 2, 6, 40}) EXPECT_EQ(error_of(BalanceSample::report(choices)), "") << choices;
  EXPECT_EQ(error_of({{"game", "g"}, {"choices", Json::array()}, {"before", Json::array()}}), "");
}

TEST(BalancePage, AllButThreeFieldsMayBeNullOrMissing) {
  const Json report = BalanceSample::report(3);
  for (const auto& [name, value] : report.items()) {
    Json less = report;
    less[name] = nullptr;
    const bool needed = name == "game" || name == "choices" || name == "before";
    EXPECT_EQ(error_of(less), needed ? "balance: '" + name + "' is missing" : "");
    less.erase(name);
    EXPECT_EQ(error_of(less), needed ? "balance: '" + name + "' is missing" : "");
  }
}

TEST(BalancePage, ErrorsNameTheField) {
  const auto error = [](const char* place, Json value) {
    Json report = BalanceSample::report(3);
    report[Json::json_pointer(place)] = std::move(value);
    return error_of(report);
  };
  EXPECT_EQ(error_of(Json::array()), "balance: the report is no JSON object");
  EXPECT_EQ(error_of(Json()), "balance: the report is no JSON object");
  EXPECT_EQ(error("/game", 1), "balance: 'game' is no text");
  EXPECT_EQ(error("/choice", 1), "balance: 'choice' is no text");
  EXPECT_EQ(error("/choices", "Knight"), "balance: 'choices' is no list");
  EXPECT_EQ(error("/choices/1", nullptr), "balance: 'choices[1]' is no text");
  EXPECT_EQ(error("/before", 1), "balance: 'before' is no list");
  EXPECT_EQ(error("/before/1", 1), "balance: 'before[1]' is no list");
  EXPECT_EQ(error("/before/3", Json::array()), "balance: 'before' has 4 entries, not one for each of the 3 choices");
  EXPECT_EQ(error("/after/0", Json::array()), "balance: 'after[0]' has 0 entries, not one for each of the 3 choices");
  EXPECT_EQ(error("/before/0/1", 0.5), "balance: 'before[0][1]' is no object");
  EXPECT_EQ(error("/before/0/1/rate", 61), "balance: 'before[0][1].rate' is no number from 0 to 1");
  EXPECT_EQ(error("/before/0/1/rate", "61%"), "balance: 'before[0][1].rate' is no number from 0 to 1");
  EXPECT_EQ(error("/before/0/1/low", true), "balance: 'before[0][1].low' is no number");
  EXPECT_EQ(error("/before/0/1/rate", nullptr), "");
  EXPECT_EQ(error("/options_after/2/name", nullptr), "balance: 'options_after[2].name' is missing");
  EXPECT_EQ(error("/seat_advantage", 0.5), "balance: 'seat_advantage' is no object");
  EXPECT_EQ(error("/draws/high", Json::array()), "balance: 'draws.high' is no number");
  EXPECT_EQ(error("/length/mean", "long"), "balance: 'length.mean' is no number");
  EXPECT_EQ(error("/dominated_before/0/by", nullptr), "balance: 'dominated_before[0].by' is missing");
  EXPECT_EQ(error("/nash/3", 0), "balance: 'nash' has 4 entries, not one for each of the 3 choices");
  EXPECT_EQ(error("/nash/0", "all"), "balance: 'nash[0]' is no number");
  EXPECT_EQ(error("/targets", Json::object()), "balance: 'targets' is no list");
  EXPECT_EQ(error("/targets/0", nullptr), "balance: 'targets[0]' is no object");
  EXPECT_EQ(error("/targets/1/met", "yes"), "balance: 'targets[1].met' is neither true nor false");
  EXPECT_EQ(error("/changes/0/parameter", 3), "balance: 'changes[0].parameter' is no text");
  EXPECT_EQ(error("/changes/0/to", Json::array()), "balance: 'changes[0].to' is no number, text or truth");
  EXPECT_EQ(error("/sensitivities/1/effects/2/points", "2"),
            "balance: 'sensitivities[1].effects[2].points' is no number");
  EXPECT_EQ(error("/front/2/changes/0/to", nullptr), "balance: 'front[2].changes[0].to' is missing");
  EXPECT_EQ(error("/bands/1/options/0/rate", -0.1), "balance: 'bands[1].options[0].rate' is no number from 0 to 1");
  EXPECT_EQ(error("/bands/1/matrix/2/0/rate", 2), "balance: 'bands[1].matrix[2][0].rate' is no number from 0 to 1");
  EXPECT_EQ(error("/real/matrix", {1, 2}), "balance: 'real.matrix' has 2 entries, not one for each of the 3 choices");
  EXPECT_EQ(error("/confidence", 97), "balance: 'confidence' is no number from 0 to 1");
  EXPECT_EQ(error("/spent/matches", "all"), "balance: 'spent.matches' is no number");
  EXPECT_EQ(error("/warnings/0", 1), "balance: 'warnings[0]' is no text");
  EXPECT_EQ(error("/replays/0/html", 1), "balance: 'replays[0].html' is no text");
  EXPECT_EQ(error("/data_file/text", nullptr), "balance: 'data_file.text' is missing");
}

TEST(BalancePage, HostileTextStaysText) {
  Json report = BalanceSample::report(2);
  const std::string hostile = "</script><script>alert(1)</script><!--\xff{{DATA}}";
  report["game"] = report["choices"][0] = report["changes"][0]["parameter"] = report["data_file"]["text"] = hostile;
  Result<std::string> page = balance_page(report);
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page->find("<script>alert"), std::string::npos);
  const std::string mark = "id=\"data\">";
  const std::size_t begin = page->find(mark) + mark.size();
  const Json data = Json::parse(page->substr(begin, page->find("</script>", begin) - begin));
  EXPECT_TRUE(data["choices"][0].get<std::string>().starts_with("</script><script>alert(1)</script><!--"));
  EXPECT_EQ(data["seed"], "18446744073709551615");
}

// Whatever one value of a report is replaced by, there is a page or an error, and no exception.
TEST(BalancePage, AnyValueInAnyPlace) {
  const Json report = BalanceSample::report(2);
  const Json flat = report.flatten();
  int errors = 0;
  for (const auto& [place, value] : flat.items())
    for (const Json& other : {Json(), Json(-1e300), Json("x"), Json(true), Json::array({Json()}), Json::object()}) {
      Json changed = report;
      changed[Json::json_pointer(place)] = other;
      errors += error_of(changed).empty() ? 0 : 1;
    }
  EXPECT_GT(errors, 500);
}

}  // namespace
}  // namespace rival
