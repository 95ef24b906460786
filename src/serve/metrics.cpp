#include "serve/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <map>
#include <mutex>

namespace rival::serve {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.033, 0.1, 1};
const Histogram::BucketBoundaries kRows = {1, 4, 16, 64, 256, 1024, 4096};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

struct Metrics::All {
  prometheus::Registry registry;
  prometheus::Family<Counter>&decisions, &ticks, &missed, &late, &refused, &requests;
  prometheus::Family<Gauge>&connections, &sessions, &seats;
  prometheus::Family<Histogram>&latency, &compute, &batch;
  Gauge& open;

  // Looked up once a bot: families look labels up under a lock.
  struct OfBot {
    Counter &decisions, &ticks, &missed, &late;
    Gauge &sessions, &seats;
    Histogram &latency, &compute, &batch;
  };
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, OfBot> bots;

  template <class Builder>
  auto& family(Builder builder, const char* name, const char* help) {
    return builder.Name(name).Help(help).Register(registry);
  }

  All()
      : decisions(family(prometheus::BuildCounter(), "rival_decisions_total", "Decisions that were answered")),
        ticks(family(prometheus::BuildCounter(), "rival_ticks_total", "Frames of decisions that were answered")),
        missed(family(prometheus::BuildCounter(), "rival_deadlines_missed_total",
                      "Decisions that were answered after their time, or by the fallback")),
        late(family(prometheus::BuildCounter(), "rival_fallbacks_total",
                    "Decisions that the fallback made, since there was no time left")),
        refused(family(prometheus::BuildCounter(), "rival_refused_total", "What was refused, by reason")),
        requests(family(prometheus::BuildCounter(), "rival_http_requests_total", "HTTP requests, by status")),
        connections(family(prometheus::BuildGauge(), "rival_connections", "Open connections of game servers")),
        sessions(family(prometheus::BuildGauge(), "rival_sessions", "Open sessions")),
        seats(family(prometheus::BuildGauge(), "rival_seats", "Seats of the open sessions")),
        latency(family(prometheus::BuildHistogram(), "rival_answer_seconds", "From a tick's arrival to its answer")),
        compute(family(prometheus::BuildHistogram(), "rival_compute_seconds", "Of a call to a bot's network")),
        batch(family(prometheus::BuildHistogram(), "rival_batch_rows", "Decisions in a call to a bot's network")),
        open(connections.Add({})) {}

  OfBot& of(const Hosted& bot) {
    const std::scoped_lock lock(mutex);
    const auto found = bots.find({bot.name, bot.version});
    if (found != bots.end()) return found->second;
    const prometheus::Labels labels = {{"bot", bot.name}, {"version", bot.version}};
    return bots
        .emplace(std::pair(bot.name, bot.version),
                 OfBot{decisions.Add(labels), ticks.Add(labels), missed.Add(labels), late.Add(labels),
                       sessions.Add(labels), seats.Add(labels), latency.Add(labels, kSeconds),
                       compute.Add(labels, kSeconds), batch.Add(labels, kRows)})
        .first->second;
  }
};

Metrics::Metrics() : all_(std::make_unique<All>()) {}
Metrics::~Metrics() = default;

void Metrics::answered(const Hosted& bot, const Answered& answer) {
  All::OfBot& of = all_->of(bot);
  of.ticks.Increment();
  of.decisions.Increment(answer.rows);
  if (answer.missed) of.missed.Increment(answer.rows);
  if (answer.late) of.late.Increment(answer.rows);
  of.latency.Observe(seconds(answer.took));
}

void Metrics::computed(const Hosted& bot, int rows, std::chrono::nanoseconds took) {
  All::OfBot& of = all_->of(bot);
  of.compute.Observe(seconds(took));
  of.batch.Observe(rows);
}

void Metrics::session(const Hosted& bot, int seats, int by) {
  All::OfBot& of = all_->of(bot);
  of.sessions.Increment(by);
  of.seats.Increment(by * seats);
}

void Metrics::connection(int by) {
  all_->open.Increment(by);
}

void Metrics::refused(std::string_view why) {
  all_->refused.Add({{"reason", std::string(why)}}).Increment();
}

void Metrics::request(std::string_view path, int status) {
  all_->requests.Add({{"path", std::string(path)}, {"status", std::to_string(status)}}).Increment();
}

Metrics::Totals Metrics::totals() const {
  const auto of = [](const auto& metric) { return static_cast<std::int64_t>(std::llround(metric.Value())); };
  Totals totals{.connections = of(all_->open)};
  const std::scoped_lock lock(all_->mutex);
  for (const auto& [labels, bot] : all_->bots) {
    totals.sessions += of(bot.sessions);
    totals.seats += of(bot.seats);
    totals.decisions += of(bot.decisions);
    totals.missed += of(bot.missed);
    totals.late += of(bot.late);
  }
  return totals;
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(all_->registry.Collect());
}

}  // namespace rival::serve
