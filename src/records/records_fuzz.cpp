// Results and wishes from anywhere: reading them does not crash, what is accepted keeps the limits, comes back the
// same, and leaves the players with numbers.
#include <cmath>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "records/messages.hpp"

using namespace rival;
using namespace rival::records;

namespace {

std::vector<std::vector<Standing>> standings(const std::vector<MatchTeam>& teams) {
  check(teams.size() >= 2 && teams.size() <= kMostTeams, "the number of teams");
  std::vector<std::vector<Standing>> all;
  for (const MatchTeam& team : teams) {
    std::vector<Standing>& members = all.emplace_back();
    for (const MatchPlayer& player : team.players) {
      check(!player.id.empty() && player.id.size() <= kLongestName, "the length of an id");
      if (player.rating)
        fix_rating(members.emplace_back(), *player.rating);
      else
        members.emplace_back();
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const Result<MatchResult> result = read_result(text)) {
    const std::string written = result_text(result.value());
    const Result<MatchResult> again = read_result(written);
    check(again.ok() && again.value() == result.value() && result_text(again.value()) == written,
          "a result comes back");
    std::vector<std::vector<Standing>> teams = standings(result.value().teams);
    std::vector<int> ranks;
    for (const MatchTeam& team : result.value().teams) ranks.push_back(team.rank);
    rate_match(teams, ranks, 1);
    for (const std::vector<Standing>& team : teams)
      for (const Standing& s : team)
        check(std::isfinite(s.skill.mu) && s.skill.sigma >= 0 && std::isfinite(s.elo.rating) && s.elo.error >= 0,
              "ratings are numbers");
  }
  if (const Result<MatchWish> wish = read_wish(text)) {
    std::vector<OpenTeam> teams;
    std::vector<std::vector<Standing>> players = standings(wish.value().teams);
    for (std::size_t t = 0; t < players.size(); ++t) teams.push_back({players[t], wish.value().teams[t].bots});
    const EvenMatch match = even_match(teams, wish.value().ratings);
    check(match.rating >= wish.value().ratings.low && match.rating <= wish.value().ratings.high, "a rating in range");
    for (const Chance& chance : match.chances)
      check(chance.expected >= 0 && chance.expected <= 1 && chance.interval.low <= chance.interval.high,
            "chances are chances");
  }
  if (const Result<LeaderboardCursor> cursor = read_cursor(text))
    check(std::isfinite(cursor.value().ordinal), "a place on the leaderboard");
  return 0;
}
