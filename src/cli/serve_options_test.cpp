#include "cli/serve_options.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"

namespace rival::cli {
namespace {

class ServeOptionsTest : public testing::Test {
 protected:
  // With that in the file.
  Result<ServeOptions> read(const std::string& text, ServeCommandLine line = {}) {
    line.config = folder_.file("serve.toml");
    EXPECT_TRUE(write_file_atomically(line.config, text));
    return read_serve_options(line);
  }
  std::string error(const std::string& text) {
    const Result<ServeOptions> options = read(text);
    return options ? "" : options.error().message;
  }

  TemporaryFolder folder_;
};

TEST_F(ServeOptionsTest, TheFileHasEveryOption) {
  ServeOptions changed;
  changed.bots = {{"easy", "/runs/a@900"}, {"hard", "/runs/a"}};
  changed.models = {{"mlp", "/m.pt"}};
  changed.management_token_file = "/m", changed.model_store = "/s";
  changed.model_batch = 8, changed.model_threads = 2, changed.model_wait_ms = 9, changed.model_seconds = 10;
  changed.host = "0.0.0.0", changed.token_file = "/t", changed.tls_certificate = "/c", changed.tls_key = "/k",
  changed.game = "pig", changed.records = "/r";
  changed.port = 1, changed.grpc_port = 8, changed.threads = 2, changed.seats = 3, changed.connections = 4;
  changed.wait_ms = 0.5, changed.idle_seconds = 6, changed.drain_seconds = 7;
  const std::string text = write_toml(option_rows(changed));
  const Result<ServeOptions> options = read(text);
  ASSERT_TRUE(options) << options.error().message;
  ServeOptions back = options.value(), standard;
  EXPECT_EQ(write_toml(option_rows(back)), text);
  const auto rows = option_rows(back), defaults = option_rows(standard);
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_NE(value_text(rows[i]), value_text(defaults[i])) << rows[i].key << " is not tested";
}

TEST_F(ServeOptionsTest, TheExampleOfTheDocumentationIsWhole) {
  const std::string page = read_file(RIVAL_SOURCE_DIR "/docs/formats/serve-config.md").value();
  const std::size_t begin = page.find("```toml\n") + 8;
  const std::string text = page.substr(begin, page.find("```\n", begin) - begin);
  const Result<ServeOptions> options = read(text);
  ASSERT_TRUE(options) << options.error().message;
  ServeOptions standard;
  for (const OptionRow& row : option_rows(standard))
    EXPECT_NE(
        ("\n" + text).find("\n" + (row.key == "bots" || row.key == "models" ? "[" + row.key + "]" : row.key + " = ")),
        std::string::npos)
        << row.key;
}

TEST_F(ServeOptionsTest, WhatIsTypedWins) {
  const ServeCommandLine line{
      .bots = {"runs/b", "easy=runs/c"}, .models = {"/m/mlp.pt", "x=y.mar"}, .config = {}, .typed = {{"port", "8765"}}};
  const Result<ServeOptions> options = read("port = 9000\nthreads = 2\n[bots]\neasy = \"/a@900\"\nhard = \"/a\"", line);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options.value().port, 8765);
  EXPECT_EQ(options.value().threads, 2);
  EXPECT_EQ(options.value().bots, (serve::Offer{{"b", "runs/b"}, {"easy", "runs/c"}, {"hard", "/a"}}));
  EXPECT_EQ(options.value().models, (serve::Offer{{"mlp", "/m/mlp.pt"}, {"x", "y.mar"}}));
}

TEST_F(ServeOptionsTest, PathsOfTheFileBeginAtItsFolder) {
  const Result<ServeOptions> options = read(
      "token_file = \"secrets/token\"\ntls_certificate = \"c.pem\"\ntls_key = \"/k.pem\"\ngame = "
      "\"my_game.py:Game\"\n[bots]\na = \"runs/a@900\"\nb = \"/abs/b/\"\n");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options.value().token_file, folder_.file("secrets/token"));
  EXPECT_EQ(options.value().tls_certificate, folder_.file("c.pem"));
  EXPECT_EQ(options.value().tls_key, "/k.pem");
  EXPECT_EQ(options.value().game, folder_.file("my_game.py:Game"));
  EXPECT_EQ(options.value().bots, (serve::Offer{{"a", folder_.file("runs/a@900")}, {"b", "/abs/b"}}));
  for (const char* game : {"pig", "gym:CartPole-v1", "pettingzoo:classic/connect_four_v3", "worker:unix:/s"}) {
    const Result<ServeOptions> named = read(std::string("game = \"") + game + "\"\n[bots]\na = \"a\"");
    ASSERT_TRUE(named) << named.error().message;
    EXPECT_EQ(named.value().game, game);
  }
}

TEST_F(ServeOptionsTest, ErrorsNameThePlaceAndTheLikelyKey) {
  const std::string file = folder_.file("serve.toml");
  EXPECT_TRUE(error("thread = 2").starts_with(file + ":1: unknown option 'thread'; did you mean 'threads'?"));
  EXPECT_TRUE(
      error("\ntoken = \"s3cret\"").starts_with(file + ":2: unknown option 'token'; did you mean 'token_file'?"));
  EXPECT_EQ(error("\ntoken = \"s3cret\"").find("s3cret"), std::string::npos) << "a secret is not repeated";
  EXPECT_EQ(error("port = 70000"), file + ":1: 'port' must be a whole number from 0 to 65535, not '70000'");
  EXPECT_EQ(error("[bots]\na = 1"), file + ":2: 'bots.a' must be a string in one line, such as \"auto\", not '1'");
  EXPECT_EQ(error("tls_key = \"k\"\n[bots]\na = \"a\""),
            "TLS needs both a certificate and its key: --tls-certificate FILE is missing");
  EXPECT_EQ(error("port = 1"),
            file + ": no bot is named: give BOT, or --config FILE with a group [bots], or --model FILE");
  EXPECT_EQ(error("model_store = \"m\""),
            "models are registered from a folder by who shows a token: --management-token-file FILE is missing");
  const Result<ServeOptions> none =
      read_serve_options({.bots = {}, .models = {}, .config = folder_.file("none"), .typed = {}});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find(folder_.file("none")), std::string::npos);
  const Result<ServeOptions> typed =
      read("[bots]\na = \"a\"", {.bots = {}, .models = {}, .config = {}, .typed = {{"port", "x"}}});
  ASSERT_FALSE(typed);
  EXPECT_EQ(typed.error().message, "'port' must be a whole number from 0 to 65535, not 'x'");
  EXPECT_EQ(typed.error().kind, Error::Kind::usage);
}

}  // namespace
}  // namespace rival::cli
