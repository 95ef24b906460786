// What all pages share: one HTML file each, with its style, script and data inside, that needs no network and no other
// file. Pages are templates in this folder, built into the program.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rival {

// Text as it may stand between tags or in a quoted attribute.
std::string html_text(std::string_view text);

// JSON as it may stand in a <script type="application/json">: nothing in it can end the element or begin a comment,
// whatever the strings hold. Bytes that are no UTF-8 become U+FFFD.
std::string script_json(const nlohmann::json& data);

// head.html, which is the same for all, with a page's own template behind it.
std::string with_head(std::string_view body);

// page.js, which is the same for all, with a page's own script behind it.
std::string with_page_script(std::string_view script);

// The template with `{{TITLE}}` (escaped here), `{{STYLE}}`, `{{DATA}}` and `{{SCRIPT}}` filled in, once each and in
// this order; what is filled in is not searched again.
std::string fill_page(std::string_view page, std::string_view title, std::string_view style, std::string_view script,
                      const nlohmann::json& data);

}  // namespace rival
