#include "mail/wire/imap_reader.h"

namespace cmpost {

tl::unexpected<Error> ImapReader::confused(std::string_view expected) const {
  const auto rest = std::string_view(response_.text).substr(at_);
  return retry("the IMAP server sent '" + printable(rest, 40) + "' where " + std::string(expected) +
               " was expected");
}

bool ImapReader::at_literal() const {
  return literals_ < response_.literals.size() && response_.literals[literals_].offset == at_;
}

bool ImapReader::at(char c) const {
  return !at_literal() && at_ < response_.text.size() && response_.text[at_] == c;
}

Result<void> ImapReader::expect(char c) {
  if (!at(c)) return confused(std::string("'") + c + "'");
  ++at_;
  return {};
}

// Up to the next literal at the latest.
std::string_view ImapReader::atom() {
  const auto end = literals_ < response_.literals.size() ? response_.literals[literals_].offset
                                                         : response_.text.size();
  const auto rest = std::string_view(response_.text).substr(at_, end - at_);
  const auto word = rest.substr(0, rest.find_first_of(" ()\""));
  at_ += word.size();
  return word;
}

Result<std::string> ImapReader::item_name() {
  std::string name(atom());
  if (name.empty()) return confused("the name of an item");
  // Within brackets there may be spaces and lists.
  while (name.find('[') != std::string::npos && name.find(']') == std::string::npos) {
    if (at_literal() || at_ == response_.text.size()) return confused("']'");
    name += response_.text[at_++];
    name += atom();
  }
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

Result<std::uint32_t> ImapReader::number() {
  const auto value = read_imap_number(atom());
  if (!value) return confused("a number");
  return *value;
}

Result<std::string> ImapReader::quoted() {
  TRY(expect('"'));
  std::string value;
  while (!at('"')) {
    if (at('\\')) ++at_;
    if (at_literal() || at_ >= response_.text.size()) return confused("'\"'");
    value += response_.text[at_++];
  }
  ++at_;
  return value;
}

Result<std::optional<Bytes>> ImapReader::nstring() {
  if (at_literal()) return response_.literals[literals_++].octets;
  if (at('"')) {
    ASSIGN_OR_RETURN(const auto value, quoted());
    return to_bytes(value);
  }
  const auto word = atom();
  if (word == "NIL" || word == "nil") return std::nullopt;
  return confused("a string");
}

Result<std::string> ImapReader::text() {
  ASSIGN_OR_RETURN(const auto octets, nstring());
  return octets ? std::string(text_of(*octets)) : std::string();
}

// Lists without recursion: only their depth matters.
Result<void> ImapReader::skip_value() {
  std::size_t depth = 0;
  do {
    if (at_literal()) {
      ++literals_;
    } else if (at('(')) {
      ++depth, ++at_;
    } else if (at(')') && depth > 0) {
      --depth, ++at_;
    } else if (at('"')) {
      TRY(quoted());
    } else if (at(' ') && depth > 0) {
      ++at_;
    } else if (atom().empty()) {
      return confused("a value");
    }
  } while (depth > 0);
  return {};
}

}  // namespace cmpost
