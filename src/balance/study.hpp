// A study of a game's balance, start to end: players trained for the game as it is, what they make of it, the smallest
// change that reaches the targets, found with an instrument (one player trained under all variants), and a verdict on
// it by players who had no part in the search. It lives in a folder (docs/formats/balance-folder.md), so that it can
// be stopped at any moment and goes on where it was.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "balance/data_file.hpp"
#include "balance/targets.hpp"
#include "base/result.hpp"
#include "game/replay.hpp"
#include "match/game_entry.hpp"

namespace rival::balance {

struct StudyOptions {
  std::string folder;
  Targets targets;
  Settings settings;                 // of the game as it is
  double minutes = 10;               // for all of it, about
  std::int64_t steps = 0;            // instead: decisions of each training; 0: by minutes
  std::int64_t cell_matches = 2400;  // of a verdict, per pair of options
  std::uint64_t seed = 1;
  int threads = 0;
  bool search = true;   // for a change, where the targets are missed
  std::string players;  // measure with these (player/player.hpp) instead of training any; "": train
  std::vector<std::pair<std::string, std::string>> training;  // further options of training: key and value
  std::vector<std::string> merge;  // folders of studies of the same game, by other machines: their matches count too
  std::string real;                // a file of real players' results (read_results); "": none
  const std::atomic<bool>* stop = nullptr;
};

struct StudyProgress {
  std::string stage;        // "players of the game as it is: training"
  double stage_done = 0;    // 0 to 1
  double seconds = 0;       // of all sessions
  double seconds_left = 0;  // of the time that was asked for; 0 where steps are counted, or if it is over
};

struct StudyHooks {
  std::function<void(const StudyProgress&)> on_progress;
  std::function<void(const std::string&)> on_message;  // something found out, in a sentence
};

struct TitledReplay {
  std::string title;
  Replay replay;
};

struct StudyReport {
  nlohmann::ordered_json json;        // docs/formats/balance-report.md
  bool stopped = false;               // before all was done
  std::vector<TitledReplay> replays;  // of the option that is strongest now, against others
  std::vector<NumberChange> changes;  // of the proposal
};

// Errors: a game that is not of two sides; a folder that holds another study; those of training and of matches.
Result<StudyReport> run_study(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks);

}  // namespace rival::balance
