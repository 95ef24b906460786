#include "serve/connection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"
#include "serve/awaiting.hpp"
#include "serve/tick.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostWaiting = std::size_t{64} << 20;  // bytes of its ticks without an answer yet
constexpr std::size_t kLongestText = std::size_t{64} << 10;  // bytes of a wish
constexpr int kMostSessions = 10'000;                        // of a connection
constexpr const char* kNoSession = "there is no such session: it may have expired, or was closed";
constexpr int kMostErrors = 100;                      // of a connection, before it is closed
constexpr auto kLastWords = std::chrono::seconds(1);  // for a client to hear that its connection is closed

std::optional<std::int64_t> whole(const nlohmann::json& of, const char* key, std::int64_t low, std::int64_t high) {
  if (!of.contains(key) || !of[key].is_number_integer()) return {};
  const auto value = of[key].get<std::int64_t>();
  if (value < low || value > high) return {};
  return value;
}

Result<std::vector<std::int32_t>> fallback_of(const nlohmann::json& wish, const RowSizes& sizes) {
  std::vector<std::int32_t> fallback;
  if (!wish.contains("fallback")) return fallback;
  const nlohmann::json& given = wish["fallback"];
  if (!given.is_array() || given.size() != sizes.parts.size())
    return Error{fmt::format("'fallback' is a list of {} choices", sizes.parts.size())};
  for (std::size_t part = 0; part < given.size(); ++part) {
    if (!given[part].is_number_integer() || given[part].get<std::int64_t>() < 0 ||
        given[part].get<std::int64_t>() >= sizes.parts[part])
      return Error{fmt::format("'fallback': '{}' has choices 0 to {}", sizes.names[part], sizes.parts[part] - 1)};
    fallback.push_back(given[part].get<std::int32_t>());
  }
  return fallback;
}

}  // namespace

Json described(const Hosted& bot) {
  const Network& network = bot.bot->bot().network;
  Json parts = Json::array();
  for (std::size_t p = 0; p < bot.sizes.parts.size(); ++p)
    parts.push_back({{"name", bot.sizes.names[p]}, {"choices", bot.sizes.parts[p]}});
  Json rules = Json::array();
  for (const ObservedParameter& rule : bot.bot->bot().rules)
    rules.push_back({{"name", rule.name}, {"low", rule.low}, {"high", rule.high}});
  return {{"bot", bot.name},
          {"version", bot.version},
          {"game", bot.bot->bot().game},
          {"observation", bot.sizes.observation},
          {"parts", std::move(parts)},
          {"values", bot.sizes.values},
          {"rules", std::move(rules)},
          {"memory", network.memory_size() > 0},
          {"temperature", bot.temperature},
          {"reaction_steps", bot.reaction_steps}};
}

asio::awaitable<void> Connection::run(const Request& upgrade) {
  const auto self = shared_from_this();
  websocket::stream_base::timeout times = websocket::stream_base::timeout::suggested(beast::role_type::server);
  times.idle_timeout = std::chrono::seconds(60);  // half of it after the last message a ping is sent
  times.keep_alive_pings = true;
  stream_.set_option(times);
  stream_.read_message_max(playing_.options.largest_frame);
  beast::error_code code;
  co_await stream_.async_accept(upgrade, into(code));
  if (!code) {
    accepted_ = true;
    asio::co_spawn(playing_.io, expire(), asio::detached);
    start_writing();  // the server may have been told to end meanwhile
  }
  for (std::size_t expected = 0; !code;) {
    std::string message;
    message.reserve(expected);  // as long as the one before, most often
    auto buffer = asio::dynamic_buffer(message);
    co_await stream_.async_read(buffer, into(code));
    if (code) break;
    if (closing_) continue;  // nothing is answered any more
    expected = message.size();
    if (stream_.got_binary())
      tick(std::move(message));
    else
      hear(message);
    if (playing_.ending && sessions_.empty()) close(websocket::close_code::going_away);
  }
  if (code == websocket::error::message_too_big) playing_.metrics.refused("frame");
  ended_ = true;
  while (!sessions_.empty()) {
    if (const std::shared_ptr<Session>& session = sessions_.begin()->second.session) session->abandon();
    end_session(sessions_.begin());
  }
}

void Connection::end_session(Sessions::iterator at) {
  if (const std::shared_ptr<Session>& session = at->second.session)
    playing_.metrics.session(session->bot(), session->seats(), -1);
  playing_.seats -= at->second.seats();
  sessions_.erase(at);
}

// Tells of sessions that were forgotten, and ends them.
asio::awaitable<void> Connection::expire() {
  const auto self = shared_from_this();
  asio::steady_timer timer(playing_.io);
  while (!ended_) {
    timer.expires_after(std::min<std::chrono::milliseconds>(std::chrono::seconds(1), playing_.options.idle));
    beast::error_code code;
    co_await timer.async_wait(into(code));
    if (code || ended_) co_return;
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      const auto now = at++;
      if (Clock::now() - now->second.last < playing_.options.idle) continue;
      say({{"expired", now->first}, {"reason", fmt::format("no tick for {} seconds", playing_.options.idle.count())}});
      end_session(now);
    }
    if (playing_.ending && sessions_.empty()) close(websocket::close_code::going_away);
  }
}

void Connection::say(const Json& what) {
  send(json_text(what), false);
}

void Connection::complain(const std::string& what, Json where) {
  playing_.metrics.refused("frame");
  where["error"] = what;
  say(where);
  if (++errors_ > kMostErrors) cut_off("errors");
}

// ---- control, as JSON ----

void Connection::hear(const std::string& text) {
  if (text.size() > kLongestText)
    return complain(fmt::format("a text message of {} bytes: at most {} are possible", text.size(), kLongestText),
                    Json::object());
  const Result<nlohmann::json> parsed = parse_json(text, "a text message");
  if (!parsed) return complain(parsed.error().message, Json::object());
  const nlohmann::json& wish = parsed.value();
  if (!wish.is_object()) return complain("a text message is a JSON object", Json::object());
  Json where = Json::object();
  if (wish.contains("id")) where["id"] = wish["id"];
  const Result<Json> done = obey(wish, where);
  if (!done || !done.value().is_null()) answer(done, std::move(where));
}

void Connection::answer(const Result<Json>& what, Json where) {
  if (!what) return complain(what.error().message, std::move(where));
  Json said = what.value();
  said.update(where);
  say(said);
}

Result<Json> Connection::obey(const nlohmann::json& wish, const Json& where) {
  static const std::map<std::string, std::vector<std::string>> kKeys = {
      {"open", {"open", "seats", "fallback", "id"}},
      {"watch", {"watch", "seats", "id"}},
      {"substitute", {"substitute", "seat", "rating", "error", "fallback", "id"}},
      {"forget", {"forget", "seats", "id"}},
      {"close", {"close", "id"}}};
  for (const auto& [verb, keys] : kKeys) {
    if (!wish.contains(verb)) continue;
    for (const auto& [key, value] : wish.items())
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) return unknown_name("key", key, keys);
    break;
  }
  if (wish.contains("open")) return open(wish);
  if (wish.contains("watch")) return watch(wish, where);
  if (wish.contains("substitute")) return substitute(wish, where);
  for (const char* verb : {"forget", "close"}) {
    if (!wish.contains(verb)) continue;
    const Result<Sessions::iterator> at = find(wish, verb);
    if (!at) return at.error();
    if (verb == std::string_view("forget")) return forget(at.value()->second, wish);
    Json closed = {{"closed", at.value()->first}};
    end_session(at.value());
    return closed;
  }
  return Error{"a message has one of 'open', 'watch', 'substitute', 'forget' and 'close'"};
}

Result<Connection::Sessions::iterator> Connection::find(const nlohmann::json& wish, const char* verb) {
  const std::optional<std::int64_t> number = whole(wish, verb, 0, UINT32_MAX);
  const auto at = number ? sessions_.find(static_cast<std::uint32_t>(*number)) : sessions_.end();
  if (at == sessions_.end()) return Error{fmt::format("'{}': there is no such session", verb)};
  return at;
}

Result<Json> Connection::forget(Open& open, const nlohmann::json& wish) {
  std::vector<std::uint32_t> seats;
  if (!wish.contains("seats"))
    for (int seat = 0; seat < open.seats(); ++seat) seats.push_back(static_cast<std::uint32_t>(seat));
  else if (!wish["seats"].is_array())
    return Error{"'seats' is a list of seats of the session"};
  else
    for (const nlohmann::json& seat : wish["seats"]) {
      if (!seat.is_number_integer() || seat.get<std::int64_t>() < 0 || seat.get<std::int64_t>() >= open.seats())
        return Error{fmt::format("'seats': the session has seats 0 to {}", open.seats() - 1)};
      seats.push_back(seat.get<std::uint32_t>());
    }
  open.last = Clock::now();
  if (open.session)
    playing_.batcher.forget(open.session, std::move(seats));
  else
    asio::post(playing_.watching, [watch = open.watch, seats = std::move(seats)] {
      if (watch->watched) watch->watched->forget(seats);
    });
  return Json{{"forgotten", wish["forget"]}};
}

// How many seats a wish asks for, if so many are to be had.
Result<std::int64_t> Connection::free_seats(const nlohmann::json& wish) {
  if (playing_.ending) return Error{"the server is about to end: no new sessions"};
  const std::int64_t free = playing_.options.most_seats - playing_.seats;
  const std::optional<std::int64_t> seats = wish.contains("seats") ? whole(wish, "seats", 1, INT32_MAX) : 1;
  if (!seats) return Error{"'seats' is a whole number of at least 1"};
  if (*seats <= free && sessions_.size() < kMostSessions) return *seats;
  playing_.metrics.refused("seats");
  return Error{fmt::format("{} seats are more than are free: {}", *seats, sessions_.size() < kMostSessions ? free : 0)};
}

std::uint32_t Connection::begin(std::shared_ptr<Session> session) {
  const std::uint32_t number = next_++;
  playing_.seats += session->seats();
  playing_.metrics.session(session->bot(), session->seats(), 1);
  sessions_[number] = {std::move(session), nullptr, Clock::now()};
  return number;
}

Result<Json> Connection::open(const nlohmann::json& wish) {
  if (!wish["open"].is_string()) return Error{"'open' is the name of a bot"};
  const Result<std::int64_t> seats = free_seats(wish);
  if (!seats) return seats.error();
  const auto found = playing_.directory.find(wish["open"].get<std::string>());
  if (!found) return found.error();
  Result<std::vector<std::int32_t>> fallback = fallback_of(wish, found.value()->sizes);
  if (!fallback) return fallback.error();
  const std::uint32_t number =
      begin(playing_.batcher.open(found.value(), static_cast<int>(seats.value()), std::move(fallback.value())));
  Json answer = {{"opened", number}, {"seats", seats.value()}};
  answer.update(described(*found.value()));
  return answer;
}

// ---- players who are watched, and their substitutes ----

Result<Json> Connection::watch(const nlohmann::json& wish, const Json& where) {
  if (!wish["watch"].is_string()) return Error{"'watch' is the name of a run's bot"};
  const Result<std::int64_t> seats = free_seats(wish);
  if (!seats) return seats.error();
  const std::string name = wish["watch"].get<std::string>();
  const auto found = playing_.directory.find(name);
  if (!found) return found.error();
  const auto watch = std::make_shared<Watch>(
      Watch{.bot = name, .sizes = found.value()->sizes, .seats = static_cast<int>(seats.value())});
  const std::uint32_t number = next_++;
  playing_.seats += watch->seats;
  sessions_[number] = {nullptr, watch, Clock::now()};
  Json answered = {{"watched", number}, {"seats", watch->seats}};
  answered.update(described(*found.value()));
  // What bots of all ratings there are is read from files, the first time.
  asio::post(playing_.watching, [self = shared_from_this(), watch, number, where, answered]() mutable {
    const auto substitutes = self->playing_.directory.substitutes(watch->bot);
    if (substitutes) watch->watched = std::make_unique<Watched>(substitutes.value(), watch->seats);
    Playing& playing = self->playing_;
    asio::post(playing.io, [self = std::move(self), number, where, answered,
                            failed = substitutes ? "" : substitutes.error().message] {
      if (failed.empty()) return self->answer(answered, where);
      if (const auto at = self->sessions_.find(number); at != self->sessions_.end()) self->end_session(at);
      self->answer(Error{failed}, where);
    });
  });
  return Json();
}

Result<Json> Connection::substitute(const nlohmann::json& wish, Json where) {
  const Result<Sessions::iterator> at = find(wish, "substitute");
  if (!at) return at.error();
  const std::shared_ptr<Watch> watch = at.value()->second.watch;
  if (!watch) return Error{"'substitute': the session is none that is watched"};
  if (const Result<std::int64_t> free = free_seats({}); !free) return free.error();
  const std::optional<std::int64_t> seat = whole(wish, "seat", 0, watch->seats - 1);
  if (!seat) return Error{fmt::format("'seat': the session has seats 0 to {}", watch->seats - 1)};
  for (const char* key : {"rating", "error"})
    if (wish.contains(key) && !wish[key].is_number()) return Error{fmt::format("'{}' is a number", key)};
  std::optional<RatingEstimate> record;
  if (wish.contains("rating")) record = {wish["rating"].get<double>(), wish.value("error", 0.0)};
  Result<std::vector<std::int32_t>> fallback = fallback_of(wish, watch->sizes);
  if (!fallback) return fallback.error();
  at.value()->second.last = Clock::now();
  where["watched"] = at.value()->first;
  where["seat"] = *seat;
  asio::post(playing_.watching, [self = shared_from_this(), watch, where, record, seat = static_cast<int>(*seat),
                                 fallback = std::move(fallback.value())]() mutable {
    std::optional<Watched::Substitute> found;  // none of who could not be watched
    if (watch->watched) found = watch->watched->substitute(seat, record);
    Playing& playing = self->playing_;
    asio::post(playing.io,
               [self = std::move(self), where, fallback = std::move(fallback), found = std::move(found)]() mutable {
                 if (self->ended_) return;
                 if (!found) return self->answer(Error{kNoSession}, where);
                 Watched::Substitute& who = *found;
                 if (const Result<std::int64_t> free = self->free_seats({}); !free)
                   return self->answer(free.error(), where);
                 const std::shared_ptr<const Hosted> bot = who.bot;
                 const std::uint32_t number =
                     self->begin(self->playing_.batcher.open(bot, std::move(who.begun), std::move(fallback)));
                 Json answer = {{"opened", number},
                                {"seats", 1},
                                {"rating", who.belief.rating},
                                {"low", who.belief.interval.low},
                                {"high", who.belief.interval.high},
                                {"decisions", who.belief.decisions}};
                 answer.update(described(*bot));
                 self->answer(answer, where);
               });
  });
  return Json();
}

// Why a message of that size is not taken; "": it is.
std::string Connection::too_many(std::size_t bytes) const {
  if (waiting_ < playing_.options.most_waiting && waiting_bytes_ + bytes <= kMostWaiting) return "";
  return fmt::format("{} ticks, of {} bytes, wait for their answers: no more are taken", waiting_, waiting_bytes_);
}

// What seats that are watched were shown, and did.
void Connection::see(std::string frame) {
  const Result<TickHeader> header = seen_header(frame);
  if (!header) return complain(header.error().message, Json::object());
  const Json where = {{"session", header.value().session}, {"tick", header.value().tick}};
  const auto at = sessions_.find(header.value().session);
  if (at == sessions_.end()) {  // no fault of who did not hear of it yet
    Json answer = where;
    answer["error"] = kNoSession;
    return say(answer);
  }
  const std::shared_ptr<Watch> watch = at->second.watch;
  if (!watch) return complain("the session is none that is watched", where);
  const std::size_t size = frame.size();
  if (const std::string full = too_many(size); !full.empty()) return complain(full, where);
  Result<SeenView> seen = read_seen(frame, watch->sizes, watch->seats);
  if (!seen) return complain(seen.error().message, where);
  at->second.last = Clock::now();
  ++waiting_;
  waiting_bytes_ += size;
  // As in tick(), the frame's bytes stay where they are.
  asio::post(playing_.watching,
             [self = shared_from_this(), watch, seen = seen.value(), frame = std::move(frame), size]() mutable {
               if (watch->watched) watch->watched->see(seen);
               Playing& playing = self->playing_;
               asio::post(playing.io, [self = std::move(self), size] {
                 --self->waiting_;
                 self->waiting_bytes_ -= size;
               });
             });
}

// ---- ticks ----

void Connection::tick(std::string frame) {
  if (is_seen(frame)) return see(std::move(frame));
  const Clock::time_point arrived = Clock::now();
  const Result<TickHeader> header = tick_header(frame);
  if (!header) return complain(header.error().message, Json::object());
  const auto [number, tick, budget, rows] = header.value();
  const auto where = [number = number, tick = tick] { return Json{{"session", number}, {"tick", tick}}; };
  const auto at = sessions_.find(number);
  if (at == sessions_.end()) {  // no fault of who did not hear of it yet
    Json answer = where();
    answer["error"] = kNoSession;
    return say(answer);
  }
  const std::size_t size = frame.size();
  if (const std::string full = too_many(size); !full.empty()) return complain(full, where());
  Open& open = at->second;
  if (!open.session) return complain("the session is watched: it has no actions", where());
  const Result<TickView> view = read_tick(frame, open.session->bot().sizes, open.session->seats());
  if (!view) return complain(view.error().message, where());
  open.last = arrived;
  ++waiting_;
  waiting_bytes_ += size;
  Asked asked{.rows = static_cast<int>(rows),
              .seats = view.value().seats,
              .observations = view.value().observations,
              .masks = view.value().masks,
              .arrived = arrived};
  if (budget > 0) asked.deadline = arrived + std::chrono::microseconds(budget);
  // The frame's bytes stay where they are when the string is moved: a header is longer than what a string holds in
  // itself. The connection is let go on the server's thread, whoever holds it last.
  playing_.batcher.decide(
      open.session, asked,
      [self = shared_from_this(), session = open.session, frame = std::move(frame), header = header.value(),
       size](const Answered& answer) mutable {
        Playing& playing = self->playing_;
        if (!answer.abandoned) playing.metrics.answered(session->bot(), answer);
        header.budget = static_cast<std::uint32_t>(std::min<std::int64_t>(
            UINT32_MAX, std::chrono::duration_cast<std::chrono::microseconds>(answer.took).count()));
        std::string bytes = answer_frame(header, answer.late, answer.choices, answer.values);
        asio::post(playing.io, [self = std::move(self), size, bytes = std::move(bytes)]() mutable {
          --self->waiting_;
          self->waiting_bytes_ -= size;
          self->send(std::move(bytes), true);
        });
      });
}

void Connection::drain() {
  if (sessions_.empty())
    close(websocket::close_code::going_away);
  else
    say({{"draining", playing_.options.drain.count()}});
}

void Connection::close(websocket::close_code why) {
  if (!closing_) closing_ = why;
  start_writing();
}

// A client that others would suffer from is told why, if it listens, and has no more than a moment for it.
void Connection::cut_off(const char* why) {
  if (closing_) return;
  playing_.metrics.refused(why);
  close(websocket::close_code::policy_error);
  const auto timer = std::make_shared<asio::steady_timer>(playing_.io, kLastWords);
  timer->async_wait(
      [self = shared_from_this(), timer](const beast::error_code&) { beast::get_lowest_layer(self->stream_).close(); });
}

void Connection::send(std::string bytes, bool binary) {
  if (ended_ || closing_) return;
  unsent_ += bytes.size();
  outgoing_.push_back({std::move(bytes), binary});
  start_writing();
  if (unsent_ > playing_.options.most_unsent) cut_off("slow");
}

void Connection::start_writing() {
  if (!accepted_ || closed_ || std::exchange(writing_, true)) return;
  asio::co_spawn(playing_.io, write(), asio::detached);
}

asio::awaitable<void> Connection::write() {
  const auto self = shared_from_this();
  beast::error_code code;
  while (!outgoing_.empty() && !code) {
    const Message message = std::move(outgoing_.front());
    outgoing_.pop_front();
    stream_.binary(message.binary);
    co_await stream_.async_write(asio::buffer(message.bytes), into(code));
    unsent_ -= message.bytes.size();
  }
  if (closing_ && !code) {
    closed_ = true;
    co_await stream_.async_close(*closing_, into(code));
  }
  writing_ = false;
}

}  // namespace rival::serve
