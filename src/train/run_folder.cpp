#include "train/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kLeagueVersion = 1;
constexpr std::string_view kPastSelf = "step_";
constexpr std::size_t kLongestLine = 1 << 20;  // of a curve; what is longer is none of ours

void remove_temporaries(const std::string& folder) {
  std::error_code code;
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (is_temporary_name(entry->path().filename().string())) left.push_back(entry->path());
  for (const fs::path& path : left) fs::remove(path, code);
}

}  // namespace

std::string write_league(const std::vector<Snapshot>& snapshots) {
  Json list = Json::array();
  for (const Snapshot& snapshot : snapshots) {
    Json entry = {{"bot", snapshot.bot}, {"steps", snapshot.steps}, {"created", snapshot.created}};
    if (snapshot.kind != "past") entry["kind"] = snapshot.kind;
    if (snapshot.rating) entry["rating"] = *snapshot.rating;
    list.push_back(std::move(entry));
  }
  const Json league = {{"version", kLeagueVersion}, {"snapshots", std::move(list)}};
  return json_text(league, 2) + "\n";
}

Result<std::vector<Snapshot>> read_league(std::string_view text, const std::string& file) {
  constexpr std::size_t kMost = 1'000'000;
  const Result<nlohmann::json> league = parse_json(text, file);
  if (!league) return league.error();
  std::optional<Error> error;
  JsonFields fields(league.value(), file, error);
  fields.whole<int>("version", {kLeagueVersion, kLeagueVersion});
  std::vector<Snapshot> snapshots;
  std::set<std::string> names;
  for (const nlohmann::json& json : fields.list("snapshots", kMost)) {
    JsonFields entry(json, fmt::format("{}: snapshot {}", file, snapshots.size()), error);
    Snapshot snapshot{.bot = entry.text("bot"), .steps = entry.count("steps"), .created = entry.text("created")};
    if (!is_plain_file_name(snapshot.bot)) entry.fail("bot", "must be a plain file name");
    if (!names.insert(snapshot.bot).second) entry.fail("bot", "names the bot of an earlier snapshot");
    if (entry.has("kind")) snapshot.kind = entry.text("kind");
    if (snapshot.kind != "past" && snapshot.kind != "exploiter") entry.fail("kind", "must be past or exploiter");
    if (entry.has("rating")) snapshot.rating = entry.real("rating");
    if (error) return *error;
    snapshots.push_back(std::move(snapshot));
  }
  if (error) return *error;
  return snapshots;
}

std::string past_self_name(std::int64_t steps) {
  return std::string(kPastSelf) + std::to_string(steps);
}

Result<std::vector<PastSelf>> past_selves(const std::string& run) {
  const std::string folder = run + "/bots";
  std::vector<PastSelf> found;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().stem();
    if (!name.starts_with(kPastSelf) || entry->path().extension() != ".safetensors") continue;
    std::int64_t steps = 0;
    const auto [last, wrong] = std::from_chars(name.data() + kPastSelf.size(), name.data() + name.size(), steps);
    if (wrong == std::errc() && last == name.data() + name.size() && steps > 0) found.push_back({name, steps});
  }
  if (code && code != std::errc::no_such_file_or_directory)
    return Error{fmt::format("cannot list {}: {}", folder, code.message())};
  std::sort(found.begin(), found.end(),
            [](const PastSelf& a, const PastSelf& b) { return std::tie(a.steps, a.bot) < std::tie(b.steps, b.bot); });
  return found;
}

Result<RunFolder> RunFolder::lock_and_open(const std::string& path, const std::string* new_config, FileSystem& files) {
  if (new_config)
    if (Result<void> made = make_directories(path + "/bots"); !made) return made.error();
  Result<FileLock> lock = FileLock::take(path + "/.lock", "the run in '" + path + "'",
                                         "wait for it to end, or choose another folder with --out");
  if (!lock) return lock.error();
  Result<AppendFile> metrics = [&]() -> Result<AppendFile> {
    if (new_config) {
      for (const char* name : {"config.toml", "state.safetensors", "league.json", "metrics.jsonl"})
        if (path_exists(path + "/" + name))
          return Error{"'" + path + "' already holds a run (" + name +
                       "): go on with it by --resume, or choose another folder with --out"};
      // The options come first: a folder that holds them is a run.
      if (Result<void> written = write_file_atomically(path + "/config.toml", *new_config, {}, files); !written)
        return written.error();
    }
    remove_temporaries(path);
    remove_temporaries(path + "/bots");
    return AppendFile::open_lines(path + "/metrics.jsonl", files);
  }();
  if (!metrics) return metrics.error();
  RunFolder run(path, std::move(lock).value(), std::move(metrics).value(), files);
  if (path_exists(run.league_path())) {
    const Result<std::string> text = read_file(run.league_path());
    if (!text) return text.error();
    Result<std::vector<Snapshot>> snapshots = read_league(text.value(), run.league_path());
    if (!snapshots) return snapshots.error();
    run.snapshots_ = std::move(snapshots).value();
  }
  return run;
}

Result<RunFolder> RunFolder::create(const std::string& path, std::string_view config, FileSystem& files) {
  const std::string text(config);
  return lock_and_open(path, &text, files);
}

Result<RunFolder> RunFolder::open(const std::string& path, FileSystem& files) {
  const std::string config = path + "/config.toml";
  const Result<PathKind> kind = path_kind(config);
  if (!kind) return kind.error();
  if (kind.value() == PathKind::none)
    return Error{"'" + path +
                 "' holds no run to resume (no config.toml): name the folder of a run, or leave out --resume"};
  if (Result<void> made = make_directories(path + "/bots"); !made) return made.error();
  return lock_and_open(path, nullptr, files);
}

std::string RunFolder::bot_path(std::string_view bot) const {
  return path_ + "/bots/" + std::string(bot) + ".safetensors";
}

Result<void> RunFolder::append_metrics(std::string_view json) {
  check(json.find('\n') == std::string_view::npos, "a line of metrics must be one line");
  return metrics_.append(std::string(json) + "\n");
}

Result<void> RunFolder::save_state(std::string_view bytes) {
  return write_file_atomically(state_path(), bytes, Durability::process_crash, *files_);
}

bool RunFolder::has_state() const {
  return path_exists(state_path());
}

Result<void> RunFolder::save_bot(std::string_view bot, std::string_view bytes) {
  check(is_plain_file_name(bot), "a bot's name must be a plain file name");
  return write_file_atomically(bot_path(bot), bytes, Durability::process_crash, *files_);
}

Result<void> RunFolder::set_snapshots(std::vector<Snapshot> snapshots) {
  for (const Snapshot& snapshot : snapshots)
    check(is_plain_file_name(snapshot.bot), "a bot's name must be a plain file name");
  if (Result<void> written =
          write_file_atomically(league_path(), write_league(snapshots), Durability::process_crash, *files_);
      !written)
    return written;
  snapshots_ = std::move(snapshots);
  return {};
}

Result<void> RunFolder::rewind(std::int64_t steps) {
  const Result<std::string> text = read_file(metrics_path());
  if (!text) return text.error();
  const std::string_view lines = text.value();
  std::size_t keep = 0;
  while (keep < lines.size()) {
    const std::size_t length = lines.substr(keep).find('\n') + 1;
    const std::string_view line = lines.substr(keep, length);
    if (line.size() <= kLongestLine) {
      const Json metrics = Json::parse(line.begin(), line.end(), nullptr, false);
      if (metrics.is_object() && metrics.contains("steps") && metrics["steps"].is_number() && metrics["steps"] > steps)
        break;
    }
    keep += length;
  }
  Result<AppendFile> metrics = AppendFile::open(metrics_path(), keep, *files_);
  if (!metrics) return metrics.error();
  metrics_ = std::move(metrics).value();

  std::vector<Snapshot> kept = snapshots_;
  std::erase_if(kept, [&](const Snapshot& snapshot) { return snapshot.steps > steps; });
  if (kept == snapshots_) return {};
  return set_snapshots(std::move(kept));
}

}  // namespace rival
