// The files of this folder that pages are made of, as text (rival_embed in cmake/rival.cmake).
#pragma once

#include <string_view>

namespace rival::embedded {

extern const std::string_view page_css, page_js, head_html, watch_html, watch_js, ladder_html, ladder_js, balance_html,
    balance_js;

}  // namespace rival::embedded
