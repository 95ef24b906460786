// Must not compile without WITH_STEP: see concept_test.cpp.

#include "match/game_entry.hpp"

struct Unfinished {
  static rival::Spec spec();
  void reset(const rival::Settings&, rival::Key);
  rival::SeatSet to_act() const;
  void observe(int seat, rival::Observation) const;
#ifdef WITH_STEP
  void step(const rival::Actions&, rival::Key, rival::Rewards);
#endif
  rival::Status status() const;
};

rival::GameEntry entry() {
  return rival::game_entry<Unfinished>();
}
