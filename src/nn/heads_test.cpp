#include "nn/heads.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/index.hpp"

namespace rival {
namespace {

Spec two_choices_and_two_values() {
  return {
      .name = "mixed",
      .observation = {ObservationPart::vector("v", 1)},
      .action = {ActionPart::discrete("a", 5), ActionPart::continuous("c", 2, -3, 1), ActionPart::discrete("b", 3)}};
}

// Parts b and d mean something only along with some choices of a; d's target is chosen among entities.
Spec dependent_choices() {
  return {.name = "dependent",
          .observation = {ObservationPart::entities("e", 6, 2)},
          .action = {ActionPart::discrete("a", 5), ActionPart::continuous("c", 2, -3, 1),
                     ActionPart::discrete("b", 3).when(0, {1, 3}), ActionPart::discrete("free", 2),
                     ActionPart::target("d", 0, 6).when(0, {3, 4})}};
}

// The values mean something only along with some choices of a, and so does b.
Spec dependent_values() {
  return {.name = "dependent_values",
          .observation = {ObservationPart::vector("v", 1)},
          .action = {ActionPart::discrete("a", 5), ActionPart::continuous("c", 1, -3, 1).when(0, {1, 3}),
                     ActionPart::discrete("b", 3).when(0, {3}), ActionPart::continuous("d", 1, 0, 1)}};
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
  HeadLayout layout;
  std::vector<float> heads, log_std{-0.5f, 0.2f}, raw, old_logp, advantages, targets;
  std::vector<std::uint8_t> masks;
  std::vector<std::int32_t> choices;

  explicit Rows(const Spec& spec) : layout(spec) {
    Random random(Key(5));
    for (int i = 0; i < kRows * layout.head_size(); ++i) heads.push_back(random.uniform(-2, 2));
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < layout.mask_size; ++c) masks.push_back(random.below(4) > 0);
      for (int part = 0; part < layout.choice_count(); ++part) {
        const int size = layout.discrete[part];
        const auto first = masks.end() - layout.mask_size + layout.column[part];
        const int choice = random.below(size);
        first[choice] = 1;
        choices.push_back(choice);
        if (counts(r, part)) continue;
        choices.back() = 0;
        if (random.below(2)) std::fill_n(first, size, std::uint8_t{0});
      }
      for (int i = 0; i < 2; ++i) raw.push_back(random.uniform(-1, 1));
      old_logp.push_back(0);
      advantages.push_back(random.uniform(-2, 2));
      targets.push_back(random.uniform(-1, 1));
    }
    // Old probabilities near the present ones, so that some ratios are clipped and some are not.
    for (int r = 0; r < kRows; ++r) old_logp[r] = static_cast<float>(log_probability(r)) + random.uniform(-0.4f, 0.4f);
  }

  double logit(int r, int c) const { return static_cast<double>(heads[r * layout.head_size() + c]); }
  bool counts(int r, int part) const {
    return layout.counts(part, choices.data() + static_cast<std::ptrdiff_t>(r) * layout.choice_count());
  }
  bool allowed(int r, int c) const { return masks[r * layout.mask_size + c]; }
  double normaliser(int r, int column, int size) const {
    double z = 0;
    for (int c = column; c < column + size; ++c) z += allowed(r, c) ? std::exp(logit(r, c)) : 0;
    return std::log(z);
  }
  double log_probability(int r) const {
    double sum = 0;
    for (std::size_t part = 0; part < layout.discrete.size(); ++part) {
      if (!counts(r, static_cast<int>(part))) continue;
      const int column = layout.column[part];
      sum += logit(r, column + choices[index(r) * layout.discrete.size() + part]) -
             normaliser(r, column, layout.discrete[part]);
    }
    for (int i = 0; i < layout.value_count; ++i) {
      if (!layout.value_counts(i, choices.data() + static_cast<std::ptrdiff_t>(r) * layout.choice_count())) continue;
      const double sd = std::exp(static_cast<double>(log_std[i]));
      const double u = (static_cast<double>(raw[r * 2 + i]) - logit(r, layout.mask_size + i)) / sd;
      sum += -0.5 * u * u - std::log(sd) - 0.5 * std::log(2 * M_PI);
    }
    return sum;
  }
  // The probability of these choices of part `on`; of none, 1.
  double likely(int r, int on, std::uint64_t wanted) const {
    if (on < 0) return 1;
    const int first = layout.column[on], last = first + layout.discrete[on];
    double sum = 0;
    for (int c = first; c < last; ++c)
      if ((wanted >> (c - first) & 1) && allowed(r, c))
        sum += std::exp(logit(r, c) - normaliser(r, first, last - first));
    return sum;
  }
  Textbook textbook(const PpoLoss& w) const {
    Textbook t;
    for (int r = 0; r < kRows; ++r) {
      const std::size_t k = r;
      const double log_ratio = log_probability(r) - static_cast<double>(old_logp[k]), ratio = std::exp(log_ratio);
      const double a = static_cast<double>(advantages[k]), clip = static_cast<double>(w.clip);
      t.policy -= std::min(ratio * a, std::clamp(ratio, 1 - clip, 1 + clip) * a);
      t.kl += ratio - 1 - log_ratio;
      const double error = logit(r, layout.head_size() - 1) - static_cast<double>(targets[k]);
      t.value += 0.5 * error * error;
      for (std::size_t part = 0; part < layout.discrete.size(); ++part) {
        const int column = layout.column[part], size = layout.discrete[part], on = layout.when_part[part];
        double entropy = 0;
        const double z = normaliser(r, column, size);
        for (int c = column; c < column + size; ++c)
          if (allowed(r, c)) entropy -= std::exp(logit(r, c) - z) * (logit(r, c) - z);
        t.entropy += likely(r, on, layout.when_choices[part]) * entropy;
      }
      for (std::size_t i = 0; i < log_std.size(); ++i)
        t.entropy += likely(r, layout.value_when_part[i], layout.value_when_choices[i]) *
                     (static_cast<double>(log_std[i]) + 0.5 + 0.5 * std::log(2 * M_PI));
    }
    return t;
  }
  PpoRows rows() const {
    return {masks.data(), choices.data(), raw.data(), old_logp.data(), advantages.data(), targets.data()};
  }
};

void expect_textbook_loss_and_slopes(Rows rows) {
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

TEST(PpoLoss, MatchesTheTextbookAndFiniteDifferences) {
  expect_textbook_loss_and_slopes(Rows(two_choices_and_two_values()));
}

TEST(PpoLoss, OfDependentPartsMatchesTheTextbookAndFiniteDifferences) {
  expect_textbook_loss_and_slopes(Rows(dependent_choices()));
}

TEST(PpoLoss, OfDependentValuesMatchesTheTextbookAndFiniteDifferences) {
  expect_textbook_loss_and_slopes(Rows(dependent_values()));
}

TEST(SampleActions, ValuesCountOnlyWithTheChoicesTheyDependOn) {
  const Rows rows(dependent_values());
  std::vector<std::int32_t> choices(2 * Rows::kRows);
  std::vector<float> raw(2 * Rows::kRows), logp(Rows::kRows), zero(Rows::kRows), gradients(rows.heads.size()),
      log_std_gradients(2);
  sample_actions(rows.layout, rows.heads.data(), rows.log_std.data(), rows.masks.data(), Rows::kRows, Key(3), 1,
                 {choices.data(), raw.data(), logp.data()});
  int counted = 0;
  for (std::size_t r = 0; r < Rows::kRows; ++r) {
    const bool counts = choices[2 * r] == 1 || choices[2 * r] == 3;
    counted += counts;
    EXPECT_EQ(raw[2 * r] != 0, counts) << r;
    EXPECT_NE(raw[2 * r + 1], 0);
  }
  EXPECT_GT(counted, 5);
  EXPECT_LT(counted, Rows::kRows - 5);
  const PpoStatistics same =
      ppo_loss(rows.layout, {}, rows.heads.data(), rows.log_std.data(),
               {rows.masks.data(), choices.data(), raw.data(), logp.data(), zero.data(), zero.data()}, Rows::kRows,
               gradients.data(), log_std_gradients.data());
  EXPECT_NEAR(same.kl, 0, 1e-6);
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

// However cold or hot, and however large the logits are.
TEST(SampleActions, NeverDrawsWhatTheMaskForbids) {
  const Spec spec = {
      .name = "one", .observation = {ObservationPart::vector("v", 1)}, .action = {ActionPart::discrete("a", 4)}};
  const HeadLayout layout(spec);
  const std::uint8_t mask[] = {0, 1, 1, 0};
  for (const float scale : {1.0f, 1e3f, 1e9f, 1e30f})
    for (const float temperature : {0.0f, 1e-40f, 1e-10f, 1e-7f, 1e-6f, 1e-3f, 1.0f, 1e6f, 3e38f}) {
      // The logits of what is forbidden are the largest.
      const float heads[] = {9 * scale, -3 * scale, -2 * scale, 9 * scale, 0};
      std::int32_t choice = -1;
      float log_probability = 0, p[4];
      for (std::uint64_t i = 0; i < 20; ++i) {
        sample_actions(layout, heads, nullptr, mask, 1, Key(i), temperature, {&choice, nullptr, &log_probability});
        EXPECT_TRUE(choice == 1 || choice == 2) << choice << " at " << temperature << ", " << scale;
        if (temperature < 1e-2f && scale < 1e9f) {
          EXPECT_EQ(choice, 2) << temperature;
        }
      }
      action_probabilities(layout, heads, mask, 1, temperature, p);
      EXPECT_NEAR(p[1] + p[2], 1, 1e-6) << temperature << ", " << scale;
      EXPECT_EQ(p[0] + p[3], 0);
    }
}

TEST(SampleActions, PartsCountOnlyWithTheChoicesTheyDependOn) {
  const Spec spec = dependent_choices();
  const HeadLayout layout(spec);
  ASSERT_EQ(layout.when_part, (std::vector{-1, 0, -1, 0}));
  constexpr int kRows = 40000;
  Rows rows(spec);
  const std::size_t head_size = layout.head_size();
  std::vector<float> heads, p(kRows * layout.mask_size), raw(2 * kRows), logp(kRows);
  std::vector<std::int32_t> choices(4 * kRows);
  //                                  a              b        free  d
  const std::vector<std::uint8_t> mask{1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1};
  std::vector<std::uint8_t> masks;
  for (int r = 0; r < kRows; ++r) {
    heads.insert(heads.end(), rows.heads.begin(), rows.heads.begin() + static_cast<std::ptrdiff_t>(head_size));
    masks.insert(masks.end(), mask.begin(), mask.end());
  }
  sample_actions(layout, heads.data(), rows.log_std.data(), masks.data(), kRows, Key(2), 1,
                 {choices.data(), raw.data(), logp.data()});
  action_probabilities(layout, heads.data(), masks.data(), kRows, 1, p.data());
  std::vector<double> seen(mask.size()), counted(4);
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t part = 0; part < 4; ++part) {
      const std::int32_t* row = choices.data() + 4 * r;
      const bool counts = part == 0 || part == 2 || row[0] == 3 || row[0] == (part == 1 ? 1 : 4);
      ASSERT_EQ(layout.counts(static_cast<int>(part), row), counts);
      if (!counts) {
        ASSERT_EQ(row[part], part == 1 ? 1 : 2) << "the lowest that the mask allows";
        continue;
      }
      ++counted[part];
      ++seen[layout.column[part] + row[part]];
    }
  EXPECT_LT(counted[1], 0.9 * kRows);
  for (std::size_t part = 0; part < 4; ++part)
    for (int c = layout.column[part]; c < layout.column[part] + layout.discrete[part]; ++c) {
      const std::size_t k = c;
      EXPECT_NEAR(seen[k] / counted[part], p[k], 0.02) << c;
      if (!mask[k]) {
        EXPECT_EQ(seen[k], 0) << c;
      }
    }

  // The loss sees the same log-probabilities: all ratios are 1. Those of all parts, counted or not, would not do.
  const auto kl = [&] {
    const std::vector<float> zero(kRows);
    std::vector<float> gradients(heads.size()), log_std_gradients(2);
    return ppo_loss(layout, {}, heads.data(), rows.log_std.data(),
                    {masks.data(), choices.data(), raw.data(), logp.data(), zero.data(), zero.data()}, kRows,
                    gradients.data(), log_std_gradients.data())
               .kl /
           kRows;
  };
  EXPECT_NEAR(kl(), 0, 1e-9);
  for (std::size_t r = 0; r < kRows; ++r)
    if (!layout.counts(3, choices.data() + 4 * r))
      logp[r] += std::log(p[r * mask.size() + index(layout.column[3] + choices[4 * r + 3])]);
  EXPECT_GT(kl(), 0.1);
}

TEST(SampleActions, APartThatDoesNotCountMayAllowNothing) {
  const HeadLayout layout(dependent_choices());
  const std::vector<float> heads(layout.head_size(), 0.5f), log_std(2);
  std::vector<std::uint8_t> mask(layout.mask_size);
  mask[0] = mask[2] = mask[8] = 1;  // of a and free; nothing of b and d
  std::int32_t choices[4];
  float raw[2], logp, old;
  std::vector<float> p(mask.size());
  for (float temperature : {0.0f, 1.0f}) {
    sample_actions(layout, heads.data(), log_std.data(), mask.data(), 1, Key(1), temperature, {choices, raw, &logp});
    EXPECT_TRUE(choices[0] == 0 || choices[0] == 2);
    EXPECT_EQ(choices[1] + choices[2] + choices[3], 0);
    EXPECT_TRUE(std::isfinite(logp));
  }
  action_probabilities(layout, heads.data(), mask.data(), 1, 1, p.data());
  EXPECT_FLOAT_EQ(p[0], 0.5f);
  for (std::size_t c : {5u, 6u, 7u, 10u, 15u}) EXPECT_EQ(p[c], 0) << c;
  old = logp;
  const float advantage = 1, target = 0;
  std::vector<float> gradients(heads.size()), log_std_gradients(2);
  const PpoStatistics s =
      ppo_loss(layout, {.entropy = 0.1f}, heads.data(), log_std.data(),
               {mask.data(), choices, raw, &old, &advantage, &target}, 1, gradients.data(), log_std_gradients.data());
  EXPECT_NEAR(s.kl, 0, 1e-9);
  EXPECT_NEAR(s.entropy, std::log(2) + 1 + std::log(2 * M_PI), 1e-5);
  for (float g : gradients) EXPECT_TRUE(std::isfinite(g));
  for (std::size_t c : {5u, 6u, 7u, 10u, 15u}) EXPECT_EQ(gradients[c], 0) << c;
}

TEST(Heads, LogProbabilitiesAreThoseOfSampling) {
  Spec spec;
  spec.action = {ActionPart::discrete("a", 3), ActionPart::discrete("b", 4).when(0, {0, 2}),
                 ActionPart::continuous("c", 2, -1, 1), ActionPart::continuous("d", 1, 0, 5).when(0, {1})};
  const HeadLayout layout(spec);
  constexpr int kRows = 100;
  const auto rows = [](int columns) { return index(kRows * columns); };
  std::vector<float> heads(rows(layout.head_size())), raw(rows(3)), sampled(kRows), again(kRows);
  std::vector<std::uint8_t> masks(rows(layout.mask_size));
  std::vector<std::int32_t> choices(rows(2));
  Random random(Key(1));
  for (float& x : heads) x = random.uniform(-2, 2);
  for (std::size_t i = 0; i < masks.size(); ++i) masks[i] = i % 7 == 0 || random.uniform() < 0.7f;
  for (int r = 0; r < kRows; ++r)  // each part allows something
    masks[rows(layout.mask_size) / kRows * index(r)] = masks[rows(layout.mask_size) / kRows * index(r) + 3] = 1;
  const float log_std[] = {-0.5f, 0.1f, 0.7f};
  sample_actions(layout, heads.data(), log_std, masks.data(), kRows, Key(2), 1,
                 {choices.data(), raw.data(), sampled.data()});
  log_probabilities(layout, heads.data(), log_std, masks.data(), kRows, choices.data(), raw.data(), again.data());
  for (int r = 0; r < kRows; ++r) EXPECT_NEAR(sampled[r], again[r], 1e-5) << r;
}

}  // namespace
}  // namespace rival
