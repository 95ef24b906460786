// Scripted players of `lanes`, of three strengths. They know what their team sees and no more.
#pragma once

#include <memory>

#include "match/game_entry.hpp"

namespace rival::lanes {

enum class Skill {
  novice,  // marches along the lane and hits what is nearest; seldom uses abilities or retreats
  adept,   // takes last hits, uses abilities, retreats and heals
  expert,  // also judges fights, focuses, secures kills, keeps clear of towers, groups and pushes
};

std::unique_ptr<Agent> script(Skill skill);

GameEntry game_entry();

}  // namespace rival::lanes
