// Records of players: results of matches and what they make of the players, in an SQLite file.
//
// Every result is kept, in the order in which it came, and each counts exactly once, however often it is posted: it is
// known by the key that the client chose. What post() has returned survives the end of the process and of the machine
// (a write-ahead log, of which every commit waits for the disk). The players' ratings are what standing.hpp makes of
// the results in their order. Other processes may read the file meanwhile, and post to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "records/messages.hpp"
#include "records/standing.hpp"

namespace rival::records {

struct Posted {
  enum class Kind {
    taken,
    repeated,  // the same result was posted before
    conflict,  // another result of this game was posted before with this key
  };
  Kind kind = Kind::taken;
  std::string answer;  // JSON: the result's number, and its players after it, the first time that it was posted;
                       // of a conflict: what is wrong, as text
};

// Not thread-safe: one thread at a time. Errors name the file, and say what to do.
class Records {
 public:
  // Opens the file, or makes it. Waits so long for other processes that hold it, here and in all calls. Errors: it is
  // no database, one of something else, or one that another version of Rival wrote.
  static Result<Records> open(const std::string& path,
                              std::chrono::milliseconds patience = std::chrono::milliseconds(2000));
  Records(Records&&) noexcept;
  Records& operator=(Records&&) noexcept;
  ~Records();

  // Takes all of these in their order, in one commit. `now`: their time where they say none, in seconds since 1970.
  // Error: the file cannot be written, and none of them is taken.
  Result<std::vector<Posted>> post(std::span<const MatchResult> results, std::int64_t now);

  // Nothing: the player has had no match of this game.
  Result<std::optional<Standing>> player(const std::string& game, const std::string& id);
  // The players of a game by their skills' ordinal(), the best first: at most `limit` of those behind `after`; without
  // `bots`, those whose ids are of bots are left out.
  Result<std::vector<Ranked>> leaderboard(const std::string& game, int limit, const LeaderboardCursor& after = {},
                                          bool bots = true);
  // Who is not known counts as new.
  Result<EvenMatch> match(const MatchWish& wish);

 private:
  class Database;
  explicit Records(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace rival::records
