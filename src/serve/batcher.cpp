#include "serve/batcher.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include "base/index.hpp"

namespace rival::serve {
namespace {

constexpr int kWarmUpRows = 8;
constexpr int kEnoughRows = 256;  // to compute at once: more at a time are not faster (agent/inference.cpp)

using Nanoseconds = std::chrono::nanoseconds;

}  // namespace

Session::Session(std::shared_ptr<const Hosted> bot, int seats, std::vector<std::int32_t> fallback)
    : bot_(std::move(bot)), seats_(seats), fallback_(std::move(fallback)) {
  if (bot_->reaction_steps == 0 || seats == 0) return;
  delay_.emplace(seats, bot_->sizes.observation, bot_->reaction_steps);
  steps_.resize(index(seats));
}

Session::~Session() {
  if (ended_) ended_();
}

// A thread with the sessions that it computes.
class Batcher::Worker {
 public:
  Worker(const BatcherOptions& options, std::size_t number)
      : options_(options), key_(Key(options.seed).split(number)), thread_([this] { run(); }) {}

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    ready_.notify_one();
    thread_.join();
  }

  struct Job {
    std::shared_ptr<Session> session;  // null: only memories are given back
    Asked asked = {};
    std::function<void(const Answered&)> answer = nullptr;  // null: seats forget
    std::vector<std::uint32_t> forgets = {};
    // Given back.
    std::shared_ptr<const Hosted> bot = nullptr;
    int first_slot = -1, seats = 0;
  };

  void push(Job job) {
    {
      const std::scoped_lock lock(mutex_);
      if (queue_.empty()) first_ = Clock::now();
      queued_rows_ += job.asked.rows;
      if (job.asked.deadline != Clock::time_point::max())
        urgent_ = std::min(urgent_, job.asked.deadline - slowest_row_.load() * queued_rows_);
      queue_.push_back(std::move(job));
    }
    ready_.notify_one();
  }

 private:
  // The sessions of one version of a bot.
  struct Desk {
    std::shared_ptr<const Hosted> bot;
    Inference inference;
    std::map<int, int> free;  // ranges of memories that nobody has: first -> count
    int sessions = 0;
    Nanoseconds row{0};  // what one takes, of late

    // Computes once what nobody asked for: the first call takes far longer than those after it.
    Desk(std::shared_ptr<const Hosted> b, Precision precision) : bot(b), inference(b->bot, kWarmUpRows, precision) {
      const RowSizes& sizes = bot->sizes;
      std::vector<int> rows(kWarmUpRows);
      for (int r = 0; r < kWarmUpRows; ++r) rows[r] = r;
      const std::vector<float> observations(index(kWarmUpRows) * index(sizes.observation));
      const std::vector<std::uint8_t> masks(index(kWarmUpRows) * index(sizes.mask), 1);
      std::vector<std::int32_t> choices(index(kWarmUpRows) * index(sizes.choices));
      std::vector<float> values(index(kWarmUpRows) * index(sizes.values));
      inference.act({rows, observations.data(), masks.data(), rows.data()}, Key(0), 0, choices.data(), values.data());
      inference.resize(0);
    }
  };

  void run() {
    std::deque<Job> jobs;
    std::unique_lock lock(mutex_);
    for (;;) {
      if (jobs.empty()) {
        ready_.wait(lock, [this] { return stop_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const auto until = [this] { return std::min(first_ + options_.wait, urgent_); };
        while (!stop_ && queued_rows_ < kEnoughRows && Clock::now() < until()) ready_.wait_until(lock, until());
      }
      // Behind what is left of those before: a session that has asked for much does not hold up others.
      std::move(queue_.begin(), queue_.end(), std::back_inserter(jobs));
      queue_.clear();
      queued_rows_ = 0;
      urgent_ = Clock::time_point::max();
      lock.unlock();
      jobs = turn(std::move(jobs));
      lock.lock();
    }
  }

  // Does all but what must come after something else of its session: that is returned.
  std::deque<Job> turn(std::deque<Job> jobs) {
    ++turn_;
    std::deque<Job> later;
    std::map<std::pair<Desk*, bool>, std::vector<Job>> together;  // those that want estimates by themselves
    Nanoseconds ahead{0};
    for (Job& job : jobs) {
      if (!job.session) {
        give_back(job);
        continue;
      }
      Session& session = *job.session;
      if (session.abandoned_) {
        if (job.answer) job.answer({.abandoned = true});
        continue;
      }
      if (session.seats_ > 0 && session.turn_ == turn_) {
        later.push_back(std::move(job));
        continue;
      }
      Desk& desk = desk_of(job.session);
      if (!job.answer) {
        forget(desk, session, job.forgets);
        continue;
      }
      session.turn_ = turn_;
      const Nanoseconds takes = desk.row * job.asked.rows;
      if (Clock::now() + ahead + takes > job.asked.deadline) {
        desk.row = desk.row * 7 / 8;  // or a time that was slow for once would make all late that come after it
        answer_late(desk, job);
        continue;
      }
      ahead += takes;
      const bool estimates = job.asked.estimates;
      together[{&desk, estimates}].push_back(std::move(job));
    }
    for (const auto& [of, asked] : together) compute(*of.first, asked, of.second);
    return later;
  }

  Desk& desk_of(const std::shared_ptr<Session>& session) {
    std::unique_ptr<Desk>& desk = desks_[session->bot_.get()];
    if (!desk) desk = std::make_unique<Desk>(session->bot_, options_.precision);
    if (session->first_slot_ >= 0) return *desk;
    ++desk->sessions;
    session->first_slot_ = take(*desk, session->seats_);
    std::ranges::copy(session->memory_, desk->inference.memory(session->first_slot_).begin());
    return *desk;
  }

  // So many memories, which are empty: the first of them.
  static int take(Desk& desk, int seats) {
    if (seats == 0) return 0;
    const auto enough = [seats](const auto& range) { return range.second >= seats; };
    auto range = std::find_if(desk.free.begin(), desk.free.end(), enough);
    if (range == desk.free.end()) {
      const int first = desk.inference.slots();
      desk.inference.resize(first + std::max(seats, first / 2));
      release(desk, first, desk.inference.slots() - first);
      range = std::find_if(desk.free.begin(), desk.free.end(), enough);
    }
    const auto [first, count] = *range;
    desk.free.erase(range);
    if (count > seats) desk.free[first + seats] = count - seats;
    desk.inference.forget(first, seats);
    return first;
  }

  // Ranges that touch become one.
  static void release(Desk& desk, int first, int count) {
    if (count == 0) return;
    auto at = desk.free.emplace(first, count).first;
    if (const auto next = std::next(at); next != desk.free.end() && at->first + at->second == next->first) {
      at->second += next->second;
      desk.free.erase(next);
    }
    if (at == desk.free.begin()) return;
    if (const auto before = std::prev(at); before->first + before->second == at->first) {
      before->second += at->second;
      desk.free.erase(at);
    }
  }

  void give_back(const Job& job) {
    const auto found = desks_.find(job.bot.get());
    if (found == desks_.end() || job.first_slot < 0) return;
    release(*found->second, job.first_slot, job.seats);
    if (--found->second->sessions == 0) desks_.erase(found);
  }

  static void forget(Desk& desk, Session& session, std::span<const std::uint32_t> seats) {
    for (const std::uint32_t seat : seats) {
      desk.inference.forget(session.first_slot_ + static_cast<int>(seat));
      if (!session.delay_) continue;
      session.delay_->clear(static_cast<int>(seat), 1);
      session.steps_[seat] = 0;
    }
  }

  // The answer but for the actions.
  static Answered answered(const Asked& asked, bool late) {
    const Clock::time_point now = Clock::now();
    return {.rows = asked.rows,
            .late = late,
            .missed = late || now > asked.deadline,
            .took = now - asked.arrived,
            .choices = {},
            .values = {},
            .probabilities = {},
            .expected = {}};
  }

  static void answer_late(const Desk& desk, const Job& job) {
    const Session& session = *job.session;
    const RowSizes& sizes = session.bot_->sizes;
    std::vector<std::int32_t> choices;
    for (int row = 0; row < job.asked.rows; ++row) {
      const std::uint8_t* mask = job.asked.masks.data() + index(row) * index(sizes.mask);
      for (std::size_t part = 0; part < sizes.parts.size(); ++part) {
        const int size = sizes.parts[part];
        int choice = session.fallback_.empty() ? 0 : session.fallback_[part];
        if (!mask[choice]) choice = static_cast<int>(std::find_if(mask, mask + size, [](auto m) { return m; }) - mask);
        choices.push_back(choice);
        mask += size;
      }
    }
    const HeadLayout& layout = desk.inference.layout();
    std::vector<float> values;
    for (int row = 0; row < job.asked.rows; ++row)
      for (std::size_t i = 0; i < layout.low.size(); ++i) values.push_back((layout.low[i] + layout.high[i]) / 2);
    Answered answer = answered(job.asked, true);
    answer.choices = choices, answer.values = values;
    job.answer(answer);
  }

  void compute(Desk& desk, const std::vector<Job>& jobs, bool estimates) {
    const RowSizes& sizes = desk.bot->sizes;
    const std::size_t width = index(sizes.observation), mask = index(sizes.mask);
    std::size_t count = 0;
    int without_seats = 0;
    for (const Job& job : jobs) {
      count += index(job.asked.rows);
      if (job.session->seats_ == 0) without_seats += job.asked.rows;
    }
    const int lent = take(desk, without_seats);
    int next_lent = lent;
    const Clock::time_point begin = Clock::now();
    rows_.resize(count), slots_.resize(count);
    observations_.resize(count * width), masks_.resize(count * mask);
    choices_.resize(count * index(sizes.choices)), values_.resize(count * index(sizes.values));
    if (estimates) probabilities_.resize(count * mask), expected_.resize(count);
    std::size_t at = 0;
    for (const Job& job : jobs) {
      Session& session = *job.session;
      const Asked& asked = job.asked;
      std::copy(asked.masks.begin(), asked.masks.end(), masks_.data() + at * mask);
      if (!session.delay_)
        std::copy(asked.observations.begin(), asked.observations.end(), observations_.data() + at * width);
      for (std::size_t row = 0; row < index(asked.rows); ++row, ++at) {
        rows_[at] = static_cast<int>(at);
        if (session.seats_ == 0) {
          slots_[at] = next_lent++;
          continue;
        }
        const auto seat = static_cast<int>(asked.seats[row]);
        slots_[at] = session.first_slot_ + seat;
        if (session.delay_)
          std::copy_n(
              session.delay_->shown(seat, session.steps_[index(seat)]++, asked.observations.data() + row * width),
              width, observations_.data() + at * width);
      }
    }
    desk.inference.act({rows_, observations_.data(), masks_.data(), slots_.data()}, key_.split(turn_).split(estimates),
                       desk.bot->temperature, choices_.data(), values_.data(),
                       estimates ? probabilities_.data() : nullptr, estimates ? expected_.data() : nullptr);
    const Nanoseconds took = Clock::now() - begin;
    release(desk, lent, without_seats);
    if (count > 0) {
      const Nanoseconds row = took / static_cast<std::int64_t>(count);
      desk.row = desk.row.count() == 0 ? row : (7 * desk.row + row) / 8;
      slowest_row_ = std::max(desk.row, slowest_row_.load() * 63 / 64);
    }
    if (options_.on_batch) options_.on_batch(*desk.bot, static_cast<int>(count), took);
    at = 0;
    for (const Job& job : jobs) {
      const std::size_t rows = index(job.asked.rows);
      const auto part = [&](const auto& all, int size) {
        return std::span(all).subspan(at * index(size), rows * index(size));
      };
      Answered answer = answered(job.asked, false);
      answer.choices = part(choices_, sizes.choices), answer.values = part(values_, sizes.values);
      if (estimates) answer.probabilities = part(probabilities_, sizes.mask), answer.expected = part(expected_, 1);
      job.answer(answer);
      at += rows;
    }
  }

  const BatcherOptions options_;
  Key key_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> queue_;
  int queued_rows_ = 0;
  Clock::time_point first_, urgent_ = Clock::time_point::max();
  bool stop_ = false;
  std::atomic<Nanoseconds> slowest_row_{Nanoseconds(0)};

  // Of the thread alone.
  std::uint64_t turn_ = 0;
  std::map<const Hosted*, std::unique_ptr<Desk>> desks_;
  std::vector<int> rows_, slots_;
  std::vector<float> observations_, values_, probabilities_, expected_;
  std::vector<std::uint8_t> masks_;
  std::vector<std::int32_t> choices_;

  std::thread thread_;  // the last: it needs all of them
};

Batcher::Batcher(const BatcherOptions& options) {
  for (int n = 0; n < std::max(1, options.threads); ++n)
    workers_.push_back(std::make_shared<Worker>(options, index(n)));
}

Batcher::~Batcher() {
  for (const std::shared_ptr<Worker>& worker : workers_) worker->stop();
}

std::shared_ptr<Session> Batcher::open(std::shared_ptr<const Hosted> bot, int seats,
                                       std::vector<std::int32_t> fallback) {
  auto session = std::make_shared<Session>(std::move(bot), seats, std::move(fallback));
  session->worker_ = opened_++ % workers_.size();
  session->ended_ = [worker = std::weak_ptr<Worker>(workers_[session->worker_]), s = session.get()] {
    if (const std::shared_ptr<Worker> there = worker.lock())
      there->push({.session = nullptr, .bot = s->bot_, .first_slot = s->first_slot_, .seats = s->seats_});
  };
  return session;
}

std::shared_ptr<Session> Batcher::open(std::shared_ptr<const Hosted> bot, Begun begun,
                                       std::vector<std::int32_t> fallback) {
  auto session = open(std::move(bot), 1, std::move(fallback));
  session->memory_ = std::move(begun.memory);
  if (session->delay_)
    for (std::size_t at = 0; at < begun.shown.size(); at += index(session->bot_->sizes.observation))
      session->delay_->shown(0, session->steps_[0]++, begun.shown.data() + at);
  return session;
}

void Batcher::forget(const std::shared_ptr<Session>& session, std::vector<std::uint32_t> seats) {
  workers_[session->worker_]->push({.session = session, .forgets = std::move(seats)});
}

void Batcher::decide(std::shared_ptr<Session> session, const Asked& asked,
                     std::function<void(const Answered&)> answer) {
  Worker& worker = *workers_[session->worker_];
  worker.push({.session = std::move(session), .asked = asked, .answer = std::move(answer)});
}

}  // namespace rival::serve
