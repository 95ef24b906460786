// The conformance kit: does a game keep the promises that training, search and replays build on? Run by
// `rival check GAME` and by every game's test, on a user's game as on ours.
#pragma once

#include <string>
#include <vector>

#include "game/batch.hpp"

namespace rival {

struct ConformanceCheck {
  enum class Verdict {
    passed,
    warning,  // worth a look: training may suffer, or something could not be checked
    failed,
    skipped,  // does not apply to this game, or an earlier failure kept it from running
  };
  std::string name;  // e.g. "masks"
  std::string what;  // what it checks, one line
  Verdict verdict = Verdict::skipped;
  std::string message;  // the first failure with its match, step, seat, part; or what was found out
};

struct ConformanceReport {
  std::string game;
  std::vector<ConformanceCheck> checks;
  int matches = 0;        // played
  double mean_steps = 0;  // of a match under random play

  bool passed() const;  // no check failed; warnings pass
  // The check of this name; a bug if there is none.
  const ConformanceCheck& check(const std::string& name) const;
  // A line per check, for people and for test failures.
  std::string text() const;
};

const char* verdict_name(ConformanceCheck::Verdict verdict);

// Plays `matches` random matches of the game through its masks, and checks on the way:
//
//   spec          validate(Spec)
//   to act        somebody acts while the match runs; seats exist; one at a time in turn-based games
//   masks         bytes are 0 or 1, and every discrete part of an acting seat has an allowed choice
//   observations  finite, and nothing is written outside the seat's own row
//   scale         observations are of order 1 (a warning above 100 in size)
//   rewards       finite
//   ending        a match ends within Spec::max_steps, or within 20,000 steps where none is given
//   results       finite; with two teams their sum is the same in every finished match (below)
//   copies        a copy plays on just as the original does, and stepping it leaves the original alone
//   same keys     the same key and actions give the same match, alone or beside others in a batch
//   chance        whether different keys give different matches (for information; never fails)
//   replay        a match survives recording, writing, reading and replaying
//   parameters    matches played with each parameter at its lowest and highest value keep all of the above
//   hidden        with hidden information: redrawing what a seat cannot know (resample_hidden) changes neither what
//                 it sees nor what it may do, in the first 64 steps of a match and in every 16th after them; a
//                 warning if the game has no resample_hidden, or it never changes a thing
//
// Results of two teams must be constant-sum since ratings, self-play and exact judges read them as who won: a draw
// scored as a loss for both, say, is an error. Payoffs that are not constant-sum belong in the rewards.
//
// `settings`: of all matches but those of "parameters"; no parameters: the defaults.
// A match stops at its first failure, and so does the kit where going on could crash the game.
ConformanceReport check_conformance(BatchFactory factory, Key key, int matches = 50, const Settings& settings = {});

}  // namespace rival
