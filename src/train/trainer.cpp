#include "train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "agent/parts.hpp"
#include "agent/scripted.hpp"
#include "base/finite.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/machine.hpp"
#include "base/number.hpp"
#include "train/past.hpp"
#include "train/run_folder.hpp"

namespace rival {
namespace {

// Matches are dealt to this many rollouts whatever the number of threads, so that results do not depend on it.
constexpr int kRollouts = 8;
constexpr std::size_t kScores = 100;
constexpr int kPastSelves = 24;
// Past selves play as they did, or more and more at random: a good player also knows what to do after odd moves.
constexpr float kPastTemperatures[] = {1, 1, 1, 2, 4, 50};
constexpr double kLeastSize = 0.1, kMostSize = 4;  // of what entities and grids show, for the network
constexpr double kSeenAtMost = 1e7;                // rows after which the observations' means move no faster

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Decisions that a match asks for at once, when it begins; on average.
int decisions_at_once(const GameEntry& game, const MatchSettings& settings) {
  if (!game.spec.simultaneous) return 1;
  const int matches = settings.drawn.empty() ? 1 : 64;
  const std::unique_ptr<Batch> batch = game.make_batch(1);
  int sum = 0;
  for (int match = 0; match < matches; ++match) {
    batch->start_all(settings.draw(Key(0).split(static_cast<std::uint64_t>(match))), Key(0));
    sum += batch->to_act(0).count();
  }
  return std::max(1, sum / matches);
}

// The Spec by which options are chosen: with the length of random matches where they depend on one and no bound is
// known. Whatever else goes wrong in these matches goes wrong in training, which says so.
Spec with_length(const GameEntry& game) {
  Spec spec = game.spec;
  if (preset_of(spec) != Preset::mixed_play || spec.hidden_information || spec.max_steps > 0) return spec;
  constexpr int kLong = 64;
  const std::unique_ptr<Agent> random = random_agent();
  const auto played = play_matches(game, *random, random.get(), Key(0), {.matches = 16, .step_limit = kLong});
  spec.max_steps = played ? static_cast<int>(std::ceil(played.value().mean_steps)) : kLong;
  return spec;
}

using nlohmann::json;

constexpr int kStateFormat = 2;
constexpr const char* kStateKey = "rival.state";

Tensor f64(std::string name, const std::vector<double>& values) {
  Tensor tensor{std::move(name), "F64", {static_cast<std::int64_t>(values.size())}, {}};
  tensor.bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return tensor;
}

Result<void> read_f64(const TensorFile& tensors, const std::string& name, const std::string& file,
                      std::vector<double>& values) {
  const Tensor* tensor = tensors.find(name);
  if (!tensor || tensor->dtype != "F64" || tensor->bytes.size() != values.size() * sizeof(double))
    return Error{fmt::format("{}: tensor '{}' is missing or not F64 [{}]; this state cannot be resumed", file, name,
                             values.size())};
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
    return Error{file + ": tensor '" + name + "' holds a value that is not finite; this state cannot be resumed"};
  return {};
}

// "no rules", "team_size from 1 to 5 and minutes from 5 to 20".
std::string rules_text(const std::vector<ObservedParameter>& rules) {
  std::string text;
  for (const ObservedParameter& rule : rules)
    text += (text.empty() ? "" : " and ") + rule.name + " from " + shortest(rule.low) + " to " + shortest(rule.high);
  return text.empty() ? "no rules" : text;
}

}  // namespace

namespace {

// Bytes that training takes at least. Per parameter: the learner's five values and a gradient for each rollout, and
// while the state is saved its four tensors, which are then written once more as the file's bytes.
double needed_memory(const Network& network, const RowLayout& layout, const ResolvedConfig& resolved) {
  constexpr double kPerParameter = sizeof(float) * (5 + kRollouts + 2 * 4);
  const double decisions = static_cast<double>(resolved.options.rows) * resolved.options.horizon;
  const double decision = 2.0 * layout.observation_size + layout.mask_size;
  return kPerParameter * static_cast<double>(network.parameter_count()) + decisions * decision;
}

}  // namespace

Result<std::unique_ptr<Trainer>> Trainer::make(const GameEntry& game, const TrainConfig& config, Reduction* reduction) {
  if (auto ok = validate(game.spec); !ok) return ok.error();
  auto resolved = resolve(with_memory_if_needed(game, config), with_length(game));
  if (!resolved) return resolved.error();
  const std::vector<ObservedParameter> rules = observed_parameters(game.spec, resolved->settings);
  const Spec seen = with_rules(game.spec, rules);
  if (auto ok = validate(seen); !ok) return ok.error();
  auto network = Network::make(seen, resolved->options.network);
  if (!network) return network.error();
  resolved->options.network = network->options();
  if (const double needed = needed_memory(*network, RowLayout(seen), resolved.value()); needed > available_memory())
    return Error{"training " + game.spec.name + ": " + out_of_memory(needed).message +
                 "; or make the network (--hidden) or `rows` smaller"};
  std::unique_ptr<Trainer> trainer(new Trainer(game, resolved.value(), std::move(*network), reduction));
  auto backend = make_backend(config.backend, *trainer->network_, resolved.value().precision);
  if (!backend) return backend.error();
  trainer->backend_ = std::move(*backend);

  const ResolvedConfig& r = resolved.value();
  const int matches = std::max(1, r.options.rows / decisions_at_once(game, r.settings) / kRollouts);
  const RolloutOptions options{.horizon = r.options.horizon,
                               .opponent_matches = static_cast<int>(r.options.past_share * matches + 0.5),
                               .opening_share = r.options.opening_share,
                               .staggered = true,
                               .limits = r.limits,
                               .rules = rules};
  for (int i = 0; i < kRollouts; ++i)
    trainer->rollouts_.push_back(
        std::make_unique<Rollout>(game.make_batch(matches), *trainer->backend_, *trainer->network_, options));
  for (int i = 0; i < trainer->team_.size(); ++i)
    trainer->executors_.push_back(trainer->backend_->make_executor(trainer->rollouts_[0]->max_rows()));
  trainer->learner_ = std::make_unique<Learner>(
      *trainer->network_, trainer->layout_, *trainer->backend_, trainer->team_, kRollouts,
      trainer->network_->initial_parameters(trainer->key_.split(1), r.options.memory_span), reduction);
  trainer->start_matches();
  return trainer;
}

Trainer::Trainer(const GameEntry& game, const ResolvedConfig& resolved, Network network, Reduction* reduction)
    : game_(game),
      resolved_(resolved),
      rules_(observed_parameters(game.spec, resolved.settings)),
      network_(std::make_unique<Network>(std::move(network))),
      layout_(game.spec),
      team_(std::min(resolved.options.threads > 0 ? resolved.options.threads : usable_processors(), kRollouts)),
      reduction_(reduction),
      population_(kPastSelves),
      key_(static_cast<std::uint64_t>(resolved.options.seed)) {
  const std::size_t columns = network_->observation_size();
  scale_.mean.assign(columns, 0.0f);
  scale_.scale.assign(columns, 1.0f);
  column_mean_.assign(columns, 0.0);
  column_square_.assign(columns, 0.0);
}

Trainer::~Trainer() = default;

Key Trainer::rollout_key(Key key, std::size_t i) const {
  return key.split((reduction_ ? reduction_->process() * rollouts_.size() : 0) + i);
}

void Trainer::start_matches() {
  const Key key = key_.split(2).split(static_cast<std::uint64_t>(iterations_));
  for (std::size_t i = 0; i < rollouts_.size(); ++i) rollouts_[i]->start(resolved_.settings, rollout_key(key, i));
  challengers_.clear();
}

Policy Trainer::policy() const {
  return {&learner_->weights(), &scale_, learner_->parameters().data() + network_->log_std(),
          static_cast<float>(learner_->value_mean), static_cast<float>(learner_->value_scale)};
}

// Short at first, so that early learning gets many updates; long later, so that they are precise. What has to be
// remembered is learnt only where a collection holds both the cue and its use.
int Trainer::horizon() const {
  const bool whole_matches = network_->memory_size() > 0 && resolved_.preset == Preset::one_team;
  if (whole_matches) return resolved_.options.horizon;
  int steps = std::min(16, resolved_.options.horizon);
  for (std::int64_t grown = 1'000'000; grown <= steps_ && steps < resolved_.options.horizon; grown *= 4) steps *= 2;
  return std::min(steps, resolved_.options.horizon);
}

// Where most matches are cut short, what reward lies beyond the cut is a guess; to look further than a share of their
// length is to learn from guesses alone.
double Trainer::discount() const {
  const double ahead = resolved_.options.look_ahead * cut_length_;
  if (cut_share_ <= 0.5 || ahead <= 0) return resolved_.options.discount;
  return std::min(resolved_.options.discount, 1 - 1 / std::max(ahead, 1.0));
}

// In each rollout.
int Trainer::explorers() const {
  const double share = resolved_.options.explorer_share;
  if (share <= 0 || !exploration_.wanted()) return 0;
  return std::max(1, static_cast<int>(share * rollouts_[0]->matches() + 0.5));
}

void Trainer::note_end(const Episode& episode) {
  constexpr double kOfLate = 0.01;  // of each match
  cut_share_ += kOfLate * ((episode.cut ? 1.0 : 0.0) - cut_share_);
  if (episode.cut) cut_length_ += (cut_length_ > 0 ? kOfLate : 1.0) * (episode.length - cut_length_);
}

Result<IterationReport> Trainer::iterate(double progress) {
  const auto begin = std::chrono::steady_clock::now();
  const Key key = key_.split(3).split(static_cast<std::uint64_t>(iterations_));
  if (std::exchange(start_anew_, false)) start_matches();
  std::atomic<bool> interrupted = false;
  const std::function<bool()> interrupt = [&] {
    if (stop && !interrupted.load(std::memory_order_relaxed) && stop()) interrupted = true;
    return interrupted.load(std::memory_order_relaxed);
  };
  if (hooks.before_collect) hooks.before_collect();

  const Policy present = policy();
  choose_challengers(key.split(0));
  progress = std::clamp(progress, 0.0, 1.0);
  const auto between = [progress](double start, double end) { return start + progress * (end - start); };
  const CollectOptions collect{
      .steps = horizon(),
      .discount = static_cast<float>(discount()),
      .lambda = static_cast<float>(resolved_.options.lambda),
      .team_spirit = static_cast<float>(between(resolved_.options.team_spirit, resolved_.options.team_spirit_end)),
      .rivalry = static_cast<float>(resolved_.options.rivalry),
      .explorers = explorers(),
      .stop = &interrupt};
  std::vector<Result<void>> results(rollouts_.size());
  team_.run([&](int member) {
    for (std::size_t i = member; i < rollouts_.size(); i += index(team_.size())) {
      Opponent opponent;
      if (!challengers_.empty()) {
        const Challenger& challenger = challengers_[i];
        opponent = {challenger.script ? nullptr : &challenger.policy, challenger.script.get(), challenger.term};
      }
      results[i] = rollouts_[i]->collect(*executors_[member], present, opponent, collect, rollout_key(key.split(1), i));
    }
  });
  const auto failed = std::find_if(results.begin(), results.end(), [](const auto& result) { return !result.ok(); });
  double here[] = {interrupted ? 1.0 : 0.0, failed != results.end() ? 1.0 : 0.0, 0};
  auto& [stopped, failures, decisions] = here;
  for (const auto& rollout : rollouts_) decisions += static_cast<double>(rollout->decisions());
  if (reduction_)
    if (auto ok = reduction_->sum(here); !ok) return ok.error();
  if (failed != results.end()) return failed->error();
  if (failures > 0) return Error{fmt::format("training {}: the game failed in another process", game_.spec.name)};

  IterationReport report;
  if (stopped > 0) {
    start_anew_ = true;
    report.iteration = iterations_, report.steps = steps_, report.interrupted = true;
    return report;
  }
  steps_ += static_cast<std::int64_t>(decisions);
  std::vector<const Episode*> ended;
  for (std::size_t i = 0; i < rollouts_.size(); ++i) {
    for (const Episode& episode : rollouts_[i]->episodes()) {
      if (!challengers_.empty() && episode.term == challengers_[i].term) {
        ++challengers_[i].ended;
        population_.note(challengers_[i].name, episode.result);
      }
      ended.push_back(&episode);
    }
  }
  // In the order of time, whatever the threads.
  std::stable_sort(ended.begin(), ended.end(), [](const auto* a, const auto* b) { return a->step < b->step; });
  for (const Episode* episode : ended) {
    exploration_.note(episode->explorer, episode->score);
    const auto lowest = static_cast<double>(episode->lowest), highest = static_cast<double>(episode->highest);
    report.lowest_return = episode == ended.front() ? lowest : std::min(report.lowest_return, lowest);
    report.highest_return = episode == ended.front() ? highest : std::max(report.highest_return, highest);
    if (episode->explorer) continue;
    note_end(*episode);
    ++report.episodes;
    report.episode_length += episode->length;
    if (last_scores_.size() < kScores)
      last_scores_.push_back(episode->score);
    else
      last_scores_[next_score_] = episode->score;
    next_score_ = (next_score_ + 1) % kScores;
  }
  report.episode_length /= std::max(1, report.episodes);
  if (hooks.after_collect) hooks.after_collect();
  report.collect_seconds = seconds_since(begin);

  report.discount = static_cast<double>(collect.discount);
  report.exploring = collect.explorers > 0;
  report.learning_rate = resolved_.options.learning_rate * (1 - 0.95 * progress);
  report.entropy_weight = between(resolved_.options.entropy, resolved_.options.entropy_end);
  const UpdateOptions options{.epochs = resolved_.options.epochs,
                              .minibatches = resolved_.options.minibatches,
                              .learning_rate = report.learning_rate,
                              .clip = resolved_.options.clip,
                              .entropy = report.entropy_weight,
                              .value = resolved_.options.value,
                              .gradient_norm = resolved_.options.gradient_norm,
                              .averaged_share = resolved_.options.averaged_share,
                              .steady = resolved_.preset == Preset::mixed_play,
                              .stop = &interrupt};
  std::vector<Samples*> samples;
  for (const auto& rollout : rollouts_) samples.push_back(&rollout->samples());
  const auto updated =
      learner_->update(samples, options, key.split(2),
                       {hooks.before_gradients, hooks.after_gradients, hooks.before_apply, hooks.after_apply});
  if (!updated)
    return Error{fmt::format("training {}, iteration {}: {}; the last saved bot is untouched", game_.spec.name,
                             iterations_ + 1, updated.error().message)};
  if (auto ok = update_scale(); !ok) return ok.error();
  ++iterations_;
  if (game_.spec.team_count() > 1 && !exploiter_ && steps_ >= next_past_at_) add_past();

  const UpdateStatistics& u = updated.value();
  const double rows = std::max(1.0, u.loss.rows);
  report.iteration = iterations_;
  report.steps = steps_;
  report.interrupted = u.stopped;
  report.policy_loss = u.loss.policy_loss / rows;
  report.value_loss = u.loss.value_loss / rows;
  report.entropy = u.loss.entropy / rows;
  report.clipped = u.loss.clipped / rows;
  report.kl = u.last_kl;
  report.updated_rows = u.loss.rows;
  report.gradient_norm = u.gradient_norm;
  report.update_seconds = seconds_since(begin) - report.collect_seconds;
  return report;
}

Result<void> Trainer::update_scale() {
  const std::size_t columns = column_mean_.size();
  std::vector<double> sums(1 + 2 * columns);  // rows, then x and x^2 of each column
  for (const auto& rollout : rollouts_) {
    const ObservationSums& seen = rollout->seen();
    sums[0] += seen.rows;
    for (std::size_t c = 0; c < columns; ++c) sums[1 + c] += seen.sum[c], sums[1 + columns + c] += seen.square[c];
  }
  if (reduction_)
    if (auto ok = reduction_->sum(sums); !ok) return ok;
  const double count = sums[0];
  if (count == 0) return {};
  const double share = count / (seen_ + count);
  for (std::size_t c = 0; c < columns; ++c) {
    column_mean_[c] += share * (sums[1 + c] / count - column_mean_[c]);
    column_square_[c] += share * (sums[1 + columns + c] / count - column_square_[c]);
  }
  seen_ = std::min(seen_ + count, kSeenAtMost);
  refresh_scale();
  return {};
}

void Trainer::refresh_scale() {
  for (int column : network_->normalised()) {
    const std::size_t c = column;
    const double variance = std::max(column_square_[c] - column_mean_[c] * column_mean_[c], 0.0);
    scale_.mean[c] = static_cast<float>(column_mean_[c]);
    // A column that never changed says nothing yet: leave its scale alone.
    scale_.scale[c] = variance > 1e-12 ? static_cast<float>(1 / std::max(std::sqrt(variance), 1e-2)) : 1.0f;
  }
  // How large a value is where it is not 0. What is of order 1 stays as it is, and 0 stays 0.
  for (const std::vector<int>& columns : network_->alike()) {
    const std::size_t first = columns.front();
    if (column_mean_[first] <= 0) continue;
    const double size = column_square_[first] / column_mean_[first];
    for (int c : columns) scale_.scale[c] = static_cast<float>(std::clamp(size, kLeastSize, kMostSize) / size);
  }
}

void Trainer::add_member(std::string name, Member::Kind kind, Bot bot) {
  std::shared_ptr<Weights> weights = backend_->make_weights();
  backend_->pack(bot.parameters, *weights);
  population_.add({.name = std::move(name),
                   .kind = kind,
                   .bot = std::make_shared<const Bot>(std::move(bot)),
                   .weights = std::move(weights),
                   .record = {}});
}

void Trainer::add_past() {
  add_member(past_self_name(steps_), Member::Kind::past, bot());
  next_past_at_ = steps_ + std::max<std::int64_t>(200'000, steps_ / 16);
}

void Trainer::add_exploiter(const std::string& name, const Bot& bot) {
  add_member(name, Member::Kind::exploiter, bot);
}

void Trainer::exploit(const Bot& target) {
  exploiter_ = true;
  population_.clear();
  challengers_.clear();
  add_member("target", Member::Kind::past, target);
}

void Trainer::start_from(const Bot& bot) {
  check(bot.network.options() == network_->options() && bot.rules == rules_, "a bot of another shape to start from");
  learner_->parameters() = learner_->averaged() = bot.parameters;
  learner_->value_mean = static_cast<double>(bot.value_mean);
  learner_->value_scale = static_cast<double>(bot.value_scale);
  learner_->value_weight = kSeenAtMost;
  for (std::size_t c = 0; c < column_mean_.size(); ++c) {
    column_mean_[c] = static_cast<double>(bot.scale.mean[c]);
    const double deviation = bot.scale.scale[c] > 0 ? 1 / static_cast<double>(bot.scale.scale[c]) : 1;
    column_square_[c] = column_mean_[c] * column_mean_[c] + deviation * deviation;
  }
  for (const std::vector<int>& columns : network_->alike()) {
    const std::size_t first = columns.front();
    const auto scale = static_cast<double>(bot.scale.scale[first]);
    column_mean_[first] = 1;
    column_square_[first] = scale < 1 ? kMostSize / scale : scale > 1 ? kLeastSize / scale : 1;
  }
  seen_ = 1e5;  // columns that are new to it are soon known
  scale_ = bot.scale;
  learner_->pack();
}

Trainer::Challenger Trainer::challenger(Random& random) const {
  Challenger c;
  if (static_cast<double>(random.uniform()) < resolved_.options.anchor_share && !game_.baselines.empty() &&
      !exploiter_) {
    c.script = game_.baselines[random.below(static_cast<int>(game_.baselines.size()))].make();
    return c;
  }
  const Member& member = population_.pick(*resolved_.options.matchmaking.value, random);
  c.name = member.name, c.bot = member.bot, c.weights = member.weights;
  const float temperature = resolved_.hot_opponents && !exploiter_
                                ? kPastTemperatures[random.below(static_cast<int>(std::size(kPastTemperatures)))]
                                : 1.0f;
  c.policy = {c.weights.get(),   &c.bot->scale,      c.bot->parameters.data() + network_->log_std(),
              c.bot->value_mean, c.bot->value_scale, temperature};
  return c;
}

// A challenger stays until as many matches against it have ended as are played at once.
void Trainer::choose_challengers(Key key) {
  if (population_.empty()) return;
  challengers_.resize(rollouts_.size());
  for (std::size_t i = 0; i < rollouts_.size(); ++i) {
    const int term = challengers_[i].term;
    if (term > 0 && challengers_[i].ended < rollouts_[i]->opponent_matches()) continue;
    Random random(rollout_key(key, i));
    challengers_[i] = challenger(random);
    challengers_[i].term = term + 1;
  }
}

std::optional<double> Trainer::score() const {
  if (last_scores_.size() < kScores) return std::nullopt;
  double sum = 0;
  for (float s : last_scores_) sum += static_cast<double>(s);
  return sum / static_cast<double>(kScores);
}

std::optional<Estimate> Trainer::score_estimate() const {
  if (last_scores_.size() < kScores) return std::nullopt;
  const std::vector<double> scores(last_scores_.begin(), last_scores_.end());
  return Estimate{mean(scores), mean_interval(scores)};
}

Bot Trainer::bot() const {
  Bot bot{.game = game_.spec.name,
          .origin = game_.origin,
          .network = *network_,
          .parameters = learner_->averaged(),
          .scale = scale_,
          .value_mean = static_cast<float>(learner_->value_mean),
          .value_scale = static_cast<float>(learner_->value_scale),
          .steps = steps_,
          .limits = resolved_.limits,
          .rules = rules_};
  return bot;
}

TensorFile Trainer::state() const {
  TensorFile file;
  const auto count = static_cast<std::int64_t>(network_->parameter_count());
  file.tensors.push_back(Tensor::f32("parameters", {count}, learner_->parameters()));
  file.tensors.push_back(Tensor::f32("averaged", {count}, learner_->averaged()));
  file.tensors.push_back(Tensor::f32("adam.first_moment", {count}, learner_->first_moment()));
  file.tensors.push_back(Tensor::f32("adam.second_moment", {count}, learner_->second_moment()));
  file.tensors.push_back(f64("observation.mean", column_mean_));
  file.tensors.push_back(f64("observation.square", column_square_));
  json records = json::object();
  for (const Member& member : population_.members())
    records[member.name] = {member.record.wins, member.record.draws, member.record.losses};
  json j = {{"format", kStateFormat},
            {"game", game_.spec.name},
            {"hidden", network_->options().hidden},
            {"memory", network_->options().memory},
            {"grid", word_of(network_->options().grid.value)},
            {"entity", network_->options().entity},
            {"entity_inner", network_->options().entity_inner},
            {"steps", steps_},
            {"iterations", iterations_},
            {"adam_steps", learner_->adam_steps()},
            {"value", {learner_->value_mean, learner_->value_scale, learner_->value_weight}},
            {"seen", seen_},
            {"next_past_at", next_past_at_},
            {"records", records},
            {"cuts", {cut_share_, cut_length_}},
            {"scores", last_scores_},
            {"next_score", next_score_}};
  if (!rules_.empty()) j["rules"] = rules_to_json(rules_);
  file.metadata[kStateKey] = json_text(j);
  return file;
}

Result<void> Trainer::restore(const TensorFile& state, std::vector<SavedMember> population, const std::string& file) {
  const auto found = state.metadata.find(kStateKey);
  if (found == state.metadata.end())
    return Error{file + ": not a training state: its metadata has no '" + std::string(kStateKey) + "'"};
  const std::string place = file + ": the training state";
  const auto bad = [&](const std::string& what) -> Result<void> { return Error{place + " " + what}; };
  const Result<json> j = parse_json(found->second, place);
  if (!j) return j.error();
  const std::int64_t count = static_cast<std::int64_t>(network_->parameter_count());
  std::vector<double> mean(column_mean_.size()), square(column_square_.size());
  std::vector<std::vector<float>> vectors;
  std::map<std::string, Record> records;
  std::optional<Error> error;
  JsonFields fields(j.value(), place, error);
  if (const int format = fields.whole<int>("format"); !error && format != kStateFormat)
    return bad(fmt::format("has format {}; this program reads {}", format, kStateFormat));
  if (const std::string game = fields.text("game"); !error && game != game_.spec.name)
    return bad("belongs to the game '" + game + "', not '" + game_.spec.name + "'");
  const NetworkOptions shape{.hidden = fields.wholes<int>("hidden", 64),
                             .memory = fields.whole<int>("memory"),
                             .entity = fields.whole<int>("entity"),
                             .entity_inner = fields.has("entity_inner") ? fields.whole<int>("entity_inner") : 0,
                             .grid = fields.word<GridReading>("grid")};
  const std::vector<ObservedParameter> rules = rules_from_json(fields, error);
  if (!error && rules != rules_)
    return bad("belongs to a player that sees " + rules_text(rules) + "; one that sees " + rules_text(rules_) +
               " is a new run, which `--from` begins with what this one has learnt");
  if (!error && !(shape == network_->options())) return bad("belongs to a network of another shape");
  if (error) return *error;
  for (const char* name : {"parameters", "averaged", "adam.first_moment", "adam.second_moment"}) {
    const auto tensor = state.find_f32(name, std::vector<std::int64_t>{count}, file);
    if (!tensor) return tensor.error();
    vectors.push_back((*tensor.value()).floats());
    if (!all_finite(vectors.back().data(), vectors.back().size()))
      return bad(std::string("holds a value in '") + name + "' that is not finite");
  }
  if (std::any_of(vectors[3].begin(), vectors[3].end(), [](float x) { return x < 0; }))
    return bad("holds a negative value in 'adam.second_moment'");
  if (auto ok = read_f64(state, "observation.mean", file, mean); !ok) return ok;
  if (auto ok = read_f64(state, "observation.square", file, square); !ok) return ok;
  auto scores = fields.reals<float>("scores", kScores);
  const auto next_score = fields.whole<std::int64_t>("next_score", {0, kScores - 1});
  const auto value = fields.reals("value", 3);
  // Runs of versions before `look_ahead` have none.
  const auto cuts = fields.has("cuts") ? fields.reals("cuts", 2, {0, kMostCounted}) : std::vector<double>{0, 0};
  if (cuts.size() != 2) fields.fail("cuts", "must be two numbers");
  if (value.size() != 3 || !(value[1] > 0) || !(value[2] >= 0)) fields.fail("value", "is damaged");
  if (const json& all = fields.field("records"); all.is_object()) {
    JsonFields entries(all, place + ", records", error);
    for (const auto& [name, counts] : all.items()) {
      const auto three = entries.reals(name.c_str(), 3, {0, kMostCounted});
      if (three.size() != 3) entries.fail(name.c_str(), "must be three numbers");
      if (error) return *error;
      records[name] = {three[0], three[1], three[2]};
    }
  } else {
    fields.fail("records", "must be an object");
  }
  const std::int64_t steps = fields.count("steps"), iterations = fields.count("iterations"),
                     adam_steps = fields.count("adam_steps"), next_past_at = fields.count("next_past_at");
  const double seen = fields.real("seen", {0, kMostCounted});
  if (error) return *error;
  steps_ = steps, iterations_ = iterations, seen_ = seen, next_past_at_ = next_past_at;
  learner_->adam_steps() = adam_steps;
  learner_->value_mean = value[0], learner_->value_scale = value[1], learner_->value_weight = value[2];
  cut_share_ = cuts[0], cut_length_ = cuts[1];
  last_scores_ = std::move(scores);
  next_score_ = index(next_score);
  learner_->parameters() = std::move(vectors[0]);
  learner_->averaged() = std::move(vectors[1]);
  learner_->first_moment() = std::move(vectors[2]);
  learner_->second_moment() = std::move(vectors[3]);
  learner_->pack();
  column_mean_ = std::move(mean), column_square_ = std::move(square);
  refresh_scale();
  population_.clear();
  for (SavedMember& opponent : population) {
    if (!(opponent.bot.network.options() == network_->options()) || opponent.bot.rules != rules_)
      return bad("belongs to a league of another shape");
    add_member(opponent.name, opponent.kind, std::move(opponent.bot));
    if (const auto record = records.find(opponent.name); record != records.end())
      population_.set_record(opponent.name, record->second);
  }
  start_matches();
  return {};
}

}  // namespace rival
