#include "train/run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <future>
#include <nlohmann/json.hpp>

#include "agent/scripted.hpp"
#include "train/tensorboard.hpp"

namespace rival {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr int kEvaluations = 10;            // over the budget
constexpr double kEvaluateEvery = 10;       // seconds, where the only budget is a score
constexpr double kEvaluationShare = 0.1;    // of the time, at most: fewer of them where they take long
constexpr double kEvaluationAtMost = 0.02;  // of the time, for a single one: fewer matches where they take long
constexpr int kEvaluationMatches = 200;
constexpr double kEvaluationDecisions = 200'000;  // of one opponent's matches, about: long matches are fewer
constexpr double kExploiterMatches = 100, kExploiterWins = 0.7;  // AlphaStar's: an exploiter that wins so often joins
constexpr double kMetricsEvery = 0.25;                           // seconds between lines of the curve
constexpr const char* kRunKey = "rival.run";

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

std::vector<OptionRow> run_rows(std::string& game, TrainConfig& config) {
  std::vector<OptionRow> rows = {{"game", &game, "what is trained"}};
  for (OptionRow& row : option_rows(config)) rows.push_back(std::move(row));
  return rows;
}

class Run {
 public:
  Run(const GameEntry& game, const TrainConfig& config, const RunOptions& options, std::unique_ptr<Trainer> trainer,
      RunFolder folder)
      : game_(game), config_(config), options_(options), trainer_(std::move(trainer)), folder_(std::move(folder)) {}

  Result<void> resume();
  Result<RunSummary> go();

 private:
  bool teams() const { return game_.spec.team_count() > 1; }
  double seconds() const { return earlier_seconds_ + since(begin_); }
  double share_done() const;
  bool over() const;
  std::unique_ptr<Agent> agent(const Bot& bot, float temperature) const {
    auto player = std::make_unique<BotAgent>(bot, game_.spec, temperature, trainer_->resolved().precision);
    if (!trainer_->resolved().limits.any()) return player;
    return std::make_unique<LimitedAgent>(std::move(player), game_.spec, trainer_->resolved().limits);
  }
  bool stop_asked() const { return options_.stop && options_.stop->load(); }
  // Whether to leave off in the middle of an iteration. Asked by many threads.
  bool interrupt() const { return stop_asked() || (config_.minutes > 0 && seconds() >= training_seconds()); }
  // The budget in time, less what the last evaluation will take.
  double training_seconds() const { return std::max(60 * config_.minutes - evaluation_took_, 1e-3); }
  double evaluation_seconds(int series) const;
  Result<void> evaluate();
  Result<void> save(bool curve);
  Result<void> save_league();
  Result<void> exploit();
  int evaluation_matches() const;

  const GameEntry& game_;
  const TrainConfig& config_;
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
  int exploiters_ = 0;
  std::int64_t exploiter_steps_ = 0;  // of this session
};

double Run::share_done() const {
  double done = 0;
  if (config_.minutes > 0) done = std::max(done, seconds() / training_seconds());
  if (config_.steps > 0)
    done = std::max(done, static_cast<double>(trainer_->steps()) / static_cast<double>(config_.steps));
  return std::min(done, 1.0);
}

bool Run::over() const {
  const auto score = trainer_->score();
  return share_done() >= 1 || (score && *score >= config_.until_score);
}

int Run::evaluation_matches() const {
  const double length = match_length_ > 0 ? match_length_ : std::max(1, game_.spec.max_steps);
  const double decisions = length * (game_.spec.simultaneous ? game_.spec.seats : 1);
  return std::clamp(static_cast<int>(kEvaluationDecisions / decisions), 40, kEvaluationMatches);
}

// The time that each of an evaluation's series of matches may take, some of which are played at once.
double Run::evaluation_seconds(int series) const {
  const double done = share_done(), whole = done > 0 ? seconds() / done : kEvaluateEvery / kEvaluationAtMost;
  return kEvaluationAtMost * whole * std::min(trainer_->threads(), series) / series;
}

Result<void> Run::evaluate() {
  const Bot bot = trainer_->bot();
  const Key key =
      Key(static_cast<std::uint64_t>(config_.seed)).split(77).split(static_cast<std::uint64_t>(trainer_->iterations()));
  MatchOptions matches;
  matches.matches = evaluation_matches();
  matches.settings = trainer_->resolved().settings;
  struct Series {
    std::string opponent;  // "": the bot of the last evaluation
    std::unique_ptr<Agent> agent;
    float temperature;  // of the bot
    Result<MatchSummary> result = Error{""};
  };
  std::vector<Series> all;
  const float temperature = game_.spec.hidden_information ? 1.0f : 0.0f;
  all.push_back({"random", random_agent(), temperature});
  if (!game_.baselines.empty())  // the first one is the one to watch: it must be quick
    all.push_back({game_.baselines.front().name, game_.baselines.front().make(), temperature});
  // Both play as the policy draws, so that matches differ.
  if (evaluated_) all.push_back({"", agent(*evaluated_, 1), 1});
  matches.seconds = evaluation_seconds(static_cast<int>(all.size()));
  matches.stop = [this] { return stop_asked(); };
  const auto policy = trainer_->threads() > 1 ? std::launch::async : std::launch::deferred;
  std::vector<std::future<void>> playing;
  for (Series& series : all)
    playing.push_back(std::async(policy, [&] {
      series.result = play_matches(game_, *agent(bot, series.temperature), series.agent.get(), key, matches);
    }));
  for (auto& played : playing) played.get();
  if (stop_asked()) return {};
  progress_.evaluations.clear();
  double rating = progress_.ratings.empty() ? 0 : progress_.ratings.back();
  for (const Series& series : all) {
    if (!series.result) return series.result.error();
    const MatchSummary& summary = series.result.value();
    if (summary.matches == 0) continue;
    if (!series.opponent.empty()) {
      progress_.evaluations.push_back({series.opponent, summary.score});
      continue;
    }
    // Whoever wins all of them is taken to lose the next one.
    const double score = (summary.score.value * summary.matches + 1) / (summary.matches + 2);
    rating += 400 * std::log10(score / (1 - score));
  }
  progress_.ratings.push_back(rating);
  progress_.evaluated = true;
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

// Lets an exploiter have its share of the decisions. It starts from the player as it is, learns to beat it, and joins
// the population when it does, or when it has had its time; then the next one begins.
Result<void> Run::exploit() {
  while (static_cast<double>(exploiter_steps_) <
         config_.exploiter_share / (1 - config_.exploiter_share) * static_cast<double>(trainer_->steps())) {
    if (!exploiter_) {
      TrainConfig config = config_;
      config.seed = config_.seed + 1000 + ++exploiters_;
      config.past_share = 1;
      auto made = Trainer::make(game_, config);
      if (!made) return made.error();
      exploiter_ = std::move(*made);
      exploiter_->stop = trainer_->stop;
      exploiter_->start_from(trainer_->bot());
      exploiter_->exploit(trainer_->bot());
    }
    const std::int64_t before = exploiter_->steps();
    auto report = exploiter_->iterate(0.5);
    if (!report) return Error{"an exploiter: " + report.error().message};
    exploiter_steps_ += exploiter_->steps() - before;
    if (report->interrupted) return {};
    const Record& record = exploiter_->population().members().front().record;
    const bool wins = record.matches() >= kExploiterMatches && record.score() > kExploiterWins;
    if (!wins && exploiter_->steps() < std::max<std::int64_t>(200'000, trainer_->steps() / 20)) continue;
    trainer_->add_exploiter("exploiter_" + std::to_string(trainer_->steps()), exploiter_->bot());
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
                         {"entropy_weight", r.entropy_weight}};
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
    if (auto ok = folder_.append_metrics(line.dump()); !ok) return ok;
    std::vector<TensorBoardWriter::Scalar> views;
    for (const auto& [tag, value] : scalars) views.push_back({tag, static_cast<float>(value)});
    if (auto ok = board_->add(r.steps, wall_time(), views); !ok) return ok;
    last_metrics_ = Clock::now();
    curve_steps_ = r.steps;
  }
  TensorFile state = trainer_->state();
  state.metadata[kRunKey] = ordered_json{{"seconds", progress_.seconds}, {"ratings", progress_.ratings}}.dump();
  return folder_.save_state(to_safetensors(state));
}

Result<void> Run::resume() {
  if (!folder_.has_state()) return folder_.rewind(0);  // it ended before its first iteration did
  const auto bytes = folder_.load_state();
  if (!bytes) return bytes.error();
  const std::string file = folder_.state_path();
  const auto state = parse_safetensors(bytes.value(), file);
  if (!state) return state.error();
  // Snapshots of later steps than the state's are taken back before the rest is read.
  const std::int64_t steps = [&] {
    const auto found = state.value().metadata.find("rival.state");
    const auto j =
        found == state.value().metadata.end() ? ordered_json() : ordered_json::parse(found->second, nullptr, false);
    return j.is_object() && j.contains("steps") && j["steps"].is_number_integer() ? j["steps"].get<std::int64_t>() : 0;
  }();
  if (auto ok = folder_.rewind(steps); !ok) return ok;
  std::vector<Trainer::SavedMember> population;
  for (const Snapshot& snapshot : folder_.snapshots()) {
    auto bot = load_bot(folder_.bot_path(snapshot.bot), game_.spec);
    if (!bot) return bot.error();
    population.push_back(
        {snapshot.bot, snapshot.kind == "exploiter" ? Member::Kind::exploiter : Member::Kind::past, std::move(*bot)});
  }
  if (auto ok = trainer_->restore(state.value(), std::move(population), file); !ok) return ok;
  const auto found = state.value().metadata.find(kRunKey);
  const auto j =
      found == state.value().metadata.end() ? ordered_json() : ordered_json::parse(found->second, nullptr, false);
  try {
    earlier_seconds_ = j.at("seconds").get<double>();
    progress_.ratings = j.at("ratings").get<std::vector<double>>();
  } catch (const ordered_json::exception&) {
    return Error{file + ": the metadata '" + kRunKey + "' is damaged; this state cannot be resumed"};
  }
  earlier_steps_ = trainer_->steps();
  next_evaluation_ = earlier_done_ = share_done();
  return {};
}

Result<RunSummary> Run::go() {
  std::optional<std::int64_t> resumed_at;
  if (options_.resume) resumed_at = trainer_->steps();
  auto board = TensorBoardWriter::create(folder_.path(), wall_time(), resumed_at);
  if (!board) return board.error();
  board_ = std::move(*board);
  bool stopped = false, last = over();
  trainer_->stop = [this] { return interrupt(); };
  while (!last && !stopped) {
    const std::int64_t iterations = trainer_->iterations();
    auto report = trainer_->iterate(share_done());
    if (!report)
      return Error{report.error().message + "; the run up to iteration " + std::to_string(trainer_->iterations()) +
                   " is in " + folder_.path()};
    const bool moved = trainer_->iterations() > iterations;
    if (report->updated_rows > 0) progress_.iteration = *report;
    progress_.iteration.iteration = report->iteration, progress_.iteration.steps = report->steps;
    if (report->episodes) match_length_ = report->episode_length;
    if (config_.exploiter_share > 0 && teams() && !report->interrupted)
      if (auto ok = exploit(); !ok) return ok.error();
    progress_.score = trainer_->score();
    progress_.evaluated = false;
    last = over();
    const bool budget = config_.minutes > 0 || config_.steps > 0;
    const auto now = [&] { return budget ? share_done() : seconds(); };
    if (const double begun = now();
        teams() && trainer_->iterations() > 0 && !stop_asked() && (begun >= next_evaluation_ || last)) {
      const double from = seconds();
      if (auto ok = evaluate(); !ok) return ok.error();
      evaluation_took_ = seconds() - from;
      const double every = budget ? 1.0 / kEvaluations : kEvaluateEvery;
      const double took = budget ? evaluation_took_ * begun / std::max(from, 1e-9) : evaluation_took_;
      next_evaluation_ = begun + std::max(every, took / kEvaluationShare);
    }
    progress_.seconds = seconds();
    progress_.steps_per_second =
        static_cast<double>(trainer_->steps() - earlier_steps_) / std::max(1e-9, since(begin_));
    progress_.done = share_done();
    if (progress_.done > earlier_done_)
      progress_.seconds_left = since(begin_) * (1 - progress_.done) / (progress_.done - earlier_done_);
    stopped = stop_asked() && !last;
    const bool curve = progress_.evaluated ||
                       ((last || stopped || since(last_metrics_) >= kMetricsEvery) && curve_steps_ < trainer_->steps());
    if (moved || curve)
      if (auto ok = save(curve); !ok) return ok.error();
    if (options_.on_progress && (moved || progress_.evaluated)) options_.on_progress(progress_);
  }
  RunSummary summary{.last = progress_,
                     .steps = trainer_->steps(),
                     .bot = folder_.bot_path(stopped ? "latest" : "final"),
                     .stopped = stopped};
  if (auto ok = folder_.save_bot(stopped ? "latest" : "final", to_safetensors(trainer_->bot().to_tensors())); !ok)
    return ok.error();
  return summary;
}

}  // namespace

Result<SavedRun> read_run(const std::string& folder) {
  const std::string file = folder + "/config.toml";
  const auto text = read_file(file);
  if (!text) return text.error();
  SavedRun run;
  if (auto ok = read_toml(run_rows(run.game, run.config), text.value(), file); !ok) return ok.error();
  return run;
}

Result<RunSummary> run_training(const GameEntry& game, const TrainConfig& config, const RunOptions& options) {
  if (config.minutes <= 0 && config.steps <= 0 && !std::isfinite(config.until_score))
    return Error{"a run needs a budget: minutes, steps or until_score"};
  TrainConfig saved = config;
  if (options.start) saved.network = options.start->network.options();
  auto trainer = Trainer::make(game, saved);
  if (!trainer) return trainer.error();
  if (options.start) (*trainer)->start_from(*options.start);
  std::string name = game.spec.name;
  auto folder = options.resume ? RunFolder::open(options.folder)
                               : RunFolder::create(options.folder, write_toml(run_rows(name, saved)));
  if (!folder) return folder.error();
  Run run(game, config, options, std::move(*trainer), std::move(*folder));
  if (options.resume)
    if (auto ok = run.resume(); !ok) return ok.error();
  return run.go();
}

}  // namespace rival
