// What an IMAP server says (RFC 9051, RFC 3501), as far as this client asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mail/wire/octet_stream.h"

namespace cmpost {

// Checked before memory is taken.
struct ImapLimits {
  // One UID takes up to 11 octets of a SEARCH response.
  std::size_t line = std::size_t{4} << 20U;
  std::size_t literal = std::size_t{64} << 10U;  // one, and all of one response together
  std::size_t literals = 100;                    // of one response
};

// One response with its literals, wherever lines within those seem to say something else.
struct ImapResponse {
  enum class Kind { untagged, tagged, continuation };
  struct Literal {
    std::size_t offset = 0;  // in `text`, where it stood
    Bytes octets;
  };

  Kind kind = Kind::untagged;
  std::string tag;
  // In upper case. Untagged data: "FETCH", "SEARCH"; a condition: "OK", "NO", "BAD", "BYE",
  // "PREAUTH".
  std::string name;
  std::optional<std::uint32_t> number;  // of "* 5 EXISTS"
  std::string code;                     // of "OK [UIDVALIDITY 3]", without brackets
  std::string text;                     // what follows, without the announcements of literals
  std::vector<Literal> literals;

  bool is_condition() const;
  // "3" for code_value("UIDVALIDITY"); nullopt when `code` has another name.
  std::optional<std::string> code_value(std::string_view wanted) const;
};

// Reads one whole response. What breaks the protocol or a limit is an Error (retry), after which
// nothing more can be had from the stream.
Result<ImapResponse> read_imap_response(OctetStream& stream, const ImapLimits& limits);

// What stands in "* 12 FETCH (UID 7 RFC822.SIZE 1234 BODY[] {1234}...". Other items are skipped.
struct ImapFetch {
  std::optional<std::uint32_t> uid;
  std::optional<std::size_t> size;
  std::optional<Bytes> body;  // BODY[] or BODY[]<0>
};
Result<ImapFetch> read_imap_fetch(const ImapResponse& response);

// "1 2 3", as after SEARCH.
Result<std::vector<std::uint32_t>> read_imap_numbers(std::string_view text);

// "(("INBOX." "."))...", as after NAMESPACE: the first of the personal ones. Of `* LIST () "/" ""`
// read_imap_list_separator() gives "/". Empty where the server has none.
struct ImapNamespace {
  std::string prefix, separator;
};
Result<ImapNamespace> read_imap_namespace(const ImapResponse& response);
Result<std::string> read_imap_list_separator(const ImapResponse& response);

// {1,2,3,7} is "1:3,7". `uids` is sorted and not empty.
std::string imap_sequence_set(const std::vector<std::uint32_t>& uids);

// A decimal number that fits and has nothing after it.
std::optional<std::uint32_t> read_imap_number(std::string_view text);

}  // namespace cmpost
