#include "watcher/marker.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/presence.h"
#include "carrier/hash_list.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 2> kMarkerEndings = {".done", ".ok"};
constexpr std::size_t kLargestMarker = 4096;

// The first word: `sha256sum` puts the name behind the digest.
std::string_view first_word(std::string_view text) {
  constexpr auto kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  text.remove_prefix(first);
  return text.substr(0, text.find_first_of(kBlank));
}

}  // namespace

std::optional<std::string> marked_file(std::string_view name) {
  for (const auto ending : kMarkerEndings) {
    if (name.size() == ending.size() || !ends_with_letters(name, ending)) continue;
    return std::string(name.substr(0, name.size() - ending.size()));
  }
  return std::nullopt;
}

std::array<std::string, 2> markers_of(const std::string& name) {
  return {name + std::string(kMarkerEndings[0]), name + std::string(kMarkerEndings[1])};
}

MarkerVerdict judge_marker(const DropDirectory& drop, const MarkedFile& file, Settling& settling,
                           Time steady_now, std::int64_t file_system_now) {
  for (const auto& name : markers_of(file.name)) {
    const auto look = drop.look(DropDirectory::Place::in, name);
    if (!look) return {MarkerVerdict::What::not_read, std::nullopt, look.error().what};
    if (!*look || !S_ISREG((*look)->type)) continue;
    const auto readiness = settling.look_at(name, **look, steady_now, file_system_now);
    const bool too_large = (*look)->size > kLargestMarker;
    const auto contents =
        too_large ? Result<std::optional<Bytes>>(to_bytes("?"))
                  : read_if_there(drop.at(DropDirectory::Place::in), name, kLargestMarker);
    if (!contents) return {MarkerVerdict::What::not_read, std::nullopt, contents.error().what};
    if (!*contents) continue;
    const auto word = first_word(text_of(**contents));
    if (const auto digest = sha256_from_hex(word)) {
      return {MarkerVerdict::What::take, digest, {}};
    }
    if (!word.empty()) {
      if (readiness != Readiness::settled) return {};
      return {MarkerVerdict::What::bad, std::nullopt,
              "its marker holds neither nothing nor a SHA-256"};
    }
    const bool of_before = (*look)->ctime_nanos < file.look.ctime_nanos && !file.settled;
    if (readiness == Readiness::unsettled || of_before) return {};
    return {MarkerVerdict::What::take, std::nullopt, {}};
  }
  return {};
}

}  // namespace cmpost
