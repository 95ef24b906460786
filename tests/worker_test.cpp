// Games in other processes (src/plug/worker.hpp): the same matches as here, and what becomes of workers that misbehave.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/temporary_folder.hpp"
#include "game/conformance.hpp"
#include "game/replay.hpp"
#include "game/rows.hpp"
#include "games/catalog.hpp"
#include "match/match.hpp"
#include "plug/worker.hpp"
#include "plug/worker_protocol.hpp"
#include "plug/worker_server.hpp"
#include "plug/worker_socket.hpp"
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

TrainConfig small(std::int64_t steps) {
  TrainConfig config;
  config.rows = 128;
  config.threads = 2;
  config.network.hidden = {32, 32};
  config.steps = steps;
  return config;
}

TEST(Worker, TrainingOverTwoWorkersReachesTheSame) {
  const GameEntry here = built_in("cartpole");
  const Result<GameEntry> there = open_worker(served("cartpole", 2, 4));
  ASSERT_TRUE(there.ok()) << there.error().message;
  double reached[2];
  int i = 0;
  for (const GameEntry* game : {&here, &there.value()}) {
    auto trainer = Trainer::make(*game, small(60'000));
    ASSERT_TRUE(trainer.ok()) << trainer.error().message;
    while (trainer.value()->steps() < 60'000) {
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
    stub.command.answer_seconds = 0.3;
    const GameEntry game = stub.open();
    EXPECT_EQ(random_matches(game, 2, 1).error().message,
              "game 'count', match 0, step 2: worker 1 of 1: it has not answered within 0.3 s; it was ended");
  }
  Stub silent("silent");
  silent.command.start_seconds = 0.3;
  EXPECT_EQ(open_worker(silent.command).error().message,
            "game 'count', worker 1 of 1: it has not started within the time there is");
}

TEST(Worker, OneThatCannotBeStartedSaysWhy) {
  WorkerCommand command{.name = "count", .program = {"/no/such/program"}};
  EXPECT_EQ(open_worker(command).error().message.find("game 'count', worker 1 of "), 0u);
  EXPECT_NE(open_worker(command).error().message.find("it ended with exit status 127; it last wrote:\ncannot run /no/such/program: No such file"),
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
            "loading\nno more cards\nworker 1 of 1 is started again (1 of 2); 8 matches were cut short");
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

// One of two takes 100 ms for a step of a match; the other plays on meanwhile.
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
      if (rows.status[static_cast<std::size_t>(m)] != Status::running) {
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

// ---- who may connect ----

// A worker that listens, in a process of its own.
struct Listening {
  Listening(const std::string& address, const char* token) {
    process = fork();
    if (process == 0) {
      if (token)
        setenv("RIVAL_TOKEN", token, 1);
      else
        unsetenv("RIVAL_TOKEN");
      execl(RIVAL_PROGRAM, RIVAL_PROGRAM, "worker", "connect_four", "--listen", address.c_str(), nullptr);
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

std::string free_port() {
  const auto socket = worker::listen_at({worker::Address::Kind::tcp, "127.0.0.1", 0});
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket.value().number(), reinterpret_cast<sockaddr*>(&address), &size);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&address);
  return std::to_string(bytes[2] * 256 + bytes[3]);
}

TEST(Worker, OverTcpAndUnixSocketsMatchesAreTheSame) {
  const TemporaryFolder folder;
  for (const std::string& address : {"unix:" + folder.path() + "/socket", "tcp:127.0.0.1:" + free_port()}) {
    const Listening listening(address, nullptr);
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
  const Listening listening(address, "sesame");
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

bool gone(pid_t process) {
  for (int i = 0; i < 1000; ++i) {
    const std::string stat = contents("/proc/" + std::to_string(process) + "/stat");
    if (stat.empty() || stat.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
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
