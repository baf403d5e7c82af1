#include "mail/wire/imap_response.h"

#include <algorithm>
#include <charconv>

#include "mail/wire/imap_reader.h"

namespace cmpost {
namespace {

auto confused(std::string_view what, std::string_view line) {
  return retry("the IMAP server sent " + std::string(what) + ": " + printable(line, 80));
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

// Cuts the next word and the space behind it off `text`.
std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

struct Announcement {
  std::size_t start = 0;  // of '{' in the line
  std::size_t octets = 0;
};

// RFC 9051, 4.3: "A literal is a sequence of zero or more octets [...] prefix-quoted with an octet
// count in the form of an open brace ("{"), the number of octets, close brace ("}"), and a CRLF."
std::optional<Announcement> announcement(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  auto digits = line.substr(open + 1, line.size() - open - 2);
  if (digits.ends_with('+')) digits.remove_suffix(1);
  const auto octets = read_imap_number(digits);
  if (!octets) return std::nullopt;
  return Announcement{open, *octets};
}

// Conditions: "OK [CODE] words for people". No literal can stand in those, whatever they end with.
void read_condition(std::string_view rest, ImapResponse& response) {
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close != std::string_view::npos) {
      response.code = rest.substr(1, close - 1);
      rest.remove_prefix(close + 1);
      if (rest.starts_with(' ')) rest.remove_prefix(1);
    }
  }
  response.text = rest;
}

// `line` is what came after "* 12 FETCH ", up to the first line end.
Result<void> read_data(OctetStream& stream, const ImapLimits& limits, std::string line,
                       ImapResponse& response) {
  std::size_t octets = 0;
  while (const auto literal = announcement(line)) {
    line.resize(literal->start);
    response.text += line;
    octets += literal->octets;
    if (octets > limits.literal || response.literals.size() == limits.literals) {
      return confused("more than was asked for", response.text);
    }
    ASSIGN_OR_RETURN(auto content, stream.read_exactly(literal->octets));
    response.literals.push_back({response.text.size(), std::move(content)});
    const auto left = limits.line - std::min(limits.line, response.text.size());
    ASSIGN_OR_RETURN(line, stream.read_line(left));
  }
  response.text += line;
  return {};
}

Result<void> read_untagged(OctetStream& stream, const ImapLimits& limits, std::string_view rest,
                           ImapResponse& response) {
  auto word = take_word(rest);
  if (const auto number = read_imap_number(word)) {
    response.number = number;
    word = take_word(rest);
  }
  response.name = upper(word);
  if (response.name.empty()) return confused("a response without a name", rest);
  if (response.is_condition() && !response.number) {
    read_condition(rest, response);
    return {};
  }
  return read_data(stream, limits, std::string(rest), response);
}

}  // namespace

bool ImapResponse::is_condition() const {
  return name == "OK" || name == "NO" || name == "BAD" || name == "BYE" || name == "PREAUTH";
}

std::optional<std::string> ImapResponse::code_value(std::string_view wanted) const {
  std::string_view rest = code;
  if (upper(take_word(rest)) != wanted) return std::nullopt;
  return std::string(rest);
}

Result<ImapResponse> read_imap_response(OctetStream& stream, const ImapLimits& limits) {
  ASSIGN_OR_RETURN(const auto line, stream.read_line(limits.line));
  std::string_view rest = line;
  ImapResponse response;
  const auto first = take_word(rest);
  if (first == "*") {
    TRY(read_untagged(stream, limits, rest, response));
    return response;
  }
  if (first == "+") {
    response.kind = ImapResponse::Kind::continuation;
    response.text = rest;
    return response;
  }
  response.kind = ImapResponse::Kind::tagged;
  response.tag = first;
  response.name = upper(take_word(rest));
  if (response.name != "OK" && response.name != "NO" && response.name != "BAD") {
    return confused("what is no response", line);
  }
  read_condition(rest, response);
  return response;
}

Result<ImapFetch> read_imap_fetch(const ImapResponse& response) {
  ImapReader reader(response);
  ImapFetch fetch;
  TRY(reader.expect('('));
  while (!reader.at(')')) {
    ASSIGN_OR_RETURN(const auto item, reader.item_name());
    TRY(reader.expect(' '));
    if (item == "BODY[]" || item == "BODY[]<0>") {
      ASSIGN_OR_RETURN(fetch.body, reader.nstring());
    } else if (item == "UID") {
      ASSIGN_OR_RETURN(fetch.uid, reader.number());
    } else if (item == "RFC822.SIZE") {
      ASSIGN_OR_RETURN(fetch.size, reader.number());
    } else {
      TRY(reader.skip_value());
    }
    if (reader.at(' ')) TRY(reader.expect(' '));
  }
  return fetch;
}

Result<std::vector<std::uint32_t>> read_imap_numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  while (!text.empty()) {
    const auto word = take_word(text);
    if (word.empty()) continue;
    // RFC 7162 (CONDSTORE) puts "(MODSEQ 917162500)" behind the numbers.
    if (word.starts_with('(')) break;
    const auto number = read_imap_number(word);
    if (!number) return confused("no number", word);
    numbers.push_back(*number);
  }
  return numbers;
}

Result<ImapNamespace> read_imap_namespace(const ImapResponse& response) {
  ImapReader reader(response);
  ImapNamespace found;
  if (!reader.at('(')) return found;
  TRY(reader.expect('('));
  TRY(reader.expect('('));
  ASSIGN_OR_RETURN(found.prefix, reader.text());
  TRY(reader.expect(' '));
  ASSIGN_OR_RETURN(found.separator, reader.text());
  return found;
}

Result<std::string> read_imap_list_separator(const ImapResponse& response) {
  ImapReader reader(response);
  TRY(reader.skip_value());
  TRY(reader.expect(' '));
  return reader.text();
}

std::string imap_sequence_set(const std::vector<std::uint32_t>& uids) {
  std::string set;
  for (std::size_t first = 0; first < uids.size();) {
    std::size_t last = first;
    while (last + 1 < uids.size() && uids[last + 1] - uids[last] <= 1) ++last;
    if (!set.empty()) set += ',';
    set += std::to_string(uids[first]);
    if (uids[last] != uids[first]) set += ':' + std::to_string(uids[last]);
    first = last + 1;
  }
  return set;
}

std::optional<std::uint32_t> read_imap_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace cmpost
