// PyTorch models over HTTP, beside bots: predictions by the protocols of TorchServe, KServe and the Open Inference
// Protocol, and TorchServe's management (docs/moving-from-torchserve.md).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/endpoint.hpp"
#include "serve/model_file.hpp"
#include "serve/models.hpp"

namespace rival::serve {

struct ModelsOptions {
  std::string management_token;  // what those must show who register models; "": nobody can
  std::string store;             // the folder of the files that they may name; "": none
  ModelSettings settings;        // unless a request says otherwise
  std::function<Result<LoadedModel>(const std::string& path)> load = nullptr;
  std::function<bool(const std::string& name)> taken = nullptr;  // by something else; null: nothing
};

class ModelsHttp {
 public:
  using Parts = std::vector<std::string>;  // of a path
  using Reply = std::function<void(HttpAnswer)>;

  explicit ModelsHttp(ModelsOptions options);
  ~ModelsHttp();

  // Reads a file and serves it, as `name`; "": as it says. Error: as of `load`; the name is taken.
  Result<void> add(const std::string& path, const std::string& name);

  // Whether a path is of a model that is served, or of the management of models.
  bool takes(const Parts& parts, const HttpRequest& request) const;
  // Those that it takes. Does not wait; `ending`: the server is about to end.
  void answer(const Parts& parts, HttpRequest request, bool ending, const Reply& reply);
  // Whether the request shows the management token.
  bool manages(const HttpRequest& request) const;

  const Models& models() const { return models_; }
  // In the text format of Prometheus, by TorchServe's names.
  std::string metrics() const;

 private:
  using Served = std::shared_ptr<ServedModel>;
  using Tell = HttpAnswer (*)(int status, const std::string& what);  // of a protocol: what is amiss
  using Read = std::function<Result<std::vector<TensorData>>(const HttpRequest&)>;
  using Write = std::function<Result<HttpAnswer>(const std::vector<TensorData>&)>;

  // Has a request read where it is computed, since the server's thread has bots to answer. What cannot be read, and
  // what cannot be written, is the request's fault.
  static void ask(ServedModel& model, HttpRequest request, const Reply& reply, Tell tell, Read read, Write write);

  void predict(const Parts& parts, HttpRequest request, const Reply& reply);
  void kserve(const Parts& parts, HttpRequest request, bool ending, const Reply& reply);
  void open_inference(Parts parts, HttpRequest request, bool ending, const Reply& reply);
  void infer(const Served& model, HttpRequest request, const Reply& reply);
  void manage(const Parts& parts, const HttpRequest& request, const Reply& reply);
  HttpAnswer changed(const Parts& parts, const HttpRequest& request);
  HttpAnswer enrol(const HttpRequest& request);
  HttpAnswer scale(const Parts& parts, const HttpRequest& request);
  HttpAnswer describe(const Parts& parts) const;
  HttpAnswer missing(const std::string& name, const std::string& version) const;
  Result<void> serve(LoadedModel loaded, const std::string& name, std::string url, bool at_startup,
                     const ModelSettings& settings);

  const ModelsOptions options_;
  Models models_;
  std::atomic<std::int64_t> answered_[6] = {};  // by the first digit of the status

  // What takes its time, one after the other, on a thread of its own.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::thread managing_;
};

}  // namespace rival::serve
