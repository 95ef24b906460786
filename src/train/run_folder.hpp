// A training run on disk (docs/formats/run-folder.md): its options, curve, bots, league and the state to go on from.
// Whatever a call said it saved is there after kill -9 at any later moment; a call that fails harms nothing saved
// before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"

namespace rival {

// A past self or an exploiter, an entry of league.json.
struct Snapshot {
  std::string bot;               // name of the bot: bots/<bot>.safetensors; names differ
  std::int64_t steps = 0;        // of training when it was taken
  std::string created;           // UTC, ISO 8601
  std::optional<double> rating;  // once it is known
  std::string kind = "past";     // or "exploiter"

  bool operator==(const Snapshot&) const = default;
};

// Movable; holds the folder's lock while it lives, so that no two processes write into one run. Not thread-safe.
class RunFolder {
 public:
  // Starts a run, making the folder. An error if it holds one already, or is in use.
  static Result<RunFolder> create(const std::string& path, std::string_view config, FileSystem& files = file_system());

  // Goes on with a run, and clears away what a crash left half written.
  static Result<RunFolder> open(const std::string& path, FileSystem& files = file_system());

  const std::string& path() const { return path_; }
  std::string config_path() const { return path_ + "/config.toml"; }
  std::string metrics_path() const { return path_ + "/metrics.jsonl"; }
  std::string state_path() const { return path_ + "/state.safetensors"; }
  std::string league_path() const { return path_ + "/league.json"; }
  std::string bot_path(std::string_view bot) const;

  Result<std::string> config() const { return read_file(config_path()); }
  Result<void> save_config(std::string_view text) { return write_file_atomically(config_path(), text, {}, *files_); }

  // Adds a line to the curve: one JSON object in one line, with the number "steps".
  Result<void> append_metrics(std::string_view json);

  // The training state. What was saved before it (bots, snapshots, metrics) belongs to it. Nothing: there is none yet.
  Result<void> save_state(std::string_view bytes);
  bool has_state() const;
  Result<std::string> load_state() const { return read_file(state_path()); }

  // Saves bots/<bot>.safetensors, replacing one of that name. A bot's name is a plain file name (is_plain_file_name).
  Result<void> save_bot(std::string_view bot, std::string_view bytes);

  // The league, oldest first; saved when the call returns.
  const std::vector<Snapshot>& snapshots() const { return snapshots_; }
  Result<void> set_snapshots(std::vector<Snapshot> snapshots);

  // Takes back the metrics and snapshots of later steps than the loaded state's, which training will make anew.
  Result<void> rewind(std::int64_t steps);

 private:
  RunFolder(std::string path, FileLock lock, AppendFile metrics, FileSystem& files)
      : path_(std::move(path)), lock_(std::move(lock)), metrics_(std::move(metrics)), files_(&files) {}
  static Result<RunFolder> lock_and_open(const std::string& path, const std::string* new_config, FileSystem& files);

  std::string path_;
  FileLock lock_;
  AppendFile metrics_;
  std::vector<Snapshot> snapshots_;
  FileSystem* files_;
};

// A bot that training kept as it was after some steps: a past self. All that are on disk, by steps; a league remembers
// only some of them. None if there is no such run.
struct PastSelf {
  std::string bot;  // its name: bots/<bot>.safetensors
  std::int64_t steps = 0;
};
Result<std::vector<PastSelf>> past_selves(const std::string& run);
// What training calls the one after so many steps.
std::string past_self_name(std::int64_t steps);

// The snapshots as league.json, and back. The text may come from anyone; errors name `file`, the entry and the field.
std::string write_league(const std::vector<Snapshot>& snapshots);
Result<std::vector<Snapshot>> read_league(std::string_view text, const std::string& file);

}  // namespace rival
