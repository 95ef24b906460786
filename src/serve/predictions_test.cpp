#include "serve/predictions.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "serve/sample_bot.hpp"

namespace rival::serve {
namespace {

const RowSizes kSizes = {.observation = 2, .mask = 3, .choices = 1, .values = 1, .parts = {3}, .names = {"move"}};

TEST(Predictions, RowsInAllTheirForms) {
  struct Case {
    const char* body;
    std::vector<float> observations;
    std::vector<std::uint8_t> masks;
  };
  for (const auto& [body, observations, masks] :
       std::vector<Case>{{R"({"observation": [[1, 2], [3, 4.5]]})", {1, 2, 3, 4.5}, {1, 1, 1, 1, 1, 1}},
                         {R"({"observation": [[1, 2], [3, 4]], "mask": [[1, 0, 1], [false, true, false]]})",
                          {1, 2, 3, 4},
                          {1, 0, 1, 0, 1, 0}},
                         {R"({"observation": [1, 2]})", {1, 2}, {1, 1, 1}},
                         {R"({"observation": [1, 2], "mask": [0, 0, 1]})", {1, 2}, {0, 0, 1}},
                         {R"({"observation": [1, 2], "mask": [[0, 0, 1]]})", {1, 2}, {0, 0, 1}},
                         {"[1, 2]", {1, 2}, {1, 1, 1}},
                         {"[[1, 2], [3, 4]]", {1, 2, 3, 4}, {1, 1, 1, 1, 1, 1}},
                         {R"([{"observation": [1, 2], "mask": [0, 1, 0]}, [3, 4], {"observation": [5, 6]}])",
                          {1, 2, 3, 4, 5, 6},
                          {0, 1, 0, 1, 1, 1, 1, 1, 1}}}) {
    const Result<Rows> rows = read_predictions(body, kSizes);
    ASSERT_TRUE(rows) << body << ": " << rows.error().message;
    EXPECT_EQ(rows.value().observations, observations) << body;
    EXPECT_EQ(rows.value().masks, masks) << body;
    EXPECT_EQ(static_cast<std::size_t>(rows.value().count), observations.size() / 2) << body;
    EXPECT_EQ(rows.value().seats.back(), static_cast<std::uint32_t>(rows.value().count - 1)) << body;
  }
  EXPECT_EQ(read_instances(R"({"instances": [[1, 2], {"observation": [3, 4]}]})", kSizes).value().count, 2);
}

TEST(Predictions, ErrorsNameTheRowAndTheField) {
  for (const auto& [body, error] : std::vector<std::pair<std::string, std::string>>{
           {"", "the body: no valid JSON"},
           {"3", R"(the body must be {"observation": [[...]], "mask": [[...]]}, or a list of rows)"},
           {"{}", "'observation' is missing"},
           {"[]", "0 rows: a request has 1 to 16384"},
           {R"({"observation": []})", "0 rows: a request has 1 to 16384"},
           {R"({"observation": 3})", "'observation' must be a list of rows"},
           {R"({"observations": [[1, 2]]})",
            "unknown field 'observations'; did you mean 'observation'? Known: observation, mask"},
           {"[[1, 2], [1, 2, 3]]", "row 1: 'observation' must be a list of 2 numbers"},
           {R"([[1, 2], [1, "a"]])", "row 1: 'observation' must be a list of 2 numbers, which [1] is not"},
           {"[[1, 1e300]]", "row 0: 'observation' must be a list of 2 numbers, which [1] is not"},
           {R"([{"observation": [1, 2], "mask": [0, 0, 0]}])", "row 0: the mask allows no choice of 'move'"},
           {R"([{"observation": [1, 2], "mask": [1, 2, 0]}])",
            "row 0: 'mask' must be a list of 3 times true or false, or 1 or 0, which [1] is not"},
           {R"([{"observation": [1, 2], "masks": []}])",
            "row 0: unknown field 'masks'; did you mean 'mask'? Known: observation, mask"},
           {R"({"observation": [[1, 2]], "mask": []})", "'mask' must be a list of 1 rows, as 'observation' is"},
           {std::string(40, '[') + std::string(40, ']'), "the body: objects and lists are more than 32 deep"},
           {std::string(2 << 20, ' '),
            "the body has 2097152 bytes; 1048576 is the most: send less rows, or binary tensors to /v2"}}) {
    const Result<Rows> rows = read_predictions(body, kSizes);
    ASSERT_FALSE(rows) << body;
    EXPECT_EQ(rows.error().message, error);
  }
  EXPECT_EQ(read_instances("[[1, 2]]", kSizes).error().message, R"(the body must be {"instances": [...]})");
}

TEST(Predictions, AreAnObjectForEachRow) {
  const std::vector<std::int32_t> choices = {2, 0};
  const std::vector<float> values = {0.5, -1};
  Answered answer{.rows = 2, .choices = choices, .values = values, .probabilities = {}, .expected = {}};
  EXPECT_EQ(json_text(predictions(kSizes, answer)),
            R"([{"choices":[2],"values":[0.5]},{"choices":[0],"values":[-1.0]}])");
  RowSizes without = kSizes;
  without.values = 0;
  EXPECT_EQ(json_text(predictions(without, answer)), R"([{"choices":[2]},{"choices":[0]}])");
}

}  // namespace
}  // namespace rival::serve
