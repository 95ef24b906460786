// The bots that commands serve.
#pragma once

#include "cli/command.hpp"
#include "serve/hosted.hpp"

namespace rival::cli {

// Reads a bot for a server: at the temperature and under the limits that its rating asks for, or as players do by
// default.
serve::LoadHosted hosted_loader(const Games& games, std::string game);
serve::LoadSubstitutes substitutes_loader(const Games& games, std::string game);

// The first line of a file, without the spaces around it.
Result<std::string> read_token(const std::string& file);

}  // namespace rival::cli
