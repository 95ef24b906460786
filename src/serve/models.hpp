// Models that take and give tensors, by name and version, and their queues: what waits is computed together, on threads
// of the model's own, of which all share one copy of the weights.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "serve/tensor_model.hpp"

namespace rival::serve {

struct ModelSettings {
  int batch_size = 1;                          // requests that are computed together at most
  std::chrono::milliseconds batch_delay{100};  // that the first of a batch waits for others
  int workers = 1;                             // threads that compute
  std::chrono::seconds timeout{120};           // of computing; waiting does not count
  int queue = 100;                             // requests that may wait
  std::size_t queue_bytes = 256u << 20;        // that these may have together
};

struct ModelInfo {
  std::string name, version = "1.0", url;
  bool at_startup = false;
};

struct ModelAnswer {
  // unread: the request is amiss; failed: the model is; late: it took too long; refused: nobody is there to compute it,
  // or too many wait.
  enum class Kind { done, unread, failed, late, refused };
  Kind kind = Kind::done;
  std::string amiss = {};
  std::vector<TensorData> outputs = {};
};

struct ModelJob {
  std::function<Result<std::vector<TensorData>>()> read;  // the inputs, made where they are computed
  std::function<void(ModelAnswer)> answer;                // called once, from any thread
  std::size_t bytes = 0;                                  // that it holds while it waits
};

// One version of a model. Thread-safe.
class ServedModel {
 public:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    int id;
    std::chrono::system_clock::time_point since;
  };
  struct Counts {
    std::int64_t requests = 0, compute_us = 0, queue_us = 0;
  };

  ServedModel(ModelInfo info, std::shared_ptr<TensorModel> model, ModelSettings settings);
  ~ServedModel() { end(); }  // waits for what is computed

  const ModelInfo& info() const { return info_; }
  const TensorModel& model() const { return *model_; }
  const ModelSettings& settings() const { return settings_; }  // workers: as it began

  void ask(ModelJob job);
  // From now on it has so many threads; one that computes ends after that. With none, what waits is refused.
  void scale(int workers);
  // Refuses what waits and what comes, and waits for what is computed.
  void end();
  // Answers what has been computed for too long.
  void expire(Clock::time_point now);

  std::vector<Worker> workers() const;
  int waiting() const;
  Counts counts() const;

 private:
  struct Asked;
  using Job = std::shared_ptr<Asked>;
  using Jobs = std::vector<Job>;
  struct Running {
    Clock::time_point since;
    Jobs jobs;
  };
  struct Thread {
    int id = 0;
    std::chrono::system_clock::time_point since;
    bool ended = false;
    std::thread thread = {};
  };

  void work(Thread& self);
  void compute(const Jobs& jobs);
  void compute_together(const Jobs& jobs);
  void compute_alone(const Job& job);
  void answer(const Job& job, ModelAnswer answer);
  bool wanted(const Thread& thread) const;

  const ModelInfo info_;
  const std::shared_ptr<TensorModel> model_;
  const ModelSettings settings_;
  std::mutex scaling_;  // by one at a time
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::size_t queued_bytes_ = 0;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::map<int, Running> running_;  // by thread
  int wanted_ = 0, next_id_ = 9000;
  bool ending_ = false;
  Counts counts_;
};

// The models of a server. The first version of a name is the one that is meant where none is named, until another is
// made so. Thread-safe; what ends or begins threads waits for them.
class Models {
 public:
  Models();
  ~Models();

  // Error: this name has this version already.
  Result<void> add(ModelInfo info, std::shared_ptr<TensorModel> model, ModelSettings settings);
  bool has(const std::string& name) const;
  // `version` "": the default. Null: there is none.
  std::shared_ptr<ServedModel> find(const std::string& name, const std::string& version = "") const;
  // The default version of each, by name.
  std::vector<std::shared_ptr<ServedModel>> all() const;
  // The default first.
  std::vector<std::shared_ptr<ServedModel>> versions(const std::string& name) const;

  enum class Change { done, no_model, no_version, is_default };
  // `version` "": the default. is_default: it is, and there are others.
  Change remove(const std::string& name, std::string version);
  Change make_default(const std::string& name, const std::string& version);

 private:
  struct Named {
    std::string standard;
    std::map<std::string, std::shared_ptr<ServedModel>> versions;
  };

  mutable std::mutex mutex_;
  std::condition_variable ends_;
  bool ending_ = false;
  std::map<std::string, Named> models_;
  std::vector<std::shared_ptr<ServedModel>> leaving_;  // that are removed, and compute yet
  std::thread watch_;                                  // that nothing is computed for too long
};

}  // namespace rival::serve
