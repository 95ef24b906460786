#include "league/population.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace rival {

double Record::score() const {
  return matches() < kEnough ? 0.5 : (wins + draws / 2) / matches();
}

void Record::note(double score) {
  if (matches() >= kReach)
    for (double* count : {&wins, &draws, &losses}) *count *= (kReach - 1) / kReach;
  if (score == 0.5)
    draws += 1;
  else
    wins += score, losses += 1 - score;
}

std::string to_string(Member::Kind kind) {
  return kind == Member::Kind::exploiter ? "exploiter" : "past";
}

void Population::add(Member member) {
  const Member::Kind kind = member.kind;
  std::vector<std::size_t> same;
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (members_[i].kind == kind) same.push_back(i);
  if (static_cast<int>(same.size()) >= capacity_)
    for (std::size_t i = same.size() / 2; i-- > 1;)
      if (i % 2 == 1) members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(same[i]));
  members_.push_back(std::move(member));
}

const Member& Population::pick(Matchmaking matchmaking, Random& random) const {
  check(!members_.empty(), "nobody to pick from");
  std::vector<double> weights;
  double total = 0;
  for (const Member& member : members_) {
    const double x = member.record.score();
    const double weight = matchmaking == Matchmaking::uniform ? 1
                          : matchmaking == Matchmaking::hard  ? (1 - x) * (1 - x)
                                                              : x * (1 - x);
    weights.push_back(weight + 1e-3);  // nobody is never met again
    total += weights.back();
  }
  double left = total * static_cast<double>(random.uniform());
  for (std::size_t i = 0; i + 1 < members_.size(); ++i)
    if ((left -= weights[i]) < 0) return members_[i];
  return members_.back();
}

void Population::note(const std::string& name, double score) {
  for (Member& member : members_)
    if (member.name == name) member.record.note(score);
}

void Population::set_record(const std::string& name, const Record& record) {
  for (Member& member : members_)
    if (member.name == name) member.record = record;
}

}  // namespace rival
