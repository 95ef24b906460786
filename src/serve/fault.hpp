// What is amiss in requests by the protocols of other inference servers, and how each of them tells.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.hpp"
#include "serve/endpoint.hpp"

namespace rival::serve {

inline constexpr const char* kUnknownPath =
    "there is no such path; docs/moving-from-torchserve.md has those that there are";
inline constexpr const char* kEnding = "the server is about to end";

inline bool is_read(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

// "" is as it should be.
inline std::string amiss_in_method(const HttpRequest& request, std::initializer_list<const char*> methods) {
  if (std::find(methods.begin(), methods.end(), request.method) != methods.end()) return "";
  return fmt::format("{} is not for this path: {}", request.method, fmt::join(methods, ", "));
}

inline std::string amiss_in_encoding(const HttpRequest& request) {
  const std::string_view encoding = header(request, "content-encoding");
  if (encoding.empty() || encoding == "identity") return "";
  return fmt::format("bodies are taken as they are, not compressed: the Content-Encoding '{}' is not known", encoding);
}

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
