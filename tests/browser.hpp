// A headless Chromium for tests of pages, driven over the pipe of its DevTools protocol (no sockets, no libraries).
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace rival {

class Browser {
 public:
  using Json = nlohmann::json;

  // Null if there is no Chromium. The environment variable CHROMIUM may name one.
  static std::unique_ptr<Browser> launch() {
    const char* named = std::getenv("CHROMIUM");
    for (std::string path : {named ? std::string(named) : std::string(), std::string("/usr/bin/chromium"),
                             std::string("/usr/bin/chromium-browser"), std::string("/usr/bin/google-chrome")})
      if (!path.empty() && access(path.c_str(), X_OK) == 0) return std::unique_ptr<Browser>(new Browser(path));
    return nullptr;
  }

  ~Browser() {
    close(to_);
    close(from_);
    kill(process_, SIGTERM);
    for (int i = 0; i < 50 && waitpid(process_, nullptr, WNOHANG) == 0; ++i) usleep(20'000);
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, WNOHANG);
    std::error_code ignored;
    std::filesystem::remove_all(profile_, ignored);
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Opens a page in a window of this size and waits until it has loaded. Forgets the page before.
  void open(const std::string& url, int width, int height) {
    errors.clear();
    requests.clear();
    if (!target_.empty()) call("Target.closeTarget", {{"targetId", target_}}, "");
    target_ = call("Target.createTarget", {{"url", "about:blank"}}, "")["targetId"];
    session_ = call("Target.attachToTarget", {{"targetId", target_}, {"flatten", true}}, "")["sessionId"];
    for (const char* domain : {"Runtime.enable", "Log.enable", "Page.enable", "Network.enable"}) call(domain);
    resize(width, height);
    loaded_ = false;
    call("Page.navigate", {{"url", url}});
    while (!loaded_) take(receive());
    evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
  }
  void resize(int width, int height) {
    call("Emulation.setDeviceMetricsOverride",
         {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
  }

  // The value of a JavaScript expression; of a promise, what it comes to. Throws what it throws.
  Json evaluate(const std::string& expression) {
    const Json answer =
        call("Runtime.evaluate", {{"expression", expression}, {"awaitPromise", true}, {"returnByValue", true}});
    if (answer.contains("exceptionDetails")) throw std::runtime_error(answer["exceptionDetails"].dump());
    return answer["result"].value("value", Json());
  }
  // Presses at one place, moves to another, lets go.
  void drag(double x1, double y1, double x2, double y2) {
    const auto mouse = [&](const char* type, double x, double y, int buttons) {
      call("Input.dispatchMouseEvent",
           {{"type", type}, {"x", x}, {"y", y}, {"button", "left"}, {"buttons", buttons}, {"clickCount", 1}});
    };
    mouse("mousePressed", x1, y1, 1);
    mouse("mouseMoved", x2, y2, 1);
    mouse("mouseReleased", x2, y2, 0);
  }
  void press(const std::string& key) {
    for (const char* type : {"keyDown", "keyUp"})
      call("Input.dispatchKeyEvent", {{"type", type}, {"key", key}, {"code", key}});
  }

  std::vector<std::string> errors;    // exceptions and errors on the page's console since open()
  std::vector<std::string> requests;  // what it asked for, itself apart

 private:
  explicit Browser(const std::string& path) {
    std::string folder = std::filesystem::temp_directory_path() / "rival-browser-XXXXXX";
    profile_ = mkdtemp(folder.data());
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
    const int child_in = fcntl(in[0], F_DUPFD_CLOEXEC, 10), child_out = fcntl(out[1], F_DUPFD_CLOEXEC, 10);
    const std::string profile = "--user-data-dir=" + profile_;
    std::vector<std::string> arguments = {path,
                                          "--headless",
                                          "--no-sandbox",
                                          "--disable-gpu",
                                          "--disable-dev-shm-usage",
                                          "--no-first-run",
                                          "--disable-extensions",
                                          "--disable-background-networking",
                                          "--hide-scrollbars",
                                          "--remote-debugging-pipe",
                                          profile,
                                          "about:blank"};
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, child_in, 3);
    posix_spawn_file_actions_adddup2(&actions, child_out, 4);
    if (posix_spawn(&process_, path.c_str(), &actions, nullptr, pointers.data(), environ) != 0)
      throw std::runtime_error("cannot start " + path);
    posix_spawn_file_actions_destroy(&actions);
    for (int file : {child_in, child_out, in[0], out[1]}) close(file);
    to_ = in[1];
    from_ = out[0];
  }

  Json call(const std::string& method, Json params, const std::string& session) {
    Json message{{"id", ++last_id_}, {"method", method}, {"params", std::move(params)}};
    if (!session.empty()) message["sessionId"] = session;
    const std::string text = message.dump() + '\0';
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t written = write(to_, text.data() + at, text.size() - at);
      if (written <= 0) throw std::runtime_error("the browser has gone");
      at += static_cast<std::size_t>(written);
    }
    for (;;) {
      const Json answer = receive();
      if (answer.value("id", 0) != last_id_) {
        take(answer);
        continue;
      }
      if (answer.contains("error")) throw std::runtime_error(method + ": " + answer["error"].dump());
      return answer["result"];
    }
  }
  Json call(const std::string& method, Json params = Json::object()) {
    return call(method, std::move(params), session_);
  }

  Json receive() {
    for (;;) {
      if (const std::size_t end = buffer_.find('\0'); end != std::string::npos) {
        Json message = Json::parse(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        return message;
      }
      pollfd wait{from_, POLLIN, 0};
      if (poll(&wait, 1, 60'000) <= 0) throw std::runtime_error("the browser says nothing");
      char bytes[65536];
      const ssize_t size = read(from_, bytes, sizeof bytes);
      if (size <= 0) throw std::runtime_error("the browser has gone");
      buffer_.append(bytes, static_cast<std::size_t>(size));
    }
  }
  // An event.
  void take(const Json& event) {
    const std::string method = event.value("method", "");
    if (event.value("sessionId", "") != session_) return;
    const Json& params = event["params"];
    if (method == "Page.loadEventFired") loaded_ = true;
    if (method == "Runtime.exceptionThrown") errors.push_back(params["exceptionDetails"].dump());
    if (method == "Runtime.consoleAPICalled" && params["type"] == "error") errors.push_back(params["args"].dump());
    if (method == "Log.entryAdded" && params["entry"]["level"] == "error") errors.push_back(params["entry"].dump());
    if (method == "Network.requestWillBeSent" && params["type"] != "Document")
      if (const std::string url = params["request"]["url"]; !url.starts_with("data:")) requests.push_back(url);
  }

  std::string profile_, target_, session_, buffer_;
  pid_t process_ = 0;
  int to_ = -1, from_ = -1, last_id_ = 0;
  bool loaded_ = false;
};

}  // namespace rival
