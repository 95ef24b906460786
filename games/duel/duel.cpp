#include "games/duel/duel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "agent/scripted.hpp"

namespace rival {
namespace {

constexpr int kFighterNumbers = 12 + duel::kUnits, kNumbers = 2 * kFighterNumbers + 7;

// What a seat sees of one fighter; `turned`: from the other side of the board.
float* write_fighter(const Duel::Fighter& fighter, bool turned, float* out) {
  const duel::Unit& stats = fighter.stats();
  const auto scaled = [](int number, int scale) { return static_cast<float>(number) / static_cast<float>(scale); };
  *out++ = scaled(turned ? Duel::kWidth - 1 - fighter.x : fighter.x, Duel::kWidth - 1);
  *out++ = scaled(turned ? Duel::kHeight - 1 - fighter.y : fighter.y, Duel::kHeight - 1);
  *out++ = fighter.health / 100;
  *out++ = fighter.full_health / 100;
  *out++ = fighter.share();
  *out++ = fighter.damage / 20;
  *out++ = scaled(stats.reach, 3);
  *out++ = scaled(stats.speed, 2);
  *out++ = scaled(fighter.heals * stats.heal, 50);
  *out++ = fighter.guarding ? 1.0f : 0.0f;
  *out++ = stats.aim == 0 ? 0.0f : scaled(fighter.aim, stats.aim);
  *out++ = stats.aim == 0 || fighter.aim == stats.aim ? 1.0f : 0.0f;
  out[fighter.unit] = 1;
  return out + duel::kUnits;
}

// Keeps coming and strikes: after raising the shield where it has one; the Sniper stands and shoots, the Monk heals
// what would else be lost.
int skirmish(const Duel& game, int seat, Random&) {
  const Duel::Fighter &own = game.fighter(seat), &other = game.fighter(1 - seat);
  const duel::Unit& stats = own.stats();
  if (own.heals > 0 && own.health < own.full_health / 2) return Duel::special;
  if (game.can_strike(seat)) return Duel::strike;
  if (stats.aim > 0) return Duel::special;
  if (stats.guard > 0 && !own.guarding) return Duel::special;
  int best = Duel::wait, least = 1000;
  for (int direction = Duel::forward; direction <= Duel::right; ++direction) {
    const auto [x, y] = game.destination(seat, direction);
    const int dx = std::abs(x - other.x), dy = std::abs(y - other.y);
    const int away = 10 * std::max(dx, dy) + dx + dy;
    if ((x != own.x || y != own.y) && away < least) {
      least = away;
      best = direction;
    }
  }
  return best;
}

}  // namespace

Spec Duel::spec() {
  return {.name = "duel",
          .description = "Two units on a small board, picked from six; a game to balance",
          .source = "made for Rival",
          .seats = 2,
          .observation = {ObservationPart::vector("duel", kNumbers)},
          .action = {ActionPart::discrete("action", kChoices)},
          .parameters = duel::data().parameters,
          .choices = {{"unit", {std::begin(duel::kNames), std::end(duel::kNames)}}},
          .data = duel::data().hashes,
          .max_steps = kTurns};
}

void Duel::reset(const Settings& settings, Key key) {
  *this = Duel();
  for (int seat = 0; seat < 2; ++seat) {
    const auto s = static_cast<std::size_t>(seat);
    Fighter& fighter = fighters_[s];
    const int pick = s < settings.picks.size() ? settings.picks[s] : -1;
    fighter.unit = pick >= 0 ? pick : Random(key.split(s)).below(duel::kUnits);
    fighter.x = seat == 0 ? 0 : kWidth - 1;
    fighter.y = kHeight / 2;
    const float* numbers = &settings.parameters[2 * static_cast<std::size_t>(fighter.unit)];
    fighter.damage = numbers[0];
    fighter.full_health = numbers[1];
    if (seat == 1) fighter.full_health *= 1 + settings.parameters.back() / 100;
    fighter.health = fighter.full_health;
    fighter.heals = fighter.stats().heals;
  }
}

void Duel::observe(int seat, Observation out) const {
  float* next = write_fighter(fighter(seat), seat == 1, &out[0]);
  next = write_fighter(fighter(1 - seat), seat == 1, next);
  *next++ = static_cast<float>(distance()) / 3;
  *next++ = distance() <= fighter(seat).stats().reach ? 1.0f : 0.0f;
  *next++ = distance() <= fighter(1 - seat).stats().reach ? 1.0f : 0.0f;
  *next++ = fighter(seat).share() - fighter(1 - seat).share();
  *next++ = winner() == seat ? 1.0f : -1.0f;
  *next++ = static_cast<float>(seat);
  *next++ = static_cast<float>(turn_) / kTurns;
}

int Duel::distance() const {
  const Fighter &a = fighters_[0], &b = fighters_[1];
  return std::max(std::abs(a.x - b.x), std::abs(a.y - b.y));
}

bool Duel::can_strike(int seat) const {
  const Fighter& own = fighter(seat);
  return distance() <= own.stats().reach && own.aim == own.stats().aim;
}

bool Duel::can_use_special(int seat) const {
  const Fighter& own = fighter(seat);
  return own.aim < own.stats().aim || (own.stats().guard > 0 && !own.guarding) ||
         (own.heals > 0 && own.health < own.full_health);
}

std::array<int, 2> Duel::destination(int seat, int direction) const {
  const Fighter &own = fighter(seat), &other = fighter(1 - seat);
  const int ahead = seat == 0 ? 1 : -1;
  const int dx = direction == forward ? ahead : direction == back ? -ahead : 0;
  const int dy = direction == right ? ahead : direction == left ? -ahead : 0;
  int x = own.x, y = own.y;
  for (int i = 0; i < own.stats().speed; ++i) {
    const int to_x = x + dx, to_y = y + dy;
    if (to_x < 0 || to_x >= kWidth || to_y < 0 || to_y >= kHeight || (to_x == other.x && to_y == other.y)) break;
    x = to_x;
    y = to_y;
  }
  return {x, y};
}

void Duel::legal(int seat, Mask mask) const {
  const std::array<int, 2> here = {fighter(seat).x, fighter(seat).y};
  for (int direction = forward; direction <= right; ++direction)
    if (destination(seat, direction) != here) mask.allow(direction);
  if (can_strike(seat)) mask.allow(strike);
  if (can_use_special(seat)) mask.allow(special);
  mask.allow(wait);
}

void Duel::step(const Actions& actions, Key key, Rewards) {
  const int seat = mover(), choice = actions.choice(seat);
  Fighter &own = fighter(seat), &other = fighter(1 - seat);
  if (choice <= right) {
    const auto [x, y] = destination(seat, choice);
    own.x = x;
    own.y = y;
    own.aim = 0;
  } else if (choice == strike) {
    float harm = own.damage * Random(key).uniform(0.5f, 1.5f);
    if (other.guarding) harm *= 1 - static_cast<float>(other.stats().guard) / 100;
    other.health = std::max(0.0f, other.health - harm);
    own.aim = 0;
    own.guarding = false;
  } else if (choice == special) {
    if (own.stats().aim > 0) ++own.aim;
    if (own.stats().guard > 0) own.guarding = true;
    if (own.heals > 0) {
      --own.heals;
      own.health = std::min(own.full_health, own.health + static_cast<float>(own.stats().heal));
    }
  }
  ++turn_;
}

Status Duel::status() const {
  const bool over = turn_ >= kTurns || fighters_[0].health <= 0 || fighters_[1].health <= 0;
  return over ? Status::finished : Status::running;
}

int Duel::winner() const {
  return fighters_[1].share() > fighters_[0].share() ? 1 : 0;
}

std::string Duel::text() const {
  std::string out = fmt::format("turn {} of {}\n", std::min(turn_ + 1, kTurns), kTurns);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const auto here = [&](int seat) { return fighter(seat).x == x && fighter(seat).y == y; };
      out += here(0) ? '0' : here(1) ? '1' : '.';
      out += x == kWidth - 1 ? '\n' : ' ';
    }
  for (int seat = 0; seat < 2; ++seat) {
    const Fighter& f = fighter(seat);
    out += fmt::format("{} {}: {:.1f} of {:.1f} health", seat, duel::kNames[f.unit], f.health, f.full_health);
    if (f.stats().heals > 0) out += fmt::format(", heals left: {}", f.heals);
    if (f.guarding) out += ", shield raised";
    if (f.aim > 0) out += f.aim == f.stats().aim ? ", ready to fire" : ", aiming";
    out += '\n';
  }
  return out;
}

std::string Duel::action_text(int seat, int choice) const {
  const duel::Unit& stats = fighter(seat).stats();
  switch (choice) {
    case forward:
      return seat == 0 ? "east" : "west";
    case back:
      return seat == 0 ? "west" : "east";
    case left:
      return seat == 0 ? "north" : "south";
    case right:
      return seat == 0 ? "south" : "north";
    case strike:
      return stats.aim > 0 ? "fire" : "strike";
    case special:
      return stats.aim > 0 ? "aim" : stats.guard > 0 ? "guard" : stats.heals > 0 ? "heal" : "special";
    default:
      return "wait";
  }
}

GameEntry duel_entry() {
  GameEntry entry = game_entry<Duel>();
  entry.baselines = {{"skirmisher", "comes and strikes; the Sniper stands, aims and fires",
                      [] { return scripted_agent<Duel>("skirmisher", skirmish); }}};
  return entry;
}

}  // namespace rival
