// Runs a shell command for tests that watch a program from outside.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace rival {

struct Finished {
  int exit_code = -1;
  std::string output;  // stdout and stderr, unless the command redirects them
};

inline Finished run_shell(const std::string& command) {
  Finished finished;
  std::FILE* pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (!pipe) return finished;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) finished.output.append(buffer, size);
  const int status = pclose(pipe);
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace rival
