#include "agent/bot.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "agent/parts.hpp"
#include "base/finite.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/program.hpp"
#include "nn/isa.hpp"
#include "nn/kernels.hpp"

namespace rival {
namespace {

using nlohmann::json;

constexpr std::uint64_t kFormat = 1;
constexpr const char* kMetadataKey = "rival";
constexpr const char* kPartsKey = "parts";
constexpr std::size_t kMostLayers = 64;
constexpr int kWidest = 8192, kLongestLimit = 1000;

std::string metadata_place(const std::string& file) {
  return file + ": the metadata '" + kMetadataKey + "'";
}

// With a game and a format that is known.
Result<json> metadata(const TensorFile& tensors, const std::string& file) {
  const auto found = tensors.metadata.find(kMetadataKey);
  if (found == tensors.metadata.end())
    return Error{file + ": not a bot: its metadata has no '" + kMetadataKey + "'; was it written by another program?"};
  Result<json> parsed = parse_json(found->second, metadata_place(file));
  if (!parsed) return parsed.error();
  std::optional<Error> error;
  JsonFields fields(*parsed, metadata_place(file), error);
  fields.text("game");
  const std::uint64_t format = fields.bits("format");
  if (format == 0) fields.fail("format", "must be at least 1");
  if (error) return *error;
  if (format > kFormat)
    return Error{file + ": bot format " + std::to_string(format) + " is newer than this program reads (" +
                 std::to_string(kFormat) + "); update rival"};
  return parsed;
}

std::vector<std::int64_t> shape_of(const ParameterView& view) {
  if (view.rows) return {view.rows, view.columns};
  return {view.columns};
}

Result<std::vector<float>> finite_tensor(const TensorFile& tensors, const std::string& name,
                                         std::vector<std::int64_t> shape, const std::string& file) {
  const auto found = tensors.find_f32(name, shape, file);
  if (!found) return found.error();
  std::vector<float> values = (*found.value()).floats();
  if (!all_finite(values.data(), values.size()))
    return Error{file + ": tensor '" + name + "' holds a value that is not finite; the bot is ruined"};
  return values;
}

}  // namespace

TensorFile Bot::to_tensors() const {
  TensorFile file;
  for (const ParameterView& view : network.parameters())
    file.tensors.push_back(Tensor::f32(view.name, shape_of(view), {parameters.data() + view.offset, view.size()}));
  const std::int64_t observations = network.observation_size();
  file.tensors.push_back(Tensor::f32("observation.mean", {observations}, scale.mean));
  file.tensors.push_back(Tensor::f32("observation.scale", {observations}, scale.scale));
  const float value[2] = {value_mean, value_scale};
  file.tensors.push_back(Tensor::f32("value.mean_and_scale", {2}, value));
  json j = {{"format", kFormat},
            {"game", game},
            {"hidden", network.options().hidden},
            {"memory", network.options().memory},
            {"grid", network.options().grid},
            {"entity", network.options().entity},
            {"steps", steps}};
  if (limits.any()) j["limits"] = {limits.reaction_steps, limits.every};
  file.metadata[kMetadataKey] = json_text(j);
  file.metadata[kPartsKey] = parts_to_json(network);
  file.metadata["format"] = "pt";  // what loaders for PyTorch ask for
  return file;
}

Result<std::string> bot_game(const TensorFile& tensors, const std::string& file) {
  const auto j = metadata(tensors, file);
  if (!j) return j.error();
  return j.value()["game"].get<std::string>();
}

Result<Spec> bot_spec(const TensorFile& tensors, const std::string& file) {
  const auto game = bot_game(tensors, file);
  if (!game) return game.error();
  const auto found = tensors.metadata.find(kPartsKey);
  if (found == tensors.metadata.end())
    return Error{file + ": a bot of before bots told which observations and actions they were made for"};
  return parts_from_json(found->second, game.value(), file);
}

Result<Bot> Bot::from_tensors(const TensorFile& tensors, const Spec& spec, const std::string& file) {
  auto parsed = metadata(tensors, file);
  if (!parsed) return parsed.error();
  const json& j = *parsed;
  const std::string game = j["game"];
  if (game != spec.name) return Error{file + ": a bot of the game '" + game + "', not of '" + spec.name + "'"};
  if (tensors.metadata.contains(kPartsKey)) {  // bots of before this was told lack it
    const auto then = bot_spec(tensors, file);
    if (!then) return then.error();
    if (const std::string difference = parts_difference(then.value(), spec); !difference.empty())
      return Error{file + ": made for another version of the game '" + game + "': " + difference + "; `" +
                   command_line({"train", game, "--from", file}) + "` grows it into one of this version"};
  }
  std::optional<Error> error;
  JsonFields fields(j, metadata_place(file), error);
  NetworkOptions options{.hidden = fields.wholes<int>("hidden", kMostLayers, {1, kWidest}),
                         .memory = fields.whole<int>("memory", {0, kWidest}),
                         .grid = fields.text("grid")};
  if (options.hidden.empty()) fields.fail("hidden", "must list 1 to " + std::to_string(kMostLayers) + " widths");
  if (fields.has("entity")) options.entity = fields.whole<int>("entity", {1, kWidest});  // older bots lack it
  Limits limits;
  if (fields.has("limits")) {
    const std::vector<int> both = fields.wholes<int>("limits", 2, {0, kLongestLimit});
    if (both.size() != 2 || both[1] < 1)
      fields.fail("limits", "must be two whole numbers, the second at least 1");
    else
      limits = {both[0], both[1]};
  }
  const std::int64_t steps = fields.has("steps") ? fields.count("steps") : 0;
  if (error) return *error;
  auto network = Network::make(spec, options);
  if (!network) return Error{file + ": " + network.error().message};
  Bot bot{
      .game = game, .network = std::move(*network), .parameters = {}, .scale = {}, .steps = steps, .limits = limits};
  for (const ParameterView& view : bot.network.parameters()) {
    const auto values = finite_tensor(tensors, view.name, shape_of(view), file);
    if (!values) return values.error();
    bot.parameters.resize(std::max(bot.parameters.size(), view.offset + view.size()));
    std::copy(values.value().begin(), values.value().end(),
              bot.parameters.begin() + static_cast<std::ptrdiff_t>(view.offset));
  }
  bot.parameters.resize(bot.network.parameter_count());
  const std::int64_t observations = bot.network.observation_size();
  auto mean = finite_tensor(tensors, "observation.mean", {observations}, file);
  if (!mean) return mean.error();
  auto scale = finite_tensor(tensors, "observation.scale", {observations}, file);
  if (!scale) return scale.error();
  auto value = finite_tensor(tensors, "value.mean_and_scale", {2}, file);
  if (!value) return value.error();
  if (std::any_of(scale->begin(), scale->end(), [](float x) { return x < 0; }))
    return Error{file + ": tensor 'observation.scale' holds a negative value"};
  if (!((*value)[1] > 0)) return Error{file + ": tensor 'value.mean_and_scale' has a scale that is not above 0"};
  bot.scale = {std::move(*mean), std::move(*scale)};
  bot.value_mean = (*value)[0];
  bot.value_scale = (*value)[1];
  return bot;
}

Result<Bot> load_bot(const std::string& path, const Spec& spec) {
  const auto tensors = load_safetensors(path);
  if (!tensors) return tensors.error();
  return Bot::from_tensors(tensors.value(), spec, path);
}

Result<void> save_bot(const Bot& bot, const std::string& path) {
  return save_safetensors(path, bot.to_tensors());
}

// The network on a backend, for many rows at once.
struct BotAgent::Batched {
  static constexpr int kRows = 256;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Weights> weights;
  std::unique_ptr<Executor> executor;
  std::vector<std::byte> inputs;
  std::vector<float> observations, states;
  std::vector<int> initial, previous;

  Batched(const Bot& bot, Precision precision) {
    auto made = make_backend("onednn", bot.network, precision);
    check(made.ok(), "no backend for a bot");
    backend = std::move(*made);
    weights = backend->make_weights();
    backend->pack(bot.parameters, *weights);
    executor = backend->make_executor(kRows);
    inputs.resize(static_cast<std::size_t>(kRows) * static_cast<std::size_t>(backend->input_stride()));
    observations.resize(static_cast<std::size_t>(kRows) * static_cast<std::size_t>(bot.network.observation_size()));
    initial.resize(kRows);
    previous.assign(kRows, -1);
  }
};

BotAgent::BotAgent(Bot bot, const Spec& spec, float temperature, Precision precision)
    : bot_(std::move(bot)),
      layout_(spec),
      seats_(spec.seats),
      name_("bot"),
      temperature_(temperature),
      precision_(precision) {
  limit_isa();
  int width = std::max(bot_.network.observation_size(), bot_.network.head_size());
  for (const DenseLayer& layer : bot_.network.trunk()) width = std::max({width, layer.in, layer.out});
  for (const TargetHead& target : bot_.network.targets()) width = std::max(width, target.query.out);
  for (auto& row : row_) row.resize(static_cast<std::size_t>(width));
  int encodings = 0;
  for (const EntityEncoder& encoder : bot_.network.encoders()) encodings += encoder.count * encoder.layer.out;
  encodings_.resize(static_cast<std::size_t>(encodings));
  decision_.resize(static_cast<std::size_t>(bot_.network.head_size()));
  gates_.resize(static_cast<std::size_t>(2 * bot_.network.memory().size));
}

BotAgent::~BotAgent() = default;

const float* BotAgent::decide(const float* observation, float* state) {
  const Network& net = bot_.network;
  check(net.convolutions().empty(), "decide() is for networks without convolutions");
  const float* p = bot_.parameters.data();
  const auto dense = [p](const DenseLayer& layer, const float* in, float* out) {
    kernels::dense_row(in, p + layer.weight, p + layer.bias, layer.in, layer.out, layer.relu, out);
  };
  float *x = row_[0].data(), *y = row_[1].data();
  kernels::encode(observation, bot_.scale.mean.data(), bot_.scale.scale.data(), 1, net.observation_size(), x, 0);
  float* encoding = encodings_.data();
  if (!net.encoders().empty()) {
    float* out = y;
    for (const FlatColumns& flat : net.flat()) out = std::copy_n(x + flat.first, flat.size, out);
    for (const EntityEncoder& encoder : net.encoders()) {
      const int width = encoder.layer.out;
      std::fill_n(out, width, 0.0f);
      for (int i = 0; i < encoder.count; ++i, encoding += width) {
        const float* entity = x + encoder.first + i * encoder.layer.in;
        if (entity[0] == 0) {
          std::fill_n(encoding, width, 0.0f);
          continue;
        }
        dense(encoder.layer, entity, encoding);
        for (int c = 0; c < width; ++c) out[c] = std::max(out[c], encoding[c]);
      }
      out += width;
    }
    std::swap(x, y);
  }
  for (const DenseLayer& layer : net.trunk()) {
    dense(layer, x, y);
    std::swap(x, y);
  }
  if (const int m = net.memory().size) {
    check(state != nullptr, "decide() of a network with memory needs its state");
    kernels::dense_row(x, p + net.memory().weight, p + net.memory().bias, m, 2 * m, false, gates_.data());
    for (int i = 0; i < m; ++i) {
      const float z = 1 / (1 + std::exp(-gates_[static_cast<std::size_t>(i)]));
      state[i] += z * (gates_[static_cast<std::size_t>(m + i)] - state[i]);
      x[i] += state[i];
    }
  }
  dense(net.head(), x, y);
  if (net.targets().empty()) return y;
  float* heads = decision_.data();
  for (const HeadColumns& columns : net.head_columns()) std::copy_n(y + columns.from, columns.size, heads + columns.to);
  for (const TargetHead& target : net.targets()) {
    dense(target.query, x, y);
    const float* e = encodings_.data();
    for (int k = 0; k < target.encoder; ++k) {
      const EntityEncoder& before = net.encoders()[static_cast<std::size_t>(k)];
      e += before.count * before.layer.out;
    }
    const int width = target.query.out;
    const float scale = target.scale();
    for (int i = 0; i < net.encoders()[static_cast<std::size_t>(target.encoder)].count; ++i, e += width) {
      float sum = 0;
      for (int c = 0; c < width; ++c) sum += y[c] * e[c];
      heads[target.column + i] = scale * sum;
    }
  }
  return heads;
}

const float* BotAgent::forward(const Decisions& decisions, bool advance) {
  const Network& net = bot_.network;
  const auto count = decisions.rows.size();
  const auto observation_size = static_cast<std::size_t>(net.observation_size());
  const auto head_size = static_cast<std::size_t>(net.head_size());
  const auto m = static_cast<std::size_t>(net.memory().size);
  memory_.resize(static_cast<std::size_t>(decisions.batch->matches() * seats_) * m);
  heads_.resize(count * head_size);
  const auto state_index = [&](int row) {
    return static_cast<std::size_t>(row / decisions.batch->rows_per_match() * seats_ + decisions.seats[row]);
  };

  constexpr std::size_t kFewRows = 4;
  if (count <= kFewRows && net.convolutions().empty()) {
    for (std::size_t i = 0; i < count; ++i) {
      const int row = decisions.rows[i];
      std::vector<float> kept;
      float* state = m ? memory_.data() + state_index(row) * m : nullptr;
      if (m && !advance) kept.assign(state, state + m);
      const float* heads = decide(decisions.observations + static_cast<std::size_t>(row) * observation_size, state);
      if (m && !advance) std::copy(kept.begin(), kept.end(), state);
      std::copy_n(heads, head_size, heads_.data() + i * head_size);
    }
    return finite_heads();
  }

  if (!batched_) batched_ = std::make_unique<Batched>(bot_, precision_);
  Batched& b = *batched_;
  for (std::size_t first = 0; first < count; first += Batched::kRows) {
    const std::size_t rows = std::min<std::size_t>(Batched::kRows, count - first);
    for (std::size_t i = 0; i < rows; ++i) {
      const int row = decisions.rows[first + i];
      std::copy_n(decisions.observations + static_cast<std::size_t>(row) * observation_size, observation_size,
                  b.observations.data() + i * observation_size);
      if (m) b.initial[i] = static_cast<int>(state_index(row));
    }
    b.executor->encode(bot_.scale, b.observations.data(), static_cast<int>(rows), b.inputs.data());
    const float* heads = b.executor->forward(*b.weights, b.inputs.data(), static_cast<int>(rows),
                                             {b.previous.data(), b.initial.data(), memory_.data()});
    std::copy_n(heads, rows * head_size, heads_.data() + first * head_size);
    if (m && advance)
      for (std::size_t i = 0; i < rows; ++i)
        std::copy_n(b.executor->states() + i * m, m, memory_.data() + static_cast<std::size_t>(b.initial[i]) * m);
  }
  return finite_heads();
}

// Weights that are each finite may still overflow in their sums. Nothing is known then: all choices are as good.
const float* BotAgent::finite_heads() {
  if (!all_finite(heads_.data(), heads_.size()))
    std::replace_if(
        heads_.begin(), heads_.end(), [](float x) { return !std::isfinite(x); }, 0.0f);
  return heads_.data();
}

void BotAgent::act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) {
  const float* heads = forward(decisions, true);
  const auto mask_size = static_cast<std::size_t>(layout_.mask_size);
  const float* log_std = bot_.parameters.data() + bot_.network.log_std();
  std::vector<float> raw(static_cast<std::size_t>(layout_.value_count));
  float log_probability;
  for (std::size_t i = 0; i < decisions.rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(decisions.rows[i]);
    sample_actions(layout_, heads + i * static_cast<std::size_t>(layout_.head_size()), log_std,
                   decisions.masks + row * mask_size, 1, key.split(row), temperature_,
                   {choices + row * static_cast<std::size_t>(layout_.choice_count()), raw.data(), &log_probability});
    scale_values(layout_, raw.data(), 1, values + row * static_cast<std::size_t>(layout_.value_count));
  }
}

bool BotAgent::probabilities(const Decisions& decisions, float* probabilities) {
  if (layout_.value_count) return false;
  const float* heads = forward(decisions, false);
  const auto mask_size = static_cast<std::size_t>(layout_.mask_size);
  for (std::size_t i = 0; i < decisions.rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(decisions.rows[i]);
    // At temperature 0 all weight is on the most likely choice, as in act().
    action_probabilities(layout_, heads + i * static_cast<std::size_t>(layout_.head_size()),
                         decisions.masks + row * mask_size, 1, temperature_ > 0 ? temperature_ : 1.0f,
                         probabilities + row * mask_size);
    if (temperature_ > 0) continue;
    float* p = probabilities + row * mask_size;
    for (int size : layout_.discrete) {
      const auto best = std::max_element(p, p + size) - p;
      for (int c = 0; c < size; ++c) p[c] = c == best ? 1.0f : 0.0f;
      p += size;
    }
  }
  return true;
}

void BotAgent::estimate(const Decisions& decisions, float* values) {
  const float* heads = forward(decisions, false);
  const auto head_size = static_cast<std::size_t>(layout_.head_size());
  for (std::size_t i = 0; i < decisions.rows.size(); ++i)
    values[decisions.rows[i]] = bot_.value_mean + bot_.value_scale * heads[i * head_size + head_size - 1];
}

void BotAgent::match_started(int match) {
  const auto m = static_cast<std::size_t>(bot_.network.memory().size);
  const std::size_t size = static_cast<std::size_t>(seats_) * m, first = static_cast<std::size_t>(match) * size;
  if (!m || memory_.size() < first + size) return;  // nothing is remembered of that many matches yet
  std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(first), size, 0.0f);
}

}  // namespace rival
