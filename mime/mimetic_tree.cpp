// The only file that knows mimetic. Used of it are the reader of streams and contentType(), in
// which nobody has found a memory error; not its codecs, addresses and dates, where several are
// known (channels A3). Entities are held by pointer: a copy frees its parts twice.
#include "mime/mimetic_tree.h"

#include <mimetic/mimetic.h>

#include <exception>
#include <iterator>
#include <memory>

#include "base/ascii.h"
#include "mime/text.h"

namespace cmpost {

namespace {

// mimetic has two parsers and chooses by the category. The one for random access takes a boundary
// in the middle of a line for one; the one for input iterators is that of its streams, without the
// stream, and compiled here, where the sanitizers see it.
class OctetIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  OctetIterator() = default;
  explicit OctetIterator(const char* at) : at_(at) {}
  reference operator*() const { return *at_; }
  OctetIterator& operator++() {
    ++at_;
    return *this;
  }
  OctetIterator operator++(int) { return OctetIterator(at_++); }
  bool operator==(const OctetIterator&) const = default;

 private:
  const char* at_ = nullptr;
};

// mimetic leaves blanks and comments in the subtype ("pkixcmp (a comment)").
std::string first_word(std::string_view text) {
  text = trimmed(text);
  return lower_ascii(text.substr(0, text.find_first_of(" \t(")));
}

std::string type_of(const mimetic::MimeEntity& entity) {
  const auto& type = entity.header().contentType();
  const auto first = first_word({type.type().data(), type.type().size()});
  const auto second = first_word({type.subtype().data(), type.subtype().size()});
  return first.empty() && second.empty() ? "text/plain" : first + "/" + second;
}

std::size_t size_of(const mimetic::MimeEntity& entity) {
  const std::string& body = entity.body();
  return body.find_last_not_of("\r\n") + 1;
}

bool contains_parts(const std::string& type) {
  return type.starts_with("multipart/") || type == "message/rfc822";
}

// As deep as the mail, which scan() has limited.
void add_leaves(const mimetic::MimeEntity& entity, std::vector<TreeLeaf>& leaves) {
  const auto& parts = entity.body().parts();
  for (const auto* part : parts) add_leaves(*part, leaves);
  auto type = type_of(entity);
  if (parts.empty() && !contains_parts(type)) leaves.push_back({std::move(type), size_of(entity)});
}

}  // namespace

Result<std::vector<TreeLeaf>> mimetic_leaves(ByteView raw) {
  try {
    // Without a line end mimetic does not see the delimiter in the last line.
    const std::string text = std::string(text_of(raw)) + "\r\n";
    const auto mail = std::make_unique<mimetic::MimeEntity>();
    mail->load(OctetIterator(text.data()), OctetIterator(text.data() + text.size()));
    std::vector<TreeLeaf> leaves;
    add_leaves(*mail, leaves);
    return leaves;
  } catch (const std::exception& exception) {
    return hold("mimetic cannot read the mail: " + std::string(exception.what()));
  } catch (...) {
    return hold("mimetic cannot read the mail");
  }
}

}  // namespace cmpost
