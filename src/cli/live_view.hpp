// How a training run looks while it runs: a block redrawn in place on a terminal, a plain line now and then elsewhere.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "train/run.hpp"

namespace rival::cli {

// Not thread-safe.
class LiveView {
 public:
  // All must outlive the view. `stop`: once it is set, somebody else has written below the block.
  LiveView(Console& console, const Spec& spec, const TrainConfig& config, const std::atomic<bool>& stop);

  // Shows how things stand, if enough time has passed since the last time, or something was measured.
  void show(const RunProgress& progress);
  // Shows how things stand at the end.
  void finish(const RunProgress& progress);

 private:
  std::string line(const RunProgress& progress) const;
  std::vector<std::string> block(const RunProgress& progress) const;
  void draw(const RunProgress& progress);

  Console& console_;
  const Spec& spec_;
  const TrainConfig& config_;
  std::chrono::steady_clock::time_point last_;
  const std::atomic<bool>& stop_;
  bool shown_ = false, stopping_ = false;
  std::vector<double> scores_;  // games of one team: the score each time it was shown
};

// How other long work looks: a line redrawn in place on a terminal, a plain one now and then elsewhere. Not
// thread-safe.
class ProgressLine {
 public:
  // `console` must outlive the object.
  explicit ProgressLine(Console& console) : console_(console) {}

  // Whether it is time for another one: ten times a second on a terminal, elsewhere after so many seconds.
  bool due(double seconds) const;
  void show(const std::string& text);

 private:
  Console& console_;
  std::optional<std::chrono::steady_clock::time_point> last_;
};

// A curve in one line of block characters, at most `width` of them, scaled to its own range.
std::string sparkline(const std::vector<double>& values, int width);
// "0:07", "12:34", "1:02:03".
std::string clock_text(double seconds);
// A bar of `width` characters, `share` of it filled.
std::string progress_bar(double share, int width);

// Seconds since this process began.
double process_seconds();

}  // namespace rival::cli
