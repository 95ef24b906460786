#include "train/run_folder.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/faulty_file_system.hpp"
#include "base/temporary_folder.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(RunFolder, KeepsWhatItIsGiven) {
  TemporaryFolder folder;
  const std::string path = folder.file("runs/one");
  const std::vector<Snapshot> league = {{"0001", 1000, "2026-01-02T03:04:05Z", {}}, {"0002", 2000, "", 1200.5}};
  {
    RunFolder run = RunFolder::create(path, "seed = 1\n").value();
    EXPECT_FALSE(run.has_state());
    ASSERT_TRUE(run.save_bot("0001", "bot one"));
    ASSERT_TRUE(run.set_snapshots(league));
    ASSERT_TRUE(run.append_metrics(R"({"steps":1000})"));
    ASSERT_TRUE(run.save_state("state"));
  }
  const RunFolder run = RunFolder::open(path).value();
  EXPECT_EQ(run.config().value(), "seed = 1\n");
  EXPECT_EQ(run.load_state().value(), "state");
  EXPECT_TRUE(run.has_state());
  EXPECT_EQ(run.snapshots(), league);
  EXPECT_EQ(read_file(run.metrics_path()).value(), "{\"steps\":1000}\n");
  EXPECT_EQ(read_file(path + "/bots/0001.safetensors").value(), "bot one");
}

TEST(RunFolder, ARunIsNotStartedOverAnother) {
  TemporaryFolder folder;
  { ASSERT_TRUE(RunFolder::create(folder.file("run"), "seed = 1\n")); }
  const Result<RunFolder> again = RunFolder::create(folder.file("run"), "seed = 2\n");
  ASSERT_FALSE(again);
  EXPECT_TRUE(has(again.error().message, "already holds a run")) << again.error().message;
  EXPECT_TRUE(has(again.error().message, "--resume"));
  EXPECT_EQ(RunFolder::open(folder.file("run")).value().config().value(), "seed = 1\n");
}

TEST(RunFolder, NothingToResumeIsAnError) {
  TemporaryFolder folder;
  EXPECT_TRUE(has(RunFolder::open(folder.path()).error().message, "holds no run to resume"));
  EXPECT_FALSE(fs::exists(folder.file(".lock")));
  EXPECT_FALSE(RunFolder::open(folder.file("none")));
}

TEST(RunFolder, OneProcessAtATime) {
  TemporaryFolder folder;
  Result<RunFolder> run = RunFolder::create(folder.file("run"), "");
  ASSERT_TRUE(run);
  const Result<RunFolder> second = RunFolder::open(folder.file("run"));
  ASSERT_FALSE(second);
  EXPECT_TRUE(has(second.error().message, "in use by process " + std::to_string(::getpid()))) << second.error().message;
  run = Error{"closed"};
  EXPECT_TRUE(RunFolder::open(folder.file("run")));
}

TEST(RunFolder, RewindTakesBackLaterMetricsAndSnapshots) {
  TemporaryFolder folder;
  RunFolder run = RunFolder::create(folder.file("run"), "").value();
  for (const char* line : {R"({"steps":100})", R"({"note":"no steps"})", R"({"steps":200})", R"({"steps":300})"})
    ASSERT_TRUE(run.append_metrics(line));
  ASSERT_TRUE(run.set_snapshots({{"a", 100, "", {}}, {"b", 300, "", {}}}));
  ASSERT_TRUE(run.rewind(200));
  ASSERT_TRUE(run.append_metrics(R"({"steps":250})"));
  EXPECT_EQ(read_file(run.metrics_path()).value(),
            "{\"steps\":100}\n{\"note\":\"no steps\"}\n{\"steps\":200}\n{\"steps\":250}\n");
  ASSERT_EQ(run.snapshots().size(), 1u);
  ASSERT_TRUE(run.rewind(0));
  EXPECT_EQ(read_file(run.metrics_path()).value(), "");
  EXPECT_EQ(read_league(read_file(run.league_path()).value(), "").value().size(), 0u);
}

TEST(RunFolder, AFullDiskHarmsNothingSaved) {
  TemporaryFolder folder;
  FaultyFileSystem files;
  RunFolder run = RunFolder::create(folder.file("run"), "seed = 1", files).value();
  ASSERT_TRUE(run.save_state("old state"));
  ASSERT_TRUE(run.save_bot("a", "old bot"));
  ASSERT_TRUE(run.append_metrics("{}"));
  ASSERT_TRUE(run.set_snapshots({{"a", 1, "", {}}}));
  files.space = 2;
  EXPECT_TRUE(has(run.save_state("new state").error().message, "state.safetensors"));
  EXPECT_FALSE(run.save_bot("a", "new bot"));
  EXPECT_FALSE(run.append_metrics("{}"));
  EXPECT_FALSE(run.set_snapshots({}));
  EXPECT_EQ(run.snapshots().size(), 1u);
  EXPECT_EQ(run.load_state().value(), "old state");
  EXPECT_EQ(read_file(run.bot_path("a")).value(), "old bot");
  EXPECT_EQ(read_file(run.metrics_path()).value(), "{}\n");
}

// Saves numbered iterations as a trainer does, writing the number of each finished one to `said`.
void train_until_killed(const std::string& path, int said) {
  RunFolder run = RunFolder::create(path, "seed = 1\n").value();
  for (int i = 1;; ++i) {
    const std::string number = std::to_string(i);
    const bool saved = run.save_bot("bot", std::string(100'000, static_cast<char>('a' + i % 26))).ok() &&
                       run.set_snapshots({{"bot", i, "", {}}}).ok() &&
                       run.append_metrics("{\"steps\":" + number + "}").ok() &&
                       run.save_state(number + std::string(200'000, 's')).ok();
    if (!saved || ::write(said, &i, sizeof i) != sizeof i) ::_exit(1);
  }
}

TEST(RunFolder, SurvivesKillAtAnyMoment) {
  int seen = 0;
  for (int trial = 0; trial < 20; ++trial) {
    TemporaryFolder folder;
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) train_until_killed(folder.file("run"), pipe[1]);
    ::close(pipe[1]);
    int said = 0;
    ASSERT_EQ(::read(pipe[0], &said, sizeof said), static_cast<ssize_t>(sizeof said));  // the first has been saved
    ::usleep(static_cast<useconds_t>(137 * trial));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe[0], &said, sizeof said) == static_cast<ssize_t>(sizeof said)) {
    }
    ::close(pipe[0]);

    Result<RunFolder> run = RunFolder::open(folder.file("run"));
    ASSERT_TRUE(run) << run.error().message;
    const std::string state = run->load_state().value();
    const int steps = std::stoi(state);
    EXPECT_EQ(state, std::to_string(steps) + std::string(200'000, 's'));
    EXPECT_TRUE(steps == said || steps == said + 1) << steps << " " << said;
    ASSERT_TRUE(run->rewind(steps));
    const std::string curve = read_file(run->metrics_path()).value();
    EXPECT_TRUE(curve.ends_with("{\"steps\":" + std::to_string(steps) + "}\n")) << curve;
    EXPECT_EQ(std::count(curve.begin(), curve.end(), '\n'), steps);
    EXPECT_EQ(read_file(run->bot_path("bot")).value().size(), 100'000u);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(run->path()))
      EXPECT_FALSE(is_temporary_name(entry.path().filename().string()));
    seen += steps;
  }
  EXPECT_GT(seen, 20);  // some were killed later than at once
}

TEST(RunFolder, MalformedLeaguesAreErrorsThatNameTheEntry) {
  const auto problem = [](const std::string& text) { return read_league(text, "league.json").error().message; };
  const auto entry = [&](const std::string& fields) {
    return problem(R"({"version":1,"snapshots":[{"bot":"a","steps":1,"created":""},{)" + fields + "}]}");
  };
  EXPECT_EQ(problem("{"), "league.json: no valid JSON");
  EXPECT_EQ(problem("[]"), "league.json: must be an object, not a list");
  EXPECT_EQ(problem(R"({"version":1})"), "league.json: 'snapshots' is missing");
  EXPECT_EQ(problem(R"({"version":2,"snapshots":[]})"),
            "league.json: 'version' must be a whole number from 1 to 1, not 2");
  EXPECT_EQ(problem(R"({"version":1,"snapshots":[3]})"), "league.json: snapshot 0: must be an object, not 3");
  EXPECT_EQ(entry(R"("bot":"../a","steps":1,"created":"")"),
            "league.json: snapshot 1: 'bot' must be a plain file name");
  EXPECT_EQ(entry(R"("bot":"a","steps":1,"created":"")"),
            "league.json: snapshot 1: 'bot' names the bot of an earlier snapshot");
  EXPECT_EQ(entry(R"("bot":"b","bot":"c","steps":1,"created":"")"), "league.json: an object has the key \"bot\" twice");
  for (const char* steps : {"-1", "1e300", "1.5", "9223372036854775807", "18446744073709551615", "null"})
    EXPECT_TRUE(has(entry(R"("bot":"b","created":"","steps":)" + std::string(steps)), "snapshot 1: 'steps' must be "))
        << steps;
  EXPECT_EQ(entry(R"("bot":"b","steps":1)"), "league.json: snapshot 1: 'created' is missing");
  EXPECT_TRUE(
      has(entry(R"("bot":"b","steps":1,"created":"\u001b[2J")"), "snapshot 1: 'created' must be a line of text"));
  EXPECT_EQ(entry(R"("bot":"b","steps":1,"created":"","rating":"x")"),
            "league.json: snapshot 1: 'rating' must be a number, not \"x\"");
  EXPECT_EQ(entry(R"("bot":"b","steps":1,"created":"","kind":"king")"),
            "league.json: snapshot 1: 'kind' must be past or exploiter");
  EXPECT_EQ(read_league(R"({"version":1,"snapshots":[{"bot":"b","steps":1,"created":"","kind":"exploiter"}]})", "x")
                .value()
                .size(),
            1u);
}

}  // namespace
}  // namespace rival
