#include "watcher/file_names.h"

#include <algorithm>
#include <array>
#include <climits>

#include "base/ascii.h"
#include "base/bytes.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 4> kUnfinished = {".tmp", ".part", ".filepart",
                                                         ".crdownload"};
constexpr std::array<std::string_view, 3> kRequests = {".pki", ".der", ".cmp"};
constexpr std::size_t kLongestExtension = 16;

// Where the extension begins; the end of the name when it has none worth keeping.
std::size_t extension_at(std::string_view name) {
  const auto dot = name.rfind('.');
  const bool extension =
      dot != std::string_view::npos && dot > 0 && name.size() - dot <= kLongestExtension;
  return extension ? dot : name.size();
}

}  // namespace

bool is_ignored(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.front() == '~') return true;
  return std::any_of(kUnfinished.begin(), kUnfinished.end(),
                     [&](std::string_view ending) { return ends_with_letters(name, ending); });
}

bool is_request_name(std::string_view name) {
  return std::any_of(kRequests.begin(), kRequests.end(),
                     [&](std::string_view ending) { return ends_with_letters(name, ending); });
}

std::string_view stem_of(std::string_view name) { return name.substr(0, extension_at(name)); }

std::string whole_name(std::string_view name) { return printable(name, 4 * (NAME_MAX + 1)); }

std::string marked_name(std::string_view name, std::string_view mark, std::size_t reserve) {
  const auto extension = name.substr(extension_at(name));
  const auto ending = (mark.empty() ? "" : "-" + std::string(mark)) + std::string(extension);
  return shortened(stem_of(name), NAME_MAX - reserve - ending.size()) + ending;
}

}  // namespace cmpost
