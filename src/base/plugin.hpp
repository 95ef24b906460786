// Optional parts of the program, as shared libraries of their own: what they need is only loaded when someone asks for
// it, and the program goes without where it is absent.
#pragma once

#include <string>

#include "base/result.hpp"

namespace rival {

// The function `symbol`, extern "C", of the plug-in NAME: of rival-NAME.so in the folder that the environment's
// RIVAL_PLUGINS names, or in `plugins` beside the program, or where `cmake --install` puts it. It stays loaded. Error:
// there is none, with `remedy` as what to do about it; it cannot be loaded; it is of another version of Rival.
// Thread-safe.
Result<void*> find_in_plugin(const std::string& name, const char* symbol, const std::string& remedy);

}  // namespace rival

// Each plug-in has this line once, in some namespace or none: for whom it is built.
#define RIVAL_PLUGIN                                                                     \
  extern "C" __attribute__((visibility("default"))) const char* rival_plugin_version() { \
    return RIVAL_VERSION;                                                                \
  }
