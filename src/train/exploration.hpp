// Whether a game of one team needs to be explored: whether players who act at random, and hold on to what they do, find
// what the learner does not.
//
// A policy tries out single actions around what it does already. Where reward comes only after many steps in one
// direction, it never sees any; where moving costs, it learns to stand still. Explorers play some of the matches: they
// act at random, and hold each action for as many steps as was drawn for the match. What turns out better than expected
// is learnt from them, and nothing else (after self-imitation: Oh et al., 2018).
#pragma once

#include <cstddef>
#include <vector>

namespace rival {

class Exploration {
 public:
  // What a match ended with, in the order in which they did.
  void note(bool explorer, float score) { (explorer ? explorers_ : learner_).note(score); }

  // While there is little to compare; while the best explorer of late beats the best the learner reached of late; and
  // while nobody reaches anything, all ending alike.
  bool wanted() const;

 private:
  static constexpr std::size_t kOfLate = 64;  // matches of each
  struct Scores {
    std::vector<float> last;
    std::size_t next = 0;
    void note(float score);
  };
  Scores learner_, explorers_;
};

}  // namespace rival
