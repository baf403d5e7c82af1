#include "watcher/left_alone.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/joined.h"

namespace cmpost {
namespace {

// At mount points of ext4, and wherever Windows has been.
constexpr std::array<std::string_view, 3> kOfFileSystems = {
    "lost+found", "System Volume Information", "$RECYCLE.BIN"};

}  // namespace

LeftAlone::LeftAlone(const ChannelSettings& settings)
    : channel_(settings.name),
      folders_note_(settings.state, "folders"),
      more_note_(settings.state, "more", NoteKind::warning) {}

void LeftAlone::begin() {
  folders_ = 0;
  more_.clear();
}

void LeftAlone::more(const std::string& text) {
  if (std::ranges::find(more_, text) == more_.end()) more_.push_back(text);
}

void LeftAlone::folder(const std::string& name) {
  if (std::ranges::find(kOfFileSystems, name) != kOfFileSystems.end()) return;
  ++folders_;
  folder_ = name;
}

void LeftAlone::tell(const std::string& where) {
  const auto others = folders_ > 1 ? " and " + std::to_string(folders_ - 1) + " more" : "";
  tell(folders_note_, log::Level::info,
       folders_ == 0 ? ""
                     : "what lies in folders is not taken: " + printable(folder_, 200) + others +
                           " in " + where);
  tell(more_note_, log::Level::warning, more_.empty() ? "" : joined(more_, "; ") + " in " + where);
}

void LeftAlone::tell(ChannelNote& note, log::Level level, const std::string& text) const {
  if (text.empty()) return void(note.clear());
  if (!note.set(text)) return;
  log::write(level, "input.left_alone", {{"channel", channel_}, {"reason", text}});
}

}  // namespace cmpost
