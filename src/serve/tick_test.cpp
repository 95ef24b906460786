#include "serve/tick.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "serve/sample_bot.hpp"

namespace rival::serve {
namespace {

const RowSizes kSizes = sample_bot().sizes;

std::string error_of(const std::string& frame, int seats = 3) {
  const Result<TickView> tick = read_tick(frame, kSizes, seats);
  return tick ? "" : tick.error().message;
}

TEST(Tick, ComesBack) {
  const SampleRows rows(3, 1);
  const std::string frame = rows.frame(7, 9, 500);
  const Result<TickView> tick = read_tick(frame, kSizes, 3);
  ASSERT_TRUE(tick) << tick.error().message;
  EXPECT_EQ(tick.value().header.session, 7u);
  EXPECT_EQ(tick.value().header.tick, 9u);
  EXPECT_EQ(tick.value().header.budget, 500u);
  EXPECT_TRUE(std::equal(rows.seats.begin(), rows.seats.end(), tick.value().seats.begin()));
  EXPECT_TRUE(std::equal(rows.observations.begin(), rows.observations.end(), tick.value().observations.begin()));
  EXPECT_TRUE(std::equal(rows.masks.begin(), rows.masks.end(), tick.value().masks.begin()));

  std::vector<std::int32_t> choices = {1, 0, 2, 1, 3, 0};
  std::vector<float> values = {0.5f, -1, 2};
  const std::string answer = answer_frame(tick.value().header, true, choices, values);
  const Result<AnswerView> read = read_answer(answer, kSizes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read.value().late);
  EXPECT_EQ(read.value().header.tick, 9u);
  EXPECT_TRUE(std::equal(choices.begin(), choices.end(), read.value().choices.begin()));
  EXPECT_TRUE(std::equal(values.begin(), values.end(), read.value().values.begin()));

  const auto seen = [&](bool tells) {
    return seen_frame(tick.value().header, rows.seats, rows.observations, rows.masks, choices, values, tells);
  };
  EXPECT_TRUE(is_seen(seen(true)));
  EXPECT_FALSE(is_seen(frame));
  const std::string told = seen(false);
  const Result<SeenView> view = read_seen(told, kSizes, 3);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_FALSE(view.value().tells);
  EXPECT_EQ(seen_header(told).value().session, 7u);
  EXPECT_TRUE(std::equal(rows.observations.begin(), rows.observations.end(), view.value().tick.observations.begin()));
  EXPECT_TRUE(std::equal(rows.masks.begin(), rows.masks.end(), view.value().tick.masks.begin()));
  EXPECT_TRUE(std::equal(choices.begin(), choices.end(), view.value().choices.begin()));
  EXPECT_TRUE(std::equal(values.begin(), values.end(), view.value().values.begin()));
  choices[3] = 2;
  EXPECT_EQ(read_seen(seen(true), kSizes, 3).error().message, "row 1 (seat 1): choice 2 of 'other', which has 0 to 1");
  choices[3] = 1, values[2] = INFINITY;
  EXPECT_EQ(read_seen(seen(true), kSizes, 3).error().message, "row 2 (seat 2): value[0] is inf");
  EXPECT_NE(read_seen(frame, kSizes, 3).error().message.find("kind 1, where 3"), std::string::npos);
}

TEST(Tick, IsTheBytesOfTheDocument) {
  const std::vector<std::uint32_t> seats = {2};
  const std::vector<float> observations = {1, 0, 0, 0, 0};
  const std::vector<std::uint8_t> masks = {1, 0, 0, 1, 1, 1};
  const std::string frame = tick_frame({.session = 1, .tick = 258, .budget = 3, .rows = 1}, seats, observations, masks);
  const std::uint8_t expected[] = {1, 1, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 3,   0,
                                   0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 128, 63};
  for (std::size_t i = 0; i < std::size(expected); ++i)
    EXPECT_EQ(static_cast<std::uint8_t>(frame[i]), expected[i]) << i;
  EXPECT_EQ(frame.size(), 20u + 4 + 20 + 6);
}

TEST(Tick, ErrorsNameTheRowTheSeatAndTheField) {
  SampleRows rows(3, 1);
  const std::string good = rows.frame(1, 1);
  EXPECT_EQ(error_of(good), "");
  EXPECT_EQ(error_of(good.substr(0, 10)), "a frame of 10 bytes is too short: its header has 20");
  EXPECT_EQ(error_of(good.substr(0, good.size() - 1)), "a frame of 109 bytes; 3 rows of 30 bytes take 110");
  EXPECT_EQ(error_of("\2" + good.substr(1)), "a frame of kind 2, where 1 is expected");
  EXPECT_EQ(error_of("\1\2" + good.substr(2)), "a frame of version 2 of the protocol; this is version 1");
  EXPECT_EQ(error_of(good, 2), "row 2 (seat 2): the session has seats 0 to 1");
  rows.seats[1] = 0;
  EXPECT_EQ(error_of(rows.frame(1, 1)), "row 1 (seat 0): the seat stands in the frame twice");
  rows = SampleRows(3, 1);
  rows.observations[8] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error_of(rows.frame(1, 1)), "row 1 (seat 1): observation[3] is nan");
  rows = SampleRows(3, 1);
  rows.masks[16] = rows.masks[17] = 0;
  EXPECT_EQ(error_of(rows.frame(1, 1)), "row 2 (seat 2): the mask allows no choice of 'other'");
  std::string huge = good;
  huge[19] = 127;
  EXPECT_NE(error_of(huge).find("is the most"), std::string::npos);
}

}  // namespace
}  // namespace rival::serve
