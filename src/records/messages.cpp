#include "records/messages.hpp"

#include <fmt/format.h>

#include <set>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/number.hpp"

namespace rival::records {
namespace {

using nlohmann::json;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kLatestTime = 253'402'300'799;  // the end of the year 9999
constexpr int kLargestRank = 1'000'000;

std::string read_name(JsonFields& fields, const char* field) {
  std::string name = fields.text(field);
  if (name.empty() || name.size() > kLongestName)
    fields.fail(field, fmt::format("must be of 1 to {} bytes", kLongestName));
  return name;
}

MatchPlayer read_player(const json& value, const std::string& place, std::optional<Error>& error) {
  JsonFields fields(value, place, error);
  fields.only(std::vector<std::string>{"id", "rating"});
  MatchPlayer player{.id = read_name(fields, "id")};
  if (!fields.has("rating")) return player;
  player.rating = fields.real("rating", {kLowestRating, kHighestRating});
  if (!player.id.starts_with(kBotPrefix))
    fields.fail("rating", "fixes the rating of a bot: ids of bots begin with 'bot:'");
  return player;
}

// The teams of a match whose other field of a team is `number`.
std::vector<MatchTeam> read_teams(JsonFields& match, const char* number, int MatchTeam::*member, Range<int> range,
                                  std::optional<Error>& error) {
  std::vector<MatchTeam> teams;
  std::set<std::string> seen;
  std::size_t players = 0;
  const json& list = match.list("teams", kMostTeams);
  if (list.size() < 2) match.fail("teams", "must be a list of two teams at least");
  for (const json& value : list) {
    if (error) break;
    const std::string place = fmt::format("{}: team {}", match.place(), teams.size() + 1);
    JsonFields fields(value, place, error);
    fields.only(std::vector<std::string>{"players", number});
    MatchTeam& team = teams.emplace_back();
    team.*member = fields.whole<int>(number, range);
    const json& members = fields.list("players", kMostPlayers);
    players += members.size();
    if (players > kMostPlayers) fields.fail("players", fmt::format("make more than {} of the match", kMostPlayers));
    for (const json& each : members) {
      if (error) break;
      team.players.push_back(read_player(each, fmt::format("{}, player {}", place, team.players.size() + 1), error));
      const std::string& id = team.players.back().id;
      if (!seen.insert(id).second) fields.fail("players", fmt::format("has '{}', who is in the match already", id));
    }
    if (team.players.empty() && team.bots == 0) fields.fail("players", "is empty");
  }
  return teams;
}

}  // namespace

Result<MatchResult> read_result(std::string_view text) {
  const std::string place = "the result";
  const Result<json> parsed = parse_json(text, place);
  if (!parsed) return parsed.error();
  std::optional<Error> error;
  JsonFields fields(parsed.value(), place, error);
  fields.only(std::vector<std::string>{"game", "key", "teams", "time"});
  MatchResult result{.game = read_name(fields, "game"), .key = read_name(fields, "key"), .teams = {}};
  result.teams = read_teams(fields, "rank", &MatchTeam::rank, {1, kLargestRank}, error);
  if (fields.has("time")) result.time = fields.whole<std::int64_t>("time", {0, kLatestTime});
  if (error) return *error;
  return result;
}

std::string result_text(const MatchResult& result) {
  Json teams = Json::array();
  for (const MatchTeam& team : result.teams) {
    Json players = Json::array();
    for (const MatchPlayer& player : team.players) {
      Json& one = players.emplace_back(Json{{"id", player.id}});
      if (player.rating) one["rating"] = *player.rating;
    }
    teams.push_back({{"rank", team.rank}, {"players", std::move(players)}});
  }
  Json text = {{"game", result.game}, {"key", result.key}, {"teams", std::move(teams)}};
  if (result.time) text["time"] = *result.time;
  return json_text(text);
}

Result<MatchWish> read_wish(std::string_view text) {
  const std::string place = "the match";
  const Result<json> parsed = parse_json(text, place);
  if (!parsed) return parsed.error();
  std::optional<Error> error;
  JsonFields fields(parsed.value(), place, error);
  fields.only(std::vector<std::string>{"game", "teams", "lowest", "highest"});
  MatchWish wish{.game = read_name(fields, "game"), .teams = {}, .ratings = {}};
  wish.ratings.low = fields.real("lowest", {kLowestRating, kHighestRating});
  wish.ratings.high = fields.real("highest", {kLowestRating, kHighestRating});
  if (wish.ratings.low > wish.ratings.high) fields.fail("lowest", "is above 'highest'");
  wish.teams = read_teams(fields, "bots", &MatchTeam::bots, {0, static_cast<int>(kMostPlayers)}, error);
  int bots = 0;
  for (const MatchTeam& team : wish.teams) bots += team.bots;
  if (bots == 0) fields.fail("teams", "lack no bot: 'bots' says how many each lacks");
  if (error) return *error;
  return wish;
}

Result<LeaderboardCursor> read_cursor(std::string_view text) {
  const std::size_t first = text.find(':'), second = text.find(':', first == text.npos ? first : first + 1);
  if (second != text.npos) {
    const auto place = parse_whole("", text.substr(0, first), {0, INT64_MAX / 2});
    const auto ordinal = parse_real("", text.substr(first + 1, second - first - 1));
    if (place && ordinal)
      return LeaderboardCursor{place.value(), ordinal.value(), std::string(text.substr(second + 1))};
  }
  return Error{"'after' must be what an answer before gave as 'next'"};
}

std::string cursor_text(const Ranked& last) {
  return fmt::format("{}:{}:{}", last.place, shortest(last.standing.skill.ordinal()), last.id);
}

nlohmann::ordered_json player_json(const std::string& id, const Standing& standing) {
  const Skill& skill = standing.skill;
  const RatingEstimate& elo = standing.elo;
  return {{"id", id},
          {"matches", standing.matches},
          {"wins", standing.wins},
          {"draws", standing.draws},
          {"losses", standing.losses},
          {"last_seen", standing.last_seen},
          {"fixed", standing.fixed},
          {"skill",
           {{"mu", skill.mu},
            {"sigma", skill.sigma},
            {"ordinal", skill.ordinal()},
            {"rating", elo_of_skill(skill.mu)},
            {"low", elo_of_skill(skill.mu - kZ95 * skill.sigma)},
            {"high", elo_of_skill(skill.mu + kZ95 * skill.sigma)}}},
          {"elo",
           {{"matches", standing.pairs},
            {"rating", elo.rating},
            {"low", elo.rating - kZ95 * elo.error},
            {"high", elo.rating + kZ95 * elo.error}}}};
}

nlohmann::ordered_json even_match_json(const EvenMatch& match) {
  Json teams = Json::array();
  for (const Chance& chance : match.chances)
    teams.push_back({{"expected", chance.expected}, {"low", chance.interval.low}, {"high", chance.interval.high}});
  return {{"rating", match.rating}, {"teams", std::move(teams)}};
}

}  // namespace rival::records
