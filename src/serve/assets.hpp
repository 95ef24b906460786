// The status page, as it stands in this folder (rival_embed in cmake/rival.cmake).
#pragma once

#include <string_view>

namespace rival::embedded {

extern const std::string_view status_html;

}  // namespace rival::embedded
