// The program as people call it, and commands to suggest to them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace rival {

// How this program was called: "rival", "./mygame". "rival" until it is set, which the command line does once, before
// there are threads.
const std::string& program_name();
void set_program_name(std::string_view name);

// The file of this program; "" if the system does not say.
std::string program_file();

// A word as a shell takes it: in quotes, if it holds anything that means something to a shell.
std::string shell_quoted(std::string_view word);

// What to type for this program to be given these words: {"eval", "my runs/a"} -> "rival eval 'my runs/a'".
std::string command_line(std::initializer_list<std::string_view> words);

}  // namespace rival
