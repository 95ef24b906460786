// Games in shared libraries, from outside: every command takes them, and what was trained on them finds them again.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "base/temporary_folder.hpp"
#include "tests/subprocess.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder with the libraries of examples/, in which `rival` is the program.
class LibraryGame : public testing::Test {
 protected:
  LibraryGame() {
    for (const char* name : {"libnim.so", "libconnect_four.so"})
      fs::copy_file(std::string(RIVAL_EXAMPLES "/") + name, folder_.file(name));
    fs::copy_file(RIVAL_CRASHING_GAME, folder_.file("libcrashing_game.so"));
  }
  Finished in_folder(const std::string& command) const {
    return run_shell("cd '" + folder_.path() + "'\nrival() { '" RIVAL_PROGRAM "' \"$@\"; }\n" + command);
  }
  // Of a command that must succeed.
  std::string said(const std::string& command) const {
    const Finished ran = in_folder(command);
    EXPECT_EQ(ran.exit_code, 0) << command << "\n" << ran.output;
    return ran.output;
  }
  Json json(const std::string& command) const {
    return Json::parse(said(command + " --json 2>/dev/null"), nullptr, false);
  }
  // Of one that must fail with an error.
  std::string failed(const std::string& command) const {
    const Finished ran = in_folder(command);
    EXPECT_EQ(ran.exit_code, 1) << command << "\n" << ran.output;
    return ran.output;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(folder_.file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
};

TEST_F(LibraryGame, EveryCommandTakesIt) {
  EXPECT_EQ(json("rival games libnim.so")["parameters"][0]["name"], "most");
  EXPECT_EQ(json("rival games ./libconnect_four.so")["name"], "connect_four");
  EXPECT_TRUE(has(said("rival check ./libnim.so --matches 5"), "keeps its promises"));
  EXPECT_TRUE(has(said("rival check ./libconnect_four.so --matches 5"), "keeps its promises"));
  const std::string trained = said("rival train ./libnim.so --steps 3e4 --hidden 16x16 --parameter most=3 --out run");
  EXPECT_TRUE(has(trained, "play " + folder_.file("libnim.so") + " run/bots/final.safetensors")) << trained;
  EXPECT_GT(json("rival eval run --matches 200")["score"], 0.5);
  EXPECT_EQ(json("rival eval run/bots/final.safetensors --against search:20 --matches 10")["matches"], 10);
  EXPECT_EQ(json("rival ladder run --matches 100")["game"], "nim");
  EXPECT_EQ(json("rival watch run --out match.html --save match.replay")["game"], "nim");
  EXPECT_EQ(json("rival watch match.replay --game ./libnim.so --out again.html")["game"], "nim");
  EXPECT_TRUE(has(said("rival play libnim.so run --watch"), "heaps: "));
  EXPECT_GT(json("rival bench ./libnim.so --seconds 0.01 --hidden 8 --threads 1")["env_steps_per_second"], 0);
  const Json both = json("rival bench connect_four --beside libconnect_four.so --seconds 0.1 --hidden 8 --threads 1");
  EXPECT_EQ(both["beside"]["game"], "libconnect_four.so");
  EXPECT_GT(both["beside"]["env_ratio"], 0.1);  // not so fast where everything is instrumented
  EXPECT_GT(both["beside"]["train_ratio"], 0.1);
  EXPECT_EQ(json("rival export run --out run.onnx")["game"], "nim");
  EXPECT_FALSE(has(content("run.onnx"), "libnim.so"));  // where it lies here is nobody's business
  // From another folder.
  said("mkdir other && cd other && rival eval ../run --matches 10");
}

TEST_F(LibraryGame, TrainsJustAsTheOneBuiltIn) {
  said("rival train connect_four --steps 2e4 --hidden 16x16 --threads 1 --out own");
  said("rival train ./libconnect_four.so --steps 2e4 --hidden 16x16 --threads 1 --out library");
  // The same weights: both files end with them, behind headers that differ by the origin.
  const std::string own = content("own/bots/final.safetensors"), library = content("library/bots/final.safetensors");
  ASSERT_GT(own.size(), 8000u);
  EXPECT_EQ(own.substr(own.size() - 7000), library.substr(library.size() - 7000));
  EXPECT_FALSE(has(own, "origin"));
  EXPECT_TRUE(has(library, folder_.file("libconnect_four.so")));
  EXPECT_FALSE(has(content("own/config.toml"), "origin"));
}

TEST_F(LibraryGame, RunsGoOnWithoutItsName) {
  said("rival train ./libnim.so --steps 2e4 --hidden 16x16 --out run");
  EXPECT_EQ(json("mkdir -p b && cd b && rival train --resume --out ../run --steps 4e4")["game"], "nim");
  EXPECT_EQ(json("rival train ./libnim.so --resume --out run --steps 6e4")["game"], "nim");
  EXPECT_TRUE(
      has(failed("rival train connect_four --resume --out run"), "run is for the game 'nim', not for 'connect_four'"));
  EXPECT_EQ(in_folder("rival train --out run").exit_code, 2);
  EXPECT_EQ(in_folder("rival train --resume").exit_code, 2);
}

TEST_F(LibraryGame, ThatIsGoneOrAnotherIsToldAndMayBeNamed) {
  said("rival train ./libnim.so --steps 2e4 --hidden 16x16 --out run && mkdir moved && mv libnim.so moved/");
  const std::string gone =
      "for the game 'nim', which cannot be opened (if it is elsewhere now, name that with --game, or to train as "
      "GAME): " +
      folder_.file("libnim.so") + ": there is no such library";
  for (const char* command : {"eval run", "eval run/bots/final.safetensors", "ladder run", "watch run --out x.html",
                              "export run", "train --resume --out run"}) {
    const std::string error = failed(std::string("rival ") + command);
    EXPECT_TRUE(has(error, gone)) << error;
  }
  said("cp libconnect_four.so libnim.so");
  EXPECT_TRUE(has(failed("rival eval run"),
                  "is for the game 'nim', but " + folder_.file("libnim.so") + " holds the game 'connect_four' now"));
  for (const char* command :
       {"eval run --matches 10", "ladder run --matches 100", "watch run --out x.html", "export run --out x.onnx"})
    EXPECT_EQ(json(std::string("rival ") + command + " --game moved/libnim.so")["game"], "nim") << command;
  // A run that goes on stays with the new place.
  said("rival train moved/libnim.so --resume --out run --steps 4e4 && rival eval run --matches 10");
}

TEST_F(LibraryGame, IsolatedPlaysTheSameMatches) {
  for (const std::string line : {"rival eval random --game ./libnim.so --matches 50",
                                 "rival eval random --game ./libnim.so --against search:10 --matches 10"}) {
    const Json here = json(line);
    EXPECT_GT(here["distinct"], 5);
    EXPECT_EQ(json(line + " --isolate --workers 1"), here);
  }
  EXPECT_TRUE(has(said("rival check ./libconnect_four.so --isolate --matches 5"), "keeps its promises"));
  EXPECT_TRUE(has(failed("rival check ./libnim.so --workers 2"), "--workers goes with --isolate"));
  EXPECT_TRUE(
      has(failed("rival check ./libmin.so --isolate"), "there is no such library; did you mean './libnim.so'?"));
  EXPECT_EQ(in_folder("rival check pig --isolate").exit_code, 2);
}

TEST_F(LibraryGame, ACrashIsAnErrorIfItIsIsolated) {
  EXPECT_GT(in_folder("rival train ./libcrashing_game.so --steps 1e5 --out gone").exit_code, 128);
  const std::string error = failed("rival train ./libcrashing_game.so --isolate --steps 1e5 --hidden 8 --out run");
  EXPECT_TRUE(has(error, "game 'crasher'")) << error;
  EXPECT_TRUE(has(error, "signal 9")) << error;
  EXPECT_TRUE(fs::exists(folder_.file("run/config.toml")));
}

}  // namespace
}  // namespace rival
