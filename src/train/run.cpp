#include "train/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <future>
#include <utility>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "game/conformance.hpp"
#include "train/tensorboard.hpp"
#include "train/trouble.hpp"

namespace rival {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kEvaluations = 10;            // over the budget
constexpr double kEvaluateEvery = 10;       // seconds, where the only budget is a score
constexpr double kEvaluationShare = 0.1;    // of the time, at most: fewer of them where they take long
constexpr double kEvaluationAtMost = 0.02;  // of the time, for a single one: fewer matches where they take long
constexpr int kEvaluationMatches = 200;
constexpr double kEvaluationDecisions = 200'000;  // of one opponent's matches, about: long matches are fewer
constexpr double kExploiterMatches = 100, kExploiterWins = 0.7;  // AlphaStar's: an exploiter that wins so often joins
constexpr double kMetricsEvery = 0.25;                           // seconds between lines of the curve
constexpr double kWorse = 0.35;        // a score against the best player so far below which something is wrong
constexpr double kScheduleEnd = 0.99;  // from here on the schedules are at their end
constexpr const char* kRunKey = "rival.run";
constexpr const char* kStateKey = "rival.state";  // the trainer's
constexpr const char* kBestKey = "rival.best";
constexpr const char *kExploiterPrefix = "exploiter.", *kTargetPrefix = "target.";  // in the state

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// `all`: also what only some runs have.
std::vector<OptionRow> run_rows(SavedRun& run, bool all) {
  std::vector<OptionRow> rows = {{"game", &run.game, "what is trained"}};
  if (all || !run.origin.empty()) rows.push_back({"origin", &run.origin, "where the game comes from"});
  for (OptionRow& row : option_rows(run.config)) rows.push_back(std::move(row));
  return rows;
}

std::string to_toml(SavedRun& run) {
  return write_toml(run_rows(run, false));
}

// What a file's metadata say under a key.
Result<json> metadata(const TensorFile& tensors, const std::string& key, const std::string& file) {
  const auto found = tensors.metadata.find(key);
  if (found == tensors.metadata.end()) return Error{file + ": its metadata has no '" + key + "'"};
  return parse_json(found->second, file + ": the metadata '" + key + "'");
}

void put_under(TensorFile& into, TensorFile from, const std::string& prefix) {
  for (Tensor& tensor : from.tensors) {
    tensor.name = prefix + tensor.name;
    into.tensors.push_back(std::move(tensor));
  }
  for (const auto& [key, value] : from.metadata) into.metadata[prefix + key] = value;
}

TensorFile taken_from(const TensorFile& from, const std::string& prefix) {
  TensorFile part;
  for (const Tensor& tensor : from.tensors) {
    if (!tensor.name.starts_with(prefix)) continue;
    part.tensors.push_back(tensor);
    part.tensors.back().name.erase(0, prefix.size());
  }
  for (const auto& [key, value] : from.metadata)
    if (key.starts_with(prefix)) part.metadata[key.substr(prefix.size())] = value;
  return part;
}

// "62 (55.1 to 68.5)"
std::string text_of(const Estimate& e, double unit = 1) {
  return fmt::format("{:.4g} ({:.4g} to {:.4g})", unit * e.value, unit * e.interval.low, unit * e.interval.high);
}

class Run {
 public:
  Run(const GameEntry& game, const TrainConfig& config, const RunOptions& options, std::unique_ptr<Trainer> trainer,
      RunFolder folder)
      : game_(game),
        config_(config),
        options_(options),
        trainer_(std::move(trainer)),
        folder_(std::move(folder)),
        wall_began_(wall_time()),
        watch_(game.spec.team_count(), std::all_of(game.spec.action.begin(), game.spec.action.end(),
                                                   [](const ActionPart& part) { return part.is_choice(); })) {}

  Result<void> resume();
  // What is changed on the way stays so, in later sessions too.
  Result<void> keep_config(const std::string& text);
  Result<RunSummary> go();

 private:
  bool teams() const { return game_.spec.team_count() > 1; }
  double seconds() const { return earlier_seconds_ + since(begin_); }
  double share_done() const;
  std::optional<RunEnd> ended() const;
  bool has_budget() const { return config_.minutes > 0 || config_.steps > 0; }
  double progress() const;
  double learning_rate() const { return trainer_->resolved().options.learning_rate * (1 - 0.95 * progress()); }
  std::unique_ptr<Agent> agent(const Bot& bot, float temperature) const {
    const ResolvedConfig& r = trainer_->resolved();
    return make_player(std::make_shared<const SharedBot>(bot), game_.spec,
                       {.temperature = temperature, .limits = r.limits, .precision = r.precision});
  }
  bool stop_asked() const { return options_.stop && options_.stop->load(); }
  // Whether to leave off in the middle of an iteration. Asked by many threads.
  bool interrupt() const { return stop_asked() || (config_.minutes > 0 && seconds() >= training_seconds()); }
  // The budget in time, less what the last evaluation will take.
  double training_seconds() const { return std::max(60 * config_.minutes - evaluation_took_, 1e-3); }
  double evaluation_seconds(int pairings) const;
  Result<void> evaluate();
  Result<void> compare_with_best(const Bot& bot, const std::optional<Estimate>& score, int matches);
  void warn(const Trouble& trouble);
  void tell(const std::string& text) const {
    if (options_.on_message) options_.on_message(text);
  }
  Result<void> save(bool curve);
  Result<void> save_league();
  Result<void> exploit();
  Result<void> make_exploiter(const Bot& target);
  Result<void> resume_exploiter(const TensorFile& state, const std::string& file);
  Result<void> resume_best();
  // Decisions of exploiters for each of the player's.
  double exploiter_quota() const { return config_.exploiter_share / (1 - config_.exploiter_share); }
  int evaluation_matches() const;

  const GameEntry& game_;
  const TrainConfig config_;
  const RunOptions& options_;
  std::unique_ptr<Trainer> trainer_;
  RunFolder folder_;
  std::optional<TensorBoardWriter> board_;
  Clock::time_point begin_ = Clock::now(), last_metrics_ = begin_;
  double earlier_seconds_ = 0, earlier_done_ = 0, next_evaluation_ = 0, evaluation_took_ = 0;
  std::int64_t earlier_steps_ = 0;
  std::int64_t curve_steps_ = 0;  // of the last line of the curve
  RunProgress progress_;
  std::optional<Bot> evaluated_;        // the bot of the last evaluation
  double match_length_ = 0;             // of late, in steps
  std::unique_ptr<Trainer> exploiter_;  // at work; null: none
  int exploiters_ = 0;                  // begun so far
  std::int64_t exploiter_steps_ = 0;    // of them all
  double wall_began_;
  // The schedules go from `schedule_from_`, where `schedule_done_` of the budget was used up, to 1 at its end.
  double schedule_from_ = 0, schedule_done_ = 0;
  bool schedule_restarted_ = false;
  struct Best {
    Bot bot;
    std::string chosen_by;
    Estimate score;    // games of one team: the mean of 100 episodes
    double first = 0;  // likewise, of the first one
    int evaluation = 0;
  };
  std::optional<Best> best_;
  int evaluations_ = 0;
  bool last_loses_ = false, told_loss_ = false;
  int losses_ = 0;  // evaluations in a row in which the player was much worse than the best one
  TroubleWatch watch_;
  std::vector<std::string> warnings_, unwritten_warnings_;
};

double Run::share_done() const {
  double done = 0;
  if (config_.minutes > 0) done = std::max(done, seconds() / training_seconds());
  if (config_.steps > 0)
    done = std::max(done, static_cast<double>(trainer_->steps()) / static_cast<double>(config_.steps));
  return std::min(done, 1.0);
}

std::optional<RunEnd> Run::ended() const {
  if (const auto score = trainer_->score(); score && *score >= config_.until_score) return RunEnd::score;
  if (share_done() >= 1) return RunEnd::budget;
  if (config_.patience > 0 && best_ && evaluations_ - best_->evaluation >= config_.patience) return RunEnd::patience;
  return std::nullopt;
}

// Where the schedules of learning rate and entropy bonus stand, 0 to 1.
double Run::progress() const {
  const double done = share_done();
  if (schedule_from_ == schedule_done_) return done;
  const double left = 1 - schedule_done_;
  return left > 0 ? schedule_from_ + (1 - schedule_from_) * (done - schedule_done_) / left : 1;
}

void Run::warn(const Trouble& trouble) {
  std::string helps = trouble.helps;
  if (helps.empty()) {
    const auto usual = resolve({}, game_.spec);
    std::string rate = fmt::format("{:g}", config_.learning_rate);
    if (usual && usual.value().options.learning_rate < config_.learning_rate)
      rate += fmt::format(", the program's choice is {:g}", usual.value().options.learning_rate);
    helps = fmt::format("a new run with a lower learning_rate (here {}), rewards of order 1, or more rows", rate);
  }
  warnings_.push_back(fmt::format("at {} steps {}{}. What usually helps: {}", trainer_->steps(), trouble.seen,
                                  trouble.done.empty() ? "" : "; " + trouble.done, helps));
  unwritten_warnings_.push_back(warnings_.back());
  tell("Warning: " + warnings_.back() + ".");
}

// Keeps the bot as the best one if it is better than the best one before beyond doubt; warns if it is much worse.
// `score`: in games of several teams, against the best one before.
Result<void> Run::compare_with_best(const Bot& bot, const std::optional<Estimate>& score, int matches) {
  ++evaluations_;
  // Once may be a passing dip: two evaluations in a row are told, the first time.
  const auto fell = [this](bool now) {
    losses_ = now ? losses_ + 1 : 0;
    return losses_ == 2 && !std::exchange(told_loss_, true);
  };
  std::string chosen_by;
  if (!best_) {
    if (!teams() && !score) return {};
    chosen_by =
        teams() ? "the first one that was measured" : "the first mean score of 100 episodes: " + text_of(*score);
  } else if (!score) {
    return {};
  } else if (teams()) {
    last_loses_ = score->interval.high < 0.5;
    if (score->interval.low > 0.5)
      chosen_by = fmt::format("it scored {}% in {} matches against the best one before, of {} steps",
                              text_of(*score, 100), matches, best_->bot.steps);
    if (fell(score->interval.high < kWorse))
      warn({fmt::format("the player is beaten by its own past: it scores {}% against the one of {} steps",
                        text_of(*score, 100), best_->bot.steps),
            "", ""});
  } else {
    last_loses_ = score->interval.high < best_->score.interval.low;
    if (score->interval.low > best_->score.interval.high)
      chosen_by = fmt::format("its mean score of 100 episodes was {}, that of the best one before {}", text_of(*score),
                              text_of(best_->score));
    if (fell(last_loses_ && score->value < (best_->first + best_->score.value) / 2))
      warn({fmt::format("most of what was learnt is lost: the mean score of 100 episodes is {}, at {} steps it was {}",
                        text_of(*score), best_->bot.steps, text_of(best_->score)),
            "", ""});
  }
  if (chosen_by.empty()) return {};
  last_loses_ = false;
  const Estimate now = score.value_or(Estimate{});
  best_ = Best{bot, chosen_by, now, best_ ? best_->first : now.value, evaluations_};
  TensorFile file = bot.to_tensors();
  file.metadata[kBestKey] = json_text(ordered_json{{"chosen_by", chosen_by},
                                                   {"score", {now.value, now.interval.low, now.interval.high}},
                                                   {"first_score", best_->first},
                                                   {"evaluation", evaluations_}});
  return folder_.save_bot("best", to_safetensors(file));
}

// The best one of earlier sessions, if its file is there.
Result<void> Run::resume_best() {
  const std::string path = folder_.bot_path("best");
  if (!path_exists(path)) return {};
  const auto tensors = load_safetensors(path);
  if (!tensors) return tensors.error();
  auto bot = Bot::from_tensors(tensors.value(), game_.spec, path);
  if (!bot) return bot.error();
  const Result<json> j = metadata(tensors.value(), kBestKey, path);
  if (!j) return j.error();
  std::optional<Error> error;
  JsonFields fields(j.value(), path + ": the metadata '" + kBestKey + "'", error);
  const std::vector<double> score = fields.reals("score", 3);
  if (score.size() != 3) fields.fail("score", "must be three numbers");
  const std::string chosen_by = fields.text("chosen_by");
  const double first = fields.real("first_score");
  const int evaluation = fields.whole<int>("evaluation", {0, INT32_MAX});
  if (error) return Error{error->message + "; without the file the run goes on"};
  best_ = Best{std::move(*bot), chosen_by, {score[0], {score[1], score[2]}}, first, std::min(evaluation, evaluations_)};
  return {};
}

int Run::evaluation_matches() const {
  const double length = match_length_ > 0 ? match_length_ : std::max(1, game_.spec.max_steps);
  const double decisions = length * (game_.spec.simultaneous ? game_.spec.seats : 1);
  return std::clamp(static_cast<int>(kEvaluationDecisions / decisions), 40, kEvaluationMatches);
}

// The time that each of an evaluation's pairings may take, some of which are played at once.
double Run::evaluation_seconds(int pairings) const {
  const double done = share_done(), whole = done > 0 ? seconds() / done : kEvaluateEvery / kEvaluationAtMost;
  return kEvaluationAtMost * whole * std::min(trainer_->threads(), pairings) / pairings;
}

Result<void> Run::evaluate() {
  const Bot bot = trainer_->bot();
  const Key key =
      Key(static_cast<std::uint64_t>(config_.seed)).split(77).split(static_cast<std::uint64_t>(trainer_->iterations()));
  MatchOptions matches;
  matches.matches = evaluation_matches();
  matches.settings = trainer_->resolved().settings;
  struct Pairing {
    std::string opponent;  // "": the bot of the last evaluation
    std::unique_ptr<Agent> agent;
    float temperature;          // of the bot
    const Bot* past = nullptr;  // the opponent: the bot of the last evaluation, or the best one
    Result<MatchSummary> result = Error{""};
  };
  std::vector<Pairing> all;
  const float temperature = default_temperature(game_.spec);
  all.push_back({"random", random_agent(), temperature});
  if (!game_.baselines.empty())  // the first one is the one to watch: it must be quick
    all.push_back({game_.baselines.front().name, game_.baselines.front().make(), temperature});
  // Both play as the policy draws, so that matches differ.
  if (evaluated_) all.push_back({"", agent(*evaluated_, 1), 1, &*evaluated_});
  const bool best_is_last = best_ && evaluated_ && best_->bot.steps == evaluated_->steps;
  if (best_ && !best_is_last) all.push_back({"", agent(best_->bot, 1), 1, &best_->bot});
  matches.seconds = evaluation_seconds(static_cast<int>(all.size()));
  matches.stop = [this] { return stop_asked(); };
  const auto policy = trainer_->threads() > 1 ? std::launch::async : std::launch::deferred;
  std::vector<std::future<void>> playing;
  for (Pairing& pairing : all)
    playing.push_back(std::async(policy, [&] {
      pairing.result = play_matches(game_, *agent(bot, pairing.temperature), pairing.agent.get(), key, matches);
    }));
  for (auto& played : playing) played.get();
  if (stop_asked()) return {};
  progress_.evaluations.clear();
  std::optional<Estimate> against_best;
  int best_matches = 0;
  double rating = progress_.ratings.empty() ? 0 : progress_.ratings.back();
  for (const Pairing& pairing : all) {
    if (!pairing.result) return pairing.result.error();
    const MatchSummary& summary = pairing.result.value();
    if (summary.matches == 0) continue;
    if (pairing.past && (best_is_last || (best_ && pairing.past == &best_->bot)))
      against_best = summary.score, best_matches = summary.matches;
    if (pairing.past && best_ && pairing.past == &best_->bot) continue;
    if (!pairing.opponent.empty()) {
      progress_.evaluations.push_back({pairing.opponent, summary.score});
      continue;
    }
    // Whoever wins all of them is taken to lose the next one.
    const double score = (summary.score.value * summary.matches + 1) / (summary.matches + 2);
    rating += 400 * std::log10(score / (1 - score));
  }
  progress_.ratings.push_back(rating);
  progress_.evaluated = true;
  if (auto ok = compare_with_best(bot, against_best, best_matches); !ok) return ok;
  evaluated_ = bot;
  return folder_.save_bot("latest", to_safetensors(bot.to_tensors()));
}

// The members of the population that are not in the league's file yet.
Result<void> Run::save_league() {
  std::vector<Snapshot> snapshots;
  bool changed = false;
  for (const Member& member : trainer_->population().members()) {
    const auto& known = folder_.snapshots();
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const Snapshot& s) { return s.bot == member.name; });
    if (found != known.end()) {
      snapshots.push_back(*found);
      continue;
    }
    if (auto ok = folder_.save_bot(member.name, to_safetensors(member.bot->to_tensors())); !ok) return ok;
    snapshots.push_back({member.name, trainer_->steps(), utc_now(), {}, to_string(member.kind)});
    changed = true;
  }
  return changed ? folder_.set_snapshots(std::move(snapshots)) : Result<void>{};
}

Result<void> Run::make_exploiter(const Bot& target) {
  TrainConfig config = config_;
  config.seed = config_.seed + 1000 + exploiters_;
  config.past_share = 1;
  auto made = Trainer::make(game_, config);
  if (!made) return made.error();
  exploiter_ = std::move(*made);
  exploiter_->stop = [this] { return interrupt(); };
  exploiter_->start_from(target);
  exploiter_->exploit(target);
  return {};
}

// The exploiter that was at work when the state was saved, if any.
Result<void> Run::resume_exploiter(const TensorFile& state, const std::string& file) {
  const TensorFile target = taken_from(state, kTargetPrefix);
  if (target.tensors.empty()) return {};
  auto bot = Bot::from_tensors(target, game_.spec, file);
  if (!bot) return bot.error();
  if (!(bot.value().network.options() == trainer_->network().options()))
    return Error{file + ": the exploiter in it belongs to a network of another shape; this state cannot be resumed"};
  if (auto ok = make_exploiter(*bot); !ok) return ok;
  std::vector<Trainer::SavedMember> population;
  population.push_back({exploiter_->population().members().front().name, Member::Kind::past, std::move(*bot)});
  return exploiter_->restore(taken_from(state, kExploiterPrefix), std::move(population), file);
}

// Lets an exploiter have its share of the decisions. It starts from the player as it is, learns to beat it, and joins
// the population when it does, or when it has had its time; then the next one begins.
Result<void> Run::exploit() {
  while (static_cast<double>(exploiter_steps_) < exploiter_quota() * static_cast<double>(trainer_->steps())) {
    if (!exploiter_) {
      ++exploiters_;
      if (auto ok = make_exploiter(trainer_->bot()); !ok) return ok;
    }
    const std::int64_t before = exploiter_->steps();
    auto report = exploiter_->iterate(0.5);
    if (!report) return Error{"an exploiter: " + report.error().message};
    exploiter_steps_ += exploiter_->steps() - before;
    if (report->interrupted) return {};
    const Record& record = exploiter_->population().members().front().record;
    const bool wins = record.matches() >= kExploiterMatches && record.score() > kExploiterWins;
    if (!wins && exploiter_->steps() < std::max<std::int64_t>(200'000, trainer_->steps() / 20)) continue;
    trainer_->add_exploiter(fmt::format("exploiter_{}", exploiters_), exploiter_->bot());
    exploiter_.reset();
  }
  return {};
}

// Everything that the next session needs; the state goes last.
Result<void> Run::save(bool curve) {
  if (auto ok = save_league(); !ok) return ok;
  if (curve) {
    const IterationReport& r = progress_.iteration;
    ordered_json line = {{"steps", r.steps},
                         {"iteration", r.iteration},
                         {"seconds", progress_.seconds},
                         {"steps_per_second", progress_.steps_per_second},
                         {"policy_loss", r.policy_loss},
                         {"value_loss", r.value_loss},
                         {"entropy", r.entropy},
                         {"kl", r.kl},
                         {"clipped", r.clipped},
                         {"gradient_norm", r.gradient_norm},
                         {"learning_rate", r.learning_rate},
                         {"entropy_weight", r.entropy_weight},
                         {"discount", r.discount},
                         {"exploring", r.exploring}};
    std::vector<std::pair<std::string, double>> scalars = {{"loss/policy", r.policy_loss},
                                                           {"loss/value", r.value_loss},
                                                           {"policy/entropy", r.entropy},
                                                           {"policy/kl", r.kl},
                                                           {"policy/clipped", r.clipped},
                                                           {"optimizer/gradient_norm", r.gradient_norm},
                                                           {"optimizer/learning_rate", r.learning_rate},
                                                           {"speed/steps_per_second", progress_.steps_per_second}};
    if (r.episodes) line["episode_length"] = r.episode_length, scalars.emplace_back("episode/length", r.episode_length);
    if (progress_.score) line["score"] = *progress_.score, scalars.emplace_back("episode/score", *progress_.score);
    if (progress_.evaluated) {
      for (const Evaluation& e : progress_.evaluations) {
        line["against_" + e.opponent] = {e.score.value, e.score.interval.low, e.score.interval.high};
        scalars.emplace_back("against/" + e.opponent, e.score.value);
      }
      line["rating"] = progress_.ratings.back();
      scalars.emplace_back("rating/elo", progress_.ratings.back());
    }
    if (!unwritten_warnings_.empty()) line["warnings"] = std::exchange(unwritten_warnings_, {});
    if (auto ok = folder_.append_metrics(json_text(line)); !ok) return ok;
    std::vector<TensorBoardWriter::Scalar> views;
    for (const auto& [tag, value] : scalars) views.push_back({tag, static_cast<float>(value)});
    if (auto ok = board_->add(r.steps, wall_began_ + since(begin_), views); !ok) return ok;
    last_metrics_ = Clock::now();
    curve_steps_ = r.steps;
  }
  TensorFile state = trainer_->state();
  state.metadata[kRunKey] = json_text(ordered_json{{"seconds", progress_.seconds},
                                                   {"ratings", progress_.ratings},
                                                   {"progress", progress()},
                                                   {"evaluations", evaluations_},
                                                   {"exploiters", exploiters_},
                                                   {"exploiter_steps", exploiter_steps_},
                                                   {"evaluation_seconds", evaluation_took_}});
  if (exploiter_) {
    put_under(state, exploiter_->state(), kExploiterPrefix);
    put_under(state, exploiter_->population().members().front().bot->to_tensors(), kTargetPrefix);
  }
  return folder_.save_state(to_safetensors(state));
}

Result<void> Run::keep_config(const std::string& text) {
  auto before = read_run(options_.folder);
  if (!before) return before.error();
  return to_toml(before.value()) == text ? Result<void>{} : folder_.save_config(text);
}

Result<void> Run::resume() {
  if (!folder_.has_state()) return folder_.rewind(0);  // it ended before its first iteration did
  const auto bytes = folder_.load_state();
  if (!bytes) return bytes.error();
  const std::string file = folder_.state_path();
  const auto state = parse_safetensors(bytes.value(), file);
  if (!state) return state.error();
  std::optional<Error> error;
  // Snapshots of later steps than the state's are taken back before the rest is read.
  const Result<json> trained = metadata(state.value(), kStateKey, file);
  if (!trained) return trained.error();
  const std::int64_t steps = JsonFields(trained.value(), file + ": the training state", error).count("steps");
  if (error) return *error;
  if (auto ok = folder_.rewind(steps); !ok) return ok;
  std::vector<Trainer::SavedMember> population;
  for (const Snapshot& snapshot : folder_.snapshots()) {
    auto bot = load_bot(folder_.bot_path(snapshot.bot), game_.spec);
    if (!bot) return bot.error();
    population.push_back(
        {snapshot.bot, snapshot.kind == "exploiter" ? Member::Kind::exploiter : Member::Kind::past, std::move(*bot)});
  }
  if (auto ok = trainer_->restore(state.value(), std::move(population), file); !ok) return ok;
  const Result<json> j = metadata(state.value(), kRunKey, file);
  if (!j) return j.error();
  JsonFields fields(j.value(), file + ": the metadata '" + kRunKey + "'", error);
  earlier_seconds_ = fields.real("seconds", {0, 1e12});
  progress_.ratings = fields.reals("ratings", 1'000'000);
  // An older state lacks some of these.
  schedule_from_ = fields.has("progress") ? fields.real("progress", {-1, 1}) : -1;
  if (fields.has("evaluations")) evaluations_ = fields.whole<int>("evaluations", {0, INT32_MAX / 2});
  if (fields.has("evaluation_seconds")) evaluation_took_ = fields.real("evaluation_seconds", {0, 1e12});
  if (fields.has("exploiters")) exploiters_ = fields.whole<int>("exploiters", {0, INT32_MAX / 2});
  // Where it does not say: as if the exploiters had had their share.
  exploiter_steps_ = fields.has("exploiter_steps")
                         ? fields.count("exploiter_steps")
                         : static_cast<std::int64_t>(exploiter_quota() * static_cast<double>(trainer_->steps()));
  if (error) return Error{error->message + "; this state cannot be resumed"};
  earlier_steps_ = trainer_->steps();
  next_evaluation_ = earlier_done_ = schedule_done_ = share_done();
  if (!(schedule_from_ >= 0 && schedule_from_ <= 1)) schedule_from_ = schedule_done_;  // an older state
  // A finished run learns more from large steps again than from the smallest ones for as long.
  schedule_restarted_ = options_.schedule == Schedule::restart ||
                        (options_.schedule == Schedule::automatic && schedule_from_ >= kScheduleEnd);
  if (schedule_restarted_)
    schedule_from_ = 0;
  else if (std::abs(schedule_from_ - schedule_done_) < 1e-3)
    schedule_from_ = schedule_done_;
  progress_.seconds = earlier_seconds_;
  progress_.iteration.steps = trainer_->steps(), progress_.iteration.iteration = trainer_->iterations();
  progress_.score = trainer_->score();
  if (auto ok = resume_exploiter(state.value(), file); !ok) return ok;
  return resume_best();
}

Result<RunSummary> Run::go() {
  std::optional<RunEnd> end = ended();
  bool stopped = false, last = end.has_value();
  if (last) {
    end = RunEnd::spent;
  } else {
    std::optional<std::int64_t> resumed_at;
    if (options_.resume) resumed_at = trainer_->steps();
    auto board = TensorBoardWriter::create(folder_.path(), wall_began_, resumed_at);
    if (!board) return board.error();
    board_ = std::move(*board);
    if (options_.resume)
      tell(fmt::format(
          "The learning rate {} {:.3g}{}.", schedule_restarted_ ? "starts again at" : "goes on at", learning_rate(),
          has_budget() ? fmt::format(" and falls to {:.3g}", 0.05 * trainer_->resolved().options.learning_rate)
                       : std::string(", and stays there")));
  }
  trainer_->stop = [this] { return interrupt(); };
  while (!last && !stopped) {
    const std::int64_t iterations = trainer_->iterations();
    auto report = trainer_->iterate(progress());
    if (!report)
      return Error{fmt::format("{}; the run up to iteration {} is in {}", report.error().message,
                               trainer_->iterations(), folder_.path())};
    const bool moved = trainer_->iterations() > iterations;
    if (report->updated_rows > 0) progress_.iteration = *report;
    progress_.iteration.iteration = report->iteration, progress_.iteration.steps = report->steps;
    if (report->episodes) match_length_ = report->episode_length;
    if (const auto trouble = watch_.note(*report, progress())) warn(*trouble);
    if (config_.exploiter_share > 0 && teams() && !report->interrupted)
      if (auto ok = exploit(); !ok) return ok.error();
    progress_.score = trainer_->score();
    progress_.evaluated = false;
    end = ended();
    last = end.has_value();
    if (const double begun = has_budget() ? share_done() : seconds();
        trainer_->iterations() > 0 && !stop_asked() && (begun >= next_evaluation_ || last)) {
      const double from = seconds();
      if (auto ok = teams() ? evaluate() : compare_with_best(trainer_->bot(), trainer_->score_estimate(), 0); !ok)
        return ok.error();
      evaluation_took_ = seconds() - from;
      const double every = has_budget() ? 1.0 / kEvaluations : kEvaluateEvery;
      const double took = has_budget() ? evaluation_took_ * begun / std::max(from, 1e-9) : evaluation_took_;
      next_evaluation_ = begun + std::max(every, took / kEvaluationShare);
    }
    progress_.seconds = seconds();
    progress_.steps_per_second =
        static_cast<double>(trainer_->steps() - earlier_steps_) / std::max(1e-9, since(begin_));
    progress_.done = share_done();
    if (progress_.done > earlier_done_)
      progress_.seconds_left = since(begin_) * (1 - progress_.done) / (progress_.done - earlier_done_);
    if (!last && ended() == RunEnd::patience) end = RunEnd::patience, last = true;
    stopped = stop_asked() && !last;
    const bool curve = progress_.evaluated ||
                       ((last || stopped || since(last_metrics_) >= kMetricsEvery) && curve_steps_ < trainer_->steps());
    if (moved || curve)
      if (auto ok = save(curve); !ok) return ok.error();
    if (options_.on_progress && (moved || progress_.evaluated)) options_.on_progress(progress_);
  }
  if (trainer_->iterations() == 0)
    warnings_.push_back(
        "not one iteration was completed, and so nothing was learnt. What helps: more time, a narrower network or "
        "fewer "
        "rows");
  RunSummary summary{.last = progress_,
                     .steps = trainer_->steps(),
                     .bot = folder_.bot_path(stopped ? "latest" : "final"),
                     .stopped = stopped,
                     .end = stopped ? RunEnd::stopped : *end,
                     .best = {},
                     .warnings = warnings_};
  if (best_) summary.best = BestBot{folder_.bot_path("best"), best_->bot.steps, best_->chosen_by, last_loses_};
  if (auto ok = folder_.save_bot(stopped ? "latest" : "final", to_safetensors(trainer_->bot().to_tensors())); !ok)
    return ok.error();
  return summary;
}

}  // namespace

std::string to_string(RunEnd end) {
  constexpr const char* kNames[] = {"budget", "score", "patience", "stopped", "spent"};
  return kNames[static_cast<int>(end)];
}

Result<SavedRun> read_run(const std::string& folder) {
  const std::string file = folder + "/config.toml";
  const auto text = read_file(file);
  if (!text) return text.error();
  SavedRun run;
  run.config.network.entity_inner = 0;  // of runs from before it was an option
  if (auto ok = read_toml(run_rows(run, true), text.value(), file); !ok) return ok.error();
  return run;
}

Result<RunSummary> run_training(const GameEntry& game, const TrainConfig& config, const RunOptions& options) {
  if (config.minutes <= 0 && config.steps <= 0 && !std::isfinite(config.until_score))
    return Error{"a run needs a budget: minutes, steps or until_score"};
  if (Result<void> sound = check_quickly(game.make_batch, game.typed()); !sound) return sound.error();
  SavedRun now{game.spec.name, game.origin, config};
  TrainConfig& saved = now.config;
  if (options.start) saved.network = options.start->network.options();
  auto trainer = Trainer::make(game, saved);
  if (!trainer) return trainer.error();
  saved = (*trainer)->resolved().options;
  if (options.start) (*trainer)->start_from(*options.start);
  const std::string text = to_toml(now);
  auto folder = options.resume ? RunFolder::open(options.folder) : RunFolder::create(options.folder, text);
  if (!folder) return folder.error();
  Run run(game, saved, options, std::move(*trainer), std::move(*folder));
  if (options.resume) {
    if (auto ok = run.resume(); !ok) return ok.error();
    if (auto ok = run.keep_config(text); !ok) return ok.error();
  }
  return run.go();
}

}  // namespace rival
