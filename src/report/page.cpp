#include "report/page.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/json.hpp"
#include "report/assets.hpp"

namespace rival {

std::string html_text(std::string_view text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string script_json(const nlohmann::json& data) {
  std::string out;
  for (char c : json_text(data))
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

std::string with_head(std::string_view body) {
  return std::string(embedded::head_html).append(body);
}

std::string with_page_script(std::string_view script) {
  return std::string(embedded::page_js).append(script);
}

std::string fill_page(std::string_view page, std::string_view title, std::string_view style, std::string_view script,
                      const nlohmann::json& data) {
  const std::pair<std::string_view, std::string> holes[] = {{"{{TITLE}}", html_text(title)},
                                                            {"{{STYLE}}", std::string(style)},
                                                            {"{{DATA}}", script_json(data)},
                                                            {"{{SCRIPT}}", std::string(script)}};
  std::string out;
  for (const auto& [name, content] : holes) {
    const std::size_t at = page.find(name);
    check(at != std::string_view::npos, "a page's template lacks a part, or has it in another order");
    out.append(page.substr(0, at)).append(content);
    page.remove_prefix(at + name.size());
  }
  return out.append(page);
}

}  // namespace rival
