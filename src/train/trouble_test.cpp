#include "train/trouble.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace rival {
namespace {

IterationReport report(double value_loss, double kl, double entropy) {
  IterationReport r;
  r.updated_rows = 1, r.value_loss = value_loss, r.kl = kl, r.entropy = entropy;
  return r;
}

TEST(TroubleWatch, HealthyFiguresSayNothing) {
  TroubleWatch watch(2, true);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.note(report(11, 0.02, 1.0 / (1 + i)), i / 100.0));
}

TEST(TroubleWatch, EachSignIsToldOnce) {
  TroubleWatch watch(2, true);
  EXPECT_NE(watch.note(report(1e6, 200, 1), 0)->seen.find("value loss is 1e+06"), std::string::npos);
  EXPECT_FALSE(watch.note(report(1e6, 200, 1), 0));
  TroubleWatch policy(2, true);
  EXPECT_NE(policy.note(report(0.5, 3, 1), 0)->seen.find("beyond recognition (kl 3;"), std::string::npos);
}

TEST(TroubleWatch, EntropyThatIsGoneEarly) {
  const auto told = [](double progress, bool choices_only, double low) {
    TroubleWatch watch(2, choices_only);
    EXPECT_FALSE(watch.note(report(0.5, 0, 2), 0));
    int count = 0;
    for (int i = 0; i < 30; ++i)
      if (const auto text = watch.note(report(0.5, 0, low), progress)) {
        EXPECT_NE(text->seen.find("fell from 2 to 0.01"), std::string::npos) << text->seen;
        EXPECT_EQ(i, 9);
        ++count;
      }
    return count;
  };
  EXPECT_EQ(told(0.2, true, 0.01), 1);
  EXPECT_EQ(told(0.6, true, 0.01), 0);   // late in a run it may be so
  EXPECT_EQ(told(0.2, false, 0.01), 0);  // of continuous actions it says nothing
  EXPECT_EQ(told(0.2, true, 0.03), 0);
}

// An iteration of `episodes` matches with returns from `low` to `high`.
IterationReport played(std::int64_t steps, int episodes, double low, double high, double value_loss = 0.3) {
  IterationReport r = report(value_loss, 0.01, 1);
  r.steps = steps, r.episodes = episodes, r.lowest_return = low, r.highest_return = high;
  return r;
}

TEST(TroubleWatch, NoRewardSeen) {
  const auto told_at = [](double low, double high, int later) {
    TroubleWatch watch(1, true);
    for (int i = 1; i <= 100; ++i)
      if (const auto trouble = watch.note(played(4000 * i, 50, low, i < later ? low : high), 0)) {
        EXPECT_EQ(trouble->seen,
                  fmt::format("all {} matches so far have brought the same, {}: there is nothing to learn from yet",
                              50 * i, low));
        return i;
      }
    return 0;
  };
  EXPECT_EQ(told_at(-200, -200, 0), 40);  // matches
  EXPECT_EQ(told_at(0, 1, 39), 0);        // one that brought something else
  EXPECT_EQ(told_at(0, 1, 41), 40);
  TroubleWatch short_matches(2, true);
  EXPECT_FALSE(short_matches.note(played(90'000, 30'000, 0, 0), 0));
  EXPECT_TRUE(short_matches.note(played(100'000, 3'000, 0, 0), 0));
  EXPECT_FALSE(short_matches.note(played(200'000, 3'000, 0, 0), 0)) << "told once";
  TroubleWatch explored(1, true);
  IterationReport exploring = played(100'000, 3'000, 0, 0);
  EXPECT_EQ(TroubleWatch(1, true).note(exploring, 0)->done, "");
  exploring.exploring = true;
  EXPECT_NE(explored.note(exploring, 0)->done.find("explorers"), std::string::npos);
}

TEST(TroubleWatch, NothingForeseen) {
  const auto told_at = [](int teams, double value_loss, double low) {
    TroubleWatch watch(teams, true);
    for (int i = 1; i <= 30; ++i)
      if (const auto trouble = watch.note(played(100'000 * i, 100, low, 1, value_loss), 0)) {
        EXPECT_NE(trouble->seen.find("foresees nothing"), std::string::npos) << trouble->seen;
        return i;
      }
    return 0;
  };
  EXPECT_EQ(told_at(1, 0.5, 0), 12);
  EXPECT_EQ(told_at(2, 0.5, 0), 0);
  EXPECT_EQ(told_at(1, 0.45, 0), 0);
}

}  // namespace
}  // namespace rival
