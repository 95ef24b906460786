// Arcade games on 10 x 10 cells, after MinAtar (Young and Tian, 2019); own rules, of the same kind.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "rival/game.hpp"

namespace rival::learning {

inline constexpr int kScreen = 10;

// A ball, a paddle and three rows of bricks that come again: 1 for each brick, until the ball is missed; 500 steps.
struct Breakout {
  static constexpr int kMost = 500;
  std::array<std::array<bool, kScreen>, 3> bricks = {};  // of rows 1 to 3
  int x = 0, y = 3, dx = 1, dy = 1, paddle = 4, last_x = 0, last_y = 3, steps = 0;
  bool missed = false;

  static Spec spec() {
    return {.name = "breakout",
            .description = "Break bricks with a ball, and do not miss it",
            .source = "after MinAtar",
            .observation = {ObservationPart::grid("screen", 4, kScreen, kScreen)},
            .action = {ActionPart::discrete("move", 3)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = Breakout();
    for (auto& row : bricks) row.fill(true);
    if (Random(key).below(2) == 1) x = last_x = kScreen - 1, dx = -1;
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, kScreen - 1, paddle) = 1;
    out.at(0, 1, y, x) = 1;
    out.at(0, 2, last_y, last_x) = 1;
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < kScreen; ++c) out.at(0, 3, r + 1, c) = bricks[r][c];
  }
  // Moves the ball; whether it broke a brick.
  bool fly() {
    last_x = x;
    last_y = y;
    int nx = x + dx, ny = y + dy;
    if (nx < 0 || nx >= kScreen) dx = -dx, nx = x + dx;
    if (ny < 0) dy = 1, ny = y + 1;
    bool broke = false;
    if (ny >= 1 && ny <= 3 && bricks[ny - 1][nx]) {
      bricks[ny - 1][nx] = false;
      broke = true;
      dy = -dy;
      ny = y;
    } else if (ny == kScreen - 1) {
      const bool none = std::none_of(bricks.begin(), bricks.end(), [](const auto& row) {
        return std::any_of(row.begin(), row.end(), [](bool b) { return b; });
      });
      if (none)
        for (auto& row : bricks) row.fill(true);
      if (x == paddle) {
        dy = -1;
        ny = y;
      } else if (nx == paddle) {
        dx = -dx;
        dy = -1;
        nx = x;
        ny = y;
      } else {
        missed = true;
      }
    }
    x = nx;
    y = ny;
    return broke;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    paddle = std::clamp(paddle + actions.choice(0) - 1, 0, kScreen - 1);
    if (fly()) rewards[0] += 1;
    ++steps;
  }
  Status status() const { return missed ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  // To where the ball will come down, if no brick turns it.
  static int script(const Breakout& game, int, Random&) {
    Breakout ahead = game;
    for (int i = 0; i < 30 && !(ahead.dy > 0 && ahead.y == kScreen - 2); ++i) ahead.fly();
    return ahead.x < game.paddle ? 0 : ahead.x > game.paddle ? 2 : 1;
  }
};

// Cross eight lanes of cars: 1 at the other side, then again from the start; a car throws one back to it. A step of the
// walk takes three steps; 500 steps.
struct Freeway {
  static constexpr int kMost = 500;
  std::array<int, 8> places = {},
                     paces = {};  // of the car in rows 1 to 8; a pace of -3 is a cell to the left in 3 steps
  int row = kScreen - 1, wait = 0, steps = 0;

  static Spec spec() {
    return {.name = "freeway",
            .description = "Cross eight lanes of cars",
            .source = "after MinAtar",
            .observation = {ObservationPart::grid("screen", 2, kScreen, kScreen), ObservationPart::vector("paces", 8),
                            ObservationPart::vector("phase", 8), ObservationPart::vector("wait", 1)},
            .action = {ActionPart::discrete("move", 3)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = Freeway();
    Random random(key);
    for (std::size_t i = 0; i < 8; ++i) {
      places[i] = random.below(kScreen);
      paces[i] = (1 + random.below(4)) * (random.below(2) == 1 ? 1 : -1);
    }
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, row, 4) = 1;
    for (int i = 0; i < 8; ++i) {
      const int pace = paces[i];
      out.at(0, 1, i + 1, places[i]) = 1;
      out.part(1)[i] = 1.0f / static_cast<float>(pace);
      out.part(2)[i] = static_cast<float>(steps % std::abs(pace)) / 4;
    }
    out.part(3)[0] = static_cast<float>(wait) / 2;
  }
  bool advance(int choice) {
    bool crossed = false;
    if (wait > 0) {
      --wait;
    } else if (choice != 1) {
      row = std::clamp(row + choice - 1, 0, kScreen - 1);
      wait = 2;
    }
    ++steps;
    for (std::size_t i = 0; i < 8; ++i) {
      if (steps % std::abs(paces[i]) == 0) places[i] = (places[i] + (paces[i] > 0 ? 1 : kScreen - 1)) % kScreen;
      if (row == static_cast<int>(i) + 1 && places[i] == 4) row = kScreen - 1, wait = 0;
    }
    if (row == 0) row = kScreen - 1, wait = 0, crossed = true;
    return crossed;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (advance(actions.choice(0))) rewards[0] += 1;
  }
  Status status() const { return steps >= kMost ? Status::truncated : Status::running; }

  // Whether this and some way on from it keep clear of cars for so many moves.
  static bool safe(Freeway game, int choice, int moves) {
    const int aim = std::clamp(game.row + choice - 1, 0, kScreen - 1);
    if (game.advance(choice)) return true;
    while (game.wait > 0) game.advance(1);
    if (choice != 1 && game.row != aim) return false;
    if (choice == 1 && game.row != aim) return false;
    if (moves == 0) return true;
    for (int next : {0, 1, 2})
      if (safe(game, next, moves - 1)) return true;
    return false;
  }
  static int script(const Freeway& game, int, Random&) {
    if (game.wait > 0) return 1;
    for (int choice : {0, 1, 2})
      if (safe(game, choice, 2)) return choice;
    return 0;
  }
};

// Treasures and enemies fly along eight rows: 1 for a treasure, and an enemy ends it; they come faster and faster. 500
// steps.
struct Asterix {
  static constexpr int kMost = 500;
  struct Thing {
    int x = 0, way = 0;  // way 0: there is none
    bool treasure = false;
  };
  std::array<Thing, 8> things = {};  // of rows 1 to 8
  int x = 4, y = 4, steps = 0;
  bool hit = false;

  static Spec spec() {
    return {.name = "asterix",
            .description = "Take treasures and keep off enemies",
            .source = "after MinAtar",
            .observation = {ObservationPart::grid("screen", 5, kScreen, kScreen), ObservationPart::vector("phase", 3)},
            .action = {ActionPart::discrete("move", 5)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) { *this = Asterix(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, y, x) = 1;
    for (int i = 0; i < 8; ++i) {
      const Thing& thing = things[i];
      if (thing.way == 0) continue;
      out.at(0, thing.treasure ? 1 : 2, i + 1, thing.x) = 1;
      out.at(0, thing.way > 0 ? 3 : 4, i + 1, thing.x) = 1;
    }
    out.part(1)[steps % pace()] = 1;
  }
  int pace() const { return steps < 100 ? 3 : 2; }  // steps in which a thing flies a cell
  // Touches what is at the own cell: what it gives.
  int touch() {
    if (y < 1 || y > 8) return 0;
    Thing& thing = things[y - 1];
    if (thing.way == 0 || thing.x != x) return 0;
    hit = hit || !thing.treasure;
    return std::exchange(thing.way, 0) != 0 && thing.treasure;
  }
  int advance(int choice) {
    constexpr int kX[] = {0, 0, -1, 1, 0}, kY[] = {-1, 1, 0, 0, 0};
    x = std::clamp(x + kX[choice], 0, kScreen - 1);
    y = std::clamp(y + kY[choice], 1, kScreen - 2);
    int taken = touch();
    ++steps;
    if (steps % pace() == 0)
      for (Thing& thing : things)
        if (thing.way != 0 && ((thing.x += thing.way) < 0 || thing.x >= kScreen)) thing.way = 0;
    return taken + touch();
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    rewards[0] += static_cast<float>(advance(actions.choice(0)));
    Random random(key);
    if (steps % (steps < 100 ? 8 : 5) != 0) return;
    Thing& thing = things[random.below(8)];
    if (thing.way != 0) return;
    const bool right = random.below(2) == 1;
    thing = {right ? 0 : kScreen - 1, right ? 1 : -1, random.below(3) == 0};
    if (&thing == &things[y - 1] && thing.x == x) thing.way = 0;
  }
  Status status() const { return hit ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  // Looks four steps ahead, as if nothing else came.
  static float worth(const Asterix& game, int depth) {
    if (game.hit) return -10;
    float best = -100;
    if (depth == 0) {
      best = -0.01f * static_cast<float>(std::abs(game.x - 4) + std::abs(game.y - 4));
      for (std::size_t i = 0; i < 8; ++i)
        if (const Thing& thing = game.things[i]; thing.way != 0 && thing.treasure)
          best = std::max(best, 0.5f - 0.03f * static_cast<float>(std::abs(game.x - thing.x) +
                                                                  std::abs(game.y - 1 - static_cast<int>(i))));
      return best;
    }
    for (int choice = 0; choice < 5; ++choice) {
      Asterix next = game;
      const int taken = next.advance(choice);
      best = std::max(best, static_cast<float>(taken) + worth(next, depth - 1));
    }
    return best;
  }
  static int script(const Asterix& game, int, Random&) {
    int best = 4;
    float best_worth = -1000;
    for (int choice = 0; choice < 5; ++choice) {
      Asterix next = game;
      const float value = static_cast<float>(next.advance(choice)) + worth(next, 3);
      if (value > best_worth) best = choice, best_worth = value;
    }
    return best;
  }
};

// Aliens march to and fro and down; shoot them, and keep clear of their shots: 1 for each, new ones when all are gone.
// 500 steps.
struct Invaders {
  static constexpr int kMost = 500;
  std::array<std::array<bool, kScreen>, kScreen> aliens = {}, theirs = {}, own = {};  // [y][x], shots of both
  int x = 4, way = 1, wait = 0, steps = 0;
  bool lost = false;

  static Spec spec() {
    return {.name = "invaders",
            .description = "Shoot marching aliens, and keep clear of their shots",
            .source = "after MinAtar",
            .observation = {ObservationPart::grid("screen", 4, kScreen, kScreen), ObservationPart::vector("state", 3)},
            .action = {ActionPart::discrete("do", 4)},
            .max_steps = kMost};
  }
  void come() {
    for (std::size_t r = 0; r < 4; ++r)
      for (std::size_t c = 2; c < 8; ++c) aliens[r][c] = true;
  }
  void reset(const Settings&, Key) {
    *this = Invaders();
    come();
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, kScreen - 1, x) = 1;
    for (int r = 0; r < kScreen; ++r)
      for (int c = 0; c < kScreen; ++c) {
        const std::size_t i = r, j = static_cast<std::size_t>(c);
        out.at(0, 1, r, c) = aliens[i][j];
        out.at(0, 2, r, c) = theirs[i][j];
        out.at(0, 3, r, c) = own[i][j];
      }
    out.part(1)[0] = static_cast<float>(way);
    out.part(1)[1] = static_cast<float>(wait) / 5;
    out.part(1)[2] = static_cast<float>(steps % 8) / 8;
  }
  // Own shots hit what is where they are.
  int hits() {
    int count = 0;
    for (std::size_t r = 0; r < kScreen; ++r)
      for (std::size_t c = 0; c < kScreen; ++c)
        if (own[r][c] && aliens[r][c]) own[r][c] = aliens[r][c] = false, ++count;
    return count;
  }
  void march() {
    bool edge = false;
    for (const auto& row : aliens) edge = edge || row[way > 0 ? kScreen - 1 : 0];
    if (edge) {
      way = -way;
      std::rotate(aliens.begin(), aliens.end() - 1, aliens.end());
      return;
    }
    for (auto& row : aliens) std::rotate(row.begin(), way > 0 ? row.end() - 1 : row.begin() + 1, row.end());
  }
  int advance(int choice) {
    if (choice < 2) x = std::clamp(x + 2 * choice - 1, 0, kScreen - 1);
    std::rotate(own.begin(), own.begin() + 1, own.end());
    own.back().fill(false);
    if (choice == 2 && wait == 0) own[kScreen - 2][x] = true, wait = 5;
    wait = std::max(0, wait - 1);
    int count = hits();
    std::rotate(theirs.begin(), theirs.end() - 1, theirs.end());
    theirs.front().fill(false);
    ++steps;
    if (steps % 8 == 0) march();
    count += hits();
    const std::size_t column = x;
    lost = lost || theirs.back()[column] ||
           std::any_of(aliens.back().begin(), aliens.back().end(), [](bool a) { return a; });
    return count;
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    rewards[0] += static_cast<float>(advance(actions.choice(0)));
    Random random(key);
    // Every fourth step the lowest alien of a column drawn at random shoots.
    const std::size_t c = static_cast<std::size_t>(random.below(kScreen));
    bool any = false;
    for (std::size_t r = kScreen; r-- > 0;)
      for (std::size_t k = 0; k < kScreen; ++k) any = any || aliens[r][k];
    if (!any) come();
    if (steps % 4 != 0) return;
    for (std::size_t r = kScreen - 1; r-- > 0;)
      if (aliens[r][c]) {
        theirs[r + 1][c] = true;
        return;
      }
  }
  Status status() const { return lost ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  // Shoots at the column of the lowest alien, and steps aside from shots that are near.
  static int script(const Invaders& game, int, Random&) {
    const auto danger = [&game](int column) {
      if (column < 0 || column >= kScreen) return 100;
      int sum = 0;
      for (int r = 6; r < kScreen; ++r)
        if (game.theirs[r][column]) sum += r - 5;
      return sum;
    };
    if (danger(game.x) > 1) {
      if (danger(game.x - 1) < danger(game.x + 1)) return 0;
      if (danger(game.x + 1) < danger(game.x)) return 1;
    }
    int target = game.x, best = -1;
    for (int r = 0; r < kScreen; ++r)
      for (int c = 0; c < kScreen; ++c)
        if (game.aliens[r][c]) {
          const int worth = 10 * r - std::abs(c - game.x);
          if (worth > best) best = worth, target = std::clamp(c + (9 - r >= 4 ? game.way : 0), 0, kScreen - 1);
        }
    if (target == game.x) return game.wait == 0 ? 2 : 3;
    const int step = target < game.x ? -1 : 1;
    if (danger(game.x + step) > 1) return game.wait == 0 ? 2 : 3;
    return step < 0 ? 0 : 1;
  }
};

}  // namespace rival::learning
