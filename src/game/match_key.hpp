// What a match's key decides besides its steps, which draw from key.split(step): its other parts lie beyond them, and
// stand here together so that no two are the same.
#pragma once

#include <cstdint>

#include "rival/random.hpp"

namespace rival {

enum class MatchDraw : std::uint64_t {
  opening = std::uint64_t{1} << 63,  // in training: by how many moves at random it begins
  cut,                               // in training: where it is cut short
  hold,                              // in training: for how many steps its explorer holds an action
  settings,                          // the rules that are drawn for it
};

inline Key draw_key(Key match, MatchDraw what) {
  return match.split(static_cast<std::uint64_t>(what));
}

}  // namespace rival
