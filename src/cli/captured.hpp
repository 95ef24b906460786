// Runs the command line in this process and catches what it writes. For tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "games/catalog.hpp"

namespace rival::cli {

struct Captured {
  int exit_code;
  std::string out, err;

  // What --json printed; discarded (is_discarded()) if it is no JSON.
  nlohmann::ordered_json json() const { return nlohmann::ordered_json::parse(out, nullptr, false); }
};

// `rival` with these arguments.
inline Captured capture(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"rival"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Captured captured{run(static_cast<int>(argv.size()), argv.data(), catalog()), "", ""};
  std::fflush(stdout);
  captured.out = testing::internal::GetCapturedStdout();
  captured.err = testing::internal::GetCapturedStderr();
  return captured;
}

}  // namespace rival::cli
