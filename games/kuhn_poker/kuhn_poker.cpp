#include "games/kuhn_poker/kuhn_poker.hpp"

#include "games/poker/policy_agent.hpp"

namespace rival {
namespace {

constexpr const char* kCards[] = {"J", "Q", "K"};

}  // namespace

Spec KuhnPoker::spec() {
  return {.name = "kuhn_poker",
          .description = "Poker with three cards and a single bet",
          .source = "H. W. Kuhn, A simplified two-person poker (1950)",
          .seats = 2,
          .observation = {ObservationPart::vector("card", 3),
                          ObservationPart::vector("history", 6),  // for each action so far: pass, bet
                          ObservationPart::vector("seat", 2)},
          .action = {ActionPart::discrete("action", 2)},
          .hidden_information = true,
          .max_steps = 3};
}

void KuhnPoker::reset(const Settings&, Key key) {
  *this = {};
  Random random(key);
  cards_[0] = random.below(3);
  cards_[1] = (cards_[0] + 1 + random.below(2)) % 3;
}

void KuhnPoker::observe(int seat, Observation out) const {
  out.part(0)[cards_[seat]] = 1;
  for (int i = 0; i < count_; ++i) out.part(1)[2 * i + choices_[i]] = 1;
  out.part(2)[seat] = 1;
}

void KuhnPoker::step(const Actions& actions, Key, Rewards) {
  choices_[count_] = actions.choice(count_ % 2) == bet ? bet : pass;
  ++count_;
}

Status KuhnPoker::status() const {
  return count_ == 3 || (count_ == 2 && !(made(0, pass) && made(1, bet))) ? Status::finished : Status::running;
}

float KuhnPoker::result(int team) const {
  const int last = count_ - 1;
  if (last > 0 && made(last, pass) && made(last - 1, bet)) return team == last % 2 ? -1.f : 1.f;
  const float stake = made(last, bet) ? 2 : 1;
  return cards_[team] > cards_[1 - team] ? stake : -stake;
}

void KuhnPoker::resample_hidden(int seat, Key key) {
  cards_[1 - seat] = (cards_[seat] + 1 + Random(key).below(2)) % 3;
}

std::string KuhnPoker::history() const {
  std::string text;
  for (int i = 0; i < count_; ++i) text += choices_[i] == bet ? 'b' : 'p';
  return text;
}

std::string KuhnPoker::text() const {
  return std::string("first ") + kCards[cards_[0]] + ", second " + kCards[cards_[1]] +
         "; so far: " + (count_ ? history() : "-") + "\n";
}

std::string KuhnPoker::text(int seat) const {
  return std::string("your card ") + kCards[cards_[seat]] + "; so far: " + (count_ ? history() : "-") + "\n";
}

std::string KuhnPoker::action_text(int, int choice) const {
  return choice == bet ? "bet" : "pass";
}

std::vector<Chance<KuhnPoker>> KuhnPoker::starts(const Settings&) {
  std::vector<Chance<KuhnPoker>> deals;
  for (int first = 0; first < 3; ++first)
    for (int second = 0; second < 3; ++second) {
      if (first == second) continue;
      KuhnPoker game;
      game.cards_[0] = first;
      game.cards_[1] = second;
      deals.push_back({game, 1.0 / 6});
    }
  return deals;
}

std::unique_ptr<Agent> kuhn_equilibrium(double a) {
  return policy_agent<KuhnPoker>("equilibrium", [a](const KuhnPoker& game, int seat, float* probabilities) {
    const std::string history = game.history();
    constexpr int kJack = 0, kQueen = 1;
    const int card = game.card(seat);
    double p = 1;  // of betting, and calling; with the king always but for its trap
    if (history.empty()) p = card == kJack ? a : card == kQueen ? 0 : 3 * a;
    if (history == "pb") p = card == kJack ? 0 : card == kQueen ? a + 1.0 / 3 : 1;
    if (history == "p") p = card == kJack ? 1.0 / 3 : card == kQueen ? 0 : 1;
    if (history == "b") p = card == kJack ? 0 : card == kQueen ? 1.0 / 3 : 1;
    probabilities[KuhnPoker::bet] = static_cast<float>(p);
    probabilities[KuhnPoker::pass] = static_cast<float>(1 - p);
  });
}

GameEntry kuhn_poker_entry() {
  GameEntry entry = game_entry<KuhnPoker>();
  entry.baselines = {{"equilibrium", "plays an exact equilibrium (the jack bluffs one time in four)",
                      [] { return kuhn_equilibrium(0.25); }}};
  return entry;
}

}  // namespace rival
