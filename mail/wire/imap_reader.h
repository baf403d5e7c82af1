// Reads the values in the text of one IMAP response.
#pragma once

#include <optional>
#include <string>

#include "mail/wire/imap_response.h"

namespace cmpost {

// `response` must outlive the reader. Every Error is Recovery::retry.
class ImapReader {
 public:
  explicit ImapReader(const ImapResponse& response) : response_(response) {}

  bool at(char c) const;
  Result<void> expect(char c);
  // "UID", "BODY[HEADER.FIELDS (DATE)]", in upper case.
  Result<std::string> item_name();
  Result<std::uint32_t> number();
  // Quoted or literal; empty for NIL.
  Result<std::string> text();
  // The same for octets; nullopt for NIL.
  Result<std::optional<Bytes>> nstring();
  // An atom, a string, a literal or a list of those.
  Result<void> skip_value();

 private:
  bool at_literal() const;
  std::string_view atom();
  Result<std::string> quoted();
  tl::unexpected<Error> confused(std::string_view expected) const;

  const ImapResponse& response_;
  std::size_t at_ = 0;        // in response_.text
  std::size_t literals_ = 0;  // that were taken
};

}  // namespace cmpost
