#include "train/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kLeagueVersion = 1;

// The lock's file, or an error that says who holds it.
Result<int> lock_folder(const std::string& path) {
  const std::string name = path + "/.lock";
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return Error{"cannot open '" + name + "': " + std::generic_category().message(errno)};
  if (::flock(file, LOCK_EX | LOCK_NB) < 0) {
    const int code = errno;
    char holder[32] = {};
    const ssize_t size = ::pread(file, holder, sizeof holder - 1, 0);
    ::close(file);
    if (code != EWOULDBLOCK) return Error{"cannot lock '" + name + "': " + std::generic_category().message(code)};
    return Error{"the run in '" + path + "' is in use" + (size > 0 ? " by process " + std::string(holder) : "") +
                 ": wait for it to end, or choose another folder with --out"};
  }
  // Only a hint for the message above.
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(file, 0) == 0) (void)!::pwrite(file, process.data(), process.size(), 0);
  return file;
}

void remove_temporaries(const std::string& folder) {
  std::error_code code;
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (is_temporary_name(entry->path().filename().string())) left.push_back(entry->path());
  for (const fs::path& path : left) fs::remove(path, code);
}

}  // namespace

bool is_bot_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !name.empty() && name.size() <= 200 && name[0] != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string write_league(const std::vector<Snapshot>& snapshots) {
  Json list = Json::array();
  for (const Snapshot& snapshot : snapshots) {
    Json entry = {{"bot", snapshot.bot}, {"steps", snapshot.steps}, {"created", snapshot.created}};
    if (snapshot.kind != "past") entry["kind"] = snapshot.kind;
    if (snapshot.rating) entry["rating"] = *snapshot.rating;
    list.push_back(std::move(entry));
  }
  const Json league = {{"version", kLeagueVersion}, {"snapshots", std::move(list)}};
  return league.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::vector<Snapshot>> read_league(std::string_view text, const std::string& file) {
  const Json league = Json::parse(text.begin(), text.end(), nullptr, false);
  if (league.is_discarded()) return Error{file + ": no valid JSON"};
  if (!league.is_object() || !league.contains("snapshots") || !league["snapshots"].is_array())
    return Error{file + ": has no list of snapshots"};
  if (!league.contains("version") || league["version"] != kLeagueVersion)
    return Error{file + ": its version is not " + std::to_string(kLeagueVersion) + ", the one known here"};
  std::vector<Snapshot> snapshots;
  for (const Json& entry : league["snapshots"]) {
    const auto wrong = [&](const char* field) {
      return Error{file + ": snapshot " + std::to_string(snapshots.size()) + " has no valid '" + field + "'"};
    };
    const auto field = [&](const char* name) -> const Json& {
      static const Json kNone;
      return entry.is_object() && entry.contains(name) ? entry[name] : kNone;
    };
    Snapshot snapshot;
    if (!field("bot").is_string() || !is_bot_name(field("bot").get<std::string>())) return wrong("bot");
    if (!field("steps").is_number_unsigned()) return wrong("steps");
    if (!field("created").is_string()) return wrong("created");
    if (!field("kind").is_null() && field("kind") != "past" && field("kind") != "exploiter") return wrong("kind");
    if (!field("rating").is_null() && !field("rating").is_number()) return wrong("rating");
    snapshot.bot = field("bot").get<std::string>();
    snapshot.steps = field("steps").get<std::int64_t>();
    snapshot.created = field("created").get<std::string>();
    if (field("kind").is_string()) snapshot.kind = field("kind").get<std::string>();
    if (field("rating").is_number()) snapshot.rating = field("rating").get<double>();
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

Result<RunFolder> RunFolder::lock_and_open(const std::string& path, const std::string* new_config, FileSystem& files) {
  if (new_config)
    if (Result<void> made = make_directories(path + "/bots"); !made) return made.error();
  const Result<int> lock = lock_folder(path);
  if (!lock) return lock.error();
  // From here on the folder closes the lock, whatever fails.
  Result<AppendFile> metrics = [&]() -> Result<AppendFile> {
    if (new_config) {
      for (const char* name : {"config.toml", "state.safetensors", "league.json", "metrics.jsonl"})
        if (fs::exists(path + "/" + name))
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
  if (!metrics) {
    ::close(lock.value());
    return metrics.error();
  }
  RunFolder run(path, lock.value(), std::move(metrics).value(), files);
  if (fs::exists(run.league_path())) {
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
  if (!fs::is_directory(path) || !fs::exists(path + "/config.toml"))
    return Error{"'" + path +
                 "' holds no run to resume (no config.toml): name the folder of a run, or leave out --resume"};
  if (Result<void> made = make_directories(path + "/bots"); !made) return made.error();
  return lock_and_open(path, nullptr, files);
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      metrics_(std::move(other.metrics_)),
      snapshots_(std::move(other.snapshots_)),
      files_(other.files_) {}

RunFolder& RunFolder::operator=(RunFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  std::swap(metrics_, other.metrics_);
  std::swap(snapshots_, other.snapshots_);
  std::swap(files_, other.files_);
  return *this;
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
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
  return fs::exists(state_path());
}

Result<void> RunFolder::save_bot(std::string_view bot, std::string_view bytes) {
  check(is_bot_name(bot), "a bot's name must be a plain file name");
  return write_file_atomically(bot_path(bot), bytes, Durability::process_crash, *files_);
}

Result<void> RunFolder::set_snapshots(std::vector<Snapshot> snapshots) {
  for (const Snapshot& snapshot : snapshots) check(is_bot_name(snapshot.bot), "a bot's name must be a plain file name");
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
    const Json metrics = Json::parse(line.begin(), line.end(), nullptr, false);
    if (metrics.is_object() && metrics.contains("steps") && metrics["steps"].is_number() && metrics["steps"] > steps)
      break;
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
