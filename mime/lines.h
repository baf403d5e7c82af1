// A mail as lines. They end in LF or CRLF; the last may have no end.
#pragma once

#include <string_view>

namespace cmpost {

struct Line {
  std::string_view text;  // without the line end
  std::size_t begin;      // offsets in the mail
  std::size_t end;        // of the next line
};

class Lines {
 public:
  explicit Lines(std::string_view mail) : mail_(mail) {}

  bool at_end() const { return position_ == mail_.size(); }
  std::size_t position() const { return position_; }
  // Only when not at_end().
  Line next() {
    const auto feed = mail_.find('\n', position_);
    const auto end = feed == mail_.npos ? mail_.size() : feed + 1;
    auto text = mail_.substr(position_, end - position_);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.size() + 1 == end - position_ && text.ends_with('\r')) text.remove_suffix(1);
    const Line line{text, position_, end};
    position_ = end;
    return line;
  }
  // The octets from `begin` to `end` less one line end: the one before a delimiter belongs to the
  // delimiter (RFC 2046 5.1.1).
  std::string_view before_line_end(std::size_t begin, std::size_t end) const {
    auto text = mail_.substr(begin, end - begin);
    if (text.ends_with('\n')) {
      text.remove_suffix(1);
      if (text.ends_with('\r')) text.remove_suffix(1);
    }
    return text;
  }
  std::string_view between(std::size_t begin, std::size_t end) const {
    return mail_.substr(begin, end - begin);
  }

 private:
  std::string_view mail_;
  std::size_t position_ = 0;
};

}  // namespace cmpost
