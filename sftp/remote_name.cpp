#include "sftp/remote_name.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kLongestRemoteName = 255;

}  // namespace

std::string name_mistake(std::string_view name) {
  if (name.empty() || name == "." || name == "..") return "it is no name of a file";
  if (name.size() > kLongestRemoteName) return "it is longer than a name can be";
  const auto strange = [](char c) {
    return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  };
  if (std::any_of(name.begin(), name.end(), strange)) {
    return "it has a '/' or a control character in it";
  }
  return {};
}

std::string remote_path(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

Result<std::optional<Sha256>> read_marker(ByteView contents) {
  constexpr auto kBlank = " \t\r\n";
  auto text = text_of(contents);
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (text.empty()) return std::nullopt;
  const auto octets = from_hex(text.substr(0, text.find_first_of(kBlank)));
  Sha256 digest;
  if (!octets || octets->size() != digest.size()) {
    return hold("its marker holds neither nothing nor a SHA-256");
  }
  std::copy(octets->begin(), octets->end(), digest.begin());
  return digest;
}

}  // namespace cmpost
