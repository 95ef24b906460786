// The conformance kit: does a game keep the promises that training, search and replays build on? Run by
// `rival check GAME` and by every game's test, on a user's game as on ours.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
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
//   members       which optional members were found (for information; never fails)
//   exceptions    no member throws
//   to act        somebody acts while the match runs; seats exist; one at a time in turn-based games
//   masks         bytes are 0 or 1, and every discrete part of an acting seat has an allowed choice
//   observations  finite, and nothing is written outside the seat's own row; a warning if what is written to one part
//                 ends up in the next, or if all that any seat ever sees is the same
//   entities      the first number of an entity is 1, and that of a row without one 0, as all others (a warning)
//   scale         observations are of order 1 (a warning above 100 in size)
//   rewards       finite; a warning above a million in size
//   ending        a match ends within Spec::max_steps, or within 20,000 steps where none is given
//   results       finite; a warning if two teams' sum to different numbers (below), or if all matches end alike
//   copies        a copy plays on just as the original does, and stepping it leaves the original alone
//   same keys     the same key and actions give the same match, alone or beside others in a batch
//   chance        whether different keys give different matches (for information; never fails)
//   replay        a match survives recording, writing, reading and replaying
//   parameters    matches played with each parameter at its lowest and highest value keep all of the above
//   hidden        with hidden information: redrawing what a seat cannot know (resample_hidden) changes neither what
//                 it sees nor what it may do, in the first 64 steps of a match and in every 16th after them; a
//                 warning if the game has no resample_hidden, or it never changes a thing; an error if it has one
//                 and its Spec says that nothing is hidden
//
// Results of two teams that do not sum to a constant are carried: each team is trained for its own, and ratings count
// who has more. Mostly they are a mistake, such as a draw scored as a loss for both; hence the warning.
//
// `settings`: of all matches but those of "parameters"; what is empty: the defaults.
// A match stops at its first failure, and so does the kit where going on could crash the game.
ConformanceReport check_conformance(const BatchFactory& factory, Key key, int matches = 50,
                                    const Settings& settings = {});

// The same for the first moments of a match, in a few milliseconds: an error with the first broken promise, if one
// shows as early. For before anything is built on a game. `typed`: what people type for it.
Result<void> check_quickly(const BatchFactory& factory, const std::string& typed);

}  // namespace rival
