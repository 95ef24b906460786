#include "train/collapse.hpp"

#include <gtest/gtest.h>

namespace rival {
namespace {

IterationReport report(double value_loss, double kl, double entropy) {
  IterationReport r;
  r.updated_rows = 1, r.value_loss = value_loss, r.kl = kl, r.entropy = entropy;
  return r;
}

TEST(CollapseWatch, HealthyFiguresSayNothing) {
  CollapseWatch watch;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.note(report(11, 0.02, 1.0 / (1 + i)), i / 100.0, true));
}

TEST(CollapseWatch, EachSignIsToldOnce) {
  CollapseWatch watch;
  EXPECT_NE(watch.note(report(1e6, 200, 1), 0, true).value_or("").find("value loss is 1e+06"), std::string::npos);
  EXPECT_FALSE(watch.note(report(1e6, 200, 1), 0, true));
  CollapseWatch policy;
  EXPECT_NE(policy.note(report(0.5, 3, 1), 0, true).value_or("").find("beyond recognition (kl 3;"), std::string::npos);
}

TEST(CollapseWatch, EntropyThatIsGoneEarly) {
  const auto told = [](double progress, bool choices_only, double low) {
    CollapseWatch watch;
    EXPECT_FALSE(watch.note(report(0.5, 0, 2), 0, choices_only));
    int count = 0;
    for (int i = 0; i < 30; ++i)
      if (const auto text = watch.note(report(0.5, 0, low), progress, choices_only)) {
        EXPECT_NE(text->find("fell from 2 to 0.01"), std::string::npos) << *text;
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

}  // namespace
}  // namespace rival
