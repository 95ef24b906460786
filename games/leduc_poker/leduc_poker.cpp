#include "games/leduc_poker/leduc_poker.hpp"

#include <fmt/format.h>

#include "games/poker/policy_agent.hpp"
#include "search/game_tree.hpp"

namespace rival {
namespace {

constexpr const char* kCards[] = {"J", "Q", "K"};
constexpr int kKing = 2, kJack = 0;

}  // namespace

Spec LeducPoker::spec() {
  return {.name = "leduc_poker",
          .description = "Poker with six cards, two rounds of betting and one open card",
          .source = "Southey et al., Bayes' bluff (2005); OpenSpiel leduc_poker",
          .seats = 2,
          .observation = {ObservationPart::vector("card", 3), ObservationPart::vector("open", 3),
                          ObservationPart::vector("history", 16),  // per round 4 actions: call, raise
                          ObservationPart::vector("seat", 2)},
          .action = {ActionPart::discrete("action", 3)},
          .hidden_information = true,
          .max_steps = 8};
}

void LeducPoker::reset(const Settings&, Key key) {
  *this = {};
  cards_[0] = draw(SeatSet::none(), key.split(0));
  cards_[1] = draw(SeatSet::one(0), key.split(1));
}

void LeducPoker::observe(int seat, Observation out) const {
  out.part(0)[cards_[seat]] = 1;
  if (open_ >= 0) out.part(1)[open_] = 1;
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < count_[round]; ++i)
      if (choices_[round][i] != fold) out.part(2)[8 * round + 2 * i + choices_[round][i] - 1] = 1;
  out.part(3)[seat] = 1;
}

void LeducPoker::legal(int seat, Mask mask) const {
  if (facing_bet(seat)) mask.allow(fold);
  mask.allow(call);
  if (may_raise()) mask.allow(raise);
}

void LeducPoker::step(const Actions& actions, Key key, Rewards) {
  if (apply(actions.choice(mover()))) open_ = draw(SeatSet::first(2), key);
}

bool LeducPoker::apply(int choice) {
  const int seat = mover();
  const bool opens = count_[round_] == 0;
  choices_[round_][count_[round_]++] = choice;
  if (choice == fold) {
    folded_ = seat;
    over_ = true;
  } else {
    paid_[seat] = paid_[1 - seat];
    if (choice == raise) {
      paid_[seat] += round_ == 0 ? 2 : 4;
      ++raises_;
    } else if (!opens) {  // a call ends the round, an opening check does not
      over_ = round_ == 1;
      raises_ = 0;
      round_ = 1;
      return !over_;
    }
  }
  return false;
}

float LeducPoker::result(int team) const {
  const int other = 1 - team;
  if (folded_ == team) return static_cast<float>(-paid_[team]);
  if (folded_ == other) return static_cast<float>(paid_[other]);
  if (cards_[team] == cards_[other]) return 0;
  const bool wins = cards_[team] == open_ || (cards_[other] != open_ && cards_[team] > cards_[other]);
  return static_cast<float>(wins ? paid_[other] : -paid_[team]);
}

int LeducPoker::left(int rank, SeatSet known) const {
  return 2 - (known.contains(0) && cards_[0] == rank) - (known.contains(1) && cards_[1] == rank) - (open_ == rank);
}

int LeducPoker::draw(SeatSet known, Key key) const {
  int pick = Random(key).below(left(0, known) + left(1, known) + left(2, known)), rank = 0;
  while (pick >= left(rank, known)) pick -= left(rank++, known);
  return rank;
}

void LeducPoker::resample_hidden(int seat, Key key) {
  cards_[1 - seat] = draw(SeatSet::one(seat), key);
}

std::string LeducPoker::betting() const {
  std::string text;
  for (int round = 0; round < 2; ++round) {
    if (round == 1 && open_ >= 0) text += std::string(" [") + kCards[open_] + "] ";
    for (int i = 0; i < count_[round]; ++i) text += "fcr"[choices_[round][i]];
  }
  return fmt::format("{}; paid {} and {}\n", text.empty() ? "-" : text, paid_[0], paid_[1]);
}

std::string LeducPoker::text() const {
  return std::string("first ") + kCards[cards_[0]] + ", second " + kCards[cards_[1]] + "; so far: " + betting();
}

std::string LeducPoker::text(int seat) const {
  return std::string("your card ") + kCards[cards_[seat]] + "; so far: " + betting();
}

std::string LeducPoker::action_text(int seat, int choice) const {
  return choice == fold ? "fold" : choice == raise ? "raise" : facing_bet(seat) ? "call" : "check";
}

std::vector<Chance<LeducPoker>> LeducPoker::starts(const Settings&) {
  std::vector<Chance<LeducPoker>> deals;
  for (int first = 0; first < 3; ++first)
    for (int second = 0; second < 3; ++second) {
      LeducPoker game;
      game.cards_[0] = first;
      game.cards_[1] = second;
      deals.push_back({game, (first == second ? 1.0 : 2.0) / 15});
    }
  return deals;
}

std::vector<Chance<LeducPoker>> LeducPoker::outcomes(const Actions& actions) const {
  LeducPoker next = *this;
  if (!next.apply(actions.choice(mover()))) return {{next, 1}};
  std::vector<Chance<LeducPoker>> drawn;
  for (int rank = 0; rank < 3; ++rank) {
    const int cards = left(rank, SeatSet::first(2));
    if (cards == 0) continue;
    next.open_ = rank;
    drawn.push_back({next, cards / 4.0});
  }
  return drawn;
}

std::unique_ptr<Agent> leduc_tight() {
  return policy_agent<LeducPoker>("tight", [](const LeducPoker& game, int seat, float* probabilities) {
    const int card = game.card(seat);
    const bool pair = card == game.open_card();
    const bool strong = pair || card == kKing;
    const bool weak = card == kJack && !pair;
    probabilities[strong && game.may_raise()      ? LeducPoker::raise
                  : weak && game.facing_bet(seat) ? LeducPoker::fold
                                                  : LeducPoker::call] = 1;
  });
}

std::unique_ptr<Agent> leduc_equilibrium() {
  const auto tree = std::make_shared<const GameTree>(game_tree(&BatchOf<LeducPoker>::make).value());
  return table_agent("equilibrium", tree, cfr_plus(*tree, 500));
}

GameEntry leduc_poker_entry() {
  GameEntry entry = game_entry<LeducPoker>();
  entry.baselines = {{"tight", "raises with a king or a pair, folds a lone jack to a bet", leduc_tight},
                     {"equilibrium", "plays a near-exact equilibrium (CFR+)", leduc_equilibrium}};
  return entry;
}

}  // namespace rival
