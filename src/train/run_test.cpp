#include "train/run.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "agent/scripted.hpp"
#include "base/temporary_folder.hpp"
#include "games/catalog.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TrainConfig small(std::int64_t steps) {
  TrainConfig config;
  config.rows = 64;
  config.horizon = 16;
  config.threads = 1;
  config.network.hidden = {16, 16};
  config.steps = steps;
  return config;
}

std::string bytes(const std::string& path) {
  const auto text = read_file(path);
  EXPECT_TRUE(text) << path;
  return text ? text.value() : "";
}

struct Saved {
  std::int64_t steps = 0, iterations = 0;
};
Saved saved(const std::string& folder) {
  const auto state = load_safetensors(folder + "/state.safetensors");
  EXPECT_TRUE(state) << state.error().message;
  if (!state) return {};
  const json j = json::parse(state.value().metadata.at("rival.state"));
  return {j.at("steps"), j.at("iterations")};
}

// Every line of the curve is JSON, and steps rise from line to line; the league's bots can be loaded and are no newer
// than the state.
void check_folder(const std::string& folder, const Spec& spec) {
  const Saved state = saved(folder);
  std::istringstream curve(bytes(folder + "/metrics.jsonl"));
  std::int64_t before = 0;
  for (std::string line; std::getline(curve, line);) {
    const json j = json::parse(line, nullptr, false);
    ASSERT_TRUE(j.is_object()) << line;
    EXPECT_GT(j.at("steps").get<std::int64_t>(), before);
    before = j.at("steps");
  }
  EXPECT_GT(before, 0);
  EXPECT_LE(before, state.steps);
  if (spec.team_count() == 1) return;
  const auto league = read_league(bytes(folder + "/league.json"), "league.json");
  ASSERT_TRUE(league) << league.error().message;
  EXPECT_FALSE(league.value().empty());
  for (const Snapshot& snapshot : league.value()) {
    const auto bot = load_bot(folder + "/bots/" + snapshot.bot + ".safetensors", spec);
    EXPECT_TRUE(bot) << bot.error().message;
    EXPECT_LE(snapshot.steps, state.steps);
  }
}

// A session that is stopped after its first iteration.
Result<RunSummary> train_once(const GameEntry& game, const TrainConfig& config, RunOptions options) {
  std::atomic<bool> stop = false;
  options.stop = &stop;
  options.on_progress = [&](const RunProgress&) { stop = true; };
  return run_training(game, config, options);
}

TEST(Run, RemembersWhereItsGameCameFrom) {
  const TemporaryFolder folder;
  GameEntry game = built_in("tic_tac_toe");
  ASSERT_TRUE(train_once(game, small(100'000), {.folder = folder.file("own")}));
  EXPECT_EQ(bytes(folder.file("own/config.toml")).find("origin"), std::string::npos);
  EXPECT_EQ(read_run(folder.file("own")).value().origin, "");
  game.origin = "/games/lib \"x\".so";
  ASSERT_TRUE(train_once(game, small(100'000), {.folder = folder.file("run")}));
  EXPECT_EQ(read_run(folder.file("run")).value().game, "tic_tac_toe");
  EXPECT_EQ(read_run(folder.file("run")).value().origin, game.origin);
  const std::string bot = folder.file("run/bots/latest.safetensors");
  EXPECT_EQ(bot_game(load_safetensors(bot).value(), bot).value().origin, game.origin);
  EXPECT_EQ(load_bot(bot, game.spec).value().origin, game.origin);
  // It is elsewhere now.
  game.origin = "/games/liby.so";
  ASSERT_TRUE(train_once(game, small(100'000), {.folder = folder.file("run"), .resume = true}));
  EXPECT_EQ(read_run(folder.file("run")).value().origin, game.origin);
  EXPECT_EQ(load_bot(bot, game.spec).value().origin, game.origin);
}

class RunOf : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Run, RunOf, testing::Values("tic_tac_toe", "cartpole"),
                         [](const auto& instance) { return instance.param; });

TEST_P(RunOf, SameSeedSameBot) {
  TemporaryFolder folder;
  const auto train = [&](const std::string& name, int threads, std::int64_t seed) {
    TrainConfig config = small(20'000);
    config.threads = threads;
    config.seed = seed;
    const auto summary = run_training(built_in(GetParam()), config, {.folder = folder.file(name)});
    EXPECT_TRUE(summary) << summary.error().message;
    if (!summary) return std::string();
    EXPECT_GE(summary.value().steps, 20'000);
    EXPECT_FALSE(summary.value().stopped);
    EXPECT_EQ(summary.value().bot, folder.file(name) + "/bots/final.safetensors");
    return bytes(summary.value().bot);
  };
  const std::string one = train("one", 1, 1);
  EXPECT_EQ(train("again", 1, 1), one);
  EXPECT_EQ(train("two_threads", 2, 1), one);
  EXPECT_NE(train("other_seed", 1, 2), one);
}

TEST_P(RunOf, StopsAndGoesOn) {
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  std::atomic<bool> stop = false;
  RunOptions options{.folder = path, .stop = &stop};
  std::int64_t seen = 0;
  double rate = 0;
  options.on_progress = [&](const RunProgress& progress) {
    EXPECT_GT(progress.iteration.steps, seen);
    seen = progress.iteration.steps;
    rate = progress.iteration.learning_rate;
    if (progress.done > 0.4) stop = true;
  };
  auto summary = run_training(built_in(GetParam()), small(40'000), options);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_TRUE(summary.value().stopped);
  EXPECT_LT(summary.value().steps, 30'000);
  EXPECT_EQ(saved(path).steps, summary.value().steps);
  EXPECT_TRUE(load_bot(summary.value().bot, built_in(GetParam()).spec));
  check_folder(path, built_in(GetParam()).spec);

  stop = false;
  options.resume = true;
  options.on_progress = [&](const RunProgress& progress) {
    EXPECT_GT(progress.iteration.steps, seen);
    seen = progress.iteration.steps;
    EXPECT_LT(progress.iteration.learning_rate, rate);  // the schedule goes on where it stood
    rate = progress.iteration.learning_rate;
  };
  summary = run_training(built_in(GetParam()), read_run(path).value().config, options);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_FALSE(summary.value().stopped);
  EXPECT_GE(saved(path).steps, 40'000);
  EXPECT_LT(saved(path).steps, 42'000);
  EXPECT_TRUE(load_bot(path + "/bots/final.safetensors", built_in(GetParam()).spec));
  check_folder(path, built_in(GetParam()).spec);
}

// TensorBoard is told from where the second session goes on: session_log START at the step after the state's.
TEST(Run, TellsTensorBoardWhereItGoesOn) {
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  ASSERT_TRUE(train_once(built_in("cartpole"), small(20'000), {.folder = path}));
  const std::int64_t steps = saved(path).steps;
  ASSERT_TRUE(train_once(built_in("cartpole"), small(20'000), {.folder = path, .resume = true}));
  std::string varint = "\x10";
  for (std::int64_t rest = steps + 1; rest; rest >>= 7)
    varint += static_cast<char>((rest & 0x7f) | (rest >> 7 ? 0x80 : 0));
  std::vector<bool> told;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().filename().string().find("tfevents") != std::string::npos) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  for (const std::string& file : files)
    told.push_back(bytes(file).find(varint + "\x3a\x02\x08\x01") != std::string::npos);
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
}

// A process that trains until it is killed, and says each iteration that it has saved.
TEST(Run, SurvivesKillAtAnyMoment) {
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  const GameEntry entry = built_in("tic_tac_toe");
  Random random(Key(4));
  std::int64_t before = 0;
  for (int trial = 0; trial < 10; ++trial) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      RunOptions options{.folder = path, .resume = trial > 0};
      options.on_progress = [&](const RunProgress& progress) {
        const std::int64_t said = progress.iteration.iteration;
        if (::write(pipe[1], &said, sizeof said) != sizeof said) ::_exit(2);
      };
      (void)!run_training(entry, small(1'000'000'000), options).ok();
      ::_exit(1);
    }
    ::close(pipe[1]);
    std::int64_t said = 0;
    const bool began = ::read(pipe[0], &said, sizeof said) == static_cast<ssize_t>(sizeof said);
    ::usleep(static_cast<useconds_t>(random.below(60'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    while (::read(pipe[0], &said, sizeof said) == static_cast<ssize_t>(sizeof said)) {
    }
    ::close(pipe[0]);
    ASSERT_TRUE(began) << "trial " << trial;
    ASSERT_TRUE(WIFSIGNALED(status));
    const Saved state = saved(path);
    EXPECT_TRUE(state.iterations == said || state.iterations == said + 1) << state.iterations << " " << said;
    EXPECT_GT(state.iterations, before);
    before = state.iterations;
  }
  const auto last = train_once(entry, small(1'000'000'000), {.folder = path, .resume = true});
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(saved(path).iterations, before + 1);
  check_folder(path, entry.spec);
}

// A run that was killed before its first state: what it wrote of the first iteration is taken back.
TEST(Run, GoesOnWithoutAState) {
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  ASSERT_TRUE(train_once(built_in("tic_tac_toe"), small(20'000), {.folder = path}));
  fs::remove(path + "/state.safetensors");
  ASSERT_TRUE(train_once(built_in("tic_tac_toe"), small(20'000), {.folder = path, .resume = true}));
  EXPECT_EQ(saved(path).iterations, 1);
  check_folder(path, built_in("tic_tac_toe").spec);
}

// No file may grow beyond a few bytes: the same as a full disk, but for the code.
TEST(Run, AFullDiskIsAnErrorThatHarmsNothing) {
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &usual), 0);
  RunOptions options{.folder = path};
  std::string state;
  options.on_progress = [&](const RunProgress& progress) {
    if (progress.iteration.iteration != 5) return;
    state = bytes(path + "/state.safetensors");
    const rlimit full{1000, usual.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  };
  const auto summary = run_training(built_in("tic_tac_toe"), small(40'000), options);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &usual), 0);
  ASSERT_FALSE(summary);
  EXPECT_NE(summary.error().message.find(path), std::string::npos) << summary.error().message;
  EXPECT_NE(summary.error().message.find("too large"), std::string::npos) << summary.error().message;
  EXPECT_EQ(bytes(path + "/state.safetensors"), state);
  EXPECT_EQ(saved(path).iterations, 5);
  options.on_progress = {};
  options.resume = true;
  const auto resumed = run_training(built_in("tic_tac_toe"), small(40'000), options);
  ASSERT_TRUE(resumed) << resumed.error().message;
  check_folder(path, built_in("tic_tac_toe").spec);
}

// A network so wide that an iteration takes many seconds: a signal and the end of the time are answered within one.
TEST(RunSlow, StopsWithinASecondHoweverWideTheNetwork) {
  TemporaryFolder folder;
  TrainConfig config;
  config.network.hidden = {2048, 2048};
  config.threads = 1;
  config.precision = "f32";
  config.minutes = 10;
  std::atomic<bool> stop = false;
  std::chrono::steady_clock::time_point asked;
  std::jthread signal([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    asked = std::chrono::steady_clock::now();
    stop = true;
  });
  const auto waited = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - asked).count(); };
  const GameEntry game = built_in("cartpole");
  const auto stopped = run_training(game, config, {.folder = folder.file("stopped"), .stop = &stop});
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_TRUE(stopped.value().stopped);
  EXPECT_LT(waited(), 1);
  EXPECT_TRUE(load_bot(stopped.value().bot, game.spec));

  config.minutes = 1.0 / 60;
  asked = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  const auto timed = run_training(game, config, {.folder = folder.file("timed")});
  ASSERT_TRUE(timed) << timed.error().message;
  EXPECT_FALSE(timed.value().stopped);
  EXPECT_LT(waited(), 1);
}

// A script that takes 20 ms a move, 16 s for an evaluation's matches: the run of 3 s ends before that, having met it.
TEST(Run, ASlowScriptDoesNotHoldUpTheRun) {
  TemporaryFolder folder;
  GameEntry game = built_in("tic_tac_toe");
  game.baselines.resize(1);
  game.baselines[0].name = "slow";
  game.baselines[0].make = [] {
    return scripted_agent<TicTacToe>("slow", [](const TicTacToe& g, int, Random&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      int cell = 0;
      while (g.text()[2 * cell] != '.') ++cell;
      return cell;
    });
  };
  TrainConfig config = small(0);
  config.minutes = 3.0 / 60;
  const auto begin = std::chrono::steady_clock::now();
  int evaluations = 0;
  RunOptions options{.folder = folder.file("run")};
  options.on_progress = [&](const RunProgress& p) { evaluations += p.evaluated; };
  const auto summary = run_training(game, config, options);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 12);
  EXPECT_GE(evaluations, 2);
  EXPECT_GT(summary.value().steps, 10'000);
}

TEST(Run, WrongStartsAreErrorsThatSayWhatToDo) {
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  const GameEntry entry = built_in("cartpole");
  const auto complaint = [&](const TrainConfig& config, const RunOptions& options) {
    const auto summary = run_training(entry, config, options);
    return summary ? "" : summary.error().message;
  };
  EXPECT_NE(complaint({}, {.folder = path}).find("needs a budget"), std::string::npos);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_NE(complaint(small(2000), {.folder = path, .resume = true}).find("no run to resume"), std::string::npos);
  EXPECT_EQ(complaint(small(2000), {.folder = path}), "");
  const std::string state = bytes(path + "/state.safetensors");
  EXPECT_NE(complaint(small(2000), {.folder = path}).find("--resume"), std::string::npos);
  EXPECT_EQ(bytes(path + "/state.safetensors"), state);

  ASSERT_TRUE(read_run(path));
  EXPECT_EQ(read_run(path).value().game, "cartpole");
  EXPECT_EQ(read_run(path).value().config.network.hidden, (std::vector<int>{16, 16}));
  ASSERT_TRUE(write_file_atomically(path + "/config.toml", "game = \"cartpole\"\nlerning_rate = 0.1\n"));
  const auto run = read_run(path);
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().message.find(path + "/config.toml"), std::string::npos) << run.error().message;
  EXPECT_NE(run.error().message.find("learning_rate"), std::string::npos) << run.error().message;
}

TEST(Run, ExploitersJoinTheLeagueAndComeBackOnResume) {
  const GameEntry game = built_in("tic_tac_toe");
  TemporaryFolder folder;
  TrainConfig config = small(300'000);
  config.exploiter_share = 0.45;
  const auto first = run_training(game, config, {.folder = folder.file("run")});
  ASSERT_TRUE(first) << first.error().message;
  const auto league = read_league(bytes(folder.file("run") + "/league.json"), "league");
  ASSERT_TRUE(league) << league.error().message;
  int exploiters = 0;
  for (const Snapshot& snapshot : league.value()) exploiters += snapshot.kind == "exploiter";
  EXPECT_GE(exploiters, 1);
  EXPECT_GT(static_cast<int>(league.value().size()), exploiters);
  config.steps = 320'000;
  const auto second = run_training(game, config, {.folder = folder.file("run"), .resume = true});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_GE(second.value().steps, 320'000);
}

// What the state says of the run.
json run_state(const std::string& folder) {
  return json::parse(load_safetensors(folder + "/state.safetensors").value().metadata.at("rival.run"));
}

TEST(Run, AResumedRunDoesNotReplayItsExploitersQuota) {
  const GameEntry game = built_in("tic_tac_toe");
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  TrainConfig config = small(60'000);
  config.exploiter_share = 0.4;
  ASSERT_TRUE(run_training(game, config, {.folder = path}));
  TensorFile state = load_safetensors(path + "/state.safetensors").value();
  while (!state.find("exploiter.parameters")) {  // until one is at work, which goes on with the run
    ASSERT_LT(config.steps += 2'000, 100'000);
    ASSERT_TRUE(run_training(game, config, {.folder = path, .resume = true}));
    state = load_safetensors(path + "/state.safetensors").value();
  }
  const json before = run_state(path);
  EXPECT_GE(before.at("exploiter_steps").get<std::int64_t>(), 40'000);
  const json inner = json::parse(state.metadata.at("exploiter.rival.state"));
  EXPECT_GT(inner.at("steps"), 0);
  EXPECT_LE(inner.at("steps"), before.at("exploiter_steps"));  // less if another one has joined before it
  const int exploiters = before.at("exploiters").get<int>();
  config.steps += 4'000;
  ASSERT_TRUE(run_training(game, config, {.folder = path, .resume = true}));
  const json after = run_state(path);
  EXPECT_LE(after.at("exploiters").get<int>(), exploiters + 1);  // that one, and the next when it has joined
  const auto more = after.at("exploiter_steps").get<std::int64_t>() - before.at("exploiter_steps").get<std::int64_t>();
  EXPECT_GT(more, 0);
  EXPECT_LT(more, 8'000);  // a replay would be 40,000
}

TEST(Run, ExploitersHaveTheShapeOfTheBotThatTheRunStartsFrom) {
  const GameEntry game = built_in("tic_tac_toe");
  TemporaryFolder folder;
  TrainConfig narrow = small(10'000);
  narrow.network.hidden = {8, 8};
  const auto first = run_training(game, narrow, {.folder = folder.file("narrow")});
  ASSERT_TRUE(first) << first.error().message;
  const Bot bot = load_bot(first.value().bot, game.spec).value();
  TrainConfig config = small(20'000);
  config.exploiter_share = 0.4;
  config.network.hidden = {};
  const auto second = run_training(game, config, {.folder = folder.file("from"), .start = &bot});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(read_run(folder.file("from")).value().config.network.hidden, (std::vector<int>{8, 8}));
}

TEST(Run, SaysThatTheBudgetIsUsedUpAndWhereTheLearningRateGoesOn) {
  const GameEntry game = built_in("cartpole");
  TemporaryFolder folder;
  const std::string path = folder.file("run");
  TrainConfig config = small(20'000);
  config.learning_rate = 0.001;
  const auto first = run_training(game, config, {.folder = path});
  ASSERT_TRUE(first);
  EXPECT_EQ(first.value().end, RunEnd::budget);
  const auto again = run_training(game, config, {.folder = path, .resume = true});
  ASSERT_TRUE(again);
  EXPECT_EQ(again.value().end, RunEnd::spent);
  EXPECT_EQ(again.value().steps, first.value().steps);

  const auto rates = [&](Schedule schedule, std::int64_t steps) {
    std::vector<double> all;
    std::string told;
    RunOptions options{.folder = path, .resume = true, .schedule = schedule};
    options.on_progress = [&](const RunProgress& p) { all.push_back(p.iteration.learning_rate); };
    options.on_message = [&](const std::string& text) { told += text; };
    config.steps = steps;
    const auto summary = run_training(game, config, options);
    EXPECT_TRUE(summary && summary.value().end == RunEnd::budget);
    EXPECT_NE(told.find("learning rate"), std::string::npos);
    return all;
  };
  // Where it stood, at a twentieth; as at the start, and down again.
  for (double rate : rates(Schedule::go_on, 30'000)) EXPECT_NEAR(rate, 0.00005, 1e-5);
  const auto restarted = rates(Schedule::restart, 60'000);
  EXPECT_NEAR(restarted.front(), 0.001, 1e-9);
  EXPECT_LT(restarted.back(), 0.0002);
  EXPECT_NEAR(rates(Schedule::automatic, 80'000).front(), 0.001, 1e-9);  // it was finished
  EXPECT_EQ(read_run(path).value().config.steps, 80'000);                // what was changed on the way stays so
}

TEST(Run, ConfigTomlHoldsTheValuesInForce) {
  TemporaryFolder folder;
  for (const char* name : {"tic_tac_toe", "cartpole", "kuhn_poker", "lanes"}) {
    const GameEntry game = built_in(name);
    TrainConfig config;
    const TrainConfig forced = Trainer::make(game, config).value()->resolved().options;
    EXPECT_GT(forced.learning_rate, 0);
    EXPECT_GE(forced.entropy, 0);
    EXPECT_GE(forced.network.memory, 0);
    EXPECT_FALSE(forced.network.hidden.empty());
    EXPECT_TRUE(forced.matchmaking.value);
    // Given as options, they are themselves.
    const TrainConfig twice = Trainer::make(game, forced).value()->resolved().options;
    TrainConfig a = forced, b = twice;
    EXPECT_EQ(write_toml(option_rows(a)), write_toml(option_rows(b))) << name;
  }
  ASSERT_TRUE(run_training(built_in("cartpole"), small(3000), {.folder = folder.file("run")}));
  EXPECT_EQ(read_run(folder.file("run")).value().config.learning_rate, 0.003);
}

TEST(Run, KeepsTheBestBotAndSaysWhyAndStopsWithoutABetterOne) {
  const GameEntry game = built_in("cartpole");
  TemporaryFolder folder;
  TrainConfig config = small(200'000);
  config.learning_rate = 1e-7;  // nothing is learnt
  config.patience = 2;
  const auto idle = run_training(game, config, {.folder = folder.file("idle")});
  ASSERT_TRUE(idle) << idle.error().message;
  EXPECT_EQ(idle.value().end, RunEnd::patience);
  EXPECT_LT(idle.value().steps, 150'000);
  EXPECT_TRUE(idle.value().warnings.empty());
  // The control: one that learns goes on, and its best is a later one.
  config.learning_rate = 0.003;
  const auto learning = run_training(game, config, {.folder = folder.file("learning")});
  ASSERT_TRUE(learning) << learning.error().message;
  EXPECT_GT(learning.value().steps, idle.value().steps);
  ASSERT_TRUE(learning.value().best);
  EXPECT_GT(learning.value().best->steps, 20'000);
  EXPECT_NE(learning.value().best->chosen_by.find("mean score of 100 episodes"), std::string::npos);
  const auto bot = load_bot(learning.value().best->path, game.spec);
  ASSERT_TRUE(bot);
  EXPECT_EQ(bot.value().steps, learning.value().best->steps);
  for (const std::string& warning : learning.value().warnings) ADD_FAILURE() << warning;
}

TEST(Run, WarnsWhenTheLearningRateIsRuinous) {
  for (const char* name : {"tic_tac_toe", "cartpole"})
    for (std::int64_t seed : {1, 2, 3}) {
      TemporaryFolder folder;
      TrainConfig config = small(20'000);
      config.seed = seed;
      const auto healthy = run_training(built_in(name), config, {.folder = folder.file("healthy")});
      ASSERT_TRUE(healthy);
      EXPECT_TRUE(healthy.value().warnings.empty()) << healthy.value().warnings.front();
      config.learning_rate = 1;
      std::string told;
      RunOptions options{.folder = folder.file("ruined")};
      options.on_message = [&](const std::string& text) { told += text; };
      const auto ruined = run_training(built_in(name), config, options);
      ASSERT_TRUE(ruined);
      ASSERT_FALSE(ruined.value().warnings.empty()) << name << " " << seed;
      EXPECT_NE(told.find("learning_rate (here 1, the program's choice is 0.003)"), std::string::npos) << told;
      EXPECT_NE(bytes(folder.file("ruined") + "/metrics.jsonl").find("\"warnings\""), std::string::npos);
    }
}

}  // namespace
}  // namespace rival
