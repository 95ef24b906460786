// A server of the sample bot, on a thread of its own, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "serve/sample_bot.hpp"
#include "serve/server.hpp"

namespace rival::serve {

class Running {
 public:
  explicit Running(
      ServerOptions options = {}, LoadSubstitutes substitutes = [](const std::string&) { return sample_substitutes(); })
      : directory_([this](const std::string&) { return sample_bot(version_); }, std::move(substitutes)) {
    options.port = 0;
    options.batcher.precision = Precision::f32;
    EXPECT_TRUE(directory_.add("sample"));
    server_ = Server::listen(directory_, options).value();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~Running() {
    end();
    if (thread_.joinable()) thread_.join();
  }

  int port() const { return server_->port(); }
  int frontend_port() const { return server_->frontend_port(); }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port()); }
  void end() { server_->stop(); }
  void wait() { thread_.join(); }
  void reload() { server_->reload(); }
  void publish(std::uint64_t version) {
    version_ = version;
    EXPECT_TRUE(directory_.reload());
  }
  Metrics::Totals totals() const { return server_->metrics().totals(); }
  std::string metrics() const { return server_->metrics().text(); }

 private:
  std::atomic<std::uint64_t> version_{1};
  Directory directory_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace rival::serve
