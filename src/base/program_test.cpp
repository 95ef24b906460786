#include "base/program.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace rival {
namespace {

std::string shell_prints(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

TEST(Program, FileIsTheOneThatRuns) {
  EXPECT_TRUE(program_file().ends_with("/base_test")) << program_file();
}

TEST(Program, CommandLinesAreWhatAShellTakes) {
  EXPECT_EQ(program_name(), "rival");
  EXPECT_EQ(command_line({"eval", "my runs/a b"}), "rival eval 'my runs/a b'");
  set_program_name("./my game");
  EXPECT_EQ(command_line({"train"}), "'./my game' train");
  set_program_name("");
  EXPECT_EQ(program_name(), "rival");
  for (const std::string word : {"", "plain-1.0_/=:,@%+", "it's", "a b", "$HOME", "`id`", "~", "*", "a\nb", "\\", "#x"})
    EXPECT_EQ(shell_prints("printf %s " + shell_quoted(word)), word);
}

}  // namespace
}  // namespace rival
