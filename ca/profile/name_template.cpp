#include "ca/profile/name_template.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/bytes.h"
#include "ca/lint/name_syntax.h"

namespace cmpost {
namespace {

// Where in a name something stands.
enum class Place {
  host,       // in a DNS name, behind the '@' of a mailbox, in the authority of a URI
  port,       // behind the host of a URI
  local,      // in front of the '@' of a mailbox
  scheme,     // in front of the first ':' of a URI
  hierarchy,  // in the path, query or fragment of a URI with an authority
  opaque,     // behind the scheme of any other URI
  address,
  identifier,
  directory,
  nowhere
};

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex_digit(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool consists_of(std::string_view value, bool (*is_such)(char), std::string_view more) {
  return std::ranges::all_of(
      value, [&](char c) { return is_such(c) || more.find(c) != std::string_view::npos; });
}

struct NameKind {
  std::string_view prefix;  // as GeneralName::from_text has it, in small letters
  Place place;              // right behind it
};
constexpr std::array kNameKinds = {
    NameKind{"dns:", Place::host},       NameKind{"email:", Place::local},
    NameKind{"uri:", Place::scheme},     NameKind{"ip:", Place::address},
    NameKind{"rid:", Place::identifier}, NameKind{"dirname:", Place::directory}};

const NameKind* name_kind_of(std::string_view text) {
  const auto small = lower_ascii(text.substr(0, 8));
  const auto found = std::ranges::find_if(
      kNameKinds, [&](const NameKind& one) { return small.starts_with(one.prefix); });
  return found == kNameKinds.end() ? nullptr : &*found;
}

Place place_in_uri(std::string_view uri) {
  const auto colon = uri.find(':');
  if (colon == std::string_view::npos) return Place::scheme;
  const auto rest = uri.substr(colon + 1);
  if (!rest.starts_with("//")) return Place::opaque;
  const auto authority = rest.substr(2);
  if (authority.find_first_of("/?#") != std::string_view::npos) return Place::hierarchy;
  const auto host_end = authority.rfind(']');
  const auto port = authority.find(':', host_end == std::string_view::npos ? 0 : host_end);
  const bool in_brackets = host_end == std::string_view::npos && authority.starts_with('[');
  return port == std::string_view::npos || in_brackets ? Place::host : Place::port;
}

Place place_behind(std::string_view before) {
  const auto* kind = name_kind_of(before);
  if (kind == nullptr) return Place::nowhere;
  const auto rest = before.substr(kind->prefix.size());
  if (kind->place == Place::scheme) return place_in_uri(rest);
  const bool behind_at = kind->place == Place::local && rest.find('@') != std::string_view::npos;
  return behind_at ? Place::host : kind->place;
}

bool is_at_the_beginning(std::string_view before) {
  return name_kind_of(before)->prefix.size() == before.size();
}

bool is_ipv6(std::string_view address) { return address.find(':') != std::string_view::npos; }

// RFC 3986 2.3, 2.1.
std::string percent_encoded(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const bool plain = is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
    text += plain ? std::string(1, c) : "%" + to_hex(view_of(std::string_view(&c, 1)));
  }
  return text;
}

auto unfit(std::string_view placeholder, std::string_view value, std::string_view before,
           std::string_view rule) {
  return refuse(Refusal::Reason::extension,
                "the " + std::string(placeholder) + " of the request, \"" + printable(value, 80) +
                    "\", cannot stand behind \"" + printable(before, 80) +
                    "\" in a name: " + std::string(rule));
}

struct Fit {
  std::string_view placeholder, value, before;

  Allowed<std::string> as_is(bool fits, std::string_view rule) const {
    if (fits) return std::string(value);
    return unfit(placeholder, value, before, rule);
  }

  Allowed<std::string> host() const {
    if (placeholder == "dns") {
      return as_is(host_fault(value, false).empty(), "a host name is expected there");
    }
    if (placeholder == "ip") {
      const bool in_uri = name_kind_of(before)->place == Place::scheme;
      if (in_uri && is_ipv6(value) && !before.ends_with('[')) {
        return "[" + std::string(value) + "]";
      }
      return as_is(in_uri || !is_ipv6(value), "an IPv6 address is no part of a host name");
    }
    return as_is(consists_of(value, is_alphanumeric, "-_"),
                 "letters, digits, '-' and '_' are allowed there");
  }

  Allowed<std::string> local() const {
    if (placeholder == "email" && is_at_the_beginning(before)) return std::string(value);
    return as_is(consists_of(value, is_alphanumeric, "-_.+"),
                 "letters, digits and \"-_.+\" are allowed there");
  }

  Allowed<std::string> scheme() const {
    return as_is(placeholder == "uri" && is_at_the_beginning(before),
                 "nothing but {uri} may say which scheme a URI has");
  }

  // "mailto:{email}"
  Allowed<std::string> opaque() const {
    const auto at = value.rfind('@');
    if (placeholder != "email" || at == std::string_view::npos || !before.ends_with(':')) {
      return percent_encoded(value);
    }
    return percent_encoded(value.substr(0, at)) + "@" + percent_encoded(value.substr(at + 1));
  }

  Allowed<std::string> address() const {
    if (placeholder == "ip" && is_at_the_beginning(before)) return std::string(value);
    return as_is(consists_of(value, is_hex_digit, ""), "one part of an address is expected there");
  }
};

}  // namespace

bool names_a_kind(std::string_view text) { return name_kind_of(text) != nullptr; }

Allowed<std::string> fit_into_name(std::string_view placeholder, std::string_view value,
                                   std::string_view before) {
  const Fit fit{placeholder, value, before};
  switch (place_behind(before)) {
    case Place::host:
      return fit.host();
    case Place::port:
      return fit.as_is(consists_of(value, is_decimal, ""), "a port is a number");
    case Place::local:
      return fit.local();
    case Place::scheme:
      return fit.scheme();
    case Place::hierarchy:
      return percent_encoded(value);
    case Place::opaque:
      return fit.opaque();
    case Place::address:
      return fit.address();
    case Place::identifier:
      return fit.as_is(consists_of(value, is_decimal, "."), "numbers are expected there");
    case Place::directory:
      return escaped_value(value);
    case Place::nowhere:
      break;
  }
  return unfit(placeholder, value, before, "the profile has to say which kind of name it is");
}

// RFC 3986 5.2.4: readers take "." and ".." out, and a segment before them.
std::string fault_of_filled(std::string_view text) {
  const auto* kind = name_kind_of(text);
  if (kind == nullptr || kind->place != Place::scheme) return {};
  auto path = text.substr(0, text.find_first_of("?#"));
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const auto segment = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (segment == "." || segment == "..") return "its path leads elsewhere";
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return {};
}

std::string escaped_value(std::string_view value) {
  std::string text;
  for (const char c : value) {
    text +=
        is_alphanumeric(c) ? std::string(1, c) : "\\" + to_hex(view_of(std::string_view(&c, 1)));
  }
  return text;
}

}  // namespace cmpost
