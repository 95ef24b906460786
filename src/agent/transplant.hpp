// Growing a bot: a network of another shape, or for a newer version of its game, that goes on from what the bot has
// learnt. Its outputs in the situations that the bot knows are the bot's (to rounding): the logits of its choices, its
// values, its memory's effect.
//
// Weights are mapped by the names of parts, and by position within a part: vectors, entities' features, entities,
// grids' channels and choices may grow at their end; parts may come, go and change places.
//   - Inputs that are new (a longer vector, a new part, a wider layer below) get weights of zero into what was there,
//   so
//     that nothing changes at first. They still learn: the gradient of such a weight is the input times what the unit
//     above would like to change by, and neither is zero. That of what lies below them follows one update later.
//   - Units that are new get the random weights of a new network; nothing that was there looks at them yet, see above.
//   - Choices that are new have logits of zero; a new target or entity part is as in a new network.
//   - A memory that is new has candidates of zero, and so the state zero; its gates are random.
//   - A layer more at the trunk's end begins as the identity, which ReLU leaves as it is.
//   - Queries for targets are scaled with the root of the width of the encoding, by which dot products are divided.
//   - Continuous values keep what they mean in the game's units if their range changes.
// What the bot saw and the game does not show any more counts as its average.
#pragma once

#include <string>
#include <vector>

#include "agent/bot.hpp"

namespace rival {

struct Transplant {
  Bot bot;
  // What was kept, is new and was dropped, a line each, for people: "observation 'self': 30 values kept, 4 new".
  std::vector<std::string> summary;
  // Whether outputs in old situations are the same: nothing that the network looked at was dropped or changed in shape.
  bool exact = true;
  std::size_t kept = 0;  // parameters that come from the bot

  std::string text() const;  // the summary, each line ended
};

// `from` is a bot's file, and `file` how errors name it. `rules` are the parameters that the grown bot sees besides
// `spec`; a range that differs from the bot's own changes nothing for values in both. `wanted` is the network asked
// for; where it leaves the choice (no hidden widths, grid automatic) or asks for less memory or narrower encodings, the
// bot's own are kept. `key` draws what is new. Errors: not a bot, or one of another game; one that does not say what it
// was made for and does not fit `spec` as it is; nothing in common with `spec`; hidden layers fewer or narrower than
// the bot's.
Result<Transplant> transplant(const TensorFile& from, const std::string& file, const Spec& spec,
                              const std::vector<ObservedParameter>& rules, const NetworkOptions& wanted, Key key);

}  // namespace rival
