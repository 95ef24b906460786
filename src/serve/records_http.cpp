#include "serve/records_http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.hpp"
#include "base/number.hpp"
#include "serve/http_text.hpp"

namespace rival::serve {
namespace {

using Json = nlohmann::ordered_json;
using records::Posted;
using records::Records;

constexpr std::string_view kRoot = "/v1/records/", kResults = "/v1/records/results", kPlayers = "/v1/records/players/",
                           kLeaderboard = "/v1/records/leaderboard", kMatch = "/v1/records/match";
constexpr std::size_t kMostTogether = 256;  // requests that are worked off at once
constexpr std::int64_t kLongestPage = 1000, kUsualPage = 20;

HttpAnswer fault(int status, const std::string& what) {
  return {status, json_text(Json{{"error", what}})};
}

HttpAnswer said(const Json& what) {
  return {200, json_text(what)};
}

class RecordsEndpoint final : public Endpoint {
 public:
  RecordsEndpoint(Records records, const RecordsOptions& options)
      : options_(options), records_(std::move(records)), thread_([this] { work(); }) {}
  ~RecordsEndpoint() override {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    more_.notify_one();
    thread_.join();
  }

  std::optional<Access> access(std::string_view path) const override {
    return path.starts_with(kRoot) ? std::optional(Access::play) : std::nullopt;
  }
  std::string label(std::string_view path) const override {
    for (const std::string_view known : {kResults, kLeaderboard, kMatch})
      if (path == known) return std::string(known);
    return std::string(path.starts_with(kPlayers) ? kPlayers : kRoot);
  }
  void answer(HttpRequest request, std::function<void(HttpAnswer)> reply) override;

 private:
  struct Job {
    HttpRequest request;
    std::function<void(HttpAnswer)> reply;
  };

  void work();
  void work_off(std::vector<Job> jobs);
  void post(std::vector<Job>& jobs);
  HttpAnswer look_up(const HttpRequest& request);
  HttpAnswer player(const HttpRequest& request);
  HttpAnswer leaderboard(const HttpRequest& request);
  HttpAnswer match(const HttpRequest& request);

  const RecordsOptions options_;
  Records records_;  // the thread's alone
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Job> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

// What is wrong with a request, as far as its kind tells.
std::optional<HttpAnswer> refused(const HttpRequest& request, std::size_t largest_body) {
  const bool post = request.path == kResults || request.path == kMatch;
  if (!post && request.path != kLeaderboard && !request.path.starts_with(kPlayers))
    return fault(404,
                 fmt::format("there is no such path: {}, {}ID, {} and {}", kResults, kPlayers, kLeaderboard, kMatch));
  if (post ? request.method != "POST" : request.method != "GET" && request.method != "HEAD")
    return fault(405, post ? "only POST is known" : "only GET is known");
  if (request.body.size() > largest_body)
    return fault(413, fmt::format("the body has {} bytes; at most {} are possible", request.body.size(), largest_body));
  return std::nullopt;
}

void RecordsEndpoint::answer(HttpRequest request, std::function<void(HttpAnswer)> reply) {
  if (const std::optional<HttpAnswer> no = refused(request, options_.largest_body)) return reply(*no);
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < options_.most_waiting) {
      waiting_.push_back({std::move(request), std::move(reply)});
      more_.notify_one();
      return;
    }
  }
  HttpAnswer full = fault(503, fmt::format("{} requests for records wait for the disk already: try again in a second",
                                           options_.most_waiting));
  full.headers = {{"Retry-After", "1"}};
  reply(std::move(full));
}

void RecordsEndpoint::work() {
  for (;;) {
    std::vector<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostTogether));
      jobs.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    work_off(std::move(jobs));
  }
}

void RecordsEndpoint::work_off(std::vector<Job> jobs) {
  const auto others =
      std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) { return job.request.path == kResults; });
  std::vector<Job> results(std::make_move_iterator(jobs.begin()), std::make_move_iterator(others));
  post(results);
  for (auto job = others; job != jobs.end(); ++job) job->reply(look_up(job->request));
}

void RecordsEndpoint::post(std::vector<Job>& jobs) {
  std::vector<records::MatchResult> results;
  std::vector<const Job*> readable;
  for (const Job& job : jobs) {
    Result<records::MatchResult> result = records::read_result(job.request.body);
    if (!result) {
      job.reply(fault(400, result.error().message));
      continue;
    }
    results.push_back(std::move(result).value());
    readable.push_back(&job);
  }
  if (results.empty()) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Result<std::vector<Posted>> posted =
      records_.post(results, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  for (std::size_t i = 0; i < readable.size(); ++i) {
    if (!posted)
      readable[i]->reply(fault(503, posted.error().message));
    else if (const Posted& one = posted.value()[i]; one.kind == Posted::Kind::conflict)
      readable[i]->reply(fault(409, one.answer));
    else
      readable[i]->reply({200, one.answer});
  }
}

HttpAnswer RecordsEndpoint::look_up(const HttpRequest& request) {
  if (request.path == kMatch) return match(request);
  return request.path == kLeaderboard ? leaderboard(request) : player(request);
}

HttpAnswer RecordsEndpoint::player(const HttpRequest& request) {
  const std::optional<std::string> id = strictly_decoded(std::string_view(request.path).substr(kPlayers.size()));
  if (!id) return fault(400, "the player's id has a '%' without two hexadecimal digits after it");
  const auto query = read_query(request.query, std::vector<std::string>{"game"});
  if (!query) return fault(400, query.error().message);
  const auto game = query.value().find("game");
  if (game == query.value().end()) return fault(400, "'game' is missing: ?game=NAME");
  const Result<std::optional<records::Standing>> found = records_.player(game->second, *id);
  if (!found) return fault(503, found.error().message);
  if (!found.value()) return fault(404, fmt::format("'{}' has had no match of '{}'", *id, game->second));
  return said(records::player_json(*id, *found.value()));
}

HttpAnswer RecordsEndpoint::leaderboard(const HttpRequest& request) {
  const auto query = read_query(request.query, std::vector<std::string>{"game", "limit", "after", "bots"});
  if (!query) return fault(400, query.error().message);
  const auto given = [&](const char* name) -> const std::string* {
    const auto at = query.value().find(name);
    return at == query.value().end() ? nullptr : &at->second;
  };
  if (!given("game")) return fault(400, "'game' is missing: ?game=NAME");
  std::int64_t limit = kUsualPage;
  if (const std::string* text = given("limit")) {
    const Result<std::int64_t> number = parse_whole("'limit'", *text, {1, kLongestPage});
    if (!number) return fault(400, number.error().message);
    limit = number.value();
  }
  records::LeaderboardCursor after;
  if (const std::string* text = given("after")) {
    const Result<records::LeaderboardCursor> cursor = records::read_cursor(*text);
    if (!cursor) return fault(400, cursor.error().message);
    after = cursor.value();
  }
  const std::string* bots = given("bots");
  if (bots && *bots != "yes" && *bots != "no") return fault(400, "'bots' must be yes or no");
  const auto page = records_.leaderboard(*given("game"), static_cast<int>(limit), after, !bots || *bots == "yes");
  if (!page) return fault(503, page.error().message);
  Json players = Json::array();
  for (const records::Ranked& ranked : page.value()) {
    Json player = {{"place", ranked.place}};
    player.update(records::player_json(ranked.id, ranked.standing));
    players.push_back(std::move(player));
  }
  Json answer = {{"players", std::move(players)}};
  if (page.value().size() == static_cast<std::size_t>(limit))
    answer["next"] = records::cursor_text(page.value().back());
  return said(answer);
}

HttpAnswer RecordsEndpoint::match(const HttpRequest& request) {
  const Result<records::MatchWish> wish = records::read_wish(request.body);
  if (!wish) return fault(400, wish.error().message);
  const Result<records::EvenMatch> match = records_.match(wish.value());
  return match ? said(records::even_match_json(match.value())) : fault(503, match.error().message);
}

}  // namespace

std::shared_ptr<Endpoint> records_endpoint(Records records, const RecordsOptions& options) {
  return std::make_shared<RecordsEndpoint>(std::move(records), options);
}

}  // namespace rival::serve
