#include "records/records.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "base/json.hpp"

namespace rival::records {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kApplication = "1382643308";  // which program a database is of: the bytes "Rivl"
constexpr const char* kSchemaVersion = "1";

constexpr const char* kSchema = R"(
  CREATE TABLE results (
    number INTEGER PRIMARY KEY,  -- in the order in which they came
    game TEXT NOT NULL,
    key TEXT NOT NULL,
    posted TEXT NOT NULL,        -- result_text()
    time INTEGER NOT NULL,       -- seconds since 1970
    answer TEXT NOT NULL,
    UNIQUE (game, key)
  ) STRICT;
  CREATE TABLE players (
    game TEXT NOT NULL,
    id TEXT NOT NULL,
    matches INTEGER NOT NULL,
    wins INTEGER NOT NULL,
    draws INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    pairs INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    mu REAL NOT NULL,
    sigma REAL NOT NULL,
    elo REAL NOT NULL,
    elo_error REAL NOT NULL,
    fixed INTEGER NOT NULL,
    ordinal REAL NOT NULL,
    PRIMARY KEY (game, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leaderboard ON players (game, ordinal DESC, id);
)";

constexpr const char* kStandingColumns =
    "matches, wins, draws, losses, pairs, last_seen, mu, sigma, elo, elo_error, fixed";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// One use of a statement, which is ready for the next when it ends. What is bound must outlive it.
class Query {
 public:
  template <class... Values>
  explicit Query(const Statement& statement, const Values&... values) : statement_(statement.get()) {
    int at = 0;
    (bind(++at, values), ...);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query() { sqlite3_reset(statement_); }

  // SQLITE_ROW, SQLITE_DONE or what went wrong.
  int step() { return sqlite3_step(statement_); }

  std::int64_t whole(int column) { return sqlite3_column_int64(statement_, column); }
  double real(int column) { return sqlite3_column_double(statement_, column); }
  std::string text(int column) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  // From kStandingColumns.
  Standing standing(int column) {
    Standing s;
    for (std::int64_t* count : {&s.matches, &s.wins, &s.draws, &s.losses, &s.pairs, &s.last_seen})
      *count = whole(column++);
    for (double* number : {&s.skill.mu, &s.skill.sigma, &s.elo.rating, &s.elo.error}) *number = real(column++);
    s.fixed = whole(column) != 0;
    return s;
  }

 private:
  void bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_, at, value); }
  void bind(int at, double value) { sqlite3_bind_double(statement_, at, value); }
  void bind(int at, const std::string& value) {
    sqlite3_bind_text64(statement_, at, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  }

  sqlite3_stmt* statement_;
};

}  // namespace

class Records::Database {
 public:
  explicit Database(const std::string& path) : path_(path) {}

  Result<void> open(std::chrono::milliseconds patience);
  Result<std::vector<Posted>> post(std::span<const MatchResult> results, std::int64_t now);
  Result<std::optional<Standing>> player(const std::string& game, const std::string& id);
  // The same with who is not known as new, and with a rating that is fixed.
  Result<Standing> standing(const std::string& game, const MatchPlayer& player);
  Result<std::vector<Ranked>> leaderboard(const std::string& game, int limit, const LeaderboardCursor& after,
                                          bool bots);

 private:
  // What SQLite says is wrong, and what to do about it.
  Error failure() const;
  Result<Statement> prepare(const std::string& sql);
  Result<void> run(const char* sql);
  // The first value that a query gives.
  Result<std::string> ask(const char* sql);
  Result<void> make_schema();
  // Within a transaction.
  Result<Posted> take(const MatchResult& result, std::int64_t now);

  std::string path_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  Statement find_result_, last_result_, add_result_, find_player_, put_player_, leaderboard_;
};

Error Records::Database::failure() const {
  const char* remedy = "nothing was recorded; look at the disk, then try again";
  switch (sqlite3_errcode(database_.get())) {
    case SQLITE_FULL:
      remedy = "nothing was recorded; free some space on the disk, then try again";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      remedy = "another process holds it; nothing was recorded; end that process, or try again later";
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      remedy = "it and its folder must be there, for this user to write to";
      break;
    case SQLITE_NOTADB:
      remedy = "give a file that `rival serve --records` made, or one that is not there yet";
      break;
    case SQLITE_CORRUPT:
      remedy = "put a copy of it from before in its place";
      break;
    default:
      break;
  }
  return Error{fmt::format("{}: {}: {}", path_, sqlite3_errmsg(database_.get()), remedy)};
}

Result<Statement> Records::Database::prepare(const std::string& sql) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) return failure();
  return Statement(prepared);
}

Result<void> Records::Database::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

Result<std::string> Records::Database::ask(const char* sql) {
  const Result<Statement> statement = prepare(sql);
  if (!statement) return statement.error();
  Query query(statement.value());
  if (query.step() != SQLITE_ROW) return failure();
  return query.text(0);
}

// Whoever comes first makes it.
Result<void> Records::Database::make_schema() {
  if (Result<void> begun = run("BEGIN IMMEDIATE"); !begun) return begun;
  std::string found[3];
  const char* questions[] = {"PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema"};
  for (int i = 0; i < 3; ++i) {
    const Result<std::string> answer = ask(questions[i]);
    if (!answer) return answer.error();
    found[i] = answer.value();
  }
  const auto& [application, version, tables] = found;
  if (application == kApplication) {
    if (version == kSchemaVersion) return run("COMMIT");
    return Error{
        fmt::format("{}: its schema is of version {}, and this program knows version {}: use the version of "
                    "Rival that made it, or give another file",
                    path_, version, kSchemaVersion)};
  }
  if (application != "0" || version != "0" || tables != "0")
    return Error{path_ +
                 ": is a database of something else: give a file that `rival serve --records` made, or one "
                 "that is not there yet"};
  if (Result<void> made = run(kSchema); !made) return made;
  return run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT", kApplication, kSchemaVersion)
                 .c_str());
}

Result<void> Records::Database::open(std::chrono::milliseconds patience) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(opened);
  if (code != SQLITE_OK) return failure();
  sqlite3_busy_timeout(opened, static_cast<int>(patience.count()));
  if (Result<void> made = make_schema(); !made) return made;
  const Result<std::string> mode = ask("PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  if (mode.value() != "wal")
    return Error{path_ + ": no write-ahead log is possible there: give a file on a disk of this machine"};
  if (Result<void> set = run("PRAGMA synchronous = FULL"); !set) return set;
  const std::string columns = kStandingColumns;
  const std::pair<Statement*, std::string> statements[] = {
      {&find_result_, "SELECT posted, answer FROM results WHERE game = ? AND key = ?"},
      {&last_result_, "SELECT coalesce(max(number), 0) FROM results"},
      {&add_result_, "INSERT INTO results (number, game, key, posted, time, answer) VALUES (?, ?, ?, ?, ?, ?)"},
      {&find_player_, "SELECT " + columns + " FROM players WHERE game = ? AND id = ?"},
      {&put_player_, "INSERT OR REPLACE INTO players (game, id, " + columns +
                         ", ordinal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&leaderboard_, "SELECT id, " + columns +
                          " FROM players WHERE game = ?1 AND ordinal <= ?2 AND (ordinal < ?2 OR id > ?3) "
                          "AND (?5 OR substr(id, 1, length(?6)) <> ?6) "
                          "ORDER BY ordinal DESC, id LIMIT ?4"}};
  for (const auto& [statement, sql] : statements) {
    Result<Statement> prepared = prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(prepared).value();
  }
  return {};
}

Result<Posted> Records::Database::take(const MatchResult& result, std::int64_t now) {
  const std::string text = result_text(result);
  {
    Query found(find_result_, result.game, result.key);
    const int code = found.step();
    if (code == SQLITE_ROW && found.text(0) == text) return Posted{Posted::Kind::repeated, found.text(1)};
    if (code == SQLITE_ROW)
      return Posted{Posted::Kind::conflict,
                    fmt::format("'key': another result was posted with the key '{}' before: a new result takes a new "
                                "key",
                                result.key)};
    if (code != SQLITE_DONE) return failure();
  }
  std::vector<std::vector<Standing>> teams;
  std::vector<int> ranks;
  for (const MatchTeam& team : result.teams) {
    ranks.push_back(team.rank);
    std::vector<Standing>& standings = teams.emplace_back();
    for (const MatchPlayer& each : team.players) {
      const Result<Standing> before = standing(result.game, each);
      if (!before) return before.error();
      standings.push_back(before.value());
    }
  }
  const std::int64_t time = result.time.value_or(now);
  rate_match(teams, ranks, time);
  Query last(last_result_);
  if (last.step() != SQLITE_ROW) return failure();
  const std::int64_t number = last.whole(0) + 1;
  Json answer = {{"result", number}, {"game", result.game}, {"key", result.key}, {"players", Json::array()}};
  for (std::size_t t = 0; t < teams.size(); ++t)
    for (std::size_t i = 0; i < teams[t].size(); ++i) {
      const Standing& s = teams[t][i];
      const std::string& id = result.teams[t].players[i].id;
      answer["players"].push_back(player_json(id, s));
      Query put(put_player_, result.game, id, s.matches, s.wins, s.draws, s.losses, s.pairs, s.last_seen, s.skill.mu,
                s.skill.sigma, s.elo.rating, s.elo.error, std::int64_t{s.fixed}, s.skill.ordinal());
      if (put.step() != SQLITE_DONE) return failure();
    }
  const std::string said = json_text(answer);
  Query add(add_result_, number, result.game, result.key, text, time, said);
  if (add.step() != SQLITE_DONE) return failure();
  return Posted{Posted::Kind::taken, said};
}

Result<std::vector<Posted>> Records::Database::post(std::span<const MatchResult> results, std::int64_t now) {
  std::vector<Posted> posted;
  Result<void> done = run("BEGIN IMMEDIATE");
  for (std::size_t i = 0; done && i < results.size(); ++i) {
    Result<Posted> taken = take(results[i], now);
    if (taken)
      posted.push_back(std::move(taken).value());
    else
      done = taken.error();
  }
  if (done) done = run("COMMIT");
  if (done) return posted;
  if (!sqlite3_get_autocommit(database_.get())) (void)run("ROLLBACK");
  return done.error();
}

Result<std::optional<Standing>> Records::Database::player(const std::string& game, const std::string& id) {
  Query found(find_player_, game, id);
  const int code = found.step();
  if (code == SQLITE_ROW) return std::optional(found.standing(0));
  if (code != SQLITE_DONE) return failure();
  return std::optional<Standing>();
}

Result<Standing> Records::Database::standing(const std::string& game, const MatchPlayer& who) {
  const Result<std::optional<Standing>> known = player(game, who.id);
  if (!known) return known.error();
  Standing standing = known.value().value_or(Standing());
  if (who.rating) fix_rating(standing, *who.rating);
  return standing;
}

Result<std::vector<Ranked>> Records::Database::leaderboard(const std::string& game, int limit,
                                                           const LeaderboardCursor& after, bool bots) {
  const std::string prefix(kBotPrefix);
  Query query(leaderboard_, game, after.ordinal, after.id, std::int64_t{limit}, std::int64_t{bots}, prefix);
  std::int64_t place = after.place;
  std::vector<Ranked> players;
  for (;;) {
    const int code = query.step();
    if (code == SQLITE_DONE) return players;
    if (code != SQLITE_ROW) return failure();
    players.push_back({++place, query.text(0), query.standing(1)});
  }
}

Records::Records(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Records::Records(Records&&) noexcept = default;
Records& Records::operator=(Records&&) noexcept = default;
Records::~Records() = default;

Result<Records> Records::open(const std::string& path, std::chrono::milliseconds patience) {
  auto database = std::make_unique<Database>(path);
  if (Result<void> opened = database->open(patience); !opened) return opened.error();
  return Records(std::move(database));
}

Result<std::vector<Posted>> Records::post(std::span<const MatchResult> results, std::int64_t now) {
  return database_->post(results, now);
}

Result<std::optional<Standing>> Records::player(const std::string& game, const std::string& id) {
  return database_->player(game, id);
}

Result<std::vector<Ranked>> Records::leaderboard(const std::string& game, int limit, const LeaderboardCursor& after,
                                                 bool bots) {
  return database_->leaderboard(game, limit, after, bots);
}

Result<EvenMatch> Records::match(const MatchWish& wish) {
  std::vector<OpenTeam> teams;
  for (const MatchTeam& team : wish.teams) {
    OpenTeam& open = teams.emplace_back(OpenTeam{{}, team.bots});
    for (const MatchPlayer& each : team.players) {
      const Result<Standing> known = database_->standing(wish.game, each);
      if (!known) return known.error();
      open.players.push_back(known.value());
    }
  }
  return even_match(teams, wish.ratings);
}

}  // namespace rival::records
