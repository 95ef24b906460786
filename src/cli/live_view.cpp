#include "cli/live_view.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

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
    std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    std::string field;
    for (int i = 3; i <= 22 && fields >> field; ++i) {
    }
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const double ticks = std::strtod(field.c_str(), nullptr);
    const double seconds = static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    return ticks > 0 ? ticks / static_cast<double>(sysconf(_SC_CLK_TCK)) : seconds;
  }();
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - started;
}

LiveView::LiveView(Console& console, const Spec& spec, const TrainConfig& config)
    : console_(console), spec_(spec), config_(config) {}

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
  close();
}

void LiveView::close() {
  drawn_lines_ = 0;
}

void LiveView::draw(const RunProgress& progress) {
  if (!console_.terminal()) {
    console_.print("{}\n", line(progress));
    return;
  }
  std::string text;
  if (drawn_lines_ > 0) text += fmt::format("\x1b[{}A", drawn_lines_);
  const std::vector<std::string> lines = block(progress);
  for (const std::string& l : lines) text += "\r\x1b[K" + l + "\n";
  for (std::size_t i = lines.size(); i < drawn_lines_; ++i) text += "\x1b[K\n";
  drawn_lines_ = std::max(drawn_lines_, lines.size());
  console_.write(text);
}

std::string LiveView::line(const RunProgress& p) const {
  std::string text = fmt::format("{:>6}  {} steps  {} steps/s", clock_text(p.seconds), grouped(p.iteration.steps),
                                 grouped(std::llround(p.steps_per_second)));
  if (p.score && spec_.team_count() == 1) text += fmt::format("  score {:.2f}", *p.score);
  if (p.evaluated) {
    for (const Evaluation& e : p.evaluations)
      text += fmt::format("  {} {:.1f}% ({:.1f} to {:.1f})", e.opponent, 100 * e.score.value,
                          100 * e.score.interval.low, 100 * e.score.interval.high);
    if (!p.ratings.empty()) text += fmt::format("  rating {:+.0f}", p.ratings.back());
  }
  if (p.seconds_left) text += fmt::format("  {} left", clock_text(*p.seconds_left));
  return text;
}

std::vector<std::string> LiveView::block(const RunProgress& p) const {
  const int width = std::clamp(console_.width() - 34, 8, 40);
  std::vector<std::string> lines;
  std::string time = clock_text(p.seconds);
  if (p.done > 0)
    time = fmt::format("{}  {} {:3.0f}%  {} left", time, console_.styled(progress_bar(p.done, width), "36"),
                       100 * p.done, clock_text(p.seconds_left.value_or(0)));
  lines.push_back("  " + time);
  lines.push_back(
      fmt::format("  {} steps   {}   {}", short_count(static_cast<double>(p.iteration.steps)),
                  console_.bold(short_count(p.steps_per_second) + " steps/s"),
                  console_.dim(fmt::format("entropy {:.3f}  kl {:.4f}", p.iteration.entropy, p.iteration.kl))));
  if (spec_.team_count() == 1 && p.score) {
    const std::string goal =
        std::isfinite(config_.until_score) ? fmt::format(" of {:g}", config_.until_score) : std::string();
    lines.push_back(fmt::format("  score {}{}  {}", console_.bold(fmt::format("{:.2f}", *p.score)), goal,
                                sparkline(scores_, width)));
  }
  for (const Evaluation& e : p.evaluations)
    lines.push_back(fmt::format("  against {:<10} {}", e.opponent, console_.bold(percent(e.score))));
  if (p.ratings.size() > 1)
    lines.push_back(fmt::format("  rating  {:<10} {}", fmt::format("{:+.0f}", p.ratings.back()),
                                console_.styled(sparkline(p.ratings, width), "32")));
  return lines;
}

}  // namespace rival::cli
