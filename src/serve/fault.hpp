// How the protocols of other inference servers tell what is amiss.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/json.hpp"
#include "serve/endpoint.hpp"

namespace rival::serve {

inline constexpr const char* kUnknownPath =
    "there is no such path; docs/moving-from-torchserve.md has those that there are";
inline constexpr const char* kEnding = "the server is about to end";

// KServe's and Triton's.
inline HttpAnswer fault(int status, const std::string& what) {
  return {.status = status, .body = json_text(nlohmann::ordered_json{{"error", what}})};
}

inline HttpAnswer torchserve_fault(int status, const std::string& what, const char* type = nullptr) {
  if (!type)
    type = status == 403   ? "InvalidModelVersionException"
           : status == 404 ? "ModelNotFoundException"
           : status == 405 ? "MethodNotAllowedException"
           : status == 409 ? "ConflictStatusException"
           : status == 500 ? "InternalServerException"
           : status == 503 ? "ServiceUnavailableException"
                           : "BadRequestException";
  return {.status = status,
          .body = json_text(nlohmann::ordered_json{{"code", status}, {"type", type}, {"message", what}}, 2)};
}

}  // namespace rival::serve
