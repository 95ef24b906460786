// What only those may do who know a secret.
#pragma once

#include <string_view>

namespace rival {

// Whether the texts are the same, in a time that does not tell where they differ.
inline bool same_secret(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()]));
  return difference == 0;
}

// Whether a header Authorization shows a token: "Bearer TOKEN".
inline bool shows_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view kBearer = "Bearer ";
  return authorization.starts_with(kBearer) && same_secret(authorization.substr(kBearer.size()), token);
}

}  // namespace rival
