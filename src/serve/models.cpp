#include "serve/models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>

namespace rival::serve {
namespace {

using Clock = ServedModel::Clock;

constexpr auto kWatchEvery = std::chrono::milliseconds(50);

std::int64_t microseconds(Clock::duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

// Whether these can be computed as one: they agree in all but the length of their first dimensions, of which each job
// has one.
bool agree(const std::vector<TensorData>& a, const std::vector<TensorData>& b) {
  const auto same = [](const TensorData& x, const TensorData& y) {
    return x.datatype == y.datatype && !x.shape.empty() && x.shape.size() == y.shape.size() &&
           std::equal(x.shape.begin() + 1, x.shape.end(), y.shape.begin() + 1);
  };
  return !a.empty() && std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

// The rows of a job; -1: its inputs do not agree on them.
std::int64_t rows_of(const std::vector<TensorData>& inputs) {
  if (inputs.empty() || inputs[0].shape.empty()) return -1;
  const std::int64_t rows = inputs[0].shape[0];
  const bool same = std::all_of(inputs.begin(), inputs.end(),
                                [&](const auto& each) { return !each.shape.empty() && each.shape[0] == rows; });
  return same && rows > 0 ? rows : -1;
}

}  // namespace

struct ServedModel::Asked {
  explicit Asked(ModelJob asks) : job(std::move(asks)) {}

  ModelJob job;
  Clock::time_point arrived = Clock::now();
  std::vector<TensorData> inputs = {};
  std::atomic<bool> answered = false;
};

ServedModel::ServedModel(ModelInfo info, std::shared_ptr<TensorModel> model, ModelSettings settings)
    : info_(std::move(info)), model_(std::move(model)), settings_(settings) {
  scale(settings_.workers);
}

void ServedModel::answer(const Job& job, ModelAnswer answer) {
  if (!job->answered.exchange(true)) job->job.answer(std::move(answer));
}

void ServedModel::ask(ModelJob job) {
  const auto asked = std::make_shared<Asked>(std::move(job));
  std::string amiss;
  {
    const std::scoped_lock lock(mutex_);
    ++counts_.requests;
    if (ending_)
      amiss = fmt::format("Model \"{}\" Version {} is being unregistered.", info_.name, info_.version);
    else if (wanted_ == 0)
      amiss = fmt::format(
          "Model \"{}\" Version {} has no worker to serve inference request. Please use scale workers API to add "
          "workers.",
          info_.name, info_.version);
    else if (queue_.size() >= static_cast<std::size_t>(settings_.queue) ||
             queued_bytes_ + asked->job.bytes > settings_.queue_bytes)
      amiss = fmt::format(
          "Model \"{}\" Version {} has {} requests waiting, as many or as large as may be: ask again later.",
          info_.name, info_.version, queue_.size());
    else {
      queue_.push_back(asked);
      queued_bytes_ += asked->job.bytes;
    }
  }
  if (amiss.empty())
    changed_.notify_one();
  else
    answer(asked, {ModelAnswer::Kind::refused, amiss});
}

void ServedModel::scale(int workers) {
  const std::scoped_lock one(scaling_);
  std::vector<std::unique_ptr<Thread>> ended;
  std::deque<Job> left;
  {
    const std::scoped_lock lock(mutex_);
    wanted_ = workers;
    if (workers == 0) left.swap(queue_), queued_bytes_ = 0;
    // Those that are too many end; those that have ended are not counted on again.
    const auto done = std::stable_partition(threads_.begin(), threads_.end(), [](auto& each) { return !each->ended; });
    std::move(done, threads_.end(), std::back_inserter(ended));
    threads_.erase(done, threads_.end());
    while (!ending_ && threads_.size() < static_cast<std::size_t>(workers)) {
      Thread& added = *threads_.emplace_back(std::make_unique<Thread>());
      added.id = next_id_++;
      added.since = std::chrono::system_clock::now();
      added.thread = std::thread([this, &added] { work(added); });
    }
  }
  changed_.notify_all();
  for (const Job& job : left)
    answer(job, {ModelAnswer::Kind::refused,
                 fmt::format("Model \"{}\" Version {} has no worker any more.", info_.name, info_.version)});
  for (const auto& each : ended) each->thread.join();
}

void ServedModel::end() {
  std::deque<Job> left;
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    left.swap(queue_), queued_bytes_ = 0;
  }
  changed_.notify_all();
  for (const Job& job : left)
    answer(job, {ModelAnswer::Kind::refused,
                 fmt::format("Model \"{}\" Version {} was unregistered.", info_.name, info_.version)});
  const std::scoped_lock one(scaling_);
  for (const auto& each : threads_)
    if (each->thread.joinable()) each->thread.join();
}

bool ServedModel::wanted(const Thread& thread) const {
  if (ending_) return false;
  int before = 0;
  for (const auto& each : threads_) {
    if (each.get() == &thread) return before < wanted_;
    before += each->ended ? 0 : 1;
  }
  return false;
}

void ServedModel::work(Thread& self) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !wanted(self) || !queue_.empty(); });
    if (!wanted(self)) break;
    Jobs jobs;
    const auto take = [&] {
      const auto most = static_cast<std::size_t>(settings_.batch_size);
      for (; !queue_.empty() && jobs.size() < most; queue_.pop_front()) {
        queued_bytes_ -= queue_.front()->job.bytes;
        jobs.push_back(std::move(queue_.front()));
      }
      return jobs.size() >= most;
    };
    if (!take()) changed_.wait_for(lock, settings_.batch_delay, [&] { return take() || ending_; });
    const Clock::time_point now = Clock::now();
    for (const Job& job : jobs) counts_.queue_us += microseconds(now - job->arrived);
    running_[self.id] = {now, jobs};
    lock.unlock();
    compute(jobs);
    lock.lock();
    running_.erase(self.id);
    counts_.compute_us += microseconds(Clock::now() - now);
  }
  self.ended = true;
  // Another one may have been woken for what this one leaves.
  changed_.notify_all();
}

void ServedModel::compute(const Jobs& jobs) {
  Jobs left;
  for (const Job& job : jobs) {
    Result<std::vector<TensorData>> inputs = job->job.read();
    if (inputs) {
      job->inputs = std::move(inputs.value());
      left.push_back(job);
    } else {
      answer(job, {ModelAnswer::Kind::unread, inputs.error().message});
    }
  }
  while (!left.empty()) {
    const Job first = left.front();
    const auto others = std::stable_partition(left.begin(), left.end(), [&](const Job& job) {
      return job == first ||
             (agree(first->inputs, job->inputs) && rows_of(first->inputs) > 0 && rows_of(job->inputs) > 0);
    });
    compute_together(Jobs(left.begin(), others));
    left.erase(left.begin(), others);
  }
}

// Where that fails, or what comes back has not as many rows, each by itself: one request does not spoil the others.
void ServedModel::compute_together(const Jobs& jobs) {
  if (jobs.size() == 1) return compute_alone(jobs[0]);
  std::vector<TensorData> inputs = jobs[0]->inputs;
  std::int64_t rows = 0;
  for (const Job& job : jobs) rows += rows_of(job->inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t j = 1; j < jobs.size(); ++j) inputs[i].bytes += jobs[j]->inputs[i].bytes;
    inputs[i].shape[0] = rows;
  }
  const Result<std::vector<TensorData>> outputs = model_->run(inputs);
  if (!outputs || rows_of(outputs.value()) != rows) {
    for (const Job& job : jobs) compute_alone(job);
    return;
  }
  std::int64_t at = 0;
  for (const Job& job : jobs) {
    ModelAnswer own;
    const std::int64_t count = rows_of(job->inputs);
    for (const TensorData& output : outputs.value()) {
      const auto row = output.bytes.size() / static_cast<std::size_t>(rows);
      TensorData& part = own.outputs.emplace_back();
      part.name = output.name, part.datatype = output.datatype, part.shape = output.shape;
      part.shape[0] = count;
      part.bytes = output.bytes.substr(static_cast<std::size_t>(at) * row, static_cast<std::size_t>(count) * row);
    }
    at += count;
    answer(job, std::move(own));
  }
}

void ServedModel::compute_alone(const Job& job) {
  Result<std::vector<TensorData>> outputs = model_->run(job->inputs);
  if (outputs)
    answer(job, {.outputs = std::move(outputs.value())});
  else
    answer(job, {ModelAnswer::Kind::failed, outputs.error().message});
}

void ServedModel::expire(Clock::time_point now) {
  Jobs late;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, running] : running_)
      if (now - running.since > settings_.timeout) late.insert(late.end(), running.jobs.begin(), running.jobs.end());
  }
  for (const Job& job : late)
    answer(job, {ModelAnswer::Kind::late,
                 fmt::format("Model \"{}\" Version {} has computed for more than its response timeout, {} seconds.",
                             info_.name, info_.version, settings_.timeout.count())});
}

std::vector<ServedModel::Worker> ServedModel::workers() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Worker> workers;
  for (const auto& each : threads_)
    if (!each->ended && wanted(*each)) workers.push_back({each->id, each->since});
  return workers;
}

int ServedModel::waiting() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(queue_.size());
}

ServedModel::Counts ServedModel::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

Models::Models()
    : watch_([this] {
        std::unique_lock lock(mutex_);
        while (!ends_.wait_for(lock, kWatchEvery, [this] { return ending_; })) {
          std::vector<std::shared_ptr<ServedModel>> all = leaving_;
          for (const auto& [name, named] : models_)
            for (const auto& [version, model] : named.versions) all.push_back(model);
          lock.unlock();
          for (const auto& model : all) model->expire(Clock::now());
          all.clear();
          lock.lock();
        }
      }) {}

Models::~Models() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  ends_.notify_all();
  watch_.join();
  for (const auto& [name, named] : models_)
    for (const auto& [version, model] : named.versions) model->end();
}

Result<void> Models::add(ModelInfo info, std::shared_ptr<TensorModel> model, ModelSettings settings) {
  const std::scoped_lock lock(mutex_);
  Named& named = models_[info.name];
  if (named.versions.contains(info.version))
    return Error{fmt::format("Model version {} is already registered for model {}", info.version, info.name)};
  if (named.versions.empty()) named.standard = info.version;
  const std::string version = info.version;
  named.versions.emplace(version, std::make_shared<ServedModel>(std::move(info), std::move(model), settings));
  return {};
}

bool Models::has(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  return models_.contains(name);
}

std::shared_ptr<ServedModel> Models::find(const std::string& name, const std::string& version) const {
  const std::scoped_lock lock(mutex_);
  const auto named = models_.find(name);
  if (named == models_.end()) return nullptr;
  const auto found = named->second.versions.find(version.empty() ? named->second.standard : version);
  return found == named->second.versions.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<ServedModel>> Models::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<ServedModel>> all;
  for (const auto& [name, named] : models_) all.push_back(named.versions.at(named.standard));
  return all;
}

std::vector<std::shared_ptr<ServedModel>> Models::versions(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<ServedModel>> all;
  const auto named = models_.find(name);
  if (named == models_.end()) return all;
  for (const auto& [version, model] : named->second.versions)
    all.insert(version == named->second.standard ? all.begin() : all.end(), model);
  return all;
}

Models::Change Models::remove(const std::string& name, std::string version) {
  std::shared_ptr<ServedModel> removed;
  {
    const std::scoped_lock lock(mutex_);
    const auto named = models_.find(name);
    if (named == models_.end()) return Change::no_model;
    if (version.empty()) version = named->second.standard;
    const auto found = named->second.versions.find(version);
    if (found == named->second.versions.end()) return Change::no_version;
    if (version == named->second.standard && named->second.versions.size() > 1) return Change::is_default;
    removed = found->second;
    named->second.versions.erase(found);
    if (named->second.versions.empty()) models_.erase(named);
    leaving_.push_back(removed);
  }
  removed->end();
  const std::scoped_lock lock(mutex_);
  std::erase(leaving_, removed);
  return Change::done;
}

Models::Change Models::make_default(const std::string& name, const std::string& version) {
  const std::scoped_lock lock(mutex_);
  const auto named = models_.find(name);
  if (named == models_.end()) return Change::no_model;
  if (!named->second.versions.contains(version)) return Change::no_version;
  named->second.standard = version;
  return Change::done;
}

}  // namespace rival::serve
