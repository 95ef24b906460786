#include "nn/heads.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rival {
namespace {

Spec two_choices_and_two_values() {
  return {
      .name = "mixed",
      .observation = {ObservationPart::vector("v", 1)},
      .action = {ActionPart::discrete("a", 5), ActionPart::continuous("c", 2, -3, 1), ActionPart::discrete("b", 3)}};
}

// The same loss as the textbook writes it, for one row after another, in double precision.
struct Textbook {
  double policy = 0, value = 0, entropy = 0, kl = 0;
  double loss(const PpoLoss& w) const {
    return static_cast<double>(w.weight) *
           (policy + static_cast<double>(w.value) * value - static_cast<double>(w.entropy) * entropy);
  }
};

struct Rows {
  static constexpr int kRows = 37;
  HeadLayout layout{two_choices_and_two_values()};
  std::vector<float> heads, log_std{-0.5f, 0.2f}, raw, old_logp, advantages, targets;
  std::vector<std::uint8_t> masks;
  std::vector<std::int32_t> choices;

  Rows() {
    Random random(Key(5));
    for (int i = 0; i < kRows * layout.head_size(); ++i) heads.push_back(random.uniform(-2, 2));
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < layout.mask_size; ++c) masks.push_back(random.below(4) > 0);
      int column = 0;
      for (int size : layout.discrete) {
        const int choice = random.below(size);
        masks[static_cast<std::size_t>(r * layout.mask_size + column + choice)] = 1;
        choices.push_back(choice);
        column += size;
      }
      for (int i = 0; i < 2; ++i) raw.push_back(random.uniform(-1, 1));
      old_logp.push_back(0);
      advantages.push_back(random.uniform(-2, 2));
      targets.push_back(random.uniform(-1, 1));
    }
    // Old probabilities near the present ones, so that some ratios are clipped and some are not.
    for (int r = 0; r < kRows; ++r)
      old_logp[static_cast<std::size_t>(r)] = static_cast<float>(log_probability(r)) + random.uniform(-0.4f, 0.4f);
  }

  double logit(int r, int c) const {
    return static_cast<double>(heads[static_cast<std::size_t>(r * layout.head_size() + c)]);
  }
  bool allowed(int r, int c) const { return masks[static_cast<std::size_t>(r * layout.mask_size + c)]; }
  double normaliser(int r, int column, int size) const {
    double z = 0;
    for (int c = column; c < column + size; ++c) z += allowed(r, c) ? std::exp(logit(r, c)) : 0;
    return std::log(z);
  }
  double log_probability(int r) const {
    double sum = 0;
    int column = 0;
    for (std::size_t part = 0; part < layout.discrete.size(); ++part) {
      const int size = layout.discrete[part];
      sum += logit(r, column + choices[static_cast<std::size_t>(r) * layout.discrete.size() + part]) -
             normaliser(r, column, size);
      column += size;
    }
    for (int i = 0; i < layout.value_count; ++i) {
      const double sd = std::exp(static_cast<double>(log_std[static_cast<std::size_t>(i)]));
      const double u =
          (static_cast<double>(raw[static_cast<std::size_t>(r * 2 + i)]) - logit(r, layout.mask_size + i)) / sd;
      sum += -0.5 * u * u - std::log(sd) - 0.5 * std::log(2 * M_PI);
    }
    return sum;
  }
  Textbook textbook(const PpoLoss& w) const {
    Textbook t;
    for (int r = 0; r < kRows; ++r) {
      const std::size_t k = static_cast<std::size_t>(r);
      const double log_ratio = log_probability(r) - static_cast<double>(old_logp[k]), ratio = std::exp(log_ratio);
      const double a = static_cast<double>(advantages[k]), clip = static_cast<double>(w.clip);
      t.policy -= std::min(ratio * a, std::clamp(ratio, 1 - clip, 1 + clip) * a);
      t.kl += ratio - 1 - log_ratio;
      const double error = logit(r, layout.head_size() - 1) - static_cast<double>(targets[k]);
      t.value += 0.5 * error * error;
      int column = 0;
      for (int size : layout.discrete) {
        const double z = normaliser(r, column, size);
        for (int c = column; c < column + size; ++c)
          if (allowed(r, c)) t.entropy -= std::exp(logit(r, c) - z) * (logit(r, c) - z);
        column += size;
      }
      for (float s : log_std) t.entropy += static_cast<double>(s) + 0.5 + 0.5 * std::log(2 * M_PI);
    }
    return t;
  }
  PpoRows rows() const {
    return {masks.data(), choices.data(), raw.data(), old_logp.data(), advantages.data(), targets.data()};
  }
};

TEST(PpoLoss, MatchesTheTextbookAndFiniteDifferences) {
  Rows rows;
  const PpoLoss loss{.clip = 0.2f, .entropy = 0.03f, .value = 0.7f, .weight = 0.25f};
  std::vector<float> dheads(rows.heads.size()), dlog_std(2, 1.0f);
  const PpoStatistics s = ppo_loss(rows.layout, loss, rows.heads.data(), rows.log_std.data(), rows.rows(), Rows::kRows,
                                   dheads.data(), dlog_std.data());
  const Textbook t = rows.textbook(loss);
  EXPECT_EQ(s.rows, Rows::kRows);
  EXPECT_NEAR(s.policy_loss, t.policy, 1e-3);
  EXPECT_NEAR(s.value_loss, t.value, 1e-3);
  EXPECT_NEAR(s.entropy, t.entropy, 1e-3);
  EXPECT_NEAR(s.kl, t.kl, 1e-3);
  EXPECT_GT(s.clipped, 0);
  EXPECT_LT(s.clipped, Rows::kRows);
  const auto slope = [&](float& x) {
    const float before = x, step = 1e-3f;
    x = before + step;
    const double above = rows.textbook(loss).loss(loss);
    x = before - step;
    const double below = rows.textbook(loss).loss(loss);
    x = before;
    return (above - below) / (2 * static_cast<double>(step));
  };
  for (std::size_t i = 0; i < rows.heads.size(); ++i) EXPECT_NEAR(dheads[i], slope(rows.heads[i]), 2e-3) << i;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(dlog_std[i] - 1, slope(rows.log_std[i]), 5e-3) << i;
}

TEST(SampleActions, FollowsTheProbabilitiesAndTheMask) {
  const HeadLayout layout(two_choices_and_two_values());
  constexpr int kRows = 40000;
  const float row[] = {0, 1, 2, -1, 5, 0.25f, -0.5f, 1, 0, 2, 9};
  const std::uint8_t mask[] = {1, 1, 1, 1, 0, 1, 1, 0};
  std::vector<float> heads, p(8 * kRows), log_std{-1, -2}, raw(2 * kRows), logp(kRows), values(2 * kRows);
  std::vector<std::uint8_t> masks;
  for (int r = 0; r < kRows; ++r) heads.insert(heads.end(), row, row + 11), masks.insert(masks.end(), mask, mask + 8);
  std::vector<std::int32_t> choices(2 * kRows);
  sample_actions(layout, heads.data(), log_std.data(), masks.data(), kRows, Key(2), 1,
                 {choices.data(), raw.data(), logp.data()});
  action_probabilities(layout, heads.data(), masks.data(), kRows, 1, p.data());
  double seen[8] = {}, mean = 0, square = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    ++seen[choices[2 * r]], ++seen[5 + choices[2 * r + 1]];
    mean += static_cast<double>(raw[2 * r]) / kRows;
    square += static_cast<double>(raw[2 * r] * raw[2 * r]) / kRows;
  }
  for (std::size_t c = 0; c < 8; ++c) {
    EXPECT_NEAR(seen[c] / kRows, p[c], 0.01) << c;
    if (!mask[c]) {
      EXPECT_EQ(seen[c] + static_cast<double>(p[c]), 0);
    }
  }
  EXPECT_NEAR(mean, 0, 0.01);
  EXPECT_NEAR(std::sqrt(square - mean * mean), std::exp(-1), 0.01);
  scale_values(layout, raw.data(), kRows, values.data());
  for (float v : values) EXPECT_TRUE(v >= -3 && v <= 1);
  // The most likely action at temperature 0.
  sample_actions(layout, heads.data(), log_std.data(), masks.data(), 3, Key(2), 0,
                 {choices.data(), raw.data(), logp.data()});
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(choices[2 * r], 2);
    EXPECT_EQ(choices[2 * r + 1], 0);
    EXPECT_EQ(raw[2 * r], 0.0f + row[8]);
  }
}

}  // namespace
}  // namespace rival
