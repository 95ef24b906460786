// The work of a study, each piece of it done once and kept in the study's folder (docs/formats/balance.md): trainings,
// and the matches of their players.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/inference.hpp"
#include "balance/measure.hpp"
#include "balance/proposal.hpp"
#include "balance/study.hpp"
#include "base/lock.hpp"

namespace rival::balance {

// A player, or several who stand for one: matches are shared out among them.
struct StudyPlayer {
  std::string name;
  std::vector<std::shared_ptr<const SharedBot>> bots;  // the best first; empty: one of its name (player/player.hpp)
  std::int64_t steps = 0;                              // of its training
};

// After a stop, what is returned is not whole and of no use but to end with. Not thread-safe.
class Stages {
 public:
  // All must outlive the object.
  Stages(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks);

  // Takes the folder. Error: it is in use, or holds another study or something else.
  Result<void> open();
  Result<void> save();
  bool stopping() const { return options_.stop && *options_.stop; }
  double seconds() const;  // of all sessions
  // What later sessions must know: kept with the next save().
  nlohmann::ordered_json& notes() { return state_["notes"]; }

  const Settings& settings() const { return base_; }       // of the game as it is
  Settings with(const std::vector<double>& values) const;  // [tunables]
  const Picks& picks() const { return picks_; }
  Measured measured(std::span<const MatchResult> results) const;

  // Trains a player under these settings, or with the tunables drawn for each match. `title` is what people read.
  // `share`: of the study's time; where it counts steps instead, `times` StudyOptions::steps.
  struct Training {
    std::string name, title;
    Settings settings;
    bool drawn = false;
    double share = 0;
    int times = 1;
    std::uint64_t seed = 0;
  };
  Result<StudyPlayer> train(const Training& training);
  // Of a training, those who stand for kBands: nobody where it was too short for one.
  Result<std::vector<std::optional<StudyPlayer>>> bands(const StudyPlayer& player) const;
  std::vector<MakeAgent> makers(const StudyPlayer& player) const;
  // Decides how sharply players play.
  Result<void> find_temperature(const StudyPlayer& player);
  float temperature() const { return temperature_; }

  // Matches in which every cell has at least so many.
  struct Matches {
    std::string name, title;
    Settings settings;
    std::int64_t per_cell = 0;
    Key key;
  };
  Result<std::vector<MatchResult>> play(const Matches& matches, const StudyPlayer& player);
  // Matches under values drawn from a box, for about so many seconds; 0: a fixed number.
  Result<std::vector<MatchResult>> play_within(const Matches& matches, const StudyPlayer& player, const Box& box,
                                               double seconds);
  // Keeps results under a name, for people and other machines, and reads those that other machines have under it.
  Result<void> keep(const std::string& name, std::span<const MatchResult> results);
  Result<std::vector<MatchResult>> merged(const std::string& name) const;

  std::int64_t matches() const { return matches_; }
  std::int64_t steps() const { return steps_; }
  int trainings() const { return trainings_; }

 private:
  std::string path(const std::string& name) const { return options_.folder + "/" + name; }
  bool done(const std::string& stage) const { return state_["done"].contains(stage); }
  Result<void> finish(const std::string& stage);
  // Of matches: keeps them, or reads them again.
  Result<std::vector<MatchResult>> finish(const std::string& stage, const std::string& name,
                                          std::vector<MatchResult> results);
  Result<std::vector<MatchResult>> finished(const std::string& name);
  Result<std::vector<MatchResult>> read(const std::string& file) const;
  void show(const std::string& stage, double share) const;
  Result<void> load(const std::string& bot_path, StudyPlayer& into) const;
  int side(const Settings& settings) const;

  const GameEntry& game_;
  const Spec& spec_;
  const StudyOptions& options_;
  const Targets& targets_;
  const StudyHooks& hooks_;
  Picks picks_;
  Settings base_;
  std::optional<FileLock> lock_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  double earlier_seconds_ = 0;
  nlohmann::ordered_json state_;
  float temperature_ = 0;
  std::int64_t matches_ = 0, steps_ = 0;
  int trainings_ = 0;
};

}  // namespace rival::balance
