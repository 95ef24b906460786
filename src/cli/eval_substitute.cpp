// rival eval-substitute RUN: whether bots of a run play on for players who leave as these would have.

#include <algorithm>
#include <cmath>

#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/live_view.hpp"
#include "cli/player.hpp"
#include "player/substitution.hpp"

namespace rival::cli {
namespace {

constexpr double kMargin = 0.03;  // of the score: nearer together, two are as good as each other
constexpr std::int64_t kMostDecisions = 1'000'000;
constexpr double kShowEvery = 5;  // seconds

struct Options {
  std::string run, leavers, game;
  std::vector<std::string> after;
  int matches = 3000, ratings = 5, threads = 0;
  std::uint64_t seed = 1;
};

bool equivalent(const SubstitutionFigures& figures) {
  return figures.interval.low > -kMargin && figures.interval.high < kMargin;
}

// The chance that matches as many as these show an equivalence that there is: a difference of nothing.
double power(const SubstitutionFigures& figures) {
  const double error = figures.interval.half_width() / kZ95;
  const auto normal = [](double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; };
  return std::max(0.0, 2 * normal(kMargin / error - kZ95) - 1);
}

std::string points(double share) {
  return with_sign(100 * share, 1);
}

Json to_json(const SubstitutionFigures& f) {
  return {{"after", f.after},
          {"matches", f.matches},
          {"score", f.score},
          {"difference", f.difference},
          {"difference_low", f.interval.low},
          {"difference_high", f.interval.high},
          {"equivalent", equivalent(f)},
          {"power", power(f)},
          {"medium_difference", f.medium_difference},
          {"medium_low", f.medium_interval.low},
          {"medium_high", f.medium_interval.high},
          {"rating_bias", f.bias},
          {"rating_error", f.rms_error},
          {"covered", f.covered}};
}

Result<Outcome> evaluate(const Options& options, const Games& games, Console& console) {
  Result<GameEntry> game = game_of(games, options.run, options.game);
  if (!game) return game.error();
  const auto scale = read_rating_scale(options.run, game->spec);
  if (!scale) return scale.error();
  const auto leavers = options.leavers.empty() ? scale : read_rating_scale(options.leavers, game->spec);
  if (!leavers) return leavers.error();
  const std::atomic<bool>& stop = stop_on_interrupt();
  ProgressLine line(console);
  SubstitutionOptions how{
      .matches = options.matches, .ratings = options.ratings, .seed = options.seed, .threads = options.threads};
  if (!options.after.empty()) how.after.clear();
  for (const std::string& text : options.after) {
    const std::optional<std::int64_t> number = read_whole(text);
    if (!number || *number < 0 || *number > kMostDecisions)
      wrong_usage({fmt::format("--after: '{}' is no number of decisions", text)});
    how.after.push_back(static_cast<int>(*number));
  }
  const double begin = process_seconds();
  how.progress = [&](double share) {
    if (!line.due(kShowEvery)) return;
    const double spent = process_seconds() - begin;
    line.show(fmt::format("{} {:3.0f}%  {} left", progress_bar(share, 20), 100 * share,
                          clock_text(share > 0 ? spent * (1 - share) / share : 0)));
  };
  how.stop = [&] { return stop.load(); };
  const Result<SubstitutionSummary> measured = measure_substitution(game.value(), leavers.value(), scale.value(), how);
  if (!measured) return measured.error();
  if (stop) return Error{"ended before all matches were played"};
  const SubstitutionSummary& summary = measured.value();

  console.print(
      "Players of {} between {:.0f} and {:.0f} leave{}; the difference that makes to their team's score, in "
      "points of 100, with 95% intervals\n",
      options.leavers.empty() ? options.run : options.leavers, leavers.value()->levels.front().rating,
      leavers.value()->levels.back().rating,
      options.leavers.empty() ? "" : fmt::format(", bots of {} play on", options.run));
  console.print("{:>9} {:>8} {:>25} {:>25} {:>16}\n", "decisions", "matches", "substitute", "a medium bot instead",
                "rating off by");
  Json json = {{"swapped", Json::array()}, {"by_rating", Json::array()}};
  bool all = true;
  const auto row = [&](const std::string& name, const SubstitutionFigures& f) {
    console.print("{:>9} {:>8} {:>6} ({} to {}) {:>11} ({} to {}) {:>8.0f}\n", name, grouped(f.matches),
                  points(f.difference), points(f.interval.low), points(f.interval.high), points(f.medium_difference),
                  points(f.medium_interval.low), points(f.medium_interval.high), f.rms_error);
  };
  for (const SubstitutionFigures& f : summary.all) {
    row(fmt::format("{}", f.after), f);
    Json whole = to_json(f);
    whole["mean_size"] = summary.mean_size(f.after, false);
    whole["medium_mean_size"] = summary.mean_size(f.after, true);
    json["swapped"].push_back(whole);
    all &= equivalent(f);
    for (const SubstitutionFigures& each : summary.by_rating) {
      if (each.after != f.after) continue;
      row(fmt::format("at {:.0f}", each.rating), each);
      Json part = to_json(each);
      part["rating"] = each.rating;
      json["by_rating"].push_back(part);
    }
  }
  double least_power = 1;
  for (const SubstitutionFigures& f : summary.all) least_power = std::min(least_power, power(f));
  console.print(
      "{}: within {:.0f} points of the same match without a swap (the matches were enough to show it {:.0f} "
      "times in 100)\n",
      console.bold(all ? "Equivalent" : "Not shown to be equivalent"), 100 * kMargin, 100 * least_power);
  for (const SubstitutionFigures& f : summary.all)
    console.print(
        "After {} decisions, at one rating or another, a swap changes {:.1f} points on average; a medium bot's "
        "{:.1f}\n",
        f.after, 100 * summary.mean_size(f.after, false), 100 * summary.mean_size(f.after, true));
  console.print("{}\n", summary.leaving_pays() ? "At some ratings it pays to leave: see the table"
                                               : "At no rating is it shown to pay to leave");
  json["equivalent"] = all;
  json["leaving_pays"] = summary.leaving_pays();
  return Outcome{std::move(json)};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("RUN", &options->run, "A run's folder, with a calibrated ladder, whose bots play on",
                {.required = true});
  arguments.add("--leavers", &options->leavers,
                "Another run, whose bots are those who leave, and the others of their matches; else of RUN");
  arguments.add_each(
      "--after", [options](const std::string& text) { options->after.push_back(text); },
      "Decisions of the leaver that are seen first; may be given several times (default: 10, 20 and 50)");
  arguments.add("--matches", &options->matches, "Matches for each of these numbers", {.low = 10, .high = kMostMatches});
  arguments.add("--ratings", &options->ratings, "Ratings of leavers, spread over their ladder",
                {.low = 1, .high = 100});
  arguments.add("--seed", &options->seed, "What all chance hangs on");
  arguments.add("--threads", &options->threads, "Threads; 0: one per processor", {.low = 0, .high = 256});
  arguments.add("--game", &options->game, "The game, from elsewhere than where the run says");
  return [options, &games](Console& console) { return evaluate(*options, games, console); };
}

}  // namespace

Command eval_substitute_command() {
  return {"eval-substitute",
          "whether a bot plays on for somebody who leaves, as they would have",
          {{"eval-substitute runs/demo"}, {"eval-substitute runs/demo --leavers runs/other --after 20 --json"}},
          declare};
}

}  // namespace rival::cli
