// A run's bots at two ratings play each other: what docs/levels.md shows.
#include <cstdio>
#include <string>

#include "games/catalog.hpp"
#include "match/match.hpp"
#include "player/player.hpp"

using namespace rival;

// The share of points that the player called `first` gets from the one called `second`. A name is a bot's file, a run's
// folder, RUN@RATING, a scripted player of the game, or search:N.
Result<Estimate> score(const GameEntry& game, const std::string& first, const std::string& second) {
  Result<Player> player = load_player(game, first), opponent = load_player(game, second);
  if (!player) return player.error();
  if (!opponent) return opponent.error();
  const MatchOptions options{.matches = 400, .settings = player->settings(game.spec)};
  Result<MatchSummary> played = play_matches(game, *player->agent, opponent->agent.get(), Key(1), options);
  if (!played) return played.error();
  return played->score;
}

int main(int count, char** arguments) {
  if (count != 3) return std::fprintf(stderr, "usage: levels RUN@RATING OTHER\n"), 2;
  const Result<Estimate> scored = score(built_in("tic_tac_toe"), arguments[1], arguments[2]);
  if (!scored) {
    std::fprintf(stderr, "%s\n", scored.error().message.c_str());
    return scored.error().kind == Error::Kind::usage ? 2 : 1;
  }
  const Estimate& estimate = scored.value();
  std::printf("%.3f (%.3f to %.3f)\n", estimate.value, estimate.interval.low, estimate.interval.high);
  return 0;
}
