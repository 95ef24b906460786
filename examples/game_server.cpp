// A game server that has its bots from `rival serve`: matches of Connect Four, all at once, in which a bot plays
// against somebody who plays at random.
//
//   game_server http://127.0.0.1:8765 BOT
#include <cstdio>

#include "games/connect_four/connect_four.hpp"
#include "rival/random.hpp"
#include "serve/client.hpp"

using namespace rival;

int main(int argc, char** argv) {
  constexpr int kMatches = 100;
  if (argc != 3) return std::fprintf(stderr, "Usage: %s ADDRESS BOT\n", argv[0]), 2;
  Result<serve::BotServer> server = serve::BotServer::connect(argv[1]);
  if (!server) return std::fprintf(stderr, "%s\n", server.error().message.c_str()), 1;
  const Result<serve::SessionInfo> session = server->open(argv[2], kMatches);  // a seat of the session for each match
  if (!session) return std::fprintf(stderr, "%s\n", session.error().message.c_str()), 1;

  const Spec spec = ConnectFour::spec();
  const RowLayout layout(spec);
  const auto width = static_cast<std::size_t>(layout.observation_size);
  const int choices = layout.mask_size;
  std::vector<ConnectFour> matches(kMatches);
  Random random(Key(1));
  for (int ply = 0;; ++ply) {
    std::vector<std::uint32_t> seats;
    std::vector<float> observations;
    std::vector<std::uint8_t> masks;
    for (int m = 0; m < kMatches; ++m) {
      ConnectFour& match = matches[static_cast<std::size_t>(m)];
      if (match.status() != Status::running) continue;
      if (match.mover() == m % 2) {  // the bot plays either side
        seats.push_back(static_cast<std::uint32_t>(m));
        observations.resize(seats.size() * width);
        match.observe(match.mover(), Observation(observations.data() + observations.size() - width, layout, spec));
        for (int c = 0; c < choices; ++c) masks.push_back(match.can_play(c));
      } else {
        int choice;
        while (!match.can_play(choice = random.below(choices))) continue;
        match.play(choice);
      }
    }
    if (seats.empty() && ply > 1) break;
    const Result<serve::Actions> acted =
        server->act(session.value(), seats, observations, masks, std::chrono::milliseconds(100));
    if (!acted) return std::fprintf(stderr, "%s\n", acted.error().message.c_str()), 1;
    for (std::size_t row = 0; row < seats.size(); ++row) matches[seats[row]].play(acted.value().choices[row]);
  }
  int won = 0;
  for (int m = 0; m < kMatches; ++m) won += matches[static_cast<std::size_t>(m)].winner() == m % 2;
  std::printf("%s won %d of %d matches\n", session.value().bot.c_str(), won, kMatches);
}
