// Games in other processes (src/plug/worker.hpp): the same matches as here, and what becomes of workers that misbehave.
#include "plug/worker.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/temporary_folder.hpp"
#include "game/conformance.hpp"
#include "game/replay.hpp"
#include "game/rows.hpp"
#include "games/catalog.hpp"
#include "match/match.hpp"
#include "plug/sources.hpp"
#include "plug/worker_protocol.hpp"
#include "plug/worker_server.hpp"
#include "plug/worker_socket.hpp"
#include "search/search.hpp"
#include "train/run.hpp"

namespace rival {
namespace {

using namespace std::chrono_literals;

WorkerCommand served(const std::string& game, int workers = 2, int share = 8) {
  return {.name = game, .program = {RIVAL_PROGRAM, "worker", game}, .workers = workers, .share = share};
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The game of worker_stub.cpp.
struct Stub {
  explicit Stub(const std::string& mode, int workers = 1, int share = 4) {
    command = {.name = "count",
               .program = {RIVAL_STUB, mode, folder.path() + "/lives"},
               .workers = workers,
               .share = share,
               .restarts = 2,
               .start_seconds = 30,
               .answer_seconds = 30,
               .notice = [this](const std::string& line) { notices.push_back(line); }};
  }
  GameEntry open() {
    Result<GameEntry> game = open_worker(command);
    EXPECT_TRUE(game.ok()) << game.error().message;
    return game ? std::move(game.value()) : GameEntry{};
  }
  int lives() const {
    const std::string text = contents(folder.path() + "/lives");
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }

  TemporaryFolder folder;
  WorkerCommand command;
  std::vector<std::string> notices;
};

Result<MatchSummary> random_matches(const GameEntry& game, int matches, int at_once, Key key = Key(4)) {
  const auto one = random_agent(), other = random_agent();
  return play_matches(game, *one, other.get(), key, {.matches = matches, .batch = at_once, .replays = 4});
}

TEST(Worker, MatchesGoAsTheyWouldHere) {
  for (const char* name : {"connect_four", "pendulum", "kuhn_poker", "lanes"}) {
    const Result<GameEntry> there = open_worker(served(name));
    ASSERT_TRUE(there.ok()) << there.error().message;
    const GameEntry here = built_in(name);
    const int matches = here.spec.simultaneous ? 4 : 60;
    const Result<MatchSummary> sum = random_matches(there.value(), matches, 16);
    ASSERT_TRUE(sum.ok()) << sum.error().message;
    EXPECT_EQ(sum.value().matches, matches);
    for (const Replay& replay : sum.value().replays) {
      const auto verified = verify_replay(replay, here.make_batch);
      EXPECT_TRUE(verified.ok()) << name << ": " << verified.error().message;
    }
  }
}

TEST(Worker, EveryMatchMayBeUnderItsOwnSettings) {
  const Result<GameEntry> there = open_worker(served("pig"));
  ASSERT_TRUE(there.ok()) << there.error().message;
  MatchSettings settings = default_settings(there.value().spec);
  ASSERT_TRUE(draw_parameters(there.value().spec, std::vector<std::string>{"goal=10..30"}, "", settings));
  const auto one = random_agent(), other = random_agent();
  const auto sum = play_matches(there.value(), *one, other.get(), Key(4),
                                {.matches = 60, .settings = settings, .batch = 16, .replays = 60});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  std::set<float> goals;
  for (const Replay& replay : sum.value().replays) {
    EXPECT_EQ(replay.settings, settings.draw(replay.key));
    goals.insert(replay.settings.parameters[0]);
    const auto verified = verify_replay(replay, built_in("pig").make_batch);
    EXPECT_TRUE(verified.ok()) << verified.error().message;
  }
  EXPECT_GT(goals.size(), 10u);
}

TEST(Worker, ItKeepsThePromisesThatTheGameDoes) {
  const Result<GameEntry> game = open_worker(served("connect_four", 1));
  ASSERT_TRUE(game.ok()) << game.error().message;
  const ConformanceReport report = check_conformance(game.value().make_batch, Key(1), 5);
  EXPECT_TRUE(report.passed());
  for (const ConformanceCheck& check : report.checks)
    EXPECT_NE(check.verdict, ConformanceCheck::Verdict::failed) << check.name << ": " << check.message;
  const auto batch = game.value().make_batch(1), here = built_in("connect_four").make_batch(1);
  for (Batch* one : {batch.get(), here.get()}) one->start_all(default_settings(one->spec()), Key(2));
  EXPECT_EQ(batch->text(0), here->text(0));
  EXPECT_EQ(batch->action_text(0, 0, 3), here->action_text(0, 0, 3));
  EXPECT_EQ(batch->hash(0), here->hash(0));
}

// A search decides alike on copies there and here, whichever of two processes a match is in.
TEST(Worker, TreeSearchDecidesAsItWouldHere) {
  for (const char* name : {"connect_four", "kuhn_poker"}) {
    const Result<GameEntry> there = open_worker(served(name, 2, 2));
    ASSERT_TRUE(there.ok()) << there.error().message;
    const GameEntry here = built_in(name);
    std::vector<std::vector<std::byte>> serialized[2];
    int i = 0;
    for (const GameEntry* game : {&here, &there.value()}) {
      auto search = search_agent(game->make_batch, {.simulations = 16});
      ASSERT_TRUE(search.ok()) << search.error().message;
      const auto random = random_agent();
      const Result<MatchSummary> sum =
          play_matches(*game, **search, random.get(), Key(6), {.matches = 2, .batch = 1, .replays = 2});
      ASSERT_TRUE(sum.ok()) << sum.error().message;
      for (const Replay& replay : sum.value().replays) serialized[i].push_back(serialize(replay));
      ++i;
      const Result<MatchSummary> many = play_matches(*game, **search, random.get(), Key(6), {.matches = 8, .batch = 8});
      ASSERT_TRUE(many.ok()) << many.error().message;
    }
    EXPECT_TRUE(serialized[0] == serialized[1]) << name;
  }
}

TrainConfig small(std::int64_t steps) {
  TrainConfig config;
  config.rows = 128;
  config.threads = 2;
  config.network.hidden = {32, 32};
  config.steps = steps;
  return config;
}

// A random player holds the pole for 22 steps; two threads decide in which order they come, so that runs differ.
TEST(Worker, TrainingOverTwoWorkersReachesTheSame) {
  const GameEntry here = built_in("cartpole");
  const Result<GameEntry> there = open_worker(served("cartpole", 2, 4));
  ASSERT_TRUE(there.ok()) << there.error().message;
  double reached[2];
  int i = 0;
  for (const GameEntry* game : {&here, &there.value()}) {
    auto trainer = Trainer::make(*game, small(120'000));
    ASSERT_TRUE(trainer.ok()) << trainer.error().message;
    while (trainer.value()->steps() < 120'000) {
      const auto report = trainer.value()->iterate();
      ASSERT_TRUE(report.ok()) << report.error().message;
    }
    BotAgent agent(trainer.value()->bot(), here.spec, 0);
    const Result<MatchSummary> sum = play_matches(here, agent, nullptr, Key(3), {.matches = 100});
    ASSERT_TRUE(sum.ok());
    reached[i++] = sum.value().mean_return.value;
  }
  EXPECT_GT(reached[0], 100);
  EXPECT_GT(reached[1], 100);
}

// ---- workers that misbehave ----

struct Misbehaviour {
  const char* mode;
  const char* says;  // after "game 'count'"
};

// Batches of one match fail at once, and say what, where and whose.
TEST(Worker, WhatIsAmissIsNamed) {
  const Misbehaviour all[] = {
      {"nan", ", match 0, step 3, seat 1: worker 1 of 1: value 1 of 'ones' in its observation is nan"},
      {"no_choice", ", match 0, step 3, seat 1: worker 1 of 1: its mask allows no choice of 'pick'"},
      {"mask", ", match 0, step 3, seat 1: worker 1 of 1: choice 1 of 'pick' in its mask is 7; it must be 0 or 1"},
      {"reward", ", match 0, step 2, seat 1: worker 1 of 1: its reward or result is inf"},
      {"result", ", match 0, step 9, seat 1: worker 1 of 1: its reward or result is nan"},
      {"throw", ", match 0, step 2: worker 1 of 1: step() threw: the deck is empty"},
      {"exit",
       ", match 0, step 2: worker 1 of 1: it has closed the connection; it ended with exit status 3; it last wrote:\n"
       "loading\nno more cards"},
      {"crash",
       ", match 0, step 2: worker 1 of 1: it has closed the connection; it was ended by signal 11 (Segmentation "
       "fault)"},
      {"garbage", ", match 0, step 2: worker 1 of 1: it sends a frame of kind 1936025716, which there is not"},
      {"shape", ", match 0, step 2: worker 1 of 1: it sends rows of 8 bytes; by its Spec they have 0"},
      {"half",
       ", match 0, step 2: worker 1 of 1: it has closed the connection in the middle of a frame; it ended with exit "
       "status 0"},
  };
  for (const auto& [mode, says] : all) {
    Stub stub(mode);
    const GameEntry game = stub.open();
    const Result<MatchSummary> sum = random_matches(game, 2, 1);
    ASSERT_FALSE(sum.ok()) << mode;
    EXPECT_EQ(sum.error().message, std::string("game 'count'") + says);
    EXPECT_EQ(stub.lives(), 1);
  }
}

TEST(Worker, OneThatDoesNotAnswerIsEnded) {
  for (const char* mode : {"hang", "spin"}) {
    Stub stub(mode);
    stub.command.answer_seconds = 1;
    const GameEntry game = stub.open();
    EXPECT_EQ(random_matches(game, 2, 1).error().message,
              "game 'count', match 0, step 2: worker 1 of 1: it has not answered within 1 s; it was ended");
  }
  Stub silent("silent");
  silent.command.start_seconds = 0.3;
  EXPECT_EQ(open_worker(silent.command).error().message,
            "game 'count', worker 1 of 1: it has not started within the time there is");
}

TEST(Worker, OneThatCannotBeStartedSaysWhy) {
  WorkerCommand command{.name = "count", .program = {"/no/such/program"}};
  EXPECT_EQ(open_worker(command).error().message.find("game 'count', worker 1 of "), 0u);
  EXPECT_NE(open_worker(command).error().message.find(
                "it ended with exit status 127; it last wrote:\ncannot run /no/such/program: No such file"),
            std::string::npos)
      << open_worker(command).error().message;
}

TEST(Worker, BothVersionsAreNamed) {
  Stub stub("version");
  EXPECT_EQ(open_worker(stub.command).error().message,
            "game 'count', worker 1 of 1: it speaks version 7 of the protocol, Rival version 1; bring the older one up "
            "to date");
}

TEST(Worker, OneThatEndsIsStartedAgainAndItsMatchesAreCutShort) {
  Stub stub("exit_once");
  const GameEntry game = stub.open();
  const Result<MatchSummary> sum = random_matches(game, 40, 8);
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().matches, 40);
  EXPECT_EQ(sum.value().truncated, 8);  // those that ran
  EXPECT_EQ(stub.lives(), 2);
  ASSERT_EQ(stub.notices.size(), 1u);
  EXPECT_EQ(stub.notices[0],
            "game 'count': worker 1 of 1: it has closed the connection; it ended with exit status 3; it last wrote:\n"
            "loading\nno more cards\nworker 1 of 1 is started again (1 of 2); the matches that it played are cut "
            "short");
}

// What would have followed is worth what was seen last.
TEST(Worker, AMatchThatIsCutShortShowsWhatWasSeenLast) {
  Stub stub("exit_once");
  const GameEntry game = stub.open();
  const auto batch = game.make_batch(2);
  BatchRows rows(*batch);
  batch->start_all(default_settings(game.spec), Key(1));
  float shown[2][4] = {};
  for (int turn = 0; turn < 100 && rows.status[0] == Status::running; ++turn) {
    ASSERT_TRUE(rows.observe().ok());
    for (int row : rows.acting())
      if (row == 0) std::copy_n(rows.observation(0), 4, shown[rows.seats[0]]);
    ASSERT_TRUE(rows.step().ok());
  }
  ASSERT_EQ(rows.status[0], Status::truncated);
  EXPECT_EQ(batch->steps(0), 2);  // of the third nothing is known
  for (int seat = 0; seat < 2; ++seat) {
    float seen[4];
    batch->observe_seat(0, seat, seen, nullptr);
    EXPECT_TRUE(std::equal(seen, seen + 4, shown[seat]));
  }
  EXPECT_EQ(shown[0][0], 0.2f);
  const int zero = 0;
  const Key key(2);
  batch->start({&zero, 1}, default_settings(game.spec), {&key, 1});
  EXPECT_EQ(batch->text(0), "step 0");  // in the next process
  EXPECT_EQ(stub.lives(), 2);
}

TEST(Worker, OneThatEndsAgainAndAgainIsTheFailureOfTheBatch) {
  Stub stub("exit");
  const GameEntry game = stub.open();
  const Result<MatchSummary> sum = random_matches(game, 40, 8);
  ASSERT_FALSE(sum.ok());
  EXPECT_EQ(sum.error().message,
            "game 'count': worker 1 of 1: it has closed the connection; it ended with exit status 3; it last wrote:\n"
            "loading\nno more cards\n(it was started again 2 times before)");
  EXPECT_EQ(stub.lives(), 3);
  EXPECT_EQ(stub.notices.size(), 2u);
}

TEST(Worker, TheOthersGoOn) {
  Stub stub("exit_second", 2);  // the second process to be started ends once
  const GameEntry game = stub.open();
  const Result<MatchSummary> sum = random_matches(game, 200, 8);
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().matches, 200);
  EXPECT_EQ(sum.value().truncated, 4);
  EXPECT_EQ(stub.lives(), 3);
}

// One of two takes 300 ms for a step of a match; the other plays on meanwhile.
TEST(Worker, ASlowOneDoesNotStallTheOthers) {
  Stub stub("slow", 2, 1);
  const GameEntry game = stub.open();
  const auto batch = game.make_batch(2);
  BatchRows rows(*batch);
  batch->start_all(default_settings(game.spec), Key(1));
  int steps[2] = {0, 0}, ended[2] = {0, 0};
  for (int turn = 0; turn < 100'000 && ended[0] + ended[1] < 200; ++turn) {
    ASSERT_TRUE(rows.observe().ok());
    for (int row : rows.acting()) rows.choice_row(row)[0] = 0, ++steps[row];
    ASSERT_TRUE(rows.step().ok());
    for (int m = 0; m < 2; ++m)
      if (rows.status[m] != Status::running) {
        ++ended[m];
        const Key key = Key(static_cast<std::uint64_t>(turn));
        batch->start({&m, 1}, default_settings(game.spec), {&key, 1});
      }
  }
  const int fast = std::max(ended[0], ended[1]), slow = std::min(ended[0], ended[1]);
  EXPECT_GE(fast + slow, 200);
  EXPECT_LT(slow, fast / 4) << "the fast one was held back";
}

TEST(Worker, ARunIsStoppedWithTheReasonAndGoesOnLater) {
  Stub stub("exit_later"), fine("fine");
  const TemporaryFolder folder;
  RunOptions options{.folder = folder.path() + "/run"};
  const Result<RunSummary> ended = run_training(stub.open(), small(40'000), options);
  ASSERT_FALSE(ended.ok());
  EXPECT_NE(ended.error().message.find("it ended with exit status 3"), std::string::npos) << ended.error().message;
  EXPECT_NE(ended.error().message.find("(it was started again 2 times before)"), std::string::npos)
      << ended.error().message;
  EXPECT_EQ(stub.lives(), 3);
  options.resume = true;
  const Result<RunSummary> whole = run_training(fine.open(), small(40'000), options);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_GE(whole.value().steps, 40'000);
}

TEST(Worker, WhatItLosesOnTheWayCostsTheRunNothing) {
  Stub stub("exit_second", 2);
  const TemporaryFolder folder;
  RunOptions options{.folder = folder.path() + "/run"};
  const Result<RunSummary> ended = run_training(stub.open(), small(20'000), options);
  ASSERT_TRUE(ended.ok()) << ended.error().message;
  EXPECT_GE(ended.value().steps, 20'000);
}

// A worker that listens, in a process of its own.
struct Listening {
  Listening(std::vector<std::string> program, const std::string& address, const char* token) {
    process = fork();
    if (process == 0) {
      if (token)
        setenv("RIVAL_TOKEN", token, 1);
      else
        unsetenv("RIVAL_TOKEN");
      std::vector<char*> words;
      for (std::string& word : program) words.push_back(word.data());
      words.push_back(nullptr);
      execvp(words[0], words.data());
      _exit(127);
    }
    for (int i = 0; i < 1000 && !worker::connect_to(worker::parse_address(address).value()); ++i)
      std::this_thread::sleep_for(10ms);
  }
  ~Listening() {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
  pid_t process = -1;
};

std::vector<std::string> listening_program(const std::string& address) {
  return {RIVAL_PROGRAM, "worker", "connect_four", "--listen", address};
}

std::string free_port() {
  const auto socket = worker::listen_at({worker::Address::Kind::tcp, "127.0.0.1", 0});
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket.value().number(), reinterpret_cast<sockaddr*>(&address), &size);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&address);
  return std::to_string(bytes[2] * 256 + bytes[3]);
}

// ---- games in Python ----

// A Python that has numpy; "": there is none.
std::string python() {
  const char* active = std::getenv("VIRTUAL_ENV");
  for (const std::string& candidate : {std::string(active ? active : "/none") + "/bin/python",
                                       std::string(RIVAL_PYTHON "/bin/python"), std::string("python3")})
    if (std::system((candidate + " -c 'import numpy' >/dev/null 2>&1").c_str()) == 0) return candidate;
  return "";
}

#define NEEDS_NUMPY(name)                                                                         \
  const std::string name = python();                                                              \
  if (name.empty())                                                                               \
  GTEST_SKIP() << "needs a Python with numpy: `python3 -m venv " RIVAL_PYTHON " && " RIVAL_PYTHON \
                  "/bin/python -m pip install numpy`"

WorkerCommand fake(const std::string& interpreter, const std::string& mode) {
  return {.name = "nine",
          .program = {interpreter, RIVAL_SOURCE_DIR "/tests/worker_fake.py", RIVAL_SOURCE_DIR "/sdk/python/src", mode},
          .workers = 2,
          .share = 4};
}

TEST(WorkerInPython, MatchesGoAsTheRulesSay) {
  NEEDS_NUMPY(interpreter);
  const Result<GameEntry> game = open_worker(fake(interpreter, "fine"));
  ASSERT_TRUE(game.ok()) << game.error().message;
  EXPECT_EQ(game.value().spec.description, "Whoever gets to 9 wins");
  EXPECT_TRUE(check_conformance(game.value().make_batch, Key(1), 5).passed());
  const Result<MatchSummary> sum = random_matches(game.value(), 200, 16);
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().matches, 200);
  EXPECT_EQ(sum.value().truncated, 0);
  EXPECT_EQ(sum.value().draws, 0);
  for (const Replay& replay : sum.value().replays) EXPECT_TRUE(verify_replay(replay, game.value().make_batch).ok());

  const auto batch = game.value().make_batch(1);
  Settings settings = default_settings(game.value().spec);
  settings.parameters[0] = 4;
  const int zero = 0;
  const Key key = Key::from_bits(2);
  batch->start({&zero, 1}, settings, {&key, 1});
  EXPECT_EQ(batch->text(0), "the sum is 4");
  EXPECT_EQ(batch->action_text(0, 0, 1), "+2");
  float observation[2];
  std::uint8_t mask[2];
  batch->observe_seat(0, 1, observation, mask);  // who is not to act
  EXPECT_EQ(observation[0], 4.0f / 9);
  EXPECT_EQ(observation[1], 1);
  const std::int32_t choices[] = {1};
  float rewards[2];
  Status status;
  const float expected[][2] = {{0, 0}, {0, 0}, {1, -1}};  // 4 + 2 + 2 + 2
  for (const auto& step : expected) {
    EXPECT_EQ(batch->to_act(0).count(), 1);
    batch->step({choices, nullptr}, {rewards, &status});
    EXPECT_EQ(rewards[0], step[0]);
    EXPECT_EQ(rewards[1], step[1]);
  }
  EXPECT_EQ(status, Status::finished);
  EXPECT_EQ(batch->result(0, 1), -1);
  EXPECT_FALSE(batch->failure());
}

TEST(WorkerInPython, WhatIsAmissIsNamed) {
  NEEDS_NUMPY(interpreter);
  const Misbehaviour all[] = {
      {"nan", ": value 0 of 'sum' in its observation is nan"},
      {"raise", ": KeyError: 'queen' (" RIVAL_SOURCE_DIR "/tests/worker_fake.py:"},
      {"exit", ": it has closed the connection; it ended with exit status 9; it last wrote:\nout of memory"},
      {"hang", ": it has not answered within 1 s; it was ended"},
  };
  for (const auto& [mode, says] : all) {
    WorkerCommand command = fake(interpreter, mode);
    command.answer_seconds = 1;
    const Result<GameEntry> game = open_worker(command);
    ASSERT_TRUE(game.ok()) << game.error().message;
    const Result<MatchSummary> sum = random_matches(game.value(), 2, 1);
    ASSERT_FALSE(sum.ok()) << mode;
    EXPECT_EQ(sum.error().message.find("game 'nine'"), 0u) << sum.error().message;
    EXPECT_NE(sum.error().message.find(says), std::string::npos) << sum.error().message;
  }
}

TEST(WorkerInPython, WhatIsMissingIsNamedWithItsRemedy) {
  const std::vector<GameEntry> games = catalog();
  const auto says = [&](const std::string& name, const std::string& interpreter) {
    const Result<GameEntry> game = open_game(games, name, {.python = interpreter});
    return game ? std::string() : game.error().message;
  };
  EXPECT_NE(says("gym:X", "/no/python").find("it last wrote:\ncannot run /no/python: No such file"), std::string::npos)
      << says("gym:X", "/no/python");
  if (std::system("python3 -c '' >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs python3: `apt-get install python3`";
  const TemporaryFolder folder;
  const std::string bare = folder.path() + "/python";  // one without packages
  std::ofstream(bare) << "#!/bin/sh\nexec python3 -I -S \"$@\"\n";
  std::filesystem::permissions(bare, std::filesystem::perms::owner_all);
  EXPECT_NE(says("gym:X", bare).find("games in Python need numpy, which "), std::string::npos) << says("gym:X", bare);
  EXPECT_NE(says("gym:X", bare).find(" -m pip install numpy` installs it"), std::string::npos);
  NEEDS_NUMPY(interpreter);
  EXPECT_NE(says("/no/game.py:Mine", interpreter).find("'/no/game.py:Mine': there is no file /no/game.py"),
            std::string::npos)
      << says("/no/game.py:Mine", interpreter);
}

TEST(WorkerSources, NamesFindTheirSource) {
  const std::vector<GameEntry> games = catalog();
  const std::pair<const char*, const char*> all[] = {{"my_game.py:MyGame", "python"},
                                                     {"gym:CartPole-v1", "gym"},
                                                     {"pettingzoo:classic/chess_v6", "pettingzoo"},
                                                     {"openspiel:kuhn_poker", "openspiel"},
                                                     {"worker:unix:/x", "worker"}};
  for (const auto& [name, kind] : all) {
    const Result<GameSource> source = find_source(games, name);
    ASSERT_TRUE(source.ok()) << source.error().message;
    EXPECT_EQ(source.value().kind, kind);
  }
  EXPECT_EQ(open_game(games, "worker:udp:here").error().message,
            "'udp:here' is no address of a worker; write unix:PATH or tcp:HOST:PORT");
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/a.py") << "";
  const GameSource python_source = find_source(games, "a.py:B").value();
  EXPECT_EQ(python_source.origin(folder.path() + "/./a.py:B"), folder.path() + "/a.py:B");
}

TEST(WorkerInPython, OverTcpAndWithATokenMatchesAreTheSame) {
  NEEDS_NUMPY(interpreter);
  const std::string address = "tcp:127.0.0.1:" + free_port();
  const Listening listening({interpreter, RIVAL_SOURCE_DIR "/tests/worker_fake.py", RIVAL_SOURCE_DIR "/sdk/python/src",
                             "fine", "--listen", address},
                            address, "sesame");
  const Result<GameEntry> refused = open_worker({.name = "nine", .addresses = {address}, .token = "simsim"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "game 'nine', worker 1 of 1 (" + address +
                                         "): the token is not the one that it was started with (RIVAL_TOKEN)");
  const Result<GameEntry> there = open_worker({.name = "nine", .addresses = {address}, .token = "sesame"});
  ASSERT_TRUE(there.ok()) << there.error().message;
  const Result<GameEntry> here = open_worker(fake(interpreter, "fine"));
  const Result<MatchSummary> sum = random_matches(there.value(), 50, 16);
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  for (const Replay& replay : sum.value().replays) EXPECT_TRUE(verify_replay(replay, here.value().make_batch).ok());
}

// ---- the protocol's page ----

std::string page() {
  return contents(RIVAL_SOURCE_DIR "/docs/formats/worker.md");
}

// The blocks of code right after this mark.
std::vector<std::string> marked(const std::string& mark) {
  std::vector<std::string> blocks;
  const std::string text = page(), line = "<!-- " + mark + " -->\n```";
  for (std::size_t at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) {
    const std::size_t begin = text.find('\n', at + line.size()) + 1;
    blocks.push_back(text.substr(begin, text.find("```", begin) - begin));
  }
  return blocks;
}

TEST(WorkerProtocol, TheFramesOfItsPageAreThoseThatAreSent) {
  using namespace worker;
  ASSERT_EQ(marked("welcome").size(), 1u);
  const Result<Welcome> welcome = read_welcome(marked("welcome")[0]);
  ASSERT_TRUE(welcome.ok()) << welcome.error().message;
  const Spec& coin = welcome.value().spec;
  const Blocks blocks(coin, RowLayout(coin), 2);
  const std::int32_t choices[] = {1, 0};
  const std::string actions(reinterpret_cast<const char*>(choices), sizeof choices);
  ASSERT_EQ(actions.size(), blocks.actions_size);

  std::string rows(blocks.rows_size, '\0');
  rows[blocks.playing] = rows[blocks.playing + 8] = 1;
  const float seen[] = {0.5f, -0.5f};
  std::copy_n(reinterpret_cast<const char*>(seen), sizeof seen, rows.data() + blocks.observations);
  std::fill_n(rows.data() + blocks.masks, 4, '\1');

  const std::pair<std::string, std::string> frames[] = {
      {"HELLO", hello_frame({"rival", ""})},
      {"OPEN", open_frame({.matches = 2})},
      {"OPENED", opened_frame(0)},
      {"TURN", turn_frame({.matches = {0, 1}, .keys = {Key::from_bits(7), Key::from_bits(9)}})},
      {"TURNED", turned_frame(rows)},
      {"TURN", turn_frame({.step = true, .actions = actions})},
      {"ASK", ask_frame({.question = Question::text, .match = 1})},
      {"TOLD", told_frame("tails")},
      {"ERROR", error_frame({1, 3, 0, "the deck is empty ..."})},
      {"CLOSE", close_frame()}};
  std::string all;
  for (const std::string& block : marked("frames")) all += block;
  std::istringstream lines(all);
  std::size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i) {
    ASSERT_LT(i, std::size(frames)) << line;
    std::string hex;
    for (unsigned char byte : frames[i].second) hex += {"0123456789abcdef"[byte / 16], "0123456789abcdef"[byte % 16]};
    std::istringstream words(line);
    std::string name, written;
    words >> name;
    for (std::string word; words >> word;) written += word;
    EXPECT_EQ(name, frames[i].first);
    EXPECT_EQ(written, hex) << name;
  }
  EXPECT_EQ(i, std::size(frames));
}

TEST(WorkerProtocol, WhatIsNoFrameIsRefused) {
  using namespace worker;
  const auto says = [](std::string bytes) {
    const auto frame = first_frame(bytes);
    return frame ? std::string(frame.value() ? "a frame" : "") : frame.error().message;
  };
  EXPECT_EQ(says(""), "");
  EXPECT_EQ(says(close_frame().substr(0, 7)), "");
  EXPECT_EQ(says(close_frame()), "a frame");
  EXPECT_EQ(says(std::string(8, '\0')), "a frame of kind 0, which there is not");
  EXPECT_EQ(says(std::string("\x08\0\0\0\1\0\0\1", 8)),
            "a frame of kind 8 with 16777217 bytes; at most 16777216 are possible");
  const Spec spec = built_in("connect_four").spec;
  EXPECT_EQ(read_turn(std::string("\0\0\0\0\xff\xff\xff\xff", 8), spec, 2, 0).error().message,
            "a TURN of 8 bytes, which is no possible size");
  EXPECT_EQ(read_open(std::string(12, '\0')).error().message, "an OPEN of 0 matches; it must be 1 to 1048576");
}

// ---- who may connect ----

TEST(Worker, OverTcpAndUnixSocketsMatchesAreTheSame) {
  const TemporaryFolder folder;
  for (const std::string& address : {"unix:" + folder.path() + "/socket", "tcp:127.0.0.1:" + free_port()}) {
    const Listening listening(listening_program(address), address, nullptr);
    const Result<GameEntry> game = open_worker({.name = "worker:" + address, .addresses = {address}});
    ASSERT_TRUE(game.ok()) << game.error().message;
    const Result<MatchSummary> sum = random_matches(game.value(), 40, 16);
    ASSERT_TRUE(sum.ok()) << sum.error().message;
    for (const Replay& replay : sum.value().replays)
      EXPECT_TRUE(verify_replay(replay, built_in("connect_four").make_batch).ok());
  }
}

TEST(Worker, WithoutTheTokenNobodyPlays) {
  const TemporaryFolder folder;
  const std::string address = "unix:" + folder.path() + "/socket";
  const Listening listening(listening_program(address), address, "sesame");
  const auto says = [&](const std::string& token) {
    const Result<GameEntry> game = open_worker({.name = "g", .addresses = {address}, .token = token});
    return game ? "" : game.error().message;
  };
  const std::string who = "game 'g', worker 1 of 1 (" + address + "): ";
  EXPECT_EQ(says("sesame"), "");
  EXPECT_EQ(says(""), who + "it wants a token; set RIVAL_TOKEN to the one that it was started with");
  EXPECT_EQ(says("wrong"), who + "the token is not the one that it was started with (RIVAL_TOKEN)");
}

TEST(Worker, BeyondThisMachineATokenIsWanted) {
  EXPECT_EQ(serve_game(built_in("pig"), {.listen = "tcp:0.0.0.0:1"}).error().message,
            "tcp:0.0.0.0:1 can be reached from other machines: set RIVAL_TOKEN to a secret that whoever connects must "
            "show, or listen at tcp:127.0.0.1:PORT");
  EXPECT_EQ(open_worker({.name = "g", .addresses = {"tcp:example.org:7000"}}).error().message,
            "game 'g': tcp:example.org:7000 is beyond this machine, where a worker wants to be shown a token: set "
            "RIVAL_TOKEN to what it was given");
  EXPECT_EQ(open_worker({.name = "g", .addresses = {"udp:here"}}).error().message,
            "'udp:here' is no address of a worker; write unix:PATH or tcp:HOST:PORT");
}

// ---- no process is left ----

testing::AssertionResult gone(pid_t process) {
  std::string stat;
  for (int i = 0; i < 3000; ++i) {
    stat = contents("/proc/" + std::to_string(process) + "/stat");
    if (stat.empty() || stat.find(") Z ") != std::string::npos) return testing::AssertionSuccess();
    std::this_thread::sleep_for(10ms);
  }
  return testing::AssertionFailure() << "after 30 s it is still there: " << stat;
}

TEST(Worker, ProcessesEndWithTheProgramHoweverItEnds) {
  for (const char* mode : {"fine", "spin"}) {
    Stub stub(mode);
    const pid_t parent = fork();
    if (parent == 0) {  // opens the game, plays, and is killed
      Result<GameEntry> game = open_worker(stub.command);
      const auto batch = game.value().make_batch(4);
      BatchRows rows(*batch);
      batch->start_all(default_settings(game.value().spec), Key(1));
      while (rows.observe().ok()) (void)rows.step();
      _exit(0);
    }
    for (int i = 0; i < 1000 && stub.lives() == 0; ++i) std::this_thread::sleep_for(10ms);
    ASSERT_EQ(stub.lives(), 1);
    const pid_t worker = std::stoi(contents(stub.folder.path() + "/lives"));
    std::this_thread::sleep_for(50ms);  // so that it may be in the middle of a step
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    EXPECT_TRUE(gone(worker)) << mode;
  }
}

TEST(Worker, ProcessesEndWithTheGame) {
  Stub stub("fine");
  {
    const GameEntry game = stub.open();
    ASSERT_TRUE(random_matches(game, 10, 5).ok());
  }
  EXPECT_TRUE(gone(std::stoi(contents(stub.folder.path() + "/lives"))));
}

}  // namespace
}  // namespace rival
