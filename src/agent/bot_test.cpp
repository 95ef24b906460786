#include "agent/bot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <numeric>

#include "agent/player.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "base/temporary_folder.hpp"

namespace {
std::atomic<long> allocations{0};
std::atomic<std::size_t> largest{0};  // of them, in bytes
}  // namespace

// Not inline: g++ would take malloc and free for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (size > largest) largest = size;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  if (size > largest) largest = size;
  return std::malloc(size ? size : 1);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace rival {
namespace {

// Two seats in turn look at numbers drawn from the match's key; choices change nothing but the next numbers.
struct Numbers {
  Key key;
  int steps = 0;
  static Spec spec() {
    return {.name = "numbers",
            .description = "numbers from a key",
            .seats = 2,
            .observation = {ObservationPart::vector("numbers", 5), ObservationPart::grid("board", 1, 2, 3),
                            ObservationPart::entities("units", 4, 3)},
            .action = {ActionPart::discrete("choice", 6), ActionPart::discrete("other", 3),
                       ActionPart::target("unit", 2, 4)},
            .simultaneous = true};
  }
  void reset(const Settings&, Key k) { *this = {k}; }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    Random random(key.split(static_cast<std::uint64_t>(2 * steps + seat)));
    for (int i = 0; i < 5; ++i) out[i] = random.uniform(-3, 3);
    for (int i = 5; i < 11; ++i) out[i] = static_cast<float>(random.below(2));
    for (int unit = 0; unit < 4; ++unit) {
      if (random.below(2)) continue;
      out[11 + 3 * unit] = 1;
      for (int i = 1; i < 3; ++i) out[11 + 3 * unit + i] = random.uniform(-1, 1);
    }
  }
  void legal(int seat, Mask mask) const {
    for (int c = 0; c < 6; ++c)
      if (c != (steps + seat) % 6) mask.allow(0, c);
    for (int c = 0; c < 3; ++c) mask.allow(1, c);
    for (int c = 0; c < 4; ++c) mask.allow(2, c);
  }
  void step(const Actions& actions, Key, Rewards) {
    key = key.split(static_cast<std::uint64_t>(actions.choice(0) + 6 * actions.choice(1)));
    ++steps;
  }
  Status status() const { return steps == 9 ? Status::finished : Status::running; }
  float result(int team) const { return team ? 1 : -1; }
};

struct Slide : Numbers {  // continuous actions
  static Spec spec() {
    Spec spec = Numbers::spec();
    spec.name = "slide";
    spec.action = {ActionPart::continuous("push", 2, -2, 2)};
    return spec;
  }
  void legal(int, Mask) const {}
  void step(const Actions&, Key, Rewards) { ++steps; }
};

// Weights large enough that neither policies nor memories are flat.
Bot make_bot(const Spec& spec, bool memory, std::vector<int> hidden = {24, 16}) {
  const int width = hidden.back();
  Bot bot{.game = spec.name,
          .network = Network::make(spec, {.hidden = std::move(hidden), .memory = memory ? width : 0}).value(),
          .parameters = {},
          .scale = {},
          .value_mean = 0.5f,
          .value_scale = 2,
          .steps = 12345678901};
  Random random(Key(3));
  bot.parameters.resize(bot.network.parameter_count());
  for (float& p : bot.parameters) p = random.uniform(-0.4f, 0.4f);
  for (int i = 0; i < bot.network.observation_size(); ++i) {
    bot.scale.mean.push_back(random.uniform(-1, 1));
    bot.scale.scale.push_back(random.uniform(0.5f, 2));
  }
  return bot;
}

// The rows of a batch and what an agent makes of them.
struct Table {
  Batch& batch;
  std::vector<float> observations, probabilities, values;
  std::vector<std::uint8_t> masks;
  std::vector<std::int8_t> seats;
  std::vector<std::int32_t> choices;
  std::vector<int> rows;

  explicit Table(Batch& b) : batch(b) {
    const std::size_t count = b.rows();
    observations.resize(count * index(b.layout().observation_size));
    masks.resize(count * index(b.layout().mask_size));
    probabilities.resize(masks.size());
    values.resize(count * index(std::max(1, b.layout().value_count)));
    choices.resize(count * index(b.layout().choice_count));
    seats.resize(count);
    observe();
  }
  void observe() {
    batch.observe({observations.data(), masks.data(), seats.data()});
    rows.clear();
    for (int row = 0; row < batch.rows(); ++row)
      if (seats[row] >= 0) rows.push_back(row);
  }
  Decisions decisions() const { return part(0, rows.size()); }
  Decisions part(std::size_t first, std::size_t count) const {
    return {&batch, std::span(rows).subspan(first, count), observations.data(), masks.data(), seats.data()};
  }
};

void start(Batch& batch, BotAgent& agent, Key key) {
  batch.start_all({}, key);
  for (int m = 0; m < batch.matches(); ++m) agent.match_started(m);
}

class WithAndWithoutMemory : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Bot, WithAndWithoutMemory, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "memory" : "none"; });

TEST_P(WithAndWithoutMemory, ComesBackFromItsFile) {
  for (const Spec& spec : {Numbers::spec(), Slide::spec()}) {
    TemporaryFolder folder;
    Bot bot = make_bot(spec, GetParam());
    if (GetParam()) bot.limits = {.reaction_steps = 2, .every = 3};
    ASSERT_TRUE(save_bot(bot, folder.file("a")));
    const Result<Bot> again = load_bot(folder.file("a"), spec);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again.value().parameters, bot.parameters);
    EXPECT_EQ(again.value().scale.mean, bot.scale.mean);
    EXPECT_EQ(again.value().scale.scale, bot.scale.scale);
    EXPECT_EQ(again.value().value_mean, bot.value_mean);
    EXPECT_EQ(again.value().value_scale, bot.value_scale);
    EXPECT_EQ(again.value().steps, bot.steps);
    EXPECT_EQ(again.value().limits, bot.limits);
    EXPECT_EQ(again.value().network.options(), bot.network.options());
    EXPECT_EQ(bot_game(load_safetensors(folder.file("a")).value(), "a").value().name, spec.name);
    ASSERT_TRUE(save_bot(again.value(), folder.file("b")));
    EXPECT_EQ(read_file(folder.file("a")).value(), read_file(folder.file("b")).value());

    BotAgent one(bot, spec, 1), two(again.value(), spec, 1);
    std::vector<float> state(16), other(16), row(bot.network.observation_size(), 0.5f);
    for (int i = 0; i < 5; ++i) {
      const std::size_t head_size = bot.network.head_size();
      const float* heads = one.decide(row.data(), state.data());
      const std::vector<float> kept(heads, heads + head_size);
      heads = two.decide(row.data(), other.data());
      EXPECT_EQ(std::vector<float>(heads, heads + head_size), kept);
    }
  }
}

// Many rows at once, and the same rows few at a time and in another order, over several matches.
TEST_P(WithAndWithoutMemory, BatchesAndSingleRowsAgree) {
  const auto batch = BatchOf<Numbers>::make(150);  // 300 rows: more than one pass
  for (float temperature : {0.0f, 1.0f}) {
    BotAgent batched(make_bot(Numbers::spec(), GetParam()), Numbers::spec(), temperature);
    BotAgent single(make_bot(Numbers::spec(), GetParam()), Numbers::spec(), temperature);
    int different = 0, decisions = 0;
    for (int match = 0; match < 2; ++match) {
      start(*batch, batched, Key(11).split(match));
      for (int m = 0; m < batch->matches(); ++m) single.match_started(m);
      for (int step = 0; step < 9; ++step) {
        Table table(*batch), few(*batch);
        std::reverse(few.rows.begin(), few.rows.end());
        ASSERT_TRUE(batched.probabilities(table.decisions(), table.probabilities.data()));
        batched.estimate(table.decisions(), table.values.data());
        const Key key = Key(12).split(step);
        batched.act(table.decisions(), key, table.choices.data(), nullptr);
        for (std::size_t first = 0; first < few.rows.size(); first += 3) {
          const Decisions some = few.part(first, std::min<std::size_t>(3, few.rows.size() - first));
          ASSERT_TRUE(single.probabilities(some, few.probabilities.data()));
          single.estimate(some, few.values.data());
          single.act(some, key, few.choices.data(), nullptr);
        }
        for (std::size_t i = 0; i < table.values.size(); ++i) ASSERT_NEAR(table.values[i], few.values[i], 1e-4) << i;
        for (std::size_t i = 0; i < table.choices.size(); ++i, ++decisions)
          different += table.choices[i] != few.choices[i];
        for (std::size_t i = 0; i < table.probabilities.size() && temperature > 0; ++i)
          ASSERT_NEAR(table.probabilities[i], few.probabilities[i], 1e-5) << i;
        std::vector<float> rewards(300);
        std::vector<Status> status(150);
        batch->step({table.choices.data(), nullptr}, {rewards.data(), status.data()});
      }
    }
    EXPECT_LE(different, 1) << "of " << decisions;  // a draw may lie within rounding of the edge of two choices
    EXPECT_EQ(decisions, 2 * 9 * 900);
  }
}

TEST_P(WithAndWithoutMemory, DecidingAllocatesNothing) {
  BotAgent agent(make_bot(Numbers::spec(), GetParam()), Numbers::spec());
  std::vector<float> row(23, 0.5f), state(16);
  float sum = 0;
  const long before = allocations;
  for (int i = 0; i < 100; ++i) sum += agent.decide(row.data(), GetParam() ? state.data() : nullptr)[0];
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(std::isfinite(sum));
  const auto control = std::make_unique<int>(1);
  EXPECT_EQ(allocations, before + 1);
}

TEST(BotMemory, IsKeptPerMatchAndSeatAndForgotten) {
  const auto batch = BatchOf<Numbers>::make(8);
  const auto probabilities = [&](BotAgent& agent) {
    Table table(*batch);
    EXPECT_TRUE(agent.probabilities(table.decisions(), table.probabilities.data()));
    return table.probabilities;
  };
  BotAgent agent(make_bot(Numbers::spec(), true), Numbers::spec(), 1);
  start(*batch, agent, Key(1));
  const std::vector<float> fresh = probabilities(agent);
  EXPECT_EQ(probabilities(agent), fresh);  // looking does not advance the memory
  Table table(*batch);
  agent.act(table.part(2, 11), Key(2), table.choices.data(), nullptr);  // rows 2 to 12
  std::vector<float> later = probabilities(agent);
  const auto same = [&](int row) {
    return std::equal(later.begin() + row * 13, later.begin() + (row + 1) * 13, fresh.begin() + row * 13);
  };
  for (int row = 0; row < 16; ++row) EXPECT_EQ(same(row), row < 2 || row > 12) << row;
  agent.match_started(3);  // rows 6 and 7
  later = probabilities(agent);
  for (int row = 0; row < 16; ++row) EXPECT_EQ(same(row), row < 2 || row > 12 || row == 6 || row == 7) << row;
}

TEST(BotMemory, FollowsFromSmallBatchesToLarge) {
  BotAgent agent(make_bot(Numbers::spec(), true), Numbers::spec());
  for (int matches : {1, 200, 3, 50}) {
    const auto batch = BatchOf<Numbers>::make(matches);
    start(*batch, agent, Key(1));
    Table table(*batch);
    BotAgent other(make_bot(Numbers::spec(), true), Numbers::spec());
    std::vector<float> expected(table.values.size());
    agent.estimate(table.decisions(), table.values.data());
    other.estimate(table.decisions(), expected.data());
    EXPECT_EQ(table.values, expected);
    agent.act(table.decisions(), Key(2), table.choices.data(), nullptr);
  }
}

TEST(Bot, UntrainedEstimatesAreFinite) {
  const Spec spec = Numbers::spec();
  BotAgent agent(untrained_bot(spec.name, Network::make(spec, {}).value(), Key(1)), spec);
  const auto batch = BatchOf<Numbers>::make(100);
  start(*batch, agent, Key(1));
  Table table(*batch);
  std::fill(table.values.begin(), table.values.end(), std::nanf(""));
  agent.estimate(table.decisions(), table.values.data());
  for (float value : table.values) EXPECT_LT(std::abs(value), 100);
}

// What loading says of a file with these tensors.
std::string complaint(const TensorFile& file, const Spec& spec = Numbers::spec()) {
  TemporaryFolder folder;
  EXPECT_TRUE(save_safetensors(folder.file("my.safetensors"), file));
  const Result<Bot> bot = load_bot(folder.file("my.safetensors"), spec);
  if (bot) return "";
  EXPECT_EQ(bot.error().message.find(folder.file("my.safetensors")), 0u) << bot.error().message;
  return bot.error().message;
}

TensorFile with(const char* key, const nlohmann::json& value) {
  TensorFile file = make_bot(Numbers::spec(), true).to_tensors();
  nlohmann::json j = nlohmann::json::parse(file.metadata["rival"]);
  j[key] = value;
  file.metadata["rival"] = j.dump();
  return file;
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Bot, DamagedFilesAreErrorsThatNameThem) {
  const TensorFile good = make_bot(Numbers::spec(), true).to_tensors();
  EXPECT_EQ(complaint(good), "");
  EXPECT_SAYS(complaint(good, Slide::spec()), "a bot of the game 'numbers', not of 'slide'");

  for (std::size_t i = 0; i < good.tensors.size(); ++i) {
    TensorFile file = good;
    const float nan = std::nanf("");
    std::memcpy(file.tensors[i].bytes.data() + file.tensors[i].bytes.size() - 4, &nan, 4);
    EXPECT_SAYS(complaint(file), "tensor '" + good.tensors[i].name + "'");
    EXPECT_SAYS(complaint(file), "not finite");
    file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_SAYS(complaint(file), good.tensors[i].name);
    file = good;
    file.tensors[i].shape.push_back(1);
    EXPECT_SAYS(complaint(file), good.tensors[i].name);
  }

  TensorFile stranger = good;
  stranger.metadata.erase("rival");
  EXPECT_SAYS(complaint(stranger), "not a bot");
  stranger.metadata["rival"] = "{";
  EXPECT_SAYS(complaint(stranger), "the metadata 'rival': no valid JSON");
  stranger.metadata["rival"] = R"({"format":1,"game":"numbers","game":"slide"})";
  EXPECT_SAYS(complaint(stranger), "the key \"game\" twice");
  EXPECT_SAYS(complaint(with("format", 2)), "format 2 is newer");
  EXPECT_SAYS(complaint(with("format", 4294967297)), "is newer");
  EXPECT_SAYS(complaint(with("format", 18446744073709551615u)), "is newer");
  EXPECT_SAYS(complaint(with("format", 0)), "'format' must be at least 1");
  EXPECT_SAYS(complaint(with("hidden", nlohmann::json::array())), "hidden");
  EXPECT_SAYS(complaint(with("hidden", {24, -1})), "hidden");
  EXPECT_SAYS(complaint(with("hidden", {24, "16"})), "hidden");
  EXPECT_SAYS(complaint(with("memory", 8)), "memory");
  EXPECT_SAYS(complaint(with("grid", "round")), "grid");
}

// Each number of the metadata, as no program of ours writes it.
TEST(Bot, NumbersAreCheckedBeforeTheyAreConverted) {
  const nlohmann::json wrong[] = {-1, 1e300, -1e300, 128.5, INT64_MIN, UINT64_MAX, "7", nullptr, true};
  for (const nlohmann::json& value : wrong) {
    for (const char* field : {"steps", "memory", "entity"})
      EXPECT_SAYS(complaint(with(field, value)), "the metadata 'rival': '" + std::string(field) + "' must be ");
    EXPECT_SAYS(complaint(with("hidden", {value, 16})), "the metadata 'rival': 'hidden' must be ");
    EXPECT_SAYS(complaint(with("hidden", value)), "the metadata 'rival': 'hidden' must be ");
    EXPECT_SAYS(complaint(with("limits", {1, value})), "the metadata 'rival': 'limits' must be ");
  }
  EXPECT_SAYS(complaint(with("hidden", {128.5, 128})), "'hidden' must be a whole number from 1 to 8192, not 128.5");
  EXPECT_SAYS(complaint(with("limits", {1, 0})), "'limits'");
  EXPECT_SAYS(complaint(with("limits", {1})), "'limits'");
  EXPECT_SAYS(complaint(with("game", "\x1b[2J")), "'game' must be a line of text");
  EXPECT_EQ(complaint(with("limits", {0, 1})), "");
  EXPECT_EQ(complaint(with("steps", 1'000'000'000'000'000)), "");
}

TEST(Bot, ScalesHaveASign) {
  const auto complaint_with = [](const char* name, float last) {
    TensorFile file = make_bot(Numbers::spec(), true).to_tensors();
    for (Tensor& tensor : file.tensors)
      if (tensor.name == name) std::memcpy(tensor.bytes.data() + tensor.bytes.size() - 4, &last, 4);
    return complaint(file);
  };
  EXPECT_SAYS(complaint_with("observation.scale", -1), "'observation.scale' holds a negative value");
  EXPECT_EQ(complaint_with("observation.scale", 0), "");
  for (const float scale : {0.0f, -1.0f})
    EXPECT_SAYS(complaint_with("value.mean_and_scale", scale), "a scale that is not above 0");
}

// Weights that are finite and sums that are not.
TEST_P(WithAndWithoutMemory, PlaysLegallyWhateverItsWeights) {
  for (const float size : {1e10f, 1e30f, 3e38f})
    for (const float temperature : {0.0f, 1.0f})
      for (const int matches : {1, 100}) {
        Bot bot = make_bot(Numbers::spec(), GetParam());
        for (float& weight : bot.parameters) weight *= size;
        for (float& weight : bot.parameters) weight = std::clamp(weight, -3e38f, 3e38f);
        BotAgent agent(bot, Numbers::spec(), temperature);
        const auto batch = BatchOf<Numbers>::make(matches);
        start(*batch, agent, Key(1));
        for (int step = 0; step < 3; ++step) {
          Table table(*batch);
          agent.act(table.decisions(), Key(2).split(static_cast<std::uint64_t>(step)), table.choices.data(), nullptr);
          for (const int row : table.rows) {
            const std::uint8_t* mask = table.masks.data() + row * 13;
            const std::int32_t* choices = table.choices.data() + row * 3;
            ASSERT_TRUE(mask[choices[0]] && mask[6 + choices[1]] && mask[9 + choices[2]]) << size << " " << step;
          }
          std::vector<float> rewards(2 * matches);
          std::vector<Status> status(matches);
          batch->step({table.choices.data(), nullptr}, {rewards.data(), status.data()});
        }
      }
}

// A small file may not ask for gigabytes.
TEST(Bot, ReservesNoMoreThanTheFileHolds) {
  std::vector<int> wide(64, 8192);
  wide.back() = 16;
  const TensorFile file = with("hidden", wide);
  largest = 0;
  EXPECT_SAYS(complaint(file), "trunk.0");
  EXPECT_LT(largest, 1'000'000u);
  EXPECT_GT(largest, 0u);
}

TEST(Bot, TruncatedFilesAreErrors) {
  TemporaryFolder folder;
  const std::string bytes = to_safetensors(make_bot(Numbers::spec(), false, {4}).to_tensors());
  const std::string path = folder.file("cut.safetensors");
  for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 37) {
    ASSERT_TRUE(write_file_atomically(path, bytes.substr(0, size)));
    const Result<Bot> bot = load_bot(path, Numbers::spec());
    ASSERT_FALSE(bot) << size;
    EXPECT_SAYS(bot.error().message, path);
  }
  ASSERT_TRUE(write_file_atomically(path, bytes));
  EXPECT_TRUE(load_bot(path, Numbers::spec()));
  EXPECT_SAYS(load_bot(folder.file("none"), Numbers::spec()).error().message, folder.file("none"));
}

}  // namespace
}  // namespace rival
