// Compiles with -DGAME=Whole, and with no other: see concept_test.cpp.

#include "match/game_entry.hpp"

struct Rules {
  static rival::Spec spec();
  void reset(const rival::Settings&, rival::Key);
  rival::SeatSet to_act() const;
  void observe(int seat, rival::Observation) const;
  void step(const rival::Actions&, rival::Key, rival::Rewards);
  rival::Status status() const;
};

struct Whole : Rules {
  void legal(int seat, rival::Mask) const;
  float result(int team) const;
  rival::SeatSet playing() const;
  std::string text() const;
  std::string text(int seat) const;
  std::string action_text(int seat, int choice) const;
  void resample_hidden(int seat, rival::Key);
  std::string stage() const, scene() const;
  static std::vector<rival::Chance<Whole>> starts(const rival::Settings&);
  std::vector<rival::Chance<Whole>> outcomes(const rival::Actions&) const;
};
// What is no function may have any name.
struct Data : Rules {
  int legal, playing, stage;
  std::string text;
};

struct LegalNotConst : Rules {
  void legal(int seat, rival::Mask);
};
class LegalPrivate : public Rules {
  void legal(int seat, rival::Mask) const;
};
struct LegalWithoutSeat : Rules {
  void legal(rival::Mask) const;
};
struct LegalReturns : Rules {
  bool legal(int seat, rival::Mask) const;
};
struct ResultNotConst : Rules {
  float result(int team);
};
struct ResultWithoutTeam : Rules {
  float result() const;
};
struct PlayingCounts : Rules {
  int playing() const;
};
struct TextNotConst : Rules {
  std::string text();
};
struct OneTextNotConst : Rules {
  std::string text() const;
  std::string text(int seat);
};
struct ActionTextWithoutSeat : Rules {
  std::string action_text(int choice) const;
};
struct ResampleWithoutKey : Rules {
  void resample_hidden(int seat);
};
struct SceneWithoutStage : Rules {
  std::string scene() const;
};
struct StartsNotStatic : Rules {
  std::vector<rival::Chance<StartsNotStatic>> starts(const rival::Settings&);
};
struct OutcomesNotConst : Rules {
  std::vector<rival::Chance<OutcomesNotConst>> outcomes(const rival::Actions&);
};

rival::GameEntry entry() {
  return rival::game_entry<GAME>();
}
