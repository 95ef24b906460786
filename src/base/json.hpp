// JSON as text.
#pragma once

#include <string>

namespace rival {

// The one way out for JSON (nlohmann's), because it never fails: paths and names may hold any bytes, and those that are
// not UTF-8 become U+FFFD. In one line unless `indent` says otherwise.
template <class Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rival
