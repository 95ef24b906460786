#include "player/substitution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/index.hpp"
#include "base/threads.hpp"
#include "game/rows.hpp"
#include "match/match.hpp"

namespace rival {
namespace {

constexpr int kLines = 64;  // matches that are played at once by a thread

enum class Arm { stays, estimated, medium };
constexpr Arm kArms[] = {Arm::stays, Arm::estimated, Arm::medium};

// What came of one match.
struct Course {
  bool swapped = false;
  double score = 0;
  int decisions = 0;  // of the leaver in it
  RatingBelief belief;
};

struct Plan {
  const GameEntry& game;
  std::shared_ptr<const RatingScale> leavers, scale;
  std::vector<int> ratings;  // levels of `leavers`
  int after = 0;
  double typical = 0;  // decisions of a seat in a match
  Key key;
  const std::function<bool()>& stop;
};

// Some matches side by side, in which their leavers stay or are replaced. Up to a swap it does the same whatever the
// arm: all that is random hangs on the match, the step and the seat.
class Chunk {
 public:
  Chunk(const Plan& plan, std::size_t number, int lines, Arm arm)
      : plan_(plan),
        arm_(arm),
        key_(plan.key.split(number)),
        batch_(plan.game.make_batch(lines)),
        rows_(*batch_),
        sight_(plan.game.spec, plan.scale->players.front().bot->bot().rules),
        observer_(plan.scale, lines),
        lines_(index(lines)) {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      Line& line = lines_[i];
      line.rating = (number * kLines + i) % plan.ratings.size();
      line.swap_at = Random(key_.split(1).split(i)).below(std::max(1, static_cast<int>(plan.typical)));
      line.missing = std::max(0, plan.after - line.swap_at);
    }
    for (const int level : plan.ratings) {
      const RatingScale::Level& at = plan.leavers->levels[index(level)];
      const RatingScale::Player& player = plan.leavers->players[index(at.player)];
      agents_.push_back(make_player(player.bot, plan.game.spec,
                                    {.name = player.name,
                                     .temperature = at.temperature,
                                     .limits = {.reaction_steps = player.reaction_steps},
                                     .precision = Precision::f32}));
    }
  }

  Result<std::vector<Course>> play() {
    for (std::size_t i = 0; i < lines_.size(); ++i) start(i);
    int running = static_cast<int>(lines_.size());
    for (std::uint64_t step = 0; running > 0 && !(plan_.stop && plan_.stop()); ++step) {
      if (Result<void> shown = rows_.observe(); !shown) return shown.error();
      if (Result<void> acted = act(key_.split(2).split(step)); !acted) return acted.error();
      if (Result<void> stepped = rows_.step(); !stepped) return stepped.error();
      for (std::size_t i = 0; i < lines_.size(); ++i) {
        Line& line = lines_[i];
        if (line.over) continue;
        const int match = static_cast<int>(i);
        for (int seat = 0; seat < plan_.game.spec.seats; ++seat)
          line.returns[index(seat)] += rows_.rewards[i * index(plan_.game.spec.seats) + index(seat)];
        if (rows_.status[i] == Status::running) {
          if (Result<void> ends = ends_in_time(*batch_, match, match); !ends) return ends.error();
          continue;
        }
        ++line.played;
        if (!line.counts) {
          start(i);
          continue;
        }
        const std::vector<double> returns = team_returns(*batch_, match, line.returns);
        line.course.score = place_of(*batch_, match, plan_.game.spec.team_of(line.seat), returns).score();
        line.over = true;
        --running;
      }
    }
    std::vector<Course> courses;
    for (const Line& line : lines_) courses.push_back(line.course);
    return courses;
  }

 private:
  struct Line {
    std::size_t rating = 0;  // of plan.ratings
    int swap_at = 0;         // the decision of the leaver in the match that counts that is not its own any more
    int missing = 0;         // decisions that must have been seen before that match
    int seat = 0;            // that leaves
    int played = 0;          // matches
    int level = -1;          // of the substitute; -1: none yet
    bool counts = false, over = false;
    std::vector<double> returns;
    Course course;
  };

  void start(std::size_t i) {
    Line& line = lines_[i];
    const int match = static_cast<int>(i);
    const Key key = key_.split(3).split(i).split(line.played);
    line.counts = line.missing == 0;
    line.returns.assign(index(plan_.game.spec.seats), 0);
    line.course.decisions = 0;
    start_matches(*batch_, {&match, 1}, plan_.leavers->rules.settings(plan_.game.spec), {&key, 1});
    const SeatSet playing = batch_->playing(match);
    std::vector<int> seats;
    for (int seat = 0; seat < plan_.game.spec.seats; ++seat)
      if (playing.contains(seat)) seats.push_back(seat);
    line.seat = seats[index(Random(key.split(1)).below(static_cast<int>(seats.size())))];
    for (const std::unique_ptr<Agent>& agent : agents_) agent->match_started(match);
    observer_.begin_match(match);
  }

  Result<void> act(Key key) {
    std::vector<int> opening, watched, silent, substituted, levels;
    std::vector<std::vector<int>> by_rating(agents_.size());
    for (const int row : rows_.acting()) {
      const int match = rows_.match_of(row);
      Line& line = lines_[index(match)];
      if (batch_->steps(match) < plan_.leavers->rules.opening) {
        opening.push_back(row);
        continue;
      }
      const bool leaver = rows_.seats[index(row)] == line.seat;
      if (leaver && line.counts && line.course.decisions == line.swap_at && !line.course.swapped) swap(match);
      if (leaver && line.level >= 0) {
        substituted.push_back(row);
        levels.push_back(line.level);
        continue;
      }
      by_rating[line.rating].push_back(row);
      if (!leaver || line.course.swapped) continue;
      // Of the match that counts only the last ones are seen, of those before it as many as are missing.
      const bool tells = line.counts ? line.course.decisions >= line.swap_at - plan_.after : line.missing > 0;
      (tells ? watched : silent).push_back(row);
      if (!line.counts && tells) --line.missing;
      ++line.course.decisions;
    }
    if (!opening.empty())
      random_->act(rows_.decisions(opening), key.split(1), rows_.choices.data(), rows_.values.data());
    for (std::size_t r = 0; r < agents_.size(); ++r) {
      if (by_rating[r].empty()) continue;
      agents_[r]->act(rows_.decisions(by_rating[r]), key.split(0), rows_.choices.data(), rows_.values.data());
      if (Result<void> good = rows_.take(by_rating[r], "bot '" + agents_[r]->name() + "'"); !good) return good;
    }
    if (arm_ == Arm::stays) return {};
    const auto seen = [&](const std::vector<int>& rows) {
      slots_.clear();
      for (const int row : rows) slots_.push_back(rows_.match_of(row));
      return InferenceRows{rows, sight_.rows(*batch_, rows, rows_.observations.data()), rows_.masks.data(),
                           slots_.data()};
    };
    if (!watched.empty()) observer_.observe(seen(watched), rows_.choices.data());
    if (!silent.empty()) observer_.observe(seen(silent), rows_.choices.data(), false);
    if (substituted.empty()) return {};
    observer_.act(seen(substituted), levels, key.split(0), rows_.choices.data(), rows_.values.data());
    return rows_.take(substituted, "the substitute");
  }

  void swap(int match) {
    Line& line = lines_[index(match)];
    line.course.swapped = true;
    if (arm_ == Arm::stays) return;
    line.course.belief = observer_.belief(match);
    const std::vector<RatingScale::Level>& levels = plan_.scale->levels;
    line.level = plan_.scale->nearest(arm_ == Arm::estimated ? line.course.belief.substitute
                                                             : (levels.front().rating + levels.back().rating) / 2);
  }

  const Plan& plan_;
  Arm arm_;
  Key key_;
  std::unique_ptr<Batch> batch_;
  BatchRows rows_;
  RulesSight sight_;
  RatingObserver observer_;
  std::vector<Line> lines_;
  std::vector<std::unique_ptr<Agent>> agents_;  // [ratings]
  std::unique_ptr<Agent> random_ = random_agent();
  std::vector<int> slots_;
};

SubstitutionFigures figures(int after, double rating, std::span<const std::array<Course, std::size(kArms)>> matches,
                            std::span<const double> ratings) {
  SubstitutionFigures out{.after = after, .rating = rating};
  std::vector<double> differences, medium;
  double score = 0, square = 0;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const auto& [stays, estimated, middle] = matches[i];
    if (!stays.swapped || !estimated.swapped || !middle.swapped) continue;
    if (rating > 0 && ratings[i] != rating) continue;
    ++out.matches;
    score += stays.score;
    differences.push_back(estimated.score - stays.score);
    medium.push_back(middle.score - stays.score);
    const double error = estimated.belief.rating - ratings[i];
    out.bias += error;
    square += error * error;
    out.covered += estimated.belief.interval.low <= ratings[i] && ratings[i] <= estimated.belief.interval.high;
  }
  const double count = std::max(1, out.matches);
  out.score = score / count;
  out.bias /= count;
  out.rms_error = std::sqrt(square / count);
  out.covered /= count;
  out.difference = mean(differences), out.interval = mean_interval(differences);
  out.medium_difference = mean(medium), out.medium_interval = mean_interval(medium);
  return out;
}

}  // namespace

double SubstitutionSummary::mean_size(int after, bool medium) const {
  std::vector<double> sizes;
  for (const SubstitutionFigures& f : by_rating)
    if (f.after == after) sizes.push_back(std::abs(medium ? f.medium_difference : f.difference));
  return mean(sizes);
}

bool SubstitutionSummary::leaving_pays() const {
  // Bonferroni: as many standard errors as leave the normal distribution a share of 1 in 40, divided by their number.
  const double share = 0.025 / static_cast<double>(std::max<std::size_t>(1, by_rating.size()));
  double z = kZ95;
  while (std::erfc(z / std::sqrt(2.0)) / 2 > share) z += 0.01;
  return std::any_of(by_rating.begin(), by_rating.end(), [z](const SubstitutionFigures& f) {
    return f.matches > 1 && f.difference > z * f.interval.half_width() / kZ95;
  });
}

Result<SubstitutionSummary> measure_substitution(const GameEntry& game, std::shared_ptr<const RatingScale> leavers,
                                                 std::shared_ptr<const RatingScale> scale,
                                                 const SubstitutionOptions& options) {
  if (game.spec.team_count() < 2)
    return Error{fmt::format("{} has one team: nobody is won against, whoever plays", game.spec.name)};
  Plan plan{.game = game, .leavers = leavers, .scale = scale, .key = Key(options.seed), .stop = options.stop};
  const std::vector<RatingScale::Level>& levels = leavers->levels;
  const double low = levels.front().rating, high = levels.back().rating;
  for (int r = 0; r < options.ratings; ++r)
    plan.ratings.push_back(leavers->nearest(low + (high - low) * (r + 0.5) / options.ratings));
  // How long matches are, by playing some in which nobody is replaced.
  double decisions = 0;
  const Result<std::vector<Course>> pilot = Chunk(plan, ~std::size_t{0}, kLines, Arm::stays).play();
  if (!pilot) return pilot.error();
  for (const Course& course : pilot.value()) decisions += course.decisions;
  plan.typical = decisions / kLines;

  const std::size_t chunks = (index(options.matches) + kLines - 1) / kLines, cases = options.after.size();
  std::vector<std::vector<std::array<Course, std::size(kArms)>>> courses(
      cases, std::vector<std::array<Course, std::size(kArms)>>(chunks * kLines));
  std::mutex mutex;  // of what follows
  Result<void> played;
  std::size_t done = 0;
  const std::size_t jobs = chunks * cases * std::size(kArms);
  Team(options.threads).share_out(jobs, [&](std::size_t job) {
    const std::size_t arm = job % std::size(kArms), which = job / std::size(kArms) % cases,
                      chunk = job / std::size(kArms) / cases;
    Plan mine = plan;
    mine.after = options.after[which];
    mine.key = plan.key.split(which);
    {
      const std::scoped_lock lock(mutex);
      if (!played) return;
    }
    const Result<std::vector<Course>> part = Chunk(mine, chunk, kLines, kArms[arm]).play();
    const std::scoped_lock lock(mutex);
    if (!part) {
      played = part.error();
      return;
    }
    for (std::size_t i = 0; i < part.value().size(); ++i) courses[which][chunk * kLines + i][arm] = part.value()[i];
    if (options.progress) options.progress(static_cast<double>(++done) / static_cast<double>(jobs));
  });
  if (!played) return played.error();
  std::vector<double> ratings;
  for (std::size_t i = 0; i < chunks * kLines; ++i)
    ratings.push_back(levels[index(plan.ratings[i % plan.ratings.size()])].rating);
  SubstitutionSummary summary;
  for (std::size_t which = 0; which < cases; ++which) {
    summary.all.push_back(figures(options.after[which], 0, courses[which], ratings));
    for (const int level : plan.ratings)
      summary.by_rating.push_back(figures(options.after[which], levels[index(level)].rating, courses[which], ratings));
  }
  return summary;
}

}  // namespace rival
