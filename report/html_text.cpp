#include "report/html_text.h"

#include "base/bytes.h"
#include "report/words.h"

namespace cmpost {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A blank within a number, or before its unit.
bool is_in_number(std::string_view text, std::size_t at) {
  return at > 0 && at + 1 < text.size() && is_digit(text[at - 1]) &&
         (is_digit(text[at + 1]) || text[at + 1] == '%');
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto escaped = entity(text[i]); !escaped.empty()) {
      out += escaped;
    } else if (text[i] == ' ' && is_in_number(text, i)) {
      out += "&nbsp;";
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string foreign(std::string_view text, std::size_t limit) {
  return text.empty() ? std::string() : "<bdi>" + html(printable(text, limit)) + "</bdi>";
}

std::string html_number(std::uint64_t number) { return html(grouped(number)); }

std::string element(std::string_view name, std::string_view attributes, std::string_view inner) {
  std::string out = "<" + std::string(name);
  if (!attributes.empty()) out += " " + std::string(attributes);
  return out + ">" + std::string(inner) + "</" + std::string(name) + ">\n";
}

std::string labelled_cell(std::string_view label, std::string_view inner, std::string_view more) {
  const auto start = "<td data-label=\"" + std::string(label) + "\"" + std::string(more) + ">";
  return start + (inner.empty() ? "" : "<div>" + std::string(inner) + "</div>") + "</td>";
}

}  // namespace cmpost
