#include "train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace rival {
namespace {

// Matches are dealt to this many rollouts whatever the number of threads, so that results do not depend on it.
constexpr int kRollouts = 8;
constexpr std::size_t kScores = 100;
constexpr std::size_t kPastSelves = 24;
constexpr double kSeenAtMost = 1e7;  // rows after which the observations' means move no faster

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

struct Trainer::Past {
  std::vector<std::shared_ptr<const Bot>> bots;
  std::vector<std::unique_ptr<Weights>> weights;
  std::int64_t next_at = 0;  // steps at which the next one joins
};

Result<std::unique_ptr<Trainer>> Trainer::make(const GameEntry& game, const TrainConfig& config) {
  if (auto ok = validate(game.spec); !ok) return ok.error();
  const auto resolved = resolve(config, game.spec);
  if (!resolved) return resolved.error();
  auto network = Network::make(game.spec, config.network);
  if (!network) return network.error();
  std::unique_ptr<Trainer> trainer(new Trainer(game, config, resolved.value(), std::move(*network)));
  auto backend = make_backend(config.backend, *trainer->network_, resolved.value().precision);
  if (!backend) return backend.error();
  trainer->backend_ = std::move(*backend);

  const int per_match = game.spec.simultaneous ? game.spec.seats : 1;
  const int matches = std::max(1, config.rows / per_match / kRollouts);
  const int past = game.spec.team_count() > 1 ? static_cast<int>(config.past_share * matches + 0.5) : 0;
  for (int i = 0; i < kRollouts; ++i)
    trainer->rollouts_.push_back(std::make_unique<Rollout>(game.make_batch(matches), *trainer->backend_,
                                                           *trainer->network_, config.horizon, past));
  for (int i = 0; i < trainer->team_.size(); ++i)
    trainer->executors_.push_back(trainer->backend_->make_executor(trainer->rollouts_[0]->max_rows()));
  trainer->learner_ =
      std::make_unique<Learner>(*trainer->network_, trainer->layout_, *trainer->backend_, trainer->team_, kRollouts,
                                trainer->network_->initial_parameters(trainer->key_.split(1)));
  trainer->start_matches();
  return trainer;
}

Trainer::Trainer(const GameEntry& game, const TrainConfig& config, const ResolvedConfig& resolved, Network network)
    : game_(game),
      config_(config),
      resolved_(resolved),
      network_(std::make_unique<Network>(std::move(network))),
      layout_(game.spec),
      team_(std::min(config.threads > 0 ? config.threads : static_cast<int>(std::thread::hardware_concurrency()),
                     kRollouts)),
      past_(std::make_unique<Past>()),
      key_(static_cast<std::uint64_t>(config.seed)) {
  const auto columns = static_cast<std::size_t>(network_->observation_size());
  scale_.mean.assign(columns, 0.0f);
  scale_.scale.assign(columns, 1.0f);
  column_mean_.assign(columns, 0.0);
  column_square_.assign(columns, 0.0);
}

Trainer::~Trainer() = default;

void Trainer::start_matches() {
  const Settings settings = default_settings(game_.spec);
  const Key key = key_.split(2).split(static_cast<std::uint64_t>(iterations_));
  for (std::size_t i = 0; i < rollouts_.size(); ++i) rollouts_[i]->start(settings, key.split(i));
}

Policy Trainer::policy() const {
  return {&learner_->weights(), &scale_, learner_->parameters().data() + network_->log_std(),
          static_cast<float>(learner_->value_mean), static_cast<float>(learner_->value_scale)};
}

// Short at first, so that early learning gets many updates; long later, so that they are precise.
int Trainer::horizon() const {
  int steps = std::min(16, config_.horizon);
  for (std::int64_t grown = 1'000'000; grown <= steps_ && steps < config_.horizon; grown *= 4) steps *= 2;
  return std::min(steps, config_.horizon);
}

Result<IterationReport> Trainer::iterate(double progress) {
  const auto begin = std::chrono::steady_clock::now();
  const Key key = key_.split(3).split(static_cast<std::uint64_t>(iterations_));
  if (hooks.before_collect) hooks.before_collect();

  const Policy present = policy();
  std::vector<Policy> past;
  if (!past_->bots.empty()) {
    Random random(key.split(0));
    for (std::size_t i = 0; i < rollouts_.size(); ++i) {
      const auto pick = static_cast<std::size_t>(random.below(static_cast<int>(past_->bots.size())));
      const Bot& bot = *past_->bots[pick];
      past.push_back({past_->weights[pick].get(), &bot.scale, bot.parameters.data() + network_->log_std(),
                      bot.value_mean, bot.value_scale});
    }
  }
  const int steps = horizon();
  std::vector<Result<void>> results(rollouts_.size());
  team_.run([&](int member) {
    for (std::size_t i = static_cast<std::size_t>(member); i < rollouts_.size();
         i += static_cast<std::size_t>(team_.size()))
      results[i] = rollouts_[i]->collect(*executors_[static_cast<std::size_t>(member)], present,
                                         past.empty() ? nullptr : &past[i], steps, key.split(1).split(i),
                                         static_cast<float>(resolved_.discount), static_cast<float>(config_.lambda));
  });
  for (const auto& result : results)
    if (!result) return result.error();

  IterationReport report;
  std::vector<std::pair<int, float>> ended;  // step, score: in the order of time, whatever the threads
  for (const auto& rollout : rollouts_) {
    steps_ += rollout->decisions();
    for (const Episode& episode : rollout->episodes()) {
      ended.emplace_back(episode.step, episode.score);
      report.episode_length += episode.length;
    }
  }
  report.episodes = static_cast<int>(ended.size());
  if (!ended.empty()) report.episode_length /= static_cast<double>(ended.size());
  std::stable_sort(ended.begin(), ended.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [step, score] : ended) {
    if (last_scores_.size() < kScores)
      last_scores_.push_back(score);
    else
      last_scores_[next_score_] = score;
    next_score_ = (next_score_ + 1) % kScores;
  }
  if (hooks.after_collect) hooks.after_collect();
  report.collect_seconds = seconds_since(begin);

  progress = std::clamp(progress, 0.0, 1.0);
  report.learning_rate = config_.learning_rate * (1 - 0.95 * progress);
  report.entropy_weight = resolved_.entropy + progress * (resolved_.entropy_end - resolved_.entropy);
  const UpdateOptions options{.epochs = config_.epochs,
                              .minibatches = config_.minibatches,
                              .learning_rate = report.learning_rate,
                              .clip = config_.clip,
                              .entropy = report.entropy_weight,
                              .value = config_.value,
                              .gradient_norm = config_.gradient_norm};
  const auto updated =
      learner_->update(rollouts_, options, key.split(2),
                       {hooks.before_gradients, hooks.after_gradients, hooks.before_apply, hooks.after_apply});
  if (!updated)
    return Error{"training " + game_.spec.name + ", iteration " + std::to_string(iterations_ + 1) + ": " +
                 updated.error().message +
                 "; the last saved bot is untouched; a lower learning_rate or rewards of order 1 usually help"};
  update_scale();
  ++iterations_;
  if (game_.spec.team_count() > 1 && steps_ >= past_->next_at) add_past();

  const UpdateStatistics& u = updated.value();
  const double rows = std::max(1.0, u.loss.rows);
  report.iteration = iterations_;
  report.steps = steps_;
  report.policy_loss = u.loss.policy_loss / rows;
  report.value_loss = u.loss.value_loss / rows;
  report.entropy = u.loss.entropy / rows;
  report.clipped = u.loss.clipped / rows;
  report.kl = u.last_kl;
  report.gradient_norm = u.gradient_norm;
  report.update_seconds = seconds_since(begin) - report.collect_seconds;
  return report;
}

void Trainer::update_scale() {
  double count = 0;
  for (const auto& rollout : rollouts_) count += rollout->seen();
  if (count == 0) return;
  const double share = count / (seen_ + count);
  for (const FlatColumns& flat : network_->flat()) {
    if (!flat.normalised) continue;
    for (auto c = static_cast<std::size_t>(flat.first); c < static_cast<std::size_t>(flat.first + flat.size); ++c) {
      double sum = 0, square = 0;
      for (const auto& rollout : rollouts_) sum += rollout->column_sums()[c], square += rollout->column_squares()[c];
      column_mean_[c] += share * (sum / count - column_mean_[c]);
      column_square_[c] += share * (square / count - column_square_[c]);
      const double variance = std::max(column_square_[c] - column_mean_[c] * column_mean_[c], 0.0);
      scale_.mean[c] = static_cast<float>(column_mean_[c]);
      // A column that never changed says nothing yet: leave its scale alone.
      scale_.scale[c] = variance > 1e-12 ? static_cast<float>(1 / std::max(std::sqrt(variance), 1e-2)) : 1.0f;
    }
  }
  seen_ = std::min(seen_ + count, kSeenAtMost);
}

void Trainer::add_past() {
  Past& past = *past_;
  if (past.bots.size() == kPastSelves) {  // forget every second one of the older half
    for (std::size_t i = kPastSelves / 2; i-- > 1;) {
      if (i % 2 == 0) continue;
      past.bots.erase(past.bots.begin() + static_cast<std::ptrdiff_t>(i));
      past.weights.erase(past.weights.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  past.bots.push_back(std::make_shared<const Bot>(bot()));
  past.weights.push_back(backend_->make_weights());
  backend_->pack(past.bots.back()->parameters, *past.weights.back());
  past.next_at = steps_ + std::max<std::int64_t>(200'000, steps_ / 16);
}

const std::vector<std::shared_ptr<const Bot>>& Trainer::past() const {
  return past_->bots;
}

std::optional<double> Trainer::score() const {
  if (last_scores_.size() < kScores) return std::nullopt;
  double sum = 0;
  for (float s : last_scores_) sum += static_cast<double>(s);
  return sum / static_cast<double>(kScores);
}

Bot Trainer::bot() const {
  Bot bot{.game = game_.spec.name,
          .network = *network_,
          .parameters = learner_->parameters(),
          .scale = scale_,
          .value_mean = static_cast<float>(learner_->value_mean),
          .value_scale = static_cast<float>(learner_->value_scale),
          .steps = steps_};
  return bot;
}

}  // namespace rival
