// Bots, and models, for the clients of other inference servers: the Open Inference Protocol (/v2) with Triton's
// sequences, KServe's first protocol (/v1/models), and what TorchServe answers of predictions and models. What each
// path takes is in docs/moving-from-torchserve.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rival/random.hpp"
#include "serve/connection.hpp"
#include "serve/endpoint.hpp"
#include "serve/open_inference.hpp"

namespace rival::serve {

class ModelsHttp;

// Of the server's thread.
class InferenceHttp final : public Endpoint {
 public:
  explicit InferenceHttp(Playing& playing);

  std::optional<Access> access(std::string_view path) const override;
  std::string label(std::string_view path) const override;
  void answer(HttpRequest request, std::function<void(HttpAnswer)> reply) override;

  // Ends sequences that have been silent for too long. To be called now and then.
  void expire();
  // That have not ended.
  int sequences() const { return running_; }

 private:
  using Reply = std::function<void(HttpAnswer)>;
  using Parts = std::vector<std::string>;
  using Write = std::function<HttpAnswer(const Answered&)>;  // what it holds stays until it has been called

  // A sequence: a session of as many seats as it has rows. Once it has expired it has none, and is known for a while.
  struct Open {
    std::shared_ptr<Session> session;
    Clock::time_point last;
  };
  using Sequences = std::map<std::pair<std::string, std::string>, Open>;  // by model and id

  void open_inference(const Parts& parts, const HttpRequest& request, const Reply& reply);
  void infer(const std::string& model, const std::string& version, const HttpRequest& request, const Reply& reply);
  void kserve(const Parts& parts, const HttpRequest& request, const Reply& reply);
  void torchserve(const Parts& parts, const HttpRequest& request, const Reply& reply);
  void predict(const Parts& parts, const HttpRequest& request, const Reply& reply);
  HttpAnswer list(std::string_view query) const;
  std::string not_found(const std::string& name, const Error& of_bot) const;
  ModelsHttp* models() const;  // null: none are served
  nlohmann::ordered_json model(const Hosted& bot) const;

  // Error: there is no such bot, or it has another version; "": whichever it has.
  Result<std::shared_ptr<const Hosted>> find(const std::string& model, const std::string& version);
  std::shared_ptr<Session> without_seats(const std::shared_ptr<const Hosted>& bot);
  void end(Sequences::iterator at);
  // Asks for decisions, of which `write` makes the answer.
  void decide(std::shared_ptr<Session> session, std::shared_ptr<const Rows> rows, Asked asked, Write write,
              const Reply& reply);
  std::string request_id();

  // Sessions without seats of a bot, in turn.
  struct Shared {
    std::shared_ptr<const Hosted> bot;
    std::vector<std::shared_ptr<Session>> sessions;
    std::size_t next = 0;
  };

  Playing& playing_;
  std::map<std::string, Shared> shared_;  // by the bot's name
  Sequences sequences_;
  int running_ = 0;
  Random random_;
};

}  // namespace rival::serve
