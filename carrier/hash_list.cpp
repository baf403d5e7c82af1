#include "carrier/hash_list.h"

#include <algorithm>
#include <set>

namespace cmpost {
namespace {

constexpr std::size_t kDigits = 64;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string where(std::size_t line) { return "line " + std::to_string(line) + ": "; }

Result<ListedFile> parse_line(std::string_view line, std::size_t number) {
  const auto digest = sha256_from_hex(line.substr(0, kDigits));
  const bool blanks = line.size() > kDigits + 2 && line[kDigits] == ' ' &&
                      (line[kDigits + 1] == ' ' || line[kDigits + 1] == '*');
  if (!digest || !blanks) {
    return hold(where(number) + "no SHA-256, two blanks and a name", "as `sha256sum` writes it");
  }
  auto name = line.substr(kDigits + 2);
  if (name.starts_with("./")) name.remove_prefix(2);
  if (!is_plain_file_name(name)) {
    return hold(where(number) + "'" + printable(name, 60) + "' is no name of a file here",
                "a list names visible files of its own directory");
  }
  return ListedFile{std::string(name), *digest};
}

}  // namespace

std::optional<Sha256> sha256_from_hex(std::string_view text) {
  if (text.size() != kDigits) return std::nullopt;
  const auto octets = from_hex(text);
  Sha256 digest;
  if (!octets || octets->size() != digest.size()) return std::nullopt;
  std::copy(octets->begin(), octets->end(), digest.begin());
  return digest;
}

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         name.find('/') == std::string_view::npos &&
         std::none_of(name.begin(), name.end(), is_control);
}

Result<std::vector<ListedFile>> parse_hash_list(ByteView text) {
  if (text.size() > kLargestHashList) return hold("the list is too large");
  auto rest = text_of(text);
  std::vector<ListedFile> files;
  std::set<std::string_view> names;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) {
      return hold(where(number) + "the list is cut off", "its last line must end like the others");
    }
    auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (files.size() == kMostListedFiles) return hold(where(number) + "too many files in one list");
    ASSIGN_OR_RETURN(auto file, parse_line(line, number));
    if (!names.insert(line.substr(line.size() - file.name.size())).second) {
      return hold(where(number) + "'" + printable(file.name, 60) + "' stands in the list twice");
    }
    files.push_back(std::move(file));
  }
  if (files.empty()) return hold("the list names no file");
  return files;
}

}  // namespace cmpost
