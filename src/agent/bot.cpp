#include "agent/bot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "agent/parts.hpp"
#include "base/finite.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/program.hpp"

namespace rival {
namespace {

using nlohmann::json;

constexpr std::uint64_t kFormat = 1;
constexpr const char* kMetadataKey = "rival";
constexpr const char* kPartsKey = "parts";
constexpr std::size_t kMostLayers = 64;
constexpr int kWidest = 8192, kLongestLimit = 1000;
constexpr float kHottest = 1e9f;

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
    return Error{
        fmt::format("{}: bot format {} is newer than this program reads ({}); update rival", file, format, kFormat)};
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
            {"grid", word_of(network.options().grid.value)},
            {"entity", network.options().entity},
            {"entity_inner", network.options().entity_inner},
            {"steps", steps}};
  if (!origin.empty()) j["origin"] = origin;
  if (limits.any()) j["limits"] = {limits.reaction_steps, limits.every};
  if (!rules.empty()) j["rules"] = rules_to_json(rules);
  if (temperature) j["temperature"] = *temperature;
  file.metadata[kMetadataKey] = json_text(j);
  file.metadata[kPartsKey] = parts_to_json(network);
  file.metadata["format"] = "pt";  // what loaders for PyTorch ask for
  return file;
}

Result<BotGame> bot_game(const TensorFile& tensors, const std::string& file) {
  const auto j = metadata(tensors, file);
  if (!j) return j.error();
  std::optional<Error> error;
  JsonFields fields(j.value(), metadata_place(file), error);
  BotGame game{fields.text("game"), fields.has("origin") ? fields.text("origin") : ""};
  if (error) return *error;
  return game;
}

namespace {

// All parts that the network has: the rules too.
Result<Spec> network_spec(const TensorFile& tensors, const std::string& file) {
  const auto game = bot_game(tensors, file);
  if (!game) return game.error();
  const auto found = tensors.metadata.find(kPartsKey);
  if (found == tensors.metadata.end())
    return Error{file + ": a bot of before bots told which observations and actions they were made for"};
  return parts_from_json(found->second, game.value().name, file);
}

}  // namespace

Result<Spec> bot_spec(const TensorFile& tensors, const std::string& file) {
  Result<Spec> spec = network_spec(tensors, file);
  if (!spec) return spec;
  const auto j = metadata(tensors, file);
  if (!j) return j.error();
  std::optional<Error> error;
  JsonFields fields(j.value(), metadata_place(file), error);
  const std::vector<ObservedParameter> rules = rules_from_json(fields, error);
  if (error) return *error;
  if (rules.empty()) return spec;
  const ObservationPart& last = spec->observation.back();
  if (last.name != kRulesPart || last.kind != ObservationPart::Kind::vector ||
      last.size() != static_cast<int>(rules.size()))
    return Error{metadata_place(file) + " has 'rules', but the last observation part is none of as many values"};
  spec->observation.pop_back();
  for (const ObservedParameter& rule : rules)
    spec->parameters.push_back({rule.name, rule.low, rule.low, rule.high, ""});
  return spec;
}

Result<Bot> Bot::from_tensors(const TensorFile& tensors, const Spec& spec, const std::string& file) {
  auto parsed = metadata(tensors, file);
  if (!parsed) return parsed.error();
  const json& j = *parsed;
  const std::string game = j["game"];
  if (game != spec.name) return Error{file + ": a bot of the game '" + game + "', not of '" + spec.name + "'"};
  std::optional<Error> error;
  JsonFields fields(j, metadata_place(file), error);
  std::vector<ObservedParameter> rules = rules_from_json(fields, error);
  if (error) return *error;
  const Spec seen = with_rules(spec, rules);
  std::string difference;
  if (tensors.metadata.contains(kPartsKey)) {  // bots of before this was told lack it
    const auto then = network_spec(tensors, file);
    if (!then) return then.error();
    difference = parts_difference(then.value(), seen);
  }
  for (const ObservedParameter& rule : rules)
    if (difference.empty() && std::none_of(spec.parameters.begin(), spec.parameters.end(),
                                           [&](const Parameter& parameter) { return parameter.name == rule.name; }))
      difference = "it sees the parameter '" + rule.name + "', which there is no more";
  if (!difference.empty())
    return Error{file + ": made for another version of the game '" + game + "': " + difference + "; `" +
                 command_line({"train", game, "--from", file}) + "` grows it into one of this version"};
  NetworkOptions options{.hidden = fields.wholes<int>("hidden", kMostLayers, {1, kWidest}),
                         .memory = fields.whole<int>("memory", {0, kWidest}),
                         .grid = fields.word<GridReading>("grid")};
  if (options.hidden.empty()) fields.fail("hidden", fmt::format("must list 1 to {} widths", kMostLayers));
  if (fields.has("entity")) options.entity = fields.whole<int>("entity", {1, kWidest});  // older bots lack it
  options.entity_inner = fields.has("entity_inner") ? fields.whole<int>("entity_inner", {0, kWidest}) : 0;
  Limits limits;
  if (fields.has("limits")) {
    const std::vector<int> both = fields.wholes<int>("limits", 2, {0, kLongestLimit});
    if (both.size() != 2 || both[1] < 1)
      fields.fail("limits", "must be two whole numbers, the second at least 1");
    else
      limits = {both[0], both[1]};
  }
  std::optional<float> temperature;
  if (fields.has("temperature")) temperature = fields.real<float>("temperature", {0, kHottest});
  std::string origin = fields.has("origin") ? fields.text("origin") : "";
  const std::int64_t steps = fields.has("steps") ? fields.count("steps") : 0;
  if (error) return *error;
  auto network = Network::make(seen, options);
  if (!network) return Error{file + ": " + network.error().message};
  Bot bot{.game = game,
          .origin = std::move(origin),
          .network = std::move(*network),
          .parameters = {},
          .scale = {},
          .steps = steps,
          .limits = limits,
          .rules = std::move(rules),
          .temperature = temperature};
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

Bot untrained_bot(const std::string& game, Network network, Key key) {
  const std::size_t size = network.observation_size();
  std::vector<float> parameters = network.initial_parameters(key);
  return {.game = game,
          .network = std::move(network),
          .parameters = std::move(parameters),
          .scale = {std::vector<float>(size, 0.0f), std::vector<float>(size, 1.0f)}};
}

Result<Bot> load_bot(const std::string& path, const Spec& spec) {
  const auto tensors = load_safetensors(path);
  if (!tensors) return tensors.error();
  return Bot::from_tensors(tensors.value(), spec, path);
}

Result<void> save_bot(const Bot& bot, const std::string& path) {
  return save_safetensors(path, bot.to_tensors());
}

}  // namespace rival
