// A server whose words are known beforehand.
#pragma once

#include "mail/wire/octet_stream.h"

namespace cmpost {

class TextStream final : public OctetStream {
 public:
  explicit TextStream(std::string text) : text_(std::move(text)) {}

  Result<void> send(std::string_view octets) override {
    sent_ += octets;
    return {};
  }
  Result<std::string> read_line(std::size_t max) override {
    const auto end = text_.find('\n', at_);
    if (end == std::string::npos) return retry("the end");
    auto line = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (line.size() > max) return retry("the line is too long");
    return line;
  }
  Result<Bytes> read_exactly(std::size_t count) override {
    if (count > text_.size() - at_) return retry("the end");
    at_ += count;
    return to_bytes(std::string_view(text_).substr(at_ - count, count));
  }

  std::string rest() const { return text_.substr(at_); }
  const std::string& sent() const { return sent_; }

 private:
  std::string text_, sent_;
  std::size_t at_ = 0;
};

}  // namespace cmpost
