// The population a learner plays against besides itself: past selves and exploiters, with how it fares against each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/bot.hpp"
#include "base/words.hpp"
#include "rival/random.hpp"

namespace rival {

// How members are drawn. Prioritised fictitious self-play (AlphaStar: Vinyals et al., 2019) draws with weight f(x) of
// the learner's score x against a member, which is taken to be 1/2 until enough matches are known.
enum class Matchmaking {
  uniform,
  hard,  // f = (1 - x)^2: those who still win
  even,  // f = x (1 - x): those on a level
};
template <>
inline constexpr std::array<Word<Matchmaking>, 3> kWords<Matchmaking>{
    {{"uniform", Matchmaking::uniform}, {"hard", Matchmaking::hard}, {"even", Matchmaking::even}}};

// What came of matches, for the learner; the newest ones count most (the record reaches back about kReach matches).
struct Record {
  static constexpr double kReach = 200, kEnough = 10;
  double wins = 0, draws = 0, losses = 0;

  double matches() const { return wins + draws + losses; }
  // Wins and half the draws as a share; 1/2 below kEnough matches.
  double score() const;
  void note(double score);  // of one match, 0 to 1

  bool operator==(const Record&) const = default;
};

struct Member {
  enum class Kind { past, exploiter };
  std::string name;  // unique
  Kind kind = Kind::past;
  std::shared_ptr<const Bot> bot;
  std::shared_ptr<const Weights> weights;  // packed for the learner's backend
  Record record;
};
std::string to_string(Member::Kind kind);

// Not thread-safe.
class Population {
 public:
  // Remembers at most `capacity` past selves and as many exploiters.
  explicit Population(int capacity) : capacity_(capacity) {}

  const std::vector<Member>& members() const { return members_; }  // oldest first
  bool empty() const { return members_.empty(); }

  // The newest ones stay; of the older half of its kind, every second one is forgotten when there is no room.
  void add(Member member);
  void clear() { members_.clear(); }

  // A member drawn by the matchmaking; the population must not be empty.
  const Member& pick(Matchmaking matchmaking, Random& random) const;

  // Notes the learner's score of a match against the member, if it is still there.
  void note(const std::string& name, double score);
  void set_record(const std::string& name, const Record& record);

 private:
  int capacity_;
  std::vector<Member> members_;
};

}  // namespace rival
