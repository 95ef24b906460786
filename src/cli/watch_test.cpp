#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/temporary_folder.hpp"
#include "cli/captured.hpp"
#include "games/catalog.hpp"

namespace rival {
namespace {

cli::Captured run_watch(std::vector<std::string> words) {
  words.insert(words.begin(), "watch");
  return cli::capture(words);
}

// The data of a page.
nlohmann::json data_of(const std::string& path) {
  Result<std::string> read = read_file(path);
  EXPECT_TRUE(read.ok());
  const std::string mark = "id=\"data\">";
  const std::size_t begin = read->find(mark) + mark.size(), end = read->find("</script>", begin);
  return nlohmann::json::parse(read->substr(begin, end - begin));
}

TEST(Watch, ShowsPlayersAndTheirReplayTheSame) {
  const TemporaryFolder folder;
  const std::string page = folder.file("a.html"), replay = folder.file("a.replay"), again = folder.file("b.html");
  const cli::Captured ran = run_watch(
      {"random", "--game", "connect_four", "--seed", "3", "--opening", "4", "--out", page, "--save", replay, "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const nlohmann::json json = nlohmann::json::parse(ran.out);
  EXPECT_LT(json["replay_bytes"].get<int>(), 300);
  ASSERT_EQ(run_watch({replay, "--out", again}).exit_code, 0);
  nlohmann::json played = data_of(page), replayed = data_of(again);
  EXPECT_EQ(played["steps"], json["steps"]);
  EXPECT_EQ(played["players"], (nlohmann::json{"random", "random"}));
  EXPECT_EQ(played["film"], replayed["film"]);
  EXPECT_EQ(played["moves"], replayed["moves"]);
}

TEST(Watch, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string page = folder.file("a.html"), replay = folder.file("a.replay");
  EXPECT_EQ(run_watch({"random", "--out", page}).exit_code, 2);
  EXPECT_EQ(run_watch({"random", "--game", "pig"}).exit_code, 2) << "no --out";
  EXPECT_EQ(run_watch({folder.file("none.replay"), "--out", page}).exit_code, 1);
  ASSERT_EQ(run_watch({"random", "--game", "pig", "--out", page, "--save", replay}).exit_code, 0);
  EXPECT_EQ(run_watch({replay, "--against", "random", "--out", page}).exit_code, 2);
  // A replay of other rules: a section's hash has changed.
  std::string bytes = read_file(replay).value();
  const std::size_t at = bytes.find("max_steps") + 9;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  const std::uint64_t hash = fnv1a(std::string_view(bytes).substr(0, bytes.size() - 8));
  for (std::size_t i = 0; i < 8; ++i) bytes[bytes.size() - 8 + i] = static_cast<char>(hash >> (8 * i));
  ASSERT_TRUE(write_file_atomically(replay, bytes).ok());
  const cli::Captured refused = run_watch({replay, "--out", page});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("replay of 'pig': rules differ: max_steps has changed since it was recorded"),
            std::string::npos)
      << refused.err;
}

}  // namespace
}  // namespace rival
