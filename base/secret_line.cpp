#include "base/secret_line.h"

#include <algorithm>

#include "base/files.h"

namespace cmpost {
namespace {

constexpr std::size_t kLargest = std::size_t{16} << 10U;

}  // namespace

bool is_secret_line(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

Result<std::string> read_secret_line(const std::string& path) {
  ASSIGN_OR_RETURN(const auto contents, read_file(path, kLargest));
  auto line = text_of(contents);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (is_secret_line(line)) return std::string(line);
  return hold("the first line of " + path + " is no password", "one line of text is expected");
}

}  // namespace cmpost
