#include "base/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/program.hpp"

namespace rival {

Result<void*> find_in_plugin(const std::string& name, const char* symbol, const std::string& remedy) {
  std::vector<std::string> folders;
  if (const char* named = std::getenv("RIVAL_PLUGINS")) folders.emplace_back(named);
  const std::string program = program_file(), beside = program.substr(0, program.rfind('/') + 1);
  folders.push_back(beside + "plugins");
  folders.push_back(beside + "../" RIVAL_PLUGIN_FOLDER);
  for (const std::string& folder : folders) {
    const std::string file = folder + "/rival-" + name + ".so";
    if (!path_exists(file)) continue;
    void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) return Error{fmt::format("{} cannot be loaded: {}", file, dlerror())};
    using Version = const char*();
    const auto version = reinterpret_cast<Version*>(dlsym(handle, "rival_plugin_version"));
    const std::string_view built = version ? version() : "?";
    if (built != RIVAL_VERSION)
      return Error{fmt::format("{} is of Rival {}, and this is {}", file, built, RIVAL_VERSION)};
    void* found = dlsym(handle, symbol);
    if (!found) return Error{fmt::format("{} has no function {}", file, symbol)};
    return found;
  }
  return Error{fmt::format("there is no rival-{}.so in {}: {}", name, folders.front(), remedy)};
}

}  // namespace rival
