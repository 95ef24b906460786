// What clients say and are told of records, as JSON (docs/formats/serve.md). Pure functions that take any bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "records/standing.hpp"

namespace rival::records {

// Of names of games, keys and ids of players: bytes.
inline constexpr std::size_t kLongestName = 128;
inline constexpr std::string_view kBotPrefix = "bot:";               // of ids of bots
inline constexpr std::size_t kMostTeams = 100, kMostPlayers = 1000;  // of a match

struct MatchPlayer {
  std::string id;
  std::optional<double> rating = {};  // of a bot: fixes its rating, on Elo's scale
  bool operator==(const MatchPlayer&) const = default;
};

struct MatchTeam {
  std::vector<MatchPlayer> players;
  int rank = 0;  // of a result: its place; smaller is better, equal is a tie
  int bots = 0;  // of a match to be made: how many it lacks
  bool operator==(const MatchTeam&) const = default;
};

// How a match ended. Two teams at least, none empty, nobody twice.
struct MatchResult {
  std::string game;
  std::string key;  // chosen by who posts it: a result of a game that has the key of an earlier one is that one again
  std::vector<MatchTeam> teams;
  std::optional<std::int64_t> time = {};  // seconds since 1970
  bool operator==(const MatchResult&) const = default;
};
// Errors name the team, the player and the field.
Result<MatchResult> read_result(std::string_view text);
// The one text of a result, which read_result gives back; two results are the same if their texts are.
std::string result_text(const MatchResult& result);

// A match that lacks bots of a rating within `ratings`. Two teams at least, one bot at least, nobody twice.
struct MatchWish {
  std::string game;
  std::vector<MatchTeam> teams;
  Interval ratings;
};
Result<MatchWish> read_wish(std::string_view text);

// A player on a leaderboard.
struct Ranked {
  std::int64_t place = 0;  // from 1 up
  std::string id;
  Standing standing = {};
};

// How far a leaderboard has been read; by default, not at all.
struct LeaderboardCursor {
  std::int64_t place = 0;  // of the last player
  double ordinal = std::numeric_limits<double>::infinity();
  std::string id = {};
};
// As text for clients to give back: "20:31.25:ann". Error: it is none.
Result<LeaderboardCursor> read_cursor(std::string_view text);
std::string cursor_text(const Ranked& last);

nlohmann::ordered_json player_json(const std::string& id, const Standing& standing);
nlohmann::ordered_json even_match_json(const EvenMatch& match);

}  // namespace rival::records
