#include "mime/header.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kShownOctets = 40;

// RFC 5322 3.6.8: printable ASCII without the colon. Blanks before the colon are obsolete, and some
// readers end the header there.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_visible);
}

auto bad_header(std::string_view what, std::string_view line) {
  return hold("a header " + std::string(what) + ": \"" + printable(line, kShownOctets) + "\"");
}

Result<void> check_header_line(std::string_view line, const MailLimits& limits) {
  if (line.size() > limits.line) {
    return hold("a header line is longer than " + std::to_string(limits.line) + " octets");
  }
  if (line.find('\0') != line.npos) return bad_header("line contains NUL", line);
  if (line.find('\r') != line.npos) return bad_header("line contains CR without LF", line);
  return {};
}

// The value grows over the lines that continue it; all are neighbours in the mail.
Result<void> add_header_line(Header& header, std::string_view line) {
  if (is_blank(line.front())) {
    if (header.fields.empty()) return bad_header("starts with a continued line", line);
    if (trimmed(line).empty()) return hold("a header has a line of blanks only");
    auto& value = header.fields.back().value;
    value = {value.data(), static_cast<std::size_t>(line.data() + line.size() - value.data())};
    return {};
  }
  const auto colon = line.find(':');
  if (colon == line.npos) return bad_header("line has no colon", line);
  if (!is_field_name(line.substr(0, colon))) return bad_header("field has an illegal name", line);
  header.fields.push_back({line.substr(0, colon), line.substr(colon + 1)});
  return {};
}

bool is_content_field(const HeaderField& field) {
  return starts_with_letters(field.name, "content-");
}

// The first wins for some readers, the last for others.
Result<void> refuse_double_content_fields(const Header& header) {
  for (auto field = header.fields.begin(); field != header.fields.end(); ++field) {
    if (!is_content_field(*field)) continue;
    const auto again = std::any_of(field + 1, header.fields.end(), [&](const HeaderField& other) {
      return same_letters(other.name, field->name);
    });
    if (again) return hold("a header has " + std::string(field->name) + " twice");
  }
  return {};
}

}  // namespace

std::vector<std::string_view> Header::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields) {
    if (same_letters(field.name, name)) values.push_back(field.value);
  }
  return values;
}

std::optional<std::string_view> Header::only(std::string_view name) const {
  const auto values = all(name);
  return values.size() == 1 ? std::optional(values.front()) : std::nullopt;
}

Result<Header> read_header(Lines& lines, const Boundaries& boundaries, const MailLimits& limits) {
  Header header;
  const auto begin = lines.position();
  while (!lines.at_end()) {
    const auto line = lines.next();
    if (line.end - begin > limits.header) {
      return hold("a header is longer than " + std::to_string(limits.header) + " octets");
    }
    if (line.text.empty()) {
      TRY(refuse_double_content_fields(header));
      return header;
    }
    if (boundaries.resembles(line.text)) return hold("a part ends within its header");
    TRY(check_header_line(line.text, limits));
    TRY(add_header_line(header, line.text));
    if (header.fields.size() > limits.fields) {
      return hold("a header has more than " + std::to_string(limits.fields) + " fields");
    }
  }
  return hold("a header has no end");
}

Header read_quoted_header(std::string_view text, const MailLimits& limits) {
  Header header;
  Lines lines(text);
  while (!lines.at_end() && lines.position() <= limits.header) {
    const auto line = lines.next();
    if (line.text.empty() || header.fields.size() >= limits.fields) break;
    if (!check_header_line(line.text, limits) || !add_header_line(header, line.text)) break;
  }
  return header;
}

}  // namespace cmpost
