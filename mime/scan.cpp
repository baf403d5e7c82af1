#include "mime/scan.h"

#include <utility>

#include "mime/boundaries.h"
#include "mime/lines.h"
#include "mime/scanned_part.h"
#include "mime/text.h"

namespace cmpost {

namespace {

using Delimiter = Boundaries::Delimiter;

// How a part ends: where its last line begins or the mail ends, and by which delimiter of the
// multipart around it.
struct Ending {
  std::size_t at;
  Delimiter delimiter;
};

// IMAP (RFC 3501 6.4.5): the parts of a multipart count from 1; a mail that is no multipart has the
// one part 1; the outermost multipart of a mail has no number of its own.
struct Place {
  std::string path;
  bool whole_mail;    // the mail or a forwarded one
  bool in_digest;     // child of a multipart/digest
  std::size_t depth;  // multiparts and messages around it
};

std::string numbered(const std::string& path, std::size_t number) {
  return (path.empty() ? "" : path + ".") + std::to_string(number);
}

class Scanner {
 public:
  Scanner(std::string_view mail, const MailLimits& limits) : lines_(mail), limits_(limits) {}

  Result<std::vector<ScannedPart>> run() {
    if (lines_.at_end()) return hold("the mail is empty");
    TRY(entity({"", true, false, 0}));
    return std::move(parts_);
  }

 private:
  Result<Ending> entity(const Place& place);
  Result<Ending> inside(std::size_t part, const Place& place);
  Result<Ending> leaf_body();
  Result<Ending> multipart_body(std::size_t part, const Place& place);
  Result<void> children(std::size_t part, const Place& place);
  Result<Ending> text_around_parts();
  Result<void> check_depth(const Place& place) const;

  Lines lines_;
  const MailLimits& limits_;
  Boundaries boundaries_;
  std::vector<ScannedPart> parts_;
};

Result<Ending> Scanner::entity(const Place& place) {
  if (parts_.size() >= limits_.parts) {
    return hold("the mail has more than " + std::to_string(limits_.parts) + " parts");
  }
  const auto whole = lines_.position();
  ASSIGN_OR_RETURN(auto header, read_header(lines_, boundaries_, limits_));
  if (place.whole_mail && header.fields.empty()) return hold("a mail begins with an empty line");
  ASSIGN_OR_RETURN(auto read, described_part(std::move(header), place.in_digest));
  const bool numbered_one = place.whole_mail && read.kind != ScannedPart::Kind::multipart;
  read.path = numbered_one ? numbered(place.path, 1) : place.path;
  read.depth = place.depth;
  const auto part = parts_.size();
  parts_.push_back(std::move(read));

  const auto begin = lines_.position();
  ASSIGN_OR_RETURN(const auto ending, inside(part, place));
  const auto text = [&](std::size_t from) {
    return ending.delimiter == Delimiter::none ? lines_.between(from, ending.at)
                                               : lines_.before_line_end(from, ending.at);
  };
  parts_[part].body = text(begin);
  parts_[part].whole = text(whole);
  return ending;
}

Result<Ending> Scanner::inside(std::size_t part, const Place& place) {
  switch (parts_[part].kind) {
    case ScannedPart::Kind::leaf:
      return leaf_body();
    case ScannedPart::Kind::multipart:
      return multipart_body(part, place);
    case ScannedPart::Kind::message:
      break;
  }
  TRY(check_depth(place));
  return entity({parts_[part].path, true, false, place.depth + 1});
}

Result<void> Scanner::check_depth(const Place& place) const {
  if (place.depth < limits_.depth) return {};
  return hold("the mail has more than " + std::to_string(limits_.depth) +
              " multiparts and forwarded mails inside one another");
}

// A CR alone ends a line for mimetic and others, and the next one could be a delimiter.
bool hides_delimiter(std::string_view line, const Boundaries& boundaries) {
  for (auto at = line.find("\r--"); at != line.npos; at = line.find("\r--", at + 1)) {
    if (boundaries.resembles(line.substr(at + 1))) return true;
  }
  return false;
}

Result<Ending> Scanner::leaf_body() {
  while (!lines_.at_end()) {
    const auto line = lines_.next();
    if (boundaries_.empty()) continue;
    ASSIGN_OR_RETURN(const auto delimiter, boundaries_.classify(line.text));
    if (delimiter != Delimiter::none) return Ending{line.begin, delimiter};
    if (hides_delimiter(line.text, boundaries_)) {
      return hold("a boundary stands behind a CR without LF");
    }
  }
  if (!boundaries_.empty()) return hold("a multipart has no closing boundary");
  return Ending{lines_.position(), Delimiter::none};
}

// The text before the first delimiter and after the last, which nobody shows.
Result<Ending> Scanner::text_around_parts() {
  while (!lines_.at_end()) {
    const auto line = lines_.next();
    if (line.text.size() > limits_.line) {
      return hold("a line is longer than " + std::to_string(limits_.line) + " octets");
    }
    ASSIGN_OR_RETURN(const auto delimiter, boundaries_.classify(line.text));
    if (delimiter != Delimiter::none) return Ending{line.begin, delimiter};
    if (line.text.find('\r') != line.text.npos) {
      return hold("a line around parts contains CR without LF");
    }
  }
  if (!boundaries_.empty()) return hold("a multipart has no closing boundary");
  return Ending{lines_.position(), Delimiter::none};
}

Result<Ending> Scanner::multipart_body(std::size_t part, const Place& place) {
  TRY(check_depth(place));
  TRY(boundaries_.open(parts_[part].type.parameter("boundary")));
  ASSIGN_OR_RETURN(const auto preamble, text_around_parts());
  if (preamble.delimiter == Delimiter::closing) return hold("a multipart has no parts");
  TRY(children(part, place));
  boundaries_.close();
  return text_around_parts();
}

Result<void> Scanner::children(std::size_t part, const Place& place) {
  // Copies: parts_ moves when it grows.
  const auto path = parts_[part].path;
  const bool digest = parts_[part].type.value == "multipart/digest";
  for (std::size_t number = 1;; ++number) {
    ASSIGN_OR_RETURN(const auto ending,
                     entity({numbered(path, number), false, digest, place.depth + 1}));
    if (ending.delimiter == Delimiter::closing) return {};
  }
}

}  // namespace

ByteView without_mbox_line(ByteView raw) {
  const auto text = text_of(raw);
  if (!text.starts_with("From ")) return raw;
  const auto end = text.find('\n');
  return end == text.npos ? ByteView() : raw.subspan(end + 1);
}

Result<std::vector<ScannedPart>> scan(ByteView raw, const MailLimits& limits) {
  if (raw.size() > limits.mail) {
    return hold("the mail is longer than " + std::to_string(limits.mail) + " octets");
  }
  return Scanner(text_of(without_mbox_line(raw)), limits).run();
}

}  // namespace cmpost
