#include "base/number.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rival {
namespace {

TEST(Number, ReadsTheWholeText) {
  EXPECT_EQ(read_real("0.5"), 0.5);
  EXPECT_EQ(read_real("+1e6"), 1e6);
  EXPECT_EQ(read_real("-3"), -3.0);
  EXPECT_TRUE(std::isinf(*read_real("inf")));
  for (const char* text : {"", " 1", "1 ", "1x", "0,5", "+-1", "--1", "1e999", "0x10", "."})
    EXPECT_FALSE(read_real(text)) << text;
  EXPECT_EQ(read_whole("1e6"), 1'000'000);
  EXPECT_EQ(read_whole("2.0"), 2);
  EXPECT_EQ(read_whole("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(read_whole("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"", "1.5", "9223372036854775808", "18446744073709551616", "1e19", "inf", "nan", "-"})
    EXPECT_FALSE(read_whole(text)) << text;
}

TEST(Number, ErrorsSayWhatIsWanted) {
  const auto real = [](const char* text, Range<double> range) { return parse_real("--minutes", text, range); };
  EXPECT_EQ(real("2", {0, 2}).value(), 2);
  EXPECT_EQ(real("2.1", {0, 2}).error().message, "--minutes must be a number from 0 to 2, not '2.1'");
  EXPECT_EQ(real("inf", {.low = 0}).error().message, "--minutes must be a number of at least 0, not 'inf'");
  EXPECT_EQ(real("nan", {}).error().message, "--minutes must be a number, not 'nan'");
  EXPECT_EQ(real("", {.high = 1}).error().message, "--minutes must be a number of at most 1, not ''");
  EXPECT_EQ(parse_number<int>("levels", "1e3").value(), 1000);
  EXPECT_EQ(parse_number<int>("levels", "3000000000").error().message,
            "levels must be a whole number from -2147483648 to 2147483647, not '3000000000'");
  EXPECT_EQ(parse_whole("seed", "-1", {.low = 0}).error().message,
            "seed must be a whole number of at least 0, not '-1'");
  EXPECT_EQ(parse_number<float>("t", "1e39").ok(), false);
  EXPECT_EQ(parse_number<float>("t", "0.25").value(), 0.25f);
}

TEST(Number, Writes) {
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(0.1f), "0.1");
  EXPECT_EQ(shortest(1e6), "1e+06");
  EXPECT_EQ(*read_real(shortest(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(with_decimals(1.005, 1), "1.0");
  EXPECT_EQ(with_decimals(-0.001, 2), "0.00");
  EXPECT_EQ(with_decimals(-0.006, 2), "-0.01");
  EXPECT_EQ(with_decimals(1e308, 2).size(), 312U);
  EXPECT_EQ(with_sign(-0.001, 2), "+0.00");
  EXPECT_EQ(with_sign(-1.5, 2), "-1.50");
  EXPECT_EQ(with_digits(1.50001, 3), "1.5");
  EXPECT_EQ(with_digits(-0.0, 3), "0");
  EXPECT_EQ(with_digits(1234567, 3), "1.23e+06");
}

}  // namespace
}  // namespace rival
