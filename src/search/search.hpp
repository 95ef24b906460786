// A plain search as a player, to measure bots of any game by: Monte Carlo tree search with random rollouts. It knows
// nothing of a game but its rules.
//
// Each seat keeps count of what it tried where it saw the same, and chooses by UCT (Kocsis, Szepesvári: "Bandit based
// Monte-Carlo planning", 2006). One search so serves every kind of game:
//   several seats            each is after its own team's return
//   chance                   is drawn anew in each simulation; the match's own draws to come stay unknown
//   simultaneous moves       each seat chooses by its own counts, without knowing the others' choices
//   hidden information       each simulation redraws what the searching seat cannot know, by resample_hidden (Cowling,
//                            Powley, Whitehouse: "Information set Monte Carlo tree search", 2012)
//   actions of several parts each part is chosen by its own counts
//   continuous parts         values are drawn, the more the longer a position is searched
// Where a good player must be unpredictable (simultaneous moves, hidden information) it draws its choice in proportion
// to how often the search took it; elsewhere it takes the one tried most.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/agent.hpp"
#include "base/result.hpp"

namespace rival {

struct SearchOptions {
  int simulations = 100;     // for each decision
  int rollout_steps = 1000;  // a simulation ends after so many steps; what it has returned by then counts
  double exploration = 1;    // of UCT, where returns are scaled to the range that the search has seen
  int threads = 1;           // that decide rows; 0: one per processor. Decisions do not depend on it
};

// Error: the game has hidden information and no resample_hidden.
Result<std::unique_ptr<Agent>> search_agent(const BatchFactory& factory, const SearchOptions& options);

// "search:100": whether a player's name means a search, and how many simulations it asks for. Error: no such number.
bool is_search(std::string_view name);
Result<int> search_simulations(std::string_view name);

}  // namespace rival
