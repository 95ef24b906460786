// Files for tests/interop/interop.py, which reads them with the Python packages that others use.
//   interop_samples FOLDER           writes them
//   interop_samples --read FILE      reads a safetensors file; prints its tensors, one a line, and its metadata
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "agent/inference.hpp"
#include "agent/player.hpp"
#include "base/options.hpp"
#include "games/kuhn_poker/kuhn_poker.hpp"
#include "games/leduc_poker/leduc_poker.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"
#include "nn/onnx.hpp"
#include "nn/safetensors.hpp"
#include "rival/random.hpp"
#include "search/best_response.hpp"
#include "train/tensorboard.hpp"

namespace rival {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "interop_samples: %s\n", error.message.c_str());
  return 1;
}

std::vector<float> random_values(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = random.uniform(-2, 2);
  return values;
}

struct Sample {
  std::string name;
  Spec spec;
  NetworkOptions options;
};

std::vector<Sample> samples() {
  const auto vector = ObservationPart::vector("state", 5);
  const auto grid = ObservationPart::grid("board", 2, 6, 7), large = ObservationPart::grid("map", 3, 21, 20);
  const auto move = ActionPart::discrete("move", 7), card = ActionPart::discrete("card", 3);
  const auto force = ActionPart::continuous("force", 2, -3, 5), turn = ActionPart::continuous("turn", 1, 0, 1);
  const auto units = ObservationPart::entities("units", 4, 5), items = ObservationPart::entities("items", 3, 2);
  const auto whom = [](int part) { return ActionPart::target("whom", part, 4); };
  const auto which = ActionPart::target("which", 3, 3);
  const auto spec = [](std::vector<ObservationPart> observation, std::vector<ActionPart> action) {
    Spec made;
    made.name = "sample";
    made.observation = std::move(observation);
    made.action = std::move(action);
    return made;
  };
  const Spec everything = spec({vector, units, large, items}, {which, move, whom(1).when(1, {1, 2}), card, force});
  return {{"discrete", spec({grid}, {move}), {.hidden = {16, 8}}},
          {"continuous", spec({vector}, {force, turn}), {.hidden = {16}}},
          {"memory", spec({vector, grid}, {move, card}), {.hidden = {24, 12}, .memory = 12}},
          {"convolution", spec({vector, large, grid}, {move, force}), {.hidden = {32, 16}}},
          {"all_convolved", spec({grid}, {card}), {.hidden = {16}, .grid = "convolution"}},
          {"entities", spec({units}, {move, whom(0), force}), {.hidden = {16}, .entity = 6}},
          {"entities_and_map", spec({units, large}, {whom(0), card}), {.hidden = {16}, .entity = 9}},
          {"everything", everything, {.hidden = {16, 12}, .memory = 12, .entity = 7}},
          {"entities_alone", everything, {.hidden = {16, 12}, .memory = 12, .entity = 7, .entity_inner = 0}}};
}

// The columns of an observation part's entities.
struct Entities {
  int first, count, features;
};
std::vector<Entities> entities_of(const Network& network) {
  std::vector<Entities> all;
  for (const Operation& op : network.operations())
    if (op.kind == OperationKind::entities) {
      const Buffer& shape = network.buffers()[op.out];
      all.push_back({op.in_column, shape.places, shape.columns});
    }
  return all;
}

// The model, and inputs with what the reference backend makes of them.
Result<void> write_model(const std::string& folder, const Sample& sample) {
  constexpr int kRows = 9;
  Result<Network> network = Network::make(sample.spec, sample.options);
  if (!network) return network.error();
  const HeadLayout heads(sample.spec);
  Random random(Key(7));
  std::vector<float> parameters = network->initial_parameters(Key(1));
  for (float& parameter : parameters) parameter += random.uniform(-0.1f, 0.1f);
  const auto size = static_cast<std::size_t>(network->observation_size());
  ObservationScale scale{random_values(size, random), random_values(size, random)};
  scale.scale[0] = 100;                                   // so that some of it is clipped
  for (const Entities& entities : entities_of(*network))  // not normalised
    for (int i = entities.first; i < entities.first + entities.count * entities.features; ++i)
      scale.mean[i] = 0, scale.scale[i] = 1;
  const OnnxOptions options{
      .value_mean = 3, .value_scale = 2.5f, .metadata = {{"rival", R"({"game":"sample"})"}}, .description = "a sample"};
  const std::string model = to_onnx(*network, parameters, scale, heads, options);
  if (Result<void> saved = write_file_atomically(folder + "/" + sample.name + ".onnx", model); !saved) return saved;

  Result<std::unique_ptr<Backend>> backend = make_backend("reference", *network, Precision::f32);
  if (!backend) return backend.error();
  const std::unique_ptr<Weights> weights = (*backend)->make_weights();
  (*backend)->pack(parameters, *weights);
  const std::unique_ptr<Executor> executor = (*backend)->make_executor(kRows);
  std::vector<float> observations = random_values(kRows * size, random);
  for (const Entities& entities : entities_of(*network))  // some are not there
    for (int r = 0; r < kRows; ++r)
      for (int i = 0; i < entities.count; ++i) {
        const int row = r * network->observation_size() + entities.first + i * entities.features;
        const bool there = r > 0 && random.below(2);  // in the first row none
        observations[row] = 1;
        if (!there) std::fill_n(observations.begin() + row, entities.features, 0.0f);
      }
  std::vector<std::byte> inputs(kRows * static_cast<std::size_t>((*backend)->input_stride()));
  executor->encode(scale, observations.data(), kRows, inputs.data());
  const int memory = network->memory_size();
  const std::vector<float> states = random_values(static_cast<std::size_t>(kRows * memory), random);
  std::vector<int> initial(kRows), previous(kRows, -1);
  for (int r = 0; r < kRows; ++r) initial[r] = r;
  const float* head =
      executor->forward(*weights, inputs.data(), kRows, {previous.data(), initial.data(), states.data()});

  const int mask_size = network->mask_size(), values = network->value_count();
  std::string mask;
  std::vector<float> logits, mean, deviation, value;
  for (int r = 0; r < kRows; ++r) {
    const float* row = head + r * network->head_size();
    for (int i = 0; i < mask_size; ++i) {
      mask += static_cast<char>(random.below(2));
      logits.push_back(mask.back() ? row[i] : -1e9f);
    }
    std::vector<float> raw(row + mask_size, row + mask_size + values), scaled(raw.size());
    scale_values(heads, raw.data(), 1, scaled.data());
    mean.insert(mean.end(), scaled.begin(), scaled.end());
    for (int i = 0; i < values; ++i) {
      const auto k = static_cast<std::size_t>(i);
      deviation.push_back(std::exp(parameters[network->log_std() + k]) * (heads.high[k] - heads.low[k]) / 2);
    }
    value.push_back(3 + 2.5f * row[network->value_column()]);
  }
  TensorFile file;
  const auto add = [&](const std::string& name, int columns, const std::vector<float>& data) {
    file.tensors.push_back(Tensor::f32(name, {kRows, columns}, data));
  };
  add("in.observation", network->observation_size(), observations);
  if (mask_size > 0) {
    file.tensors.push_back({"in.mask", "BOOL", {kRows, mask_size}, mask});
    add("out.logits", mask_size, logits);
  }
  if (values > 0) {
    add("out.mean_clipped", values, mean);
    add("out.std", values, deviation);
  }
  if (memory > 0) {
    add("in.memory_in", memory, states);
    add("out.memory_out", memory, {executor->states(), executor->states() + kRows * memory});
  }
  file.tensors.push_back(Tensor::f32("out.value", {kRows}, value));
  file.tensors.push_back(Tensor::f32("low", {values}, heads.low));
  file.tensors.push_back(Tensor::f32("high", {values}, heads.high));
  return save_safetensors(folder + "/" + sample.name + ".safetensors", file);
}

// A bot that nobody trained, whose every number is at random.
Result<Bot> random_bot(const Spec& spec, const NetworkOptions& options) {
  Result<Network> network = Network::make(spec, options);
  if (!network) return network.error();
  Random random(Key(11));
  Bot bot = untrained_bot(spec.name, std::move(*network), Key(2));
  bot.value_mean = -1, bot.value_scale = 1.5f, bot.steps = 123;
  for (float& parameter : bot.parameters) parameter += random.uniform(-0.2f, 0.2f);
  for (int i : bot.network.normalised())
    bot.scale.mean[i] = random.uniform(-1, 1), bot.scale.scale[i] = random.uniform(0, 2);
  return bot;
}

// The same network as a bot, and what it decides: before and after a first decision, which its memory keeps.
Result<void> write_bot(const std::string& folder, const Sample& sample) {
  constexpr int kRows = 9;
  Result<Bot> made = random_bot(sample.spec, sample.options);
  if (!made) return made.error();
  if (Result<void> saved = save_bot(made.value(), folder + "/" + sample.name + ".bot"); !saved) return saved;
  const auto bot = std::make_shared<const SharedBot>(std::move(made.value()));
  const Network& network = bot->bot().network;
  Inference inference(bot, kRows);
  Random random(Key(5));
  std::vector<int> rows(kRows);
  for (int r = 0; r < kRows; ++r) rows[r] = r;
  const auto sized = [](int columns) { return static_cast<std::size_t>(kRows * columns); };
  TensorFile file;
  const auto add = [&](const std::string& name, int columns, const std::vector<float>& data) {
    file.tensors.push_back(Tensor::f32(name, {kRows, columns}, data));
  };
  for (const char* turn : {"first.", "second."}) {
    std::vector<float> observations = random_values(sized(network.observation_size()), random);
    for (const Entities& entities : entities_of(network))
      for (int r = 0; r < kRows; ++r)
        for (int i = 0; i < entities.count; ++i) {
          const int row = r * network.observation_size() + entities.first + i * entities.features;
          std::fill_n(observations.begin() + row, random.below(2) ? 0 : entities.features, 0.0f);
          if (observations[row] != 0) observations[row] = 1;
        }
    std::vector<std::uint8_t> masks(sized(network.mask_size()));
    std::vector<float> masks_as_floats, probabilities(masks.size()), values(kRows),
        continuous(sized(network.value_count()));
    for (int r = 0, at = 0; r < kRows; ++r)
      for (const ActionPart& part : network.action())
        for (int i = 0; part.is_choice() && i < part.size; ++i) masks[at++] = i == r % part.size || random.below(2);
    masks_as_floats.assign(masks.begin(), masks.end());
    std::vector<std::int32_t> choices(sized(inference.layout().choice_count()));
    const InferenceRows in{rows, observations.data(), masks.data(), network.memory_size() ? rows.data() : nullptr};
    inference.probabilities(in, 1, probabilities.data());
    inference.values(in, values.data());
    inference.act(in, Key(1), 0, choices.data(), continuous.data());
    add(std::string(turn) + "observation", network.observation_size(), observations);
    add(std::string(turn) + "mask", network.mask_size(), masks_as_floats);
    add(std::string(turn) + "probabilities", network.mask_size(), probabilities);
    add(std::string(turn) + "value", 1, values);
    add(std::string(turn) + "choices", inference.layout().choice_count(), {choices.begin(), choices.end()});
    add(std::string(turn) + "values", network.value_count(), continuous);
  }
  return save_safetensors(folder + "/" + sample.name + ".decisions", file);
}

// Bots of poker, and how much a best response gains against each by our judge.
Result<void> write_poker(const std::string& folder) {
  TensorFile file;
  for (const GameEntry& game : {kuhn_poker_entry(), leduc_poker_entry()}) {
    Result<Bot> bot = random_bot(game.spec, {.hidden = {16, 8}});
    if (!bot) return bot.error();
    if (Result<void> saved = save_bot(bot.value(), folder + "/" + game.spec.name + ".bot"); !saved) return saved;
    const std::unique_ptr<Agent> player =
        make_player(std::make_shared<const SharedBot>(std::move(bot.value())), game.spec, {.temperature = 1});
    const Result<Judgement> judged = best_response_judge(game.make_batch).judge(*player, Key(1), 0, {});
    if (!judged) return judged.error();
    file.tensors.push_back(
        Tensor::f32(game.spec.name, {1}, std::vector<float>{static_cast<float>(judged.value().figures.front().value)}));
  }
  return save_safetensors(folder + "/nash_conv.safetensors", file);
}

Result<void> write_events(const std::string& folder) {
  const auto write = [&](std::optional<std::int64_t> resumed_at, std::int64_t from, std::int64_t to,
                         float offset) -> Result<void> {
    Result<TensorBoardWriter> writer = TensorBoardWriter::create(folder, 1.7e9, resumed_at);
    if (!writer) return writer.error();
    for (std::int64_t step = from; step <= to; ++step) {
      const float x = static_cast<float>(step) + offset;
      const std::vector<TensorBoardWriter::Scalar> scalars = {{"score/random", x}, {"loss/policy", -x}};
      if (Result<void> added = writer->add(step * 1000, 1.7e9 + static_cast<double>(step), scalars); !added)
        return added;
    }
    return {};
  };
  if (Result<void> first = write({}, 1, 5, 0); !first) return first;
  return write(3000, 4, 6, 0.5f);  // resumed: what was said of steps 4000 and 5000 is void
}

Result<void> write_config(const std::string& folder) {
  double rate = 3e-4, huge = 1e300, whole = 2;
  int epochs = 4;
  std::int64_t seed = (std::int64_t{1} << 62) + 1;
  bool normalise = true;
  std::string note = "a \"b\" \\ \n\t\x7f ä";
  std::vector<int> hidden = {64, 32}, none;
  const std::vector<OptionRow> rows = {{"rate", &rate, "Real."},       {"huge", &huge, "Real."},
                                       {"whole", &whole, "Real."},     {"epochs", &epochs, "Whole.", 1, 100},
                                       {"seed", &seed, "Large."},      {"normalise", &normalise, "Yes or no."},
                                       {"note", &note, "Text."},       {"league.hidden", &hidden, "List."},
                                       {"league.none", &none, "List."}};
  return write_file_atomically(folder + "/config.toml", write_toml(rows));
}

Result<void> write_tensors(const std::string& folder) {
  const std::vector<float> weight = {1, -2.5f, 3, 4, 5, 6}, scalar = {7};
  TensorFile file;
  file.tensors = {Tensor::f32("weight", {2, 3}, weight), Tensor::f32("empty", {0, 5}, {}),
                  Tensor::f32("scalar", {}, scalar)};
  file.metadata = {{"rival", R"({"hidden":[64,64],"name":"ä"})"}};
  return save_safetensors(folder + "/tensors.safetensors", file);
}

int read(const std::string& path) {
  const Result<TensorFile> file = load_safetensors(path);
  if (!file) return fail(file.error());
  for (const Tensor& tensor : file.value().tensors) {
    std::printf("%s %s", tensor.name.c_str(), tensor.dtype.c_str());
    for (const std::int64_t extent : tensor.shape) std::printf(" %lld", static_cast<long long>(extent));
    if (tensor.dtype == "F32")
      for (const float value : tensor.floats()) std::printf(" %g", static_cast<double>(value));
    std::printf("\n");
  }
  for (const auto& [key, value] : file.value().metadata) std::printf("%s=%s\n", key.c_str(), value.c_str());
  return 0;
}

int write(const std::string& folder) {
  for (Result<void> (*part)(const std::string&) : {write_events, write_config, write_tensors, write_poker})
    if (Result<void> written = part(folder); !written) return fail(written.error());
  for (const Sample& sample : samples())
    for (Result<void> (*part)(const std::string&, const Sample&) : {write_model, write_bot})
      if (Result<void> written = part(folder, sample); !written) return fail(written.error());
  return 0;
}

}  // namespace
}  // namespace rival

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--read") == 0) return rival::read(argv[2]);
  if (argc == 2) return rival::write(argv[1]);
  std::fprintf(stderr, "usage: interop_samples FOLDER | --read FILE\n");
  return 2;
}
