#include "records/records.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "rival/random.hpp"

namespace {
std::atomic<int> waits{0};  // for the disk
}

// What the library calls instead of the C library's own.
extern "C" int fsync(int file) {
  ++waits;
  return static_cast<int>(::syscall(SYS_fsync, file));
}
extern "C" int fdatasync(int file) {
  ++waits;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace rival::records {
namespace {

// A database as others see it.
class Raw {
 public:
  explicit Raw(const std::string& path) { EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK); }
  Raw(const Raw&) = delete;
  ~Raw() { sqlite3_close(database_); }

  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> rows;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      std::vector<std::string>& row = rows.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i)
        row.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, i)));
    }
    EXPECT_EQ(sqlite3_finalize(statement), SQLITE_OK) << sql << ": " << sqlite3_errmsg(database_);
    return rows;
  }

 private:
  sqlite3* database_ = nullptr;
};

// What a game server might post as its result of a number: duels, teams, several sides, draws, anchors.
MatchResult sample_result(int number) {
  Random random{Key(static_cast<std::uint64_t>(number))};
  MatchResult result{.game = random.below(4) ? "lanes" : "chess", .key = std::to_string(number), .teams = {}};
  int next = random.below(12);
  const int teams = 2 + random.below(2) * random.below(4), players = 1 + random.below(2) * random.below(3);
  for (int t = 0; t < teams; ++t) {
    MatchTeam& team = result.teams.emplace_back(MatchTeam{.players = {}, .rank = 1 + random.below(teams)});
    for (int p = 0; p < players; ++p) {
      const std::string name = std::to_string(next++);
      if (random.below(4))
        team.players.push_back({name});
      else
        team.players.push_back(
            {"bot:" + name, random.below(2) ? std::optional(1000 + 50.0 * random.below(20)) : std::nullopt});
    }
  }
  if (random.below(2)) result.time = 1'700'000'000 + number;
  return result;
}

Posted post(Records& records, const MatchResult& result) {
  const Result<std::vector<Posted>> posted = records.post({&result, 1}, 1'000);
  EXPECT_TRUE(posted) << posted.error().message;
  return posted ? posted.value().at(0) : Posted{};
}

std::string name_of(const MatchResult& result) {
  return result.game + "/" + result.key;
}
std::string name_of(int number) {
  return name_of(sample_result(number));
}

// What is wrong with a file of which these results were acknowledged: each is there exactly once, and the players are
// what the results make of them in their order.
std::vector<std::string> faults(const std::string& path, const std::set<std::string>& acknowledged) {
  std::vector<std::string> found;
  Raw raw(path);
  if (raw.rows("PRAGMA integrity_check").at(0).at(0) != "ok") found.push_back("the file is damaged");
  std::map<std::string, int> count;
  std::map<std::pair<std::string, std::string>, Standing> players;
  std::int64_t last = 0;
  for (const auto& row : raw.rows("SELECT number, game, key, posted, time FROM results ORDER BY number")) {
    if (std::stoll(row[0]) != ++last) found.push_back("a number is missing before " + row[0]);
    ++count[row[1] + "/" + row[2]];
    const Result<MatchResult> result = read_result(row[3]);
    if (!result || result.value().key != row[2] || result.value().game != row[1]) {
      found.push_back("result " + row[0] + " cannot be read");
      continue;
    }
    std::vector<std::vector<Standing>> teams;
    std::vector<int> ranks;
    for (const MatchTeam& team : result.value().teams) {
      ranks.push_back(team.rank);
      teams.emplace_back();
      for (const MatchPlayer& player : team.players) {
        teams.back().push_back(players[{row[1], player.id}]);
        if (player.rating) fix_rating(teams.back().back(), *player.rating);
      }
    }
    rate_match(teams, ranks, std::stoll(row[4]));
    for (std::size_t t = 0; t < teams.size(); ++t)
      for (std::size_t i = 0; i < teams[t].size(); ++i)
        players[{row[1], result.value().teams[t].players[i].id}] = teams[t][i];
  }
  for (const std::string& key : acknowledged)
    if (!count.contains(key)) found.push_back("result '" + key + "' is lost");
  for (const auto& [key, times] : count)
    if (times > 1) found.push_back("result '" + key + "' counts twice");
  Result<Records> records = Records::open(path);
  if (!records) return {records.error().message};
  const std::size_t there = std::stoull(raw.rows("SELECT count(*) FROM players").at(0).at(0));
  if (there != players.size()) found.push_back("there are players without a match");
  for (const auto& [who, standing] : players) {
    const Result<std::optional<Standing>> kept = records->player(who.first, who.second);
    if (!kept || kept.value() != standing) found.push_back("player '" + who.second + "' is not what results make");
  }
  return found;
}

using Faults = std::vector<std::string>;

TEST(Records, AResultCountsOnce) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  Records records = Records::open(path).value();
  const MatchResult won = read_result(R"({"game":"chess","key":"1","teams":[{"rank":1,"players":[{"id":"ann"}]},)"
                                      R"({"rank":2,"players":[{"id":"bot:easy","rating":1200}]}]})")
                              .value();
  const Posted first = post(records, won);
  EXPECT_EQ(first.kind, Posted::Kind::taken);
  EXPECT_EQ(first.answer.find(R"({"result":1,"game":"chess","key":"1","players":[{"id":"ann","matches":1,"wins":1,)"),
            0u)
      << first.answer;
  MatchResult later = won;
  later.key = "2";
  EXPECT_EQ(post(records, later).kind, Posted::Kind::taken);
  const Posted again = post(records, won);
  EXPECT_EQ(again.kind, Posted::Kind::repeated);
  EXPECT_EQ(again.answer, first.answer) << "as it was then";
  MatchResult other = won;
  other.teams[0].rank = 2;
  const Posted conflict = post(records, other);
  EXPECT_EQ(conflict.kind, Posted::Kind::conflict);
  EXPECT_EQ(conflict.answer, "'key': another result was posted with the key '1' before: a new result takes a new key");
  other.game = "go";
  EXPECT_EQ(post(records, other).kind, Posted::Kind::taken) << "keys are of a game";
  const Standing ann = records.player("chess", "ann").value().value();
  EXPECT_EQ(ann.matches, 2);
  EXPECT_EQ(ann.last_seen, 1'000);
  EXPECT_GT(ann.elo.rating, 1500);
  const Standing easy = records.player("chess", "bot:easy").value().value();
  EXPECT_TRUE(easy.fixed);
  EXPECT_EQ(easy.elo.rating, 1200);
  EXPECT_EQ(records.player("chess", "bob").value(), std::nullopt);
  EXPECT_EQ(faults(path, {"chess/1", "chess/2", "go/1"}), Faults{});
}

// In one commit too: the second finds the first.
TEST(Records, ResultsOfOneCommitAreTakenInOrder) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  Records records = Records::open(path).value();
  MatchResult other = sample_result(1);
  other.time = 5;
  const MatchResult results[] = {sample_result(1), sample_result(2), sample_result(1), other};
  const std::vector<Posted> posted = records.post(results, 1'000).value();
  ASSERT_EQ(posted.size(), 4u);
  EXPECT_EQ(posted[1].kind, Posted::Kind::taken);
  EXPECT_EQ(posted[2].kind, Posted::Kind::repeated);
  EXPECT_EQ(posted[2].answer, posted[0].answer);
  EXPECT_EQ(posted[3].kind, Posted::Kind::conflict);
  EXPECT_EQ(faults(path, {name_of(1), name_of(2)}), Faults{});
}

// Two handles, as two processes have: whoever comes second gets the first one's answer.
TEST(Records, SeveralMayPostTheSame) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  constexpr int kThreads = 3, kResults = 60;
  std::vector<std::vector<std::string>> answers(kThreads, std::vector<std::string>(kResults));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      Result<Records> records = Records::open(path, std::chrono::seconds(30));
      ASSERT_TRUE(records) << records.error().message;
      for (int i = 0; i < kResults; ++i) answers[t][i] = post(*records, sample_result(i)).answer;
    });
  for (std::thread& thread : threads) thread.join();
  for (int t = 1; t < kThreads; ++t) EXPECT_EQ(answers[t], answers[0]);
  EXPECT_EQ(Raw(path).rows("SELECT count(*) FROM results").at(0).at(0), std::to_string(kResults));
  EXPECT_EQ(faults(path, {}), Faults{});
}

TEST(Records, TheLeaderboardHasPages) {
  const TemporaryFolder folder;
  Records records = Records::open(folder.file("records.db")).value();
  for (int i = 0; i < 60; ++i) post(records, sample_result(i));
  const std::vector<Ranked> all = records.leaderboard("lanes", 1000).value();
  ASSERT_GT(all.size(), 10u);
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LE(all[i].standing.skill.ordinal(), all[i - 1].standing.skill.ordinal());
    EXPECT_EQ(all[i].place, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(records.player("lanes", all[i].id).value().value(), all[i].standing);
  }
  std::vector<std::string> paged;
  LeaderboardCursor after;
  for (;;) {
    const std::vector<Ranked> page = records.leaderboard("lanes", 3, after).value();
    for (const Ranked& ranked : page) {
      paged.push_back(ranked.id);
      EXPECT_EQ(ranked.place, static_cast<std::int64_t>(paged.size()));
    }
    if (page.size() < 3) break;
    after = read_cursor(cursor_text(page.back())).value();
  }
  ASSERT_EQ(paged.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(paged[i], all[i].id);
  EXPECT_TRUE(records.leaderboard("go", 10).value().empty());
  std::vector<std::string> people, listed;
  for (const Ranked& ranked : all)
    if (!ranked.id.starts_with("bot:")) people.push_back(ranked.id);
  EXPECT_LT(people.size(), all.size());
  const std::vector<Ranked> without = records.leaderboard("lanes", 1000, {}, false).value();
  for (const Ranked& ranked : without) listed.push_back(ranked.id);
  EXPECT_EQ(listed, people);
}

// Those of the same standing are in the order of their ids, and none of them is lost between pages.
TEST(Records, ALeaderboardOfEqualsHasPagesToo) {
  const TemporaryFolder folder;
  Records records = Records::open(folder.file("records.db")).value();
  MatchResult result{.game = "g", .key = "1", .teams = {}};
  for (int i = 0; i < 7; ++i) result.teams.push_back({.players = {{"p" + std::to_string(i)}}, .rank = 1});
  post(records, result);
  std::string seen;
  LeaderboardCursor after;
  for (int i = 0; i < 4; ++i) {
    const std::vector<Ranked> page = records.leaderboard("g", 2, after).value();
    for (const Ranked& ranked : page) seen += ranked.id;
    after = read_cursor(cursor_text(page.back())).value();
  }
  EXPECT_EQ(seen, "p0p1p2p3p4p5p6");
}

TEST(Records, AMatchTakesWhoIsKnownAndWhoIsNew) {
  const TemporaryFolder folder;
  Records records = Records::open(folder.file("records.db")).value();
  for (int i = 0; i < 30; ++i) {
    MatchResult won{.game = "chess", .key = std::to_string(i), .teams = {}};
    won.teams = {{.players = {{"ann"}}, .rank = 1 + i % 2}, {.players = {{"bot:a", 1800.0}}, .rank = 2 - i % 2}};
    post(records, won);
  }
  MatchWish wish{.game = "chess", .teams = {{.players = {{"ann"}}}, {.bots = 1}}, .ratings = {1000, 2500}};
  const EvenMatch known = records.match(wish).value();
  EXPECT_NEAR(known.rating, 1800, 100);
  wish.teams[0].players[0].id = "zoe";
  const EvenMatch unknown = records.match(wish).value();
  EXPECT_EQ(unknown.rating, kNewRating);
  EXPECT_GT(unknown.chances[0].interval.half_width(), 2 * known.chances[0].interval.half_width());
}

TEST(Records, FilesThatAreNoneOfOurs) {
  const TemporaryFolder folder;
  const auto complaint = [](const std::string& path) {
    const Result<Records> opened = Records::open(path, std::chrono::milliseconds(20));
    return opened ? "" : opened.error().message;
  };
  const std::string text = folder.file("notes.txt");
  ASSERT_TRUE(write_file_atomically(text, std::string(5000, 'x')));
  EXPECT_EQ(complaint(text), text +
                                 ": file is not a database: give a file that `rival serve --records` made, or one "
                                 "that is not there yet");
  EXPECT_EQ(read_file(text).value(), std::string(5000, 'x'));
  const std::string foreign = folder.file("foreign.db");
  Raw(foreign).rows("CREATE TABLE theirs (x)");
  EXPECT_EQ(complaint(foreign), foreign +
                                    ": is a database of something else: give a file that `rival serve --records` "
                                    "made, or one that is not there yet");
  EXPECT_EQ(Raw(foreign).rows("SELECT name FROM sqlite_schema").size(), 1u) << "nothing was added";
  const std::string newer = folder.file("newer.db");
  EXPECT_EQ(complaint(newer), "");
  EXPECT_EQ(complaint(newer), "") << "a second time";
  Raw(newer).rows("PRAGMA user_version = 2");
  EXPECT_EQ(complaint(newer),
            newer +
                ": its schema is of version 2, and this program knows version 1: use the version of Rival that "
                "made it, or give another file");
  const std::string nowhere = folder.file("no/such/records.db");
  EXPECT_EQ(complaint(nowhere), nowhere +
                                    ": unable to open database file: it and its folder must be there, for this "
                                    "user to write to");
  EXPECT_NE(complaint(":memory:").find("no write-ahead log is possible"), std::string::npos);
}

// A file that has been written to is safe from power cuts once the disk was waited for; in the log that is once a
// commit, however many results are in it.
TEST(Records, EveryCommitWaitsForTheDisk) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  Records records = Records::open(path).value();
  EXPECT_EQ(Raw(path).rows("PRAGMA journal_mode").at(0).at(0), "wal");
  post(records, sample_result(0));
  const int before = waits;
  post(records, sample_result(1));
  const int one = waits - before;
  EXPECT_EQ(one, 1);
  std::vector<MatchResult> results;
  for (int i = 2; i < 12; ++i) results.push_back(sample_result(i));
  ASSERT_TRUE(records.post(results, 1'000));
  EXPECT_EQ(waits - before, 2 * one);
}

TEST(Records, ALockedFileTakesNothingAndSaysSo) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  Records records = Records::open(path, std::chrono::milliseconds(20)).value();
  Raw other(path);
  other.rows("BEGIN IMMEDIATE");
  const MatchResult result = sample_result(1);
  const Result<std::vector<Posted>> refused = records.post({&result, 1}, 1'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, path +
                                         ": database is locked: another process holds it; nothing was recorded; end "
                                         "that process, or try again later");
  EXPECT_TRUE(records.leaderboard("lanes", 10)) << "who only reads need not wait";
  other.rows("COMMIT");
  EXPECT_EQ(post(records, result).kind, Posted::Kind::taken);
  EXPECT_EQ(faults(path, {name_of(1)}), Faults{});
}

// The system writes no more than so many bytes into a file, as where a disk is full.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileLimit(const FileLimit&) = delete;
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(Records, WhereNothingCanBeWrittenNothingIsTaken) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  Records records = Records::open(path).value();
  std::set<std::string> acknowledged;
  std::string said;
  int refusals = 0;
  for (int i = 0; i < 40; ++i) {
    const MatchResult result = sample_result(i);
    const Result<std::vector<Posted>> posted = [&] {
      const FileLimit limit(i % 2 ? 150'000 : 30'000);
      return records.post({&result, 1}, 1'000);
    }();
    if (posted) {
      acknowledged.insert(name_of(result));
    } else {
      ++refusals;
      said = posted.error().message;
      EXPECT_EQ(Raw(path).rows("SELECT * FROM results WHERE key = '" + result.key + "'").size(), 0u);
    }
  }
  EXPECT_GT(refusals, 5);
  EXPECT_GT(acknowledged.size(), 5u);
  EXPECT_EQ(said.find(path + ": disk I/O error: nothing was recorded; look at the disk"), 0u) << said;
  for (int i = 0; i < 40; ++i) post(records, sample_result(i));
  EXPECT_EQ(faults(path, acknowledged), Faults{});
}

// ---- kill -9 ----

// Posts results from this number on, several to a commit, and says each that was taken. Like a client that heard
// nothing, it begins with some that may be there already.
[[noreturn]] void post_until_killed(const std::string& path, int from, int said) {
  Result<Records> records = Records::open(path);
  if (!records) ::_exit(1);
  Random random{Key(static_cast<std::uint64_t>(from))};
  for (int next = std::max(0, from - 5);;) {
    std::vector<MatchResult> results;
    for (int i = 1 + random.below(3); i > 0; --i) results.push_back(sample_result(next++));
    const auto posted = records->post(results, 1'000 + next);
    if (!posted) ::_exit(2);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const int key = std::stoi(results[i].key);
      if (posted.value()[i].kind == Posted::Kind::conflict || ::write(said, &key, sizeof key) != sizeof key) ::_exit(3);
    }
  }
}

void kill_often(int kills) {
  const TemporaryFolder folder;
  const std::string path = folder.file("records.db");
  std::set<std::string> acknowledged;
  Random random(Key(6));
  int next = 0, killed = 0;
  for (int trial = 0; trial < kills; ++trial) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) post_until_killed(path, next, pipe[1]);
    ::close(pipe[1]);
    int key = 0;
    for (int heard = random.below(8); heard >= 0; --heard) {
      ASSERT_EQ(::read(pipe[0], &key, sizeof key), static_cast<ssize_t>(sizeof key)) << "trial " << trial;
      acknowledged.insert(name_of(key));
      next = std::max(next, key + 1);
    }
    ::usleep(static_cast<useconds_t>(random.below(8'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status);
    while (::read(pipe[0], &key, sizeof key) == static_cast<ssize_t>(sizeof key)) {
      acknowledged.insert(name_of(key));
      next = std::max(next, key + 1);
    }
    ::close(pipe[0]);
    ASSERT_EQ(faults(path, acknowledged), Faults{}) << "after kill " << trial + 1;
  }
  EXPECT_EQ(killed, kills);
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(kills));
}

TEST(Records, WhatWasAcknowledgedSurvivesTenKills) {
  kill_often(10);
}

TEST(RecordsSlow, WhatWasAcknowledgedSurvivesAHundredKills) {
  kill_often(100);
}

// Negative controls of what the tests above rely on.
TEST(Records, FaultsAreFound) {
  const auto with = [](const std::string& harm) {
    const TemporaryFolder folder;
    const std::string path = folder.file("records.db");
    {
      std::vector<MatchResult> results;
      for (int i = 0; i < 20; ++i) results.push_back(sample_result(i));
      EXPECT_TRUE(Records::open(path)->post(results, 1'000));
    }
    if (!harm.empty()) Raw(path).rows(harm);
    return faults(path, {name_of(3), name_of(19)});
  };
  EXPECT_EQ(with(""), Faults{});
  EXPECT_NE(with("DELETE FROM results WHERE key = '19'"), Faults{});
  EXPECT_NE(with("DELETE FROM results WHERE key = '5'"), Faults{}) << "not acknowledged, but counted";
  EXPECT_NE(with("UPDATE players SET mu = mu + 1e-12 WHERE matches = 3"), Faults{});
  EXPECT_NE(with("UPDATE players SET wins = wins + 1, losses = losses - 1"), Faults{});
  EXPECT_NE(with("INSERT INTO results SELECT 21, game, key || '+', posted, time, answer FROM results WHERE number = 3"),
            Faults{});
}

}  // namespace
}  // namespace rival::records
