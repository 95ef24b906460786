#include "league/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "agent/scripted.hpp"
#include "base/hash.hpp"
#include "base/index.hpp"
#include "base/machine.hpp"
#include "base/program.hpp"
#include "base/threads.hpp"

namespace rival {
namespace {

constexpr int kFirstMatches = 8;     // of every pair, before any are chosen
constexpr int kWave = 16;            // jobs between two looks at the ratings
constexpr double kRough = 40;        // an error that is enough to choose bots by
constexpr double kRoughShare = 0.2;  // of the matches, at most: wide gaps stay rough until there are rungs
constexpr double kLinkGap = 300;     // the largest step between neighbours of a ladder
constexpr double kDialGap = 100;     // and of a dial
constexpr float kHottest = 0.999f;   // in units of warmth(): as good as random
constexpr double kFinest = 0.015;    // units of warmth between two rungs; nearer ones differ by chance
constexpr int kRungRounds = 16;      // of looking where rungs are missing

// Temperature from 0 to infinity as warmth from 0 to 1, in which ratings change evenly enough to be interpolated.
double warmth(float temperature) {
  return static_cast<double>(temperature) / (1 + static_cast<double>(temperature));
}
float temperature_of(double warmth) {
  return static_cast<float>(warmth / (1 - warmth));
}

bool is_dial_bot(const LadderPlayer& player) {
  return player.kind == LadderPlayer::Kind::snapshot || player.kind == LadderPlayer::Kind::final;
}

// The covariance of the distances from the mean of all, from that of any distances.
SquareMatrix centred(const SquareMatrix& covariance) {
  const int n = covariance.size();
  std::vector<double> means(n);
  double all = 0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) means[i] += covariance(i, j) / n;
    all += means[i] / n;
  }
  SquareMatrix result(n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) result(i, j) = covariance(i, j) - means[i] - means[j] + all;
  return result;
}

// Every pair's matches in the order that spreads its wins, draws and losses evenly, all pairs side by side. Of many, a
// share tells the same.
void rate_skills(Ladder& ladder) {
  for (LadderPlayer& player : ladder.players) player.skill = {};
  struct Course {
    PairResult pair;
    double played = 0, wins = 0, losses = 0;
  };
  constexpr double kMostMatches = 1e6, kMostLooks = 1e8;
  std::vector<Course> courses;
  double longest = 0;
  for (const PairResult& result : ladder.results) {
    // Matches of more sides count as one between the two, that was won as often as the mean score says.
    PairResult pair = result;
    for (const Placing& placing : pair.placings) {
      pair.wins += placing.matches * placing.score();
      pair.losses += placing.matches * (1 - placing.score());
    }
    pair.placings.clear();
    longest = std::max(longest, pair.matches());
    courses.push_back({std::move(pair)});
  }
  const double share = std::min({1.0, kMostMatches / std::max(1.0, ladder.matches()),
                                 kMostLooks / std::max(1.0, longest * static_cast<double>(courses.size()))});
  for (double time = 0.5; time < share * longest; ++time)
    for (Course& course : courses) {
      const PairResult& pair = course.pair;
      const double n = pair.matches();
      if (course.played + 0.5 > time * n / longest + 1e-9) continue;
      ++course.played;
      int ranks[] = {1, 1};
      if (course.wins + 0.5 <= pair.wins * course.played / n) {
        ++course.wins;
        ranks[1] = 2;
      } else if (course.losses + 0.5 <= pair.losses * course.played / n) {
        ++course.losses;
        ranks[0] = 2;
      }
      LadderPlayer &first = ladder.players[pair.first], &second = ladder.players[pair.second];
      const std::vector<Skill> teams[] = {{first.skill}, {second.skill}};
      const auto rated = rate_teams(teams, ranks);
      first.skill = rated[0][0];
      second.skill = rated[1][0];
    }
}

// Whether matches could only differ by what players do.
bool leaves_nothing_to_chance(const GameEntry& game, const Settings& settings) {
  const std::unique_ptr<Agent> random = random_agent();
  for (std::uint64_t match = 0; match < 4; ++match) {
    const std::unique_ptr<Batch> one = game.make_batch(1), other = game.make_batch(1);
    one->start_all(settings, Key(match));
    other->start_all(settings, Key(match + 1000));
    BatchRows rows(*one), others(*other);
    for (std::uint64_t step = 0; step < 10'000 && one->status(0) == Status::running; ++step) {
      if (one->hash(0) != other->hash(0)) return false;
      if (!rows.observe()) return false;  // the matches that come will say it
      random->act(rows.decisions(), Key(match).split(step), rows.choices.data(), rows.values.data());
      others.choices = rows.choices;
      others.values = rows.values;
      if (!rows.step() || !others.step()) return false;
    }
    if (one->hash(0) != other->hash(0)) return false;
  }
  return true;
}

// Matches of one player, who takes one side of each, against another, who takes all others.
struct Job {
  LadderPlayer alone, others;
  int matches = 0;
  Key key;
  bool first_alone = true;  // of a pair
};

// The matches of a pair. In games of more than two teams each of the two stands alone in half of them.
std::vector<Job> jobs_of(const Spec& spec, const LadderPlayer& first, const LadderPlayer& second, int matches,
                         Key key) {
  if (spec.team_count() == 2) return {{first, second, matches, key}};
  const int half = (matches + 1) / 2;
  return {{first, second, half, key.split(0), true}, {second, first, half, key.split(1), false}};
}

// Adds what came of a pair's matches.
void note(PairResult& result, const Spec& spec, const Job& job, const MatchSummary& sum) {
  if (spec.team_count() == 2) {
    result.wins += sum.wins, result.draws += sum.draws, result.losses += sum.losses;
    return;
  }
  for (Placing placing : sum.placings) {
    placing.first_alone = job.first_alone;
    result.add(placing);
  }
}

// Makes the values rise, each as little changed as can be in the weighted squares: pool adjacent violators.
std::vector<double> isotonic(const std::vector<double>& values, const std::vector<double>& weights) {
  struct Pool {
    double value, weight;
    std::size_t count;
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < values.size(); ++i) {
    pools.push_back({values[i], weights[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].value > pools.back().value) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& pool = pools.back();
      pool.value = (pool.value * pool.weight + last.value * last.weight) / (pool.weight + last.weight);
      pool.weight += last.weight;
      pool.count += last.count;
    }
  }
  std::vector<double> rising;
  for (const Pool& pool : pools) rising.insert(rising.end(), pool.count, pool.value);
  return rising;
}

class Climb {
 public:
  Climb(const GameEntry& game, Ladder& ladder, const AgentMaker& make_agent, const LadderOptions& options)
      : game_(game),
        ladder_(ladder),
        make_agent_(make_agent),
        options_(options),
        key_(options.seed),
        rows_per_match_(game.spec.simultaneous ? game.spec.seats : 1),
        chunk_(std::max(32, 128 / rows_per_match_)),
        team_(std::min(options.threads > 0 ? options.threads : usable_processors(), kWave)) {
    settings_ = ladder.rules.settings(game.spec);
  }

  // Everybody meets everybody, rungs apart.
  Result<void> meet() {
    std::vector<std::pair<int, int>> pairs;
    const int n = static_cast<int>(ladder_.players.size());
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j)
        if (ladder_.players[i].kind != LadderPlayer::Kind::rung &&
            ladder_.players[j].kind != LadderPlayer::Kind::rung && result_of(i, j).matches() < kFirstMatches)
          pairs.emplace_back(i, j);
    for (std::size_t first = 0; first < pairs.size() && !stopped(); first += 4 * kWave) {
      const std::size_t last = std::min(pairs.size(), first + 4 * kWave);
      const std::vector<std::pair<int, int>> some(pairs.begin() + static_cast<std::ptrdiff_t>(first),
                                                  pairs.begin() + static_cast<std::ptrdiff_t>(last));
      const double done = static_cast<double>(last) / static_cast<double>(pairs.size());
      if (Result<void> played = wave(some, kFirstMatches, "first matches", done); !played) return played;
    }
    return {};
  }

  // Plays where it tells most, until the ratings are known to `target` or a share of the budget is spent.
  Result<void> settle(const char* stage, double target, double share = 1) {
    while (!stopped()) {
      const EloRatings ratings = ladder_.rate();
      const double error = mean_error(), played = ladder_.matches();
      const double budget =
          share * (options_.matches > 0 ? options_.matches : 1000 * static_cast<double>(ladder_.players.size()));
      if (error <= target || played >= budget) return {};
      const double left = std::max(target * target / (error * error), played / budget);
      const int count = std::clamp(static_cast<int>((budget - played) / chunk_ + 1), 1, kWave);
      if (Result<void> done =
              wave(choose_pairs(ladder_, ratings, count, chunk_, game_.spec.team_count()), chunk_, stage, left);
          !done)
        return done;
    }
    return {};
  }

  // In real time, the weaker a bot of the dial is, the later it reacts.
  Result<void> slow_down() {
    chain_ = choose_chain();
    if (chain_.empty() || game_.spec.seconds_per_step <= 0) return {};
    const double top = ladder_.players[chain_.back()].rating;
    std::vector<int> added;
    for (int& base : chain_) {
      LadderPlayer bot = ladder_.players[base];
      const double share = std::clamp((top - bot.rating) / std::max(1.0, top - kRandomRating), 0.0, 1.0);
      bot.reaction_steps =
          static_cast<int>(std::lround(share * kSlowest / static_cast<double>(game_.spec.seconds_per_step)));
      if (bot.reaction_steps == 0) continue;
      base = ladder_.find(rung_name(bot));
      if (base >= 0) continue;
      base = static_cast<int>(ladder_.players.size());
      ladder_.players.push_back(rung(bot, bot.temperature, bot.rating));
      added.push_back(base);
    }
    if (Result<void> played = introduce(added, 0, 1); !played) return played;
    std::stable_sort(chain_.begin(), chain_.end(),
                     [this](int a, int b) { return ladder_.players[a].rating < ladder_.players[b].rating; });
    return {};
  }

  // Adds rungs where a bot of the dial, warmed up, would leave a step of more than `gap`.
  Result<void> add_rungs(double gap) {
    if (chain_.empty()) chain_ = choose_chain();
    for (int round = 0; round < kRungRounds && !stopped(); ++round) {
      ladder_.rate();
      std::vector<int> added;
      for (const LadderPlayer& rung : missing_rungs(gap)) {
        if (ladder_.find(rung.name) >= 0) continue;
        added.push_back(static_cast<int>(ladder_.players.size()));
        ladder_.players.push_back(rung);
      }
      if (added.empty()) return {};
      if (Result<void> played = introduce(added, round, kRungRounds); !played) return played;
    }
    return {};
  }

  // Between two players next to each other.
  double widest_gap() const {
    std::vector<double> ratings;
    for (const LadderPlayer& player : ladder_.players) ratings.push_back(player.rating);
    std::sort(ratings.begin(), ratings.end());
    double widest = 0;
    for (std::size_t i = 1; i < ratings.size(); ++i) widest = std::max(widest, ratings[i] - ratings[i - 1]);
    return widest;
  }

  void make_dial() {
    Calibration calibration;
    std::vector<DialSetting>& dial = calibration.dial;
    for (int base : chain_) {
      const std::vector<int> points = warmed(base);  // from warm to cool
      std::vector<double> ratings, weights;
      for (int i : points) {
        ratings.push_back(ladder_.players[i].rating);
        weights.push_back(1 / (ladder_.players[i].error * ladder_.players[i].error + 1e-9));
      }
      ratings = isotonic(ratings, weights);
      const std::string& bot = ladder_.players[base].bot;
      const int reaction = ladder_.players[base].reaction_steps;
      const auto warm = [&](std::size_t p) { return warmth(ladder_.players[points[p]].temperature); };
      const bool lowest = dial.empty();
      const double from = lowest ? ratings.front() : dial.back().rating;
      if (!lowest && ratings.back() <= from) continue;
      std::size_t p = 0;
      while (ratings[p] < from) ++p;
      if (!lowest) {
        double at = warm(p);
        if (p > 0) at += (warm(p - 1) - at) * (ratings[p] - from) / (ratings[p] - ratings[p - 1]);
        dial.push_back({bot, temperature_of(at), from, reaction});
      }
      for (; p < points.size(); ++p)
        dial.push_back({bot, ladder_.players[points[p]].temperature, ratings[p], reaction});
    }
    ladder_.calibration = std::move(calibration);
  }

  Result<void> check_levels(int levels, int matches) {
    Calibration& calibration = *ladder_.calibration;
    constexpr int kOpponents = 6;
    for (int level = 0; level < levels && !stopped(); ++level) {
      const double share = levels > 1 ? static_cast<double>(level) / (levels - 1) : 1;
      LevelCheck check{.asked = calibration.low() + share * (calibration.high() - calibration.low())};
      check.setting = turn_dial(calibration, check.asked).value();
      LadderPlayer player{.name = "level", .kind = LadderPlayer::Kind::rung};
      player.bot = check.setting.bot;
      player.temperature = check.setting.temperature;
      player.reaction_steps = check.setting.reaction_steps;
      std::vector<int> same;
      for (std::size_t i = 0; i < ladder_.players.size(); ++i)
        if (ladder_.players[i].plays_as(player)) same.push_back(static_cast<int>(i));
      const std::vector<int> opponents = nearest(check.asked, kOpponents, same);
      std::vector<Job> jobs;
      const int each = (matches + static_cast<int>(opponents.size()) - 1) / static_cast<int>(opponents.size());
      for (int opponent : opponents)
        for (Job& job : jobs_of(game_.spec, player, ladder_.players[opponent], each,
                                key_.split(2).split(static_cast<std::uint64_t>(level)).split(opponent)))
          jobs.push_back(std::move(job));
      const Result<std::vector<MatchSummary>> played = play(jobs);
      if (!played) return played.error();
      std::vector<KnownOpponent> known;
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        const MatchSummary& sum = played.value()[i];
        known.push_back({(jobs[i].first_alone ? jobs[i].others : jobs[i].alone).rating});
        note(known.back().result, game_.spec, jobs[i], sum);
        check.matches += sum.matches;
      }
      const RatingEstimate estimate = rate_against(known);
      check.measured = estimate.rating;
      check.error = estimate.error;
      calibration.levels.push_back(check);
      if (Result<void> told = tell(fmt::format("checking level {} of {}", level + 1, levels), (level + 1.0) / levels);
          !told)
        return told;
    }
    return {};
  }

  bool stopped() const { return options_.stop && options_.stop->load(); }

 private:
  PairResult& result_of(int first, int second) {
    const auto found = std::find_if(ladder_.results.begin(), ladder_.results.end(),
                                    [&](const PairResult& r) { return r.first == first && r.second == second; });
    if (found != ladder_.results.end()) return *found;
    ladder_.results.push_back({first, second});
    return ladder_.results.back();
  }

  double mean_error() const {
    double squares = 0;
    for (const LadderPlayer& player : ladder_.players) squares += player.error * player.error;
    return std::sqrt(squares / static_cast<double>(ladder_.players.size()));
  }

  Result<void> tell(const std::string& stage, double done) {
    if (!options_.on_wave) return {};
    return options_.on_wave(ladder_, {stage, mean_error(), played_, std::min(1.0, done)});
  }

  // The jobs' results in their order, whichever thread played them.
  Result<std::vector<MatchSummary>> play(const std::vector<Job>& jobs) {
    std::vector<std::optional<Result<MatchSummary>>> results(jobs.size());
    team_.share_out(jobs.size(), [&](std::size_t i) { results[i] = play(jobs[i]); });
    std::vector<MatchSummary> summaries;
    for (std::optional<Result<MatchSummary>>& result : results) {
      if (!result->ok()) return result->error();
      played_ += result->value().matches;
      summaries.push_back(std::move(*result).value());
    }
    return summaries;
  }

  Result<MatchSummary> play(const Job& job) const {
    Result<std::unique_ptr<Agent>> first = make_agent_(job.alone);
    if (!first) return first.error();
    Result<std::unique_ptr<Agent>> second = make_agent_(job.others);
    if (!second) return second.error();
    return play_matches(game_, **first, second->get(), job.key,
                        {.matches = job.matches, .settings = settings_, .opening = ladder_.rules.opening});
  }

  Result<void> wave(const std::vector<std::pair<int, int>>& pairs, int matches, const char* stage, double done) {
    std::vector<Job> jobs;
    std::vector<std::pair<int, int>> pair_of;  // [jobs]
    std::map<std::pair<int, int>, int> ahead;  // of this wave
    for (const auto& [i, j] : pairs) {
      const LadderPlayer &first = ladder_.players[i], &second = ladder_.players[j];
      const double played = result_of(i, j).matches() + ahead[{i, j}];
      ahead[{i, j}] += matches;
      const Key key =
          key_.split(1).split(fnv1a(first.name)).split(fnv1a(second.name)).split(static_cast<std::uint64_t>(played));
      for (Job& job : jobs_of(game_.spec, first, second, matches, key)) {
        jobs.push_back(std::move(job));
        pair_of.emplace_back(i, j);
      }
    }
    const Result<std::vector<MatchSummary>> summaries = play(jobs);
    if (!summaries) return summaries.error();
    for (std::size_t k = 0; k < jobs.size(); ++k)
      note(result_of(pair_of[k].first, pair_of[k].second), game_.spec, jobs[k], summaries.value()[k]);
    ladder_.rate();
    return tell(stage, done);
  }

  // Bots of the dial, weak to strong: the best one, then each time the best one that is weaker by a spacing, or one
  // hardly weaker than that which has rungs already.
  std::vector<int> choose_chain() const {
    std::vector<int> bots;
    double below = std::numeric_limits<double>::infinity();
    for (;;) {
      int best = -1;
      double best_rating = 0;
      for (std::size_t i = 0; i < ladder_.players.size(); ++i) {
        const LadderPlayer& player = ladder_.players[i];
        if (!is_dial_bot(player) || player.rating > below) continue;
        const double rating = player.rating + (!bots.empty() && has_rungs(player) ? kDialSpacing / 4 : 0);
        if (best >= 0 && rating <= best_rating) continue;
        best = static_cast<int>(i);
        best_rating = rating;
      }
      if (best < 0) break;
      bots.push_back(best);
      below = ladder_.players[best].rating - kDialSpacing;
    }
    std::reverse(bots.begin(), bots.end());
    return bots;
  }

  bool has_rungs(const LadderPlayer& bot) const {
    return std::any_of(ladder_.players.begin(), ladder_.players.end(), [&](const LadderPlayer& player) {
      return player.kind == LadderPlayer::Kind::rung && player.bot == bot.bot;
    });
  }

  static std::string rung_name(const LadderPlayer& bot) {
    std::string name = fmt::format("{} at {:.3g}", bot.bot, bot.temperature);
    if (bot.reaction_steps > 0) name += fmt::format(", {} later", bot.reaction_steps);
    return name;
  }

  static LadderPlayer rung(const LadderPlayer& bot, float temperature, double guess) {
    LadderPlayer rung = bot;
    rung.kind = LadderPlayer::Kind::rung;
    rung.temperature = temperature;
    rung.name = rung_name(rung);
    rung.rating = guess;
    rung.error = kRatingPrior;
    rung.matches = 0;
    return rung;
  }

  // The first matches of new players, where their ratings are guessed, and the next ones, where those put them.
  Result<void> introduce(const std::vector<int>& added, int round, int rounds) {
    for (int opponents : {1, 2}) {
      std::vector<std::pair<int, int>> pairs;
      for (int i : added)
        for (int j : nearest(ladder_.players[i].rating, opponents, {i}))
          if (std::find(added.begin(), added.end(), j) == added.end() || opponents == 2)
            pairs.emplace_back(std::min(i, j), std::max(i, j));
      std::sort(pairs.begin(), pairs.end());
      pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
      const double done = (round + (opponents == 2)) / static_cast<double>(rounds);
      if (Result<void> played = wave(pairs, chunk_, "warming up", done); !played) return played;
    }
    return {};
  }

  // A bot and its rungs of the same reaction, from the warmest to the coolest.
  std::vector<int> warmed(int base) const {
    std::vector<int> points;
    for (std::size_t i = 0; i < ladder_.players.size(); ++i)
      if (ladder_.players[i].bot == ladder_.players[base].bot &&
          ladder_.players[i].reaction_steps == ladder_.players[base].reaction_steps)
        points.push_back(static_cast<int>(i));
    std::sort(points.begin(), points.end(),
              [this](int a, int b) { return ladder_.players[a].temperature > ladder_.players[b].temperature; });
    return points;
  }

  std::vector<LadderPlayer> missing_rungs(double gap) const {
    std::vector<LadderPlayer> rungs;
    double floor = -std::numeric_limits<double>::infinity();
    for (int base : chain_) {
      const LadderPlayer& bot = ladder_.players[base];
      const auto add = [&](double at, double guess) { rungs.push_back(rung(bot, temperature_of(at), guess)); };
      const std::vector<int> points = warmed(base);
      const double warmest = warmth(ladder_.players[points.front()].temperature);
      // As warm as can be, where nobody weaker will take over.
      if (!std::isfinite(floor) && warmest < kHottest - 1e-6) add(kHottest, kRandomRating);
      for (std::size_t p = 0; p < points.size(); ++p) {
        // From above the floor down to the next point, or, below the last one, to random play.
        const LadderPlayer& upper = ladder_.players[points[p]];
        const bool last = p == 0;
        const double high = upper.rating, low = last ? kRandomRating : ladder_.players[points[p - 1]].rating;
        const double cool = warmth(upper.temperature),
                     warm = last ? static_cast<double>(kHottest) : warmth(ladder_.players[points[p - 1]].temperature);
        // A step that ends just under the floor is a step all the same.
        if (high - low <= gap || high <= floor || warm - cool < kFinest) continue;
        const double target = std::max(high - 0.8 * gap, floor - 0.1 * gap);
        // Nothing is known yet of the way down to random play; elsewhere the way is nearly straight.
        const double share = last ? 0.5 : std::clamp((high - target) / (high - low), 0.3, 0.7);
        add(cool + share * (warm - cool), high - share * (high - low));
      }
      floor = bot.rating;
    }
    return rungs;
  }

  // The players nearest to a rating, half of them from above and half from below where there are enough; exploiters
  // and those in `without` are not asked.
  std::vector<int> nearest(double rating, int count, const std::vector<int>& without) const {
    std::vector<int> sides[2], chosen;
    for (std::size_t i = 0; i < ladder_.players.size(); ++i) {
      const LadderPlayer& player = ladder_.players[i];
      if (player.kind == LadderPlayer::Kind::exploiter || player.matches == 0 ||
          std::find(without.begin(), without.end(), static_cast<int>(i)) != without.end())
        continue;
      sides[player.rating < rating].push_back(static_cast<int>(i));
    }
    for (std::vector<int>& side : sides)
      std::stable_sort(side.begin(), side.end(), [&](int a, int b) {
        return std::fabs(ladder_.players[a].rating - rating) < std::fabs(ladder_.players[b].rating - rating);
      });
    std::size_t taken[2] = {0, 0};
    while (static_cast<int>(chosen.size()) < count) {
      const bool left[2] = {taken[0] < sides[0].size(), taken[1] < sides[1].size()};
      if (!left[0] && !left[1]) break;
      const auto distance = [&](int side) {
        return std::fabs(ladder_.players[sides[side][taken[side]]].rating - rating);
      };
      int side = left[0] ? 0 : 1;
      // In turn, unless that one is far away.
      if (left[0] && left[1]) {
        side = taken[0] == taken[1] ? (distance(0) <= distance(1) ? 0 : 1) : (taken[0] < taken[1] ? 0 : 1);
        if (distance(side) > 300 && distance(1 - side) < distance(side)) side = 1 - side;
      }
      chosen.push_back(sides[side][taken[side]++]);
    }
    return chosen;
  }

  const GameEntry& game_;
  Ladder& ladder_;
  const AgentMaker& make_agent_;
  const LadderOptions& options_;
  Key key_;
  int rows_per_match_, chunk_;
  MatchSettings settings_;
  Team team_;
  std::vector<int> chain_;  // bots of the dial, weak to strong
  double played_ = 0;
};

}  // namespace

std::string to_string(LadderPlayer::Kind kind) {
  switch (kind) {
    case LadderPlayer::Kind::random:
      return "random";
    case LadderPlayer::Kind::baseline:
      return "baseline";
    case LadderPlayer::Kind::snapshot:
      return "snapshot";
    case LadderPlayer::Kind::exploiter:
      return "exploiter";
    case LadderPlayer::Kind::final:
      return "final";
    case LadderPlayer::Kind::rung:
      break;
  }
  return "rung";
}

int Ladder::find(const std::string& name) const {
  for (std::size_t i = 0; i < players.size(); ++i)
    if (players[i].name == name) return static_cast<int>(i);
  return -1;
}

double Ladder::matches() const {
  double sum = 0;
  for (const PairResult& result : results) sum += result.matches();
  return sum;
}

EloRatings Ladder::rate() {
  const int anchor = find("random");
  check(anchor >= 0, "a ladder needs the player 'random'");
  EloRatings ratings = fit_elo(static_cast<int>(players.size()), results, anchor, kRandomRating);
  const SquareMatrix covariance = centred(ratings.covariance);
  for (std::size_t i = 0; i < players.size(); ++i) {
    players[i].rating = ratings.rating[i];
    players[i].error = std::sqrt(std::max(0.0, covariance(static_cast<int>(i), static_cast<int>(i))));
    players[i].matches = 0;
  }
  for (const PairResult& result : results) {
    players[result.first].matches += result.matches();
    players[result.second].matches += result.matches();
  }
  return ratings;
}

std::uint64_t data_hash(const Spec& spec) {
  std::uint64_t hash = 0;
  for (const RuleData& data : spec.data) hash = Key::mix(hash ^ fnv1a(data.name) ^ data.hash);
  return hash;
}

LadderRules ladder_rules(const GameEntry& game, const MatchSettings& settings, float temperature,
                         const Limits& limits) {
  LadderRules rules{.game = game.spec.name,
                    .data = data_hash(game.spec),
                    .parameters = settings.fixed.parameters,
                    .picks = settings.fixed.picks,
                    .drawn = settings.drawn,
                    .opening = 0,
                    .sides = game.spec.team_count(),
                    .limits = limits};
  if (std::all_of(rules.picks.begin(), rules.picks.end(), [](int pick) { return pick < 0; })) rules.picks.clear();
  if (temperature <= 0 && leaves_nothing_to_chance(game, settings.fixed))
    rules.opening = game.spec.max_steps > 0 ? std::min(4, game.spec.max_steps / 8) : 4;
  return rules;
}

Ladder carry_over(const Ladder& earlier, LadderRules rules, std::vector<LadderPlayer> players) {
  Ladder ladder{.rules = std::move(rules), .players = std::move(players)};
  if (!(ladder.rules == earlier.rules)) return ladder;
  const auto bot_stays = [&](const std::string& bot, std::uint64_t fingerprint) {
    return std::any_of(ladder.players.begin(), ladder.players.end(), [&](const LadderPlayer& player) {
      return player.bot == bot && player.fingerprint == fingerprint;
    });
  };
  std::vector<int> now(earlier.players.size(), -1);
  for (std::size_t i = 0; i < earlier.players.size(); ++i) {
    const LadderPlayer& player = earlier.players[i];
    const int same = ladder.find(player.name);
    if (same >= 0) {
      const LadderPlayer& present = ladder.players[same];
      if (present.fingerprint == player.fingerprint && present.plays_as(player)) now[i] = same;
    } else if (player.kind == LadderPlayer::Kind::rung && bot_stays(player.bot, player.fingerprint)) {
      now[i] = static_cast<int>(ladder.players.size());
      ladder.players.push_back(player);
    }
  }
  for (PairResult result : earlier.results) {
    result.first = now[result.first];
    result.second = now[result.second];
    if (result.first < 0 || result.second < 0) continue;
    if (result.first > result.second) {
      std::swap(result.first, result.second);
      std::swap(result.wins, result.losses);
      for (Placing& placing : result.placings) placing.first_alone = !placing.first_alone;
    }
    ladder.results.push_back(result);
  }
  if (earlier.calibration) {
    const auto stays = [&](const DialSetting& setting) {
      return std::any_of(earlier.players.begin(), earlier.players.end(), [&](const LadderPlayer& player) {
        return player.bot == setting.bot && bot_stays(player.bot, player.fingerprint);
      });
    };
    const std::vector<DialSetting>& dial = earlier.calibration->dial;
    if (std::all_of(dial.begin(), dial.end(), stays)) ladder.calibration = earlier.calibration;
  }
  return ladder;
}

std::vector<std::pair<int, int>> choose_pairs(const Ladder& ladder, const EloRatings& ratings, int count, int matches,
                                              int sides, int settled) {
  const int n = static_cast<int>(ladder.players.size());
  SquareMatrix covariance = centred(ratings.covariance);
  std::vector<bool> waits(n);
  std::vector<std::pair<int, int>> pairs;
  while (static_cast<int>(pairs.size()) < count) {
    // `matches` matches between i and j add information w about their difference; by Sherman and Morrison the
    // covariance C loses w C(e_i - e_j) (C(e_i - e_j))' / (1 + w Var(i - j)).
    double best = 0;
    std::pair<int, int> choice{-1, -1};
    std::vector<double> column(n);
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) {
        if (waits[i] || waits[j]) continue;
        const double w = matches * elo_information(ratings.rating[i] - ratings.rating[j], sides);
        double squares = 0;
        for (int k = 0; k < n; ++k) {
          const double c = covariance(k, i) - covariance(k, j);
          squares += c * c;
        }
        const double variance = covariance(i, i) + covariance(j, j) - 2 * covariance(i, j);
        const double gain = w * squares / (1 + w * variance);
        if (gain > best) {
          best = gain;
          choice = {i, j};
        }
      }
    const auto [i, j] = choice;
    if (i < 0) break;
    pairs.push_back(choice);
    const double w = matches * elo_information(ratings.rating[i] - ratings.rating[j], sides);
    const double variance = covariance(i, i) + covariance(j, j) - 2 * covariance(i, j);
    for (int k = 0; k < n; ++k) column[k] = covariance(k, i) - covariance(k, j);
    for (int k = 0; k < n; ++k)
      for (int l = 0; l < n; ++l) covariance(k, l) -= w / (1 + w * variance) * column[k] * column[l];
    for (int player : {i, j}) waits[player] = ladder.players[player].matches < settled;
  }
  return pairs;
}

Result<void> rate_ladder(const GameEntry& game, Ladder& ladder, const AgentMaker& make_agent,
                         const LadderOptions& options) {
  if (game.spec.team_count() < 2)
    return Error{
        fmt::format("{}: ratings need opponents, and this is a game of one team; its measure is the mean "
                    "return (`{}`)",
                    game.spec.name, command_line({"eval", "BOT"}))};
  Climb climb(game, ladder, make_agent, options);
  if (Result<void> met = climb.meet(); !met) return met;
  if (Result<void> roughly = climb.settle("rating", std::max(kRough, options.target_error), kRoughShare); !roughly)
    return roughly;
  if (climb.widest_gap() > kLinkGap)
    if (Result<void> linked = climb.add_rungs(kLinkGap); !linked) return linked;
  if (Result<void> settled = climb.settle("rating", options.target_error); !settled) return settled;
  ladder.rate();
  rate_skills(ladder);
  return {};
}

Result<void> calibrate_ladder(const GameEntry& game, Ladder& ladder, const AgentMaker& make_agent,
                              const LadderOptions& options, int levels, int level_matches) {
  Climb climb(game, ladder, make_agent, options);
  if (Result<void> slowed = climb.slow_down(); !slowed) return slowed;
  for (int round = 0; round < 2; ++round) {  // ratings that settle may leave new gaps
    if (Result<void> warmed = climb.add_rungs(kDialGap); !warmed) return warmed;
    if (Result<void> settled = climb.settle("calibrating", options.target_error); !settled) return settled;
  }
  ladder.rate();
  rate_skills(ladder);
  if (climb.stopped()) return {};
  climb.make_dial();
  if (ladder.calibration->dial.size() < 2) {
    ladder.calibration.reset();
    return Error{"there is no bot to calibrate: a dial needs a run with snapshots or a final bot"};
  }
  return climb.check_levels(levels, level_matches);
}

Result<DialSetting> turn_dial(const Calibration& calibration, double rating) {
  constexpr double kRounding = 0.5;  // ratings are shown without decimals
  if (!(rating >= calibration.low() - kRounding && rating <= calibration.high() + kRounding))
    return Error{fmt::format("the rating {:g} is outside this run's range, {:.0f} to {:.0f}", rating,
                             std::ceil(calibration.low() - kRounding), std::floor(calibration.high() + kRounding))};
  const double wanted = std::clamp(rating, calibration.low(), calibration.high());
  for (std::size_t i = calibration.dial.size() - 1; i > 0; --i) {
    const DialSetting &upper = calibration.dial[i], &lower = calibration.dial[i - 1];
    if (upper.bot != lower.bot || upper.reaction_steps != lower.reaction_steps || wanted < lower.rating ||
        wanted > upper.rating)
      continue;
    const double step = upper.rating - lower.rating, share = step > 0 ? (wanted - lower.rating) / step : 1;
    const double at = warmth(lower.temperature) + share * (warmth(upper.temperature) - warmth(lower.temperature));
    return DialSetting{upper.bot, temperature_of(at), wanted, upper.reaction_steps};
  }
  DialSetting strongest = calibration.dial.back();
  strongest.rating = wanted;
  return strongest;
}

}  // namespace rival
