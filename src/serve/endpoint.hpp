// A part of what the server answers over HTTP, such as one protocol or one kind of data: without sockets, so that it
// is tested and fuzzed by itself.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rival::serve {

struct HttpRequest {
  std::string method;                                       // "GET"
  std::string path, query;                                  // "/v2/models", "limit=3": as sent, without the '?'
  std::map<std::string, std::string, std::less<>> headers;  // by names in small letters
  std::string body;
  bool trusted = false;  // shows the server's token, if it has one
};

// "" where it is absent.
inline std::string_view header(const HttpRequest& request, std::string_view name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string_view() : found->second;
}

struct HttpAnswer {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Who may ask: anyone, or who shows the server's token.
enum class Access { anyone, play };

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // Nothing: the path is none of its own. Called on the server's thread.
  virtual std::optional<Access> access(std::string_view path) const = 0;
  // The path's name in metrics: one of few, whatever is asked.
  virtual std::string label(std::string_view path) const = 0;
  // `reply` is called once, now or later, from any thread. Called on the server's thread, which must not wait.
  virtual void answer(HttpRequest request, std::function<void(HttpAnswer)> reply) = 0;
};

}  // namespace rival::serve
