#include "cli/live_view.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <string_view>

#include "base/number.hpp"

namespace rival::cli {
namespace {

constexpr double kRedrawEvery = 0.2;  // seconds, on a terminal
constexpr double kLineEvery = 5;      // elsewhere

std::string percent(const Estimate& score) {
  return fmt::format("{:5.1f}%  ({:.1f} to {:.1f})", 100 * score.value, 100 * score.interval.low,
                     100 * score.interval.high);
}

std::string short_count(double n) {
  if (n >= 1e9) return fmt::format("{:.2f} G", n / 1e9);
  if (n >= 1e6) return fmt::format("{:.2f} M", n / 1e6);
  if (n >= 1e3) return fmt::format("{:.1f} k", n / 1e3);
  return fmt::format("{:.0f}", n);
}

}  // namespace

bool ProgressLine::due(double seconds) const {
  if (!last_) return true;
  const double waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - *last_).count();
  return waited >= (console_.terminal() ? 0.1 : seconds);
}

void ProgressLine::show(const std::string& text) {
  last_ = std::chrono::steady_clock::now();
  if (console_.terminal())
    console_.redraw({text});
  else
    console_.print("{}\n", text);
}

std::string sparkline(const std::vector<double>& values, int width) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (values.empty() || width < 1) return "";
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::size_t columns = std::min(values.size(), static_cast<std::size_t>(width));
  std::string text;
  for (std::size_t i = 0; i < columns; ++i) {
    // Every column is the mean of its share of the values.
    const std::size_t first = i * values.size() / columns, last = (i + 1) * values.size() / columns;
    double sum = 0;
    for (std::size_t j = first; j < last; ++j) sum += values[j];
    const double height = *high > *low ? (sum / static_cast<double>(last - first) - *low) / (*high - *low) : 0.5;
    text += kBlocks[static_cast<std::size_t>(std::clamp(height * 7.999, 0.0, 7.0))];
  }
  return text;
}

std::string clock_text(double seconds) {
  const long long s = std::llround(std::max(0.0, std::min(seconds, 1e9)));
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                  : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string progress_bar(double share, int width) {
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width + 0.5);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  return bar;
}

double process_seconds() {
  // Field 22 of the line, counted from the ')' that ends the program's name, which is field 2.
  static const double started = [] {
    std::ifstream file("/proc/self/stat");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::string_view fields = std::string_view(text).substr(std::min(text.size(), text.rfind(')') + 1));
    for (int i = 3; i < 22; ++i) fields.remove_prefix(std::min(fields.size(), fields.find(' ', 1)));
    fields.remove_prefix(std::min<std::size_t>(fields.size(), 1));
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const auto ticks = static_cast<double>(read_whole(fields.substr(0, fields.find(' '))).value_or(0));
    const double seconds = static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    return ticks > 0 ? ticks / static_cast<double>(sysconf(_SC_CLK_TCK)) : seconds;
  }();
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - started;
}

LiveView::LiveView(Console& console, const Spec& spec, const TrainConfig& config, const std::atomic<bool>& stop)
    : console_(console), spec_(spec), config_(config), stop_(stop) {}

void LiveView::show(const RunProgress& progress) {
  if (progress.score && spec_.team_count() == 1) scores_.push_back(*progress.score);
  const auto now = std::chrono::steady_clock::now();
  const double waited = std::chrono::duration<double>(now - last_).count();
  if (shown_ && !progress.evaluated && waited < (console_.terminal() ? kRedrawEvery : kLineEvery)) return;
  last_ = now;
  shown_ = true;
  draw(progress);
}

void LiveView::finish(const RunProgress& progress) {
  if (console_.terminal()) draw(progress);
  console_.keep();
}

void LiveView::draw(const RunProgress& progress) {
  if (!console_.terminal()) {
    console_.print("{}\n", line(progress));
    return;
  }
  if (stop_ && !stopping_) console_.keep();
  stopping_ = stop_;
  console_.redraw(block(progress));
}

std::string LiveView::line(const RunProgress& p) const {
  std::string text = fmt::format("{:>6}  {} steps  {} steps/s", clock_text(p.seconds), grouped(p.iteration.steps),
                                 grouped(std::llround(p.steps_per_second)));
  if (p.score && spec_.team_count() == 1) text += "  score " + with_decimals(*p.score, 2);
  if (p.evaluated) {
    for (const Evaluation& e : p.evaluations)
      text += fmt::format("  {} {:.1f}% ({:.1f} to {:.1f})", e.opponent, 100 * e.score.value,
                          100 * e.score.interval.low, 100 * e.score.interval.high);
    if (!p.ratings.empty()) text += "  rating " + with_sign(p.ratings.back(), 0);
  }
  if (p.seconds_left) text += fmt::format("  {} left", clock_text(*p.seconds_left));
  return text;
}

std::vector<std::string> LiveView::block(const RunProgress& p) const {
  const int width = console_.width();
  constexpr int kWidestBar = 40, kNarrowestBar = 4;
  // A bar or a curve in what is left of a line, where that is worth it.
  const auto room = [=](const std::string& text) {
    const int left = std::min(kWidestBar, width - columns(text) - 2);
    return left < kNarrowestBar ? 0 : left;
  };
  std::vector<std::string> lines;
  const std::string time = "  " + clock_text(p.seconds);
  if (p.done > 0) {
    const std::string share = fmt::format(" {:3.0f}%", 100 * p.done);
    const std::string left = fmt::format("  {} left", clock_text(p.seconds_left.value_or(0)));
    const int bar = room(time + share + left);
    lines.push_back(time + (bar > 0 ? "  " + console_.styled(progress_bar(p.done, bar), "36") : "") + share + left);
  } else {
    lines.push_back(time);
  }
  lines.push_back(
      fmt::format("  {} steps   {}   {}", short_count(static_cast<double>(p.iteration.steps)),
                  console_.bold(short_count(p.steps_per_second) + " steps/s"),
                  console_.dim(fmt::format("entropy {:.3f}  kl {:.4f}", p.iteration.entropy, p.iteration.kl))));
  if (spec_.team_count() == 1 && p.score) {
    const std::string goal =
        std::isfinite(config_.until_score) ? fmt::format(" of {:g}", config_.until_score) : std::string();
    const std::string score = with_decimals(*p.score, 2);
    lines.push_back(fmt::format("  score {}{}  {}", console_.bold(score), goal,
                                sparkline(scores_, room("  score " + score + goal))));
  }
  for (const Evaluation& e : p.evaluations)
    lines.push_back(fmt::format("  against {:<10} {}", e.opponent, console_.bold(percent(e.score))));
  if (p.ratings.size() > 1) {
    const std::string rating = fmt::format("  rating  {:<10}", with_sign(p.ratings.back(), 0));
    lines.push_back(rating + " " + console_.styled(sparkline(p.ratings, room(rating)), "32"));
  }
  return lines;
}

}  // namespace rival::cli
