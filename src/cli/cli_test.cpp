#include "cli/cli.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "cli/captured.hpp"
#include "cli/command.hpp"
#include "cli/live_view.hpp"
#include "game/replay.hpp"
#include "games/catalog.hpp"
#include "train/config.hpp"
#include "train/run.hpp"

namespace rival::cli {
namespace {

using Ran = Captured;

// Runs `rival` with these arguments, and this text on standard input.
Ran rival_with(const std::string& input, const std::vector<std::string>& arguments) {
  std::istringstream stream(input);
  std::streambuf* before = std::cin.rdbuf(stream.rdbuf());
  Ran ran = capture(arguments);
  std::cin.rdbuf(before);
  std::cin.clear();
  return ran;
}
Ran rival_(std::vector<std::string> arguments) {
  return rival_with("", std::move(arguments));
}

// The object that --json prints; stdout must hold nothing else.
Json json_of(const Ran& ran) {
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1) << ran.out;
  return Json::parse(ran.out, nullptr, false);
}

void expect_keys(const Json& json, std::initializer_list<const char*> keys) {
  for (const char* key : keys) EXPECT_TRUE(json.contains(key)) << key << " is not in " << json.dump();
}

const char* const kCommands[] = {"games", "check", "train", "eval",   "ladder", "balance",
                                 "play",  "watch", "bench", "export", "shrink", "serve"};

TEST(Cli, HelpShowsEveryCommandWithExamples) {
  const Ran overview = rival_({"help"});
  EXPECT_EQ(overview.exit_code, 0);
  for (const std::string command : kCommands) {
    EXPECT_NE(overview.out.find("rival " + command), std::string::npos) << command;
    const Ran help = rival_({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.out.find("Examples:\n  rival "), std::string::npos) << help.out;
    EXPECT_NE(help.out.find("--json"), std::string::npos);
    EXPECT_EQ(rival_({"help", command}).out, help.out);
  }
}

TEST(Cli, ExamplesOfHelpNameKnownOptions) {
  for (const std::string command : kCommands) {
    const std::string help = rival_({command, "--help"}).out;
    const std::size_t examples = help.find("Examples:");
    std::istringstream words(help.substr(examples));
    for (std::string word; words >> word;)
      if (word.starts_with("--")) {
        EXPECT_LT(help.find(word), examples) << command << " has no " << word;
      }
  }
}

TEST(Cli, HelpOfTrainListsWhatCanBeSet) {
  const std::string help = rival_({"help", "train"}).out;
  const std::size_t section = help.find("\nWhat --set takes, with its default:\n");
  ASSERT_NE(section, std::string::npos) << help;
  TrainConfig config;
  for (const OptionRow& row : option_rows(config)) {
    const std::size_t line = help.find("\n  " + row.key + "=" + value_text(row) + " ", section);
    ASSERT_NE(line, std::string::npos) << row.key;
    EXPECT_LT(help.find(row.help, line), help.find('\n', line + 1)) << row.key;
  }
  EXPECT_NE(help.find("\n  learning_rate=0 ", section), std::string::npos);
  EXPECT_NE(help.find("\n  lambda=0.95 ", section), std::string::npos);
  for (const char* line : {"\n  --until-score TEXT  The run ends when", "\n  --patience TEXT     The run ends after"})
    EXPECT_LT(help.find(line), section) << line;
}

TEST(Cli, WrongUsageNamesTheNearest) {
  struct Case {
    std::vector<std::string> arguments;
    const char* part;
  };
  const Case cases[] = {
      {{"tran", "cartpole"}, "'train'"},
      {{"check", "conect_four"}, "'connect_four'"},
      {{"eval", "random", "--game", "pig", "--agianst", "random"}, "'--against'"},
      {{"eval", "random", "--game", "connect_four", "--against", "grady"}, "'greedy'"},
      {{"eval", "randm", "--game", "pig"}, "'random'"},
      {{"eval", "random"}, "--game"},
      {{"play", "pig", "optimum"}, "'optimal'"},
      {{"play", "pig", "random", "--seat", "2"}, "0 to 1"},
      {{"train", "cartpole", "--set", "epoch=3"}, "'epochs'"},
      {{"train", "cartpole", "--hidden", "64y"}, "hidden"},
      {{"train", "cartpole", "--precision", "bf61"}, "'bf16'"},
      {{"train", "cartpole", "--set", "matchmaking=hrad"}, "'hard'"},
      {{"train", "cartpole", "--resume", "--schedule", "restrat"}, "'restart'"},
      {{"train", "cartpole", "--schedule", "restart"}, "--resume"},
      {{"train"}, "GAME"},
      {{"export", "x.safetensors", "--format", "onx"}, "'onnx'"},
      {{"check", "pig", "--matches", "-3"}, "--matches"},
  };
  for (const Case& c : cases) {
    const Ran ran = rival_(c.arguments);
    EXPECT_EQ(ran.exit_code, 2) << c.part;
    EXPECT_NE(ran.err.find(c.part), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_EQ(rival_({}).exit_code, 2);
}

TEST(Cli, FailuresNameTheFile) {
  const TemporaryFolder folder;
  const std::string bad = folder.path() + "/bad.safetensors", missing = folder.path() + "/none.safetensors";
  std::ofstream(bad) << "not a bot";
  for (const std::string& path : {bad, missing})
    for (std::vector<std::string> arguments :
         {std::vector<std::string>{"eval", path}, {"play", "pig", path}, {"export", path}, {"eval", path, "--json"}}) {
      const Ran ran = rival_(arguments);
      EXPECT_EQ(ran.exit_code, 1) << arguments[0];
      EXPECT_NE(ran.err.find(path), std::string::npos) << ran.err;
      if (arguments.back() != "--json") continue;
      EXPECT_TRUE(json_of(ran).contains("error"));
    }
}

TEST(Cli, GamesListsTheCatalog) {
  const Json json = json_of(rival_({"games", "--json"}));
  ASSERT_EQ(json["games"].size(), catalog().size());
  for (const Json& game : json["games"]) expect_keys(game, {"name", "seats", "observation", "action", "judges"});
  EXPECT_EQ(json_of(rival_({"games", "pig", "--json"}))["name"], "pig");
  EXPECT_NE(rival_({"games"}).out.find("connect_four"), std::string::npos);
}

TEST(Cli, ASearchPlaysWhereverPlayersAreNamed) {
  const TemporaryFolder folder;
  const Ran eval =
      rival_({"eval", "random", "--game", "connect_four", "--against", "search:20", "--matches", "20", "--json"});
  EXPECT_EQ(eval.exit_code, 0) << eval.err;
  EXPECT_EQ(json_of(eval)["opponent"], "search:20");
  EXPECT_LT(json_of(eval)["score"], 0.4);
  EXPECT_EQ(rival_({"eval", "search:5", "--game", "pendulum", "--matches", "2"}).exit_code, 0);
  EXPECT_EQ(rival_with("b2\nq\n", {"play", "tic_tac_toe", "search:5"}).exit_code, 0);
  const Ran watch = rival_({"watch", "search:5", "--game", "tic_tac_toe", "--out", folder.path() + "/match.html"});
  EXPECT_EQ(watch.exit_code, 0) << watch.err;
  const Ran none = rival_({"eval", "random", "--game", "pig", "--against", "search:0"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.err.find("search:N must be a whole number from 1"), std::string::npos) << none.err;
  EXPECT_NE(rival_({"games", "pig"}).out.find("search:N"), std::string::npos);
}

TEST(Cli, CheckPassesBuiltInGames) {
  const Ran ran = rival_({"check", "tic_tac_toe", "--json"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(json_of(ran)["passed"], true);
  EXPECT_NE(ran.err.find("masks"), std::string::npos);
}

TEST(Cli, EvalGivesScoresWithIntervals) {
  const Ran ran = rival_({"eval", "greedy", "--game", "connect_four", "--matches", "200", "--json"});
  const Json json = json_of(ran);
  expect_keys(json, {"wins", "draws", "losses", "score", "score_low", "score_high", "by_seat"});
  EXPECT_EQ(json["wins"].get<int>() + json["draws"].get<int>() + json["losses"].get<int>(), 200);
  EXPECT_GT(json["score_low"], 0.8);
  EXPECT_LE(json["score"], json["score_high"]);
  EXPECT_EQ(json_of(rival_({"eval", "greedy", "--game", "connect_four", "--matches", "200", "--json"})), json);
}

TEST(Cli, EvalByAJudgeGivesItsFigures) {
  const Json json = json_of(
      rival_({"eval", "random", "--game", "kuhn_poker", "--against", "best-response", "--matches", "100", "--json"}));
  expect_keys(json, {"wins", "score", "nash_conv", "opponent"});
  EXPECT_NEAR(json["nash_conv"], 0.916667, 1e-5);
  EXPECT_EQ(json["matches"], 100);
  EXPECT_EQ(json["opponent"], "random");
}

TEST(Cli, AJudgeJudgesAndNoMatchesArePlayedUnasked) {
  const Ran ran = rival_({"eval", "random", "--game", "tic_tac_toe", "--against", "best-response", "--json"});
  const Json json = json_of(ran);
  EXPECT_EQ(ran.err.find("matches"), std::string::npos) << ran.err;
  EXPECT_EQ(json["matches"], 0);
  EXPECT_TRUE(json["score"].is_null() && json["opponent"].is_null()) << json;
  EXPECT_GT(json["nash_conv"], 1);
  // One that is a scripted player as well plays.
  EXPECT_EQ(json_of(rival_({"eval", "hold20", "--game", "pig", "--against", "optimal", "--json"}))["matches"], 1000);
  const Ran large = rival_({"eval", "random", "--game", "pig", "--against", "best-response"});
  EXPECT_EQ(large.exit_code, 1);
  EXPECT_NE(large.err.find("pig"), std::string::npos) << large.err;
  for (const char* setting : {"goal=50", "head_start=4"}) {
    const Ran rules = rival_({"eval", "hold20", "--game", "pig", "--against", "optimal", "--parameter", setting});
    EXPECT_EQ(rules.exit_code, 2);
    EXPECT_NE(rules.err.find("the judge optimal knows the default rules only"), std::string::npos) << rules.err;
  }
}

TEST(Cli, EvalSavesReplays) {
  const TemporaryFolder folder;
  EXPECT_EQ(rival_({"eval", "random", "--game", "pig", "--matches", "4", "--replays", folder.path() + "/r"}).exit_code,
            0);
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/r/match-0003.replay"));
}

TEST(Cli, TrainEvalPlayAndExportABot) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/run", onnx = folder.path() + "/bot.onnx";
  const Ran trained = rival_({"train", "tic_tac_toe", "--steps", "3e4", "--hidden", "32x32", "--out", out, "--json"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Json json = json_of(trained);
  expect_keys(json, {"game", "steps", "seconds", "steps_per_second", "score", "bot"});
  EXPECT_GE(json["steps"], 30000);
  const std::string bot = json["bot"];
  EXPECT_TRUE(std::filesystem::exists(bot));

  EXPECT_EQ(rival_({"train", "tic_tac_toe", "--steps", "3e4", "--out", out}).exit_code, 1);  // it is there already
  EXPECT_EQ(rival_({"train", "pig", "--resume", "--out", out}).exit_code, 1);                // of another game
  const Json resumed = json_of(rival_({"train", "tic_tac_toe", "--resume", "--steps", "6e4", "--out", out, "--json"}));
  EXPECT_GE(resumed["steps"], 60000);

  EXPECT_GT(json_of(rival_({"eval", out, "--json"}))["score"], 0.5);
  EXPECT_EQ(rival_({"eval", bot, "--game", "pig"}).exit_code, 1);
  EXPECT_EQ(rival_({"play", "pig", bot}).exit_code, 1);
  EXPECT_NE(rival_({"play", "tic_tac_toe", bot, "--seat", "1"}).out.find("Rival thinks"), std::string::npos);
  EXPECT_EQ(rival_({"export", bot, "--out", onnx}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(onnx));

  // A file cut short.
  std::filesystem::resize_file(bot, std::filesystem::file_size(bot) / 2);
  EXPECT_EQ(rival_({"eval", bot}).exit_code, 1);
}

TEST(Cli, ShrinkMeasuresSmallerBotsAndChoosesOne) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  json_of(rival_({"train", "tic_tac_toe", "--steps", "1e5", "--out", run, "--json"}));
  const Ran ran = rival_({"shrink", run, "--minutes", "0.02", "--matches", "200", "--hidden", "32x16", "--hidden", "8",
                          "--to-kb", "12", "--json"});
  const Json json = json_of(ran);
  expect_keys(json, {"game", "original", "bots", "chosen"});
  ASSERT_EQ(json["bots"].size(), 2u);
  for (const Json& bot : json["bots"]) {
    expect_keys(bot, {"bot", "hidden", "bytes", "microseconds", "elo", "elo_low", "elo_high"});
    EXPECT_LE(bot["elo_low"], bot["elo"]);
    EXPECT_LE(bot["elo"], bot["elo_high"]);
    EXPECT_LT(bot["bytes"], json["original"]["bytes"]);
    EXPECT_EQ(std::filesystem::file_size(bot["bot"].get<std::string>()), bot["bytes"]);
    EXPECT_TRUE(bot["bot"].get<std::string>().starts_with(run + "/small/")) << bot;
    EXPECT_GT(json_of(rival_({"eval", bot["bot"].get<std::string>(), "--json"}))["score"], 0.5)
        << "against random play";
  }
  EXPECT_EQ(json["bots"][0]["hidden"], "32x16");
  EXPECT_LE(json["bots"][1]["bytes"], 12'000);
  const std::string chosen = json["chosen"];
  EXPECT_LE(std::filesystem::file_size(chosen), 12'000u);

  const Ran none = rival_({"shrink", run, "--minutes", "0.01", "--matches", "2", "--hidden", "8", "--to-kb", "0.1"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.out.find("none fits"), std::string::npos) << none.out;
  EXPECT_EQ(rival_({"shrink", run, "--hidden", "8x"}).exit_code, 2);
  EXPECT_EQ(rival_({"shrink", folder.path() + "/nothing"}).exit_code, 1);
  // The options of the run are those of self-play: none are made up where they cannot be read.
  std::ofstream(run + "/config.toml") << "x = 3\n";
  const Ran broken = rival_({"shrink", run + "/bots/final.safetensors", "--hidden", "8", "--minutes", "0.01"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_NE(broken.err.find("config.toml:1"), std::string::npos) << broken.err;
}

// With one team there is nobody to be stronger than: what counts is the return.
TEST(Cli, ShrinkMeasuresReturnsWhereNobodyIsPlayedAgainst) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  json_of(rival_({"train", "cartpole", "--steps", "3e4", "--out", run, "--json"}));
  const Json json = json_of(rival_({"shrink", run, "--minutes", "0.02", "--matches", "50", "--hidden", "8", "--out",
                                    folder.path() + "/small", "--json"}));
  expect_keys(json["original"], {"mean_return", "mean_return_low", "mean_return_high"});
  expect_keys(json["bots"][0], {"mean_return", "mean_return_low", "mean_return_high"});
  EXPECT_GT(json["bots"][0]["mean_return"], 25) << "random play has 22";
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/small/8.safetensors"));
}

TEST(Cli, BenchGivesItsFigures) {
  const TemporaryFolder folder;
  const Ran ran = rival_({"bench", "tic_tac_toe", "--seconds", "0.02", "--results", folder.path(), "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json json = json_of(ran);
  expect_keys(
      json, {"env_steps_per_second", "inference_samples_per_second", "decision_microseconds", "train_steps_per_second",
             "update_gflops", "peak_gflops", "threads", "isa", "precision", "epochs", "hidden"});
  for (const char* key : {"env_steps_per_second", "decision_microseconds", "train_steps_per_second", "update_gflops"})
    EXPECT_GT(json[key], 0) << key;
  EXPECT_LT(json["update_gflops"], json["peak_gflops"]);
  const auto results = std::filesystem::directory_iterator(folder.path());
  std::ifstream file(results->path());
  EXPECT_EQ(Json::parse(file)["hidden"], json["hidden"]);
}

// Of a match that was recorded.
Settings settings_of(const std::string& path) {
  const std::string bytes = read_file(path).value();
  return parse_replay(std::as_bytes(std::span(bytes)), path).value().settings;
}

TEST(Cli, ServeRefusesWhatCannotBeServedOrIsOpenToAll) {
  const TemporaryFolder folder;
  const Ran none = rival_({"serve", folder.file("none")});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.err.find("none"), std::string::npos) << none.err;
  const Ran nothing = rival_({"serve"});
  EXPECT_EQ(nothing.exit_code, 2);
  const std::string run = folder.file("run");
  ASSERT_EQ(rival_({"train", "tic_tac_toe", "--steps", "1000", "--hidden", "8", "--out", run}).exit_code, 0);
  const Ran open = rival_({"serve", run, "--host", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_NE(open.err.find("give --token-file"), std::string::npos) << open.err;
  ASSERT_TRUE(write_file_atomically(folder.file("token"), "short\n"));
  const Ran guessed = rival_({"serve", run, "--port", "0", "--token-file", folder.file("token")});
  EXPECT_EQ(guessed.exit_code, 1);
  EXPECT_NE(guessed.err.find("too easy to guess"), std::string::npos) << guessed.err;
  const Ran twice = rival_({"serve", run, run, "--port", "0"});
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_NE(twice.err.find("two bots would be called 'run'"), std::string::npos) << twice.err;
}

TEST(Cli, BenchServePutsALoadOnAServer) {
  const TemporaryFolder folder;
  const std::string run = folder.file("run");
  ASSERT_EQ(rival_({"train", "tic_tac_toe", "--steps", "1000", "--hidden", "8", "--out", run}).exit_code, 0);
  const Ran ran = rival_({"bench", "serve", run, "--sessions", "50", "--rate", "10", "--seconds", "1", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  expect_keys(json, {"sessions", "decisions_per_second", "p50_ms", "p99_ms", "p999_ms", "missed_share",
                     "server_cpu_seconds", "seconds"});
  EXPECT_EQ(json["decisions_per_second"], 500);
  EXPECT_GT(json["server_cpu_seconds"], 0);
  const Ran http = rival_({"bench", "serve", run, "--http", "--sessions", "3", "--seconds", "0.5", "--json"});
  ASSERT_EQ(http.exit_code, 0) << http.err;
  const Json predictions = Json::parse(http.out);
  expect_keys(predictions, {"connections", "requests_per_second", "p50_ms", "p99_ms", "server_cpu_seconds", "seconds"});
  EXPECT_EQ(predictions["connections"], 3);
  EXPECT_GT(predictions["requests_per_second"], 0);
  EXPECT_LE(predictions["p50_ms"], predictions["p99_ms"]);
  EXPECT_EQ(rival_({"bench", "serve", run, "--http", "--rate", "10"}).exit_code, 2);
  EXPECT_EQ(rival_({"bench", "serve"}).exit_code, 2);
  for (const char* kind : {"serve", "runtime"}) {
    const Ran trained = rival_({"bench", kind, run, "--hidden", "8"});
    EXPECT_EQ(trained.exit_code, 2) << kind;
    EXPECT_NE(trained.err.find("--hidden is of training"), std::string::npos) << trained.err;
  }
  EXPECT_EQ(rival_({"bench", "serve", "bot", "--url", "nowhere"}).exit_code, 2);
}

TEST(Cli, EveryCommandThatPlaysTakesPicks) {
  for (const char* const command : kCommands) {
    const bool plays =
        command != std::string("games") && command != std::string("export") && command != std::string("serve");
    EXPECT_EQ(rival_({"help", command}).out.find("--pick TEXT") != std::string::npos, plays) << command;
  }
  const std::vector<std::string> commands[] = {{"check", "lanes"},
                                               {"train", "lanes"},
                                               {"eval", "random", "--game", "lanes"},
                                               {"play", "lanes", "random"},
                                               {"watch", "random", "--game", "lanes", "--out", "x.html"},
                                               {"bench", "lanes"}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"--pick", "hero=wardne"});
    const Ran ran = rival_(command);
    EXPECT_EQ(ran.exit_code, 2) << command[0];
    EXPECT_NE(ran.err.find("unknown hero 'wardne'; did you mean 'Warden'"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(rival_({"eval", "hold20", "--game", "pig", "--against", "optimal", "--pick", "hero=x"}).exit_code, 2);
}

TEST(Cli, PicksOfARunStayWithIt) {
  const TemporaryFolder folder;
  const std::string out = folder.file("run"), page = folder.file("page.html"), match = folder.file("match.replay");
  const auto picks = [](int first, int second) {
    std::vector<int> all(10, -1);
    all[0] = first;
    all[5] = second;
    return all;
  };
  ASSERT_EQ(rival_({"watch", "random", "--game", "lanes", "--parameter", "team_size=1", "--pick",
                    "team0.hero=duelist,drawn", "--out", page, "--save", match})
                .exit_code,
            0);
  EXPECT_EQ(settings_of(match).picks, picks(2, -1));

  const Ran trained = rival_({"train", "lanes", "--steps", "1e4", "--hidden", "8x8", "--set", "rows=64", "--parameter",
                              "team_size=1", "--parameter", "minutes=2", "--pick", "0.hero=warden", "--out", out});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  ASSERT_EQ(
      rival_({"train", "lanes", "--resume", "--steps", "2e4", "--pick", "5.hero=duelist", "--out", out}).exit_code, 0);
  EXPECT_EQ(read_run(out).value().config.picks, "0.hero=warden,5.hero=duelist");
  // Matches of its bots are such as it trained for, unless others are asked for.
  const std::vector<std::string> eval = {"eval", out, "--matches", "2", "--replays", folder.file("replays")};
  ASSERT_EQ(rival_(eval).exit_code, 0);
  const Settings own = settings_of(folder.file("replays/match-0001.replay"));
  EXPECT_EQ(own.picks, picks(0, 2));
  EXPECT_EQ(own.parameters[0], 1);
  std::vector<std::string> other = eval;
  other.insert(other.end(), {"--pick", "hero=drawn"});
  const Ran ran = rival_(other);
  EXPECT_NE(ran.out.find("trained or rated under other settings: team_size=1 minutes=2 0.hero=Warden 5.hero=Duelist"),
            std::string::npos)
      << ran.out;
  const Settings drawn = settings_of(folder.file("replays/match-0001.replay"));
  EXPECT_EQ(drawn.picks, picks(-1, -1));
  EXPECT_EQ(drawn.parameters[0], 1);

  const Json ladder = json_of(rival_({"ladder", out, "--matches", "1", "--json"}));
  EXPECT_EQ(ladder["picks"].get<std::vector<int>>(), picks(0, 2));
  EXPECT_NE(rival_({"ladder", out, "--matches", "1", "--pick", "hero=drawn"}).err.find("under other rules"),
            std::string::npos);
}

TEST(Cli, ParametersMayBeDrawnForEveryMatch) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  const Ran trained = rival_({"train", "pig", "--parameter", "goal=20..40", "--steps", "3000", "--set", "rows=64",
                              "--threads", "1", "--out", run});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto eval = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"eval", run, "--matches", "20"});
    return rival_(more);
  };
  for (const Ran& ran : {eval({}), eval({"--parameter", "goal=25"}), eval({"--parameter", "goal=20,30"})}) {
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out.find("other settings"), std::string::npos) << ran.out;
  }
  const Ran outside = eval({"--parameter", "goal=50"});
  EXPECT_EQ(outside.exit_code, 1);
  EXPECT_NE(outside.out.find("other settings: goal=20..40"), std::string::npos) << outside.out;
  EXPECT_NE(outside.err.find("run' learnt to play with goal from 20 to 40, not 50"), std::string::npos) << outside.err;

  EXPECT_EQ(rival_with("q\n", {"play", "pig", run}).exit_code, 0);
  const Ran watched = rival_({"watch", run, "--parameter", "goal=30", "--out", folder.path() + "/match.html"});
  EXPECT_EQ(watched.exit_code, 0) << watched.err;
  // What it was trained for goes without saying.
  for (const std::string& player : {run, std::string("random")}) {
    const Ran own = rival_({"watch", player, "--against", run, "--game", "pig", "--out", folder.path() + "/own.html",
                            "--save", folder.file("own.replay")});
    EXPECT_EQ(own.exit_code, 0) << own.err;
    const double goal = settings_of(folder.file("own.replay")).parameters.at(0);
    EXPECT_TRUE(goal >= 20 && goal <= 40) << goal;
  }
  const Ran grown = rival_({"train", "pig", "--from", run, "--parameter", "all=any", "--steps", "1000", "--set",
                            "rows=64", "--threads", "1", "--out", folder.path() + "/grown"});
  EXPECT_EQ(grown.exit_code, 0) << grown.err;
  EXPECT_NE(grown.out.find("observation 'rules': goal is kept"), std::string::npos) << grown.out;
  const Ran single = rival_({"check", "pig", "--parameter", "goal=20..40"});
  EXPECT_EQ(single.exit_code, 2);
  EXPECT_NE(single.err.find("--parameter goal must be one value here"), std::string::npos) << single.err;
  EXPECT_EQ(rival_({"eval", "random", "--game", "pig", "--matches", "20", "--parameter", "all=any"}).exit_code, 0);
}

TEST(Cli, ParametersLieOnTheirSteps) {
  const Ran ran = rival_({"eval", "random", "--game", "lanes", "--parameter", "team_size=2.5"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("--parameter team_size must be a whole number from 1 to 5, not '2.5'"), std::string::npos)
      << ran.err;
  EXPECT_NE(rival_({"games", "pig"}).out.find("goal = 100, a whole number from 10 to 1000: points that win"),
            std::string::npos);
  EXPECT_EQ(json_of(rival_({"games", "pig", "--json"}))["parameters"][0]["step"], 1);
}

TEST(Play, ThroughAPipe) {
  const Ran ran = rival_with("b2\nB2\nz9\nh\nu\nu\na1\n?\nq\n", {"play", "tic_tac_toe", "random", "--seed", "1"});
  EXPECT_EQ(ran.exit_code, 0);
  for (const char* part : {"move first", ". X .", "b2 is not allowed now", "There is no move 'z9'", "would play",
                           "There is nothing to take back", "X . .", "q  quit"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << " is not in\n" << ran.out;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);  // no colours into a pipe
}

TEST(Play, AWholeMatchIsCounted) {
  std::string moves;
  for (const char* cell : {"a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"}) moves += std::string(cell) + "\n";
  const Ran ran = rival_with(moves + moves, {"play", "tic_tac_toe", "random", "--seat", "0", "--seed", "3", "--json"});
  EXPECT_EQ(ran.exit_code, 0);
  const Json json = json_of(ran);
  EXPECT_EQ(json["wins"].get<int>() + json["draws"].get<int>() + json["losses"].get<int>(), 1) << ran.err;
  EXPECT_NE(ran.err.find("Play again"), std::string::npos);
}

TEST(Play, HiddenCardsStayHidden) {
  const Ran ran = rival_with("q\n", {"play", "kuhn_poker", "equilibrium", "--seat", "0", "--seed", "1"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.out.find("Your move"), std::string::npos);
  EXPECT_EQ(ran.out.find("thinks"), std::string::npos);
}

TEST(Play, ContinuousActionsAndWatching) {
  const Ran ran = rival_with("9\n0.5\nq\n", {"play", "pendulum", "random"});
  EXPECT_NE(ran.out.find("needs a number from"), std::string::npos) << ran.out;
  EXPECT_NE(rival_({"play", "cartpole", "random", "--watch"}).out.find("Return of seat 0"), std::string::npos);
}

TEST(LiveView, Texts) {
  EXPECT_EQ(clock_text(7), "0:07");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(progress_bar(0.5, 4), "██░░");
  EXPECT_EQ(sparkline({0, 1}, 10), "▁█");
  EXPECT_EQ(sparkline({0, 0, 1, 1, 4, 4}, 3), "▁▂█");
  EXPECT_EQ(sparkline({}, 3), "");
  EXPECT_GT(process_seconds(), 0);
}

}  // namespace
}  // namespace rival::cli
