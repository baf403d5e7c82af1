#include "carrier/channel_notes.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/presence.h"
#include "carrier/sign.h"

namespace cmpost {
namespace {

constexpr std::string_view kNoteEnding = ".note";
constexpr std::size_t kLargestNote = 4096;

std::string note_path(const std::string& directory, const std::string& subject) {
  return directory + "/" + subject + std::string(kNoteEnding);
}

}  // namespace

bool ChannelNote::set(const std::string& text) {
  const bool news = text != text_;
  if (!news && !fresh_) return false;
  fresh_ = false;
  text_ = text;
  if (!directory_.empty()) (void)write_sign(note_path(directory_, subject_), text + "\n");
  return news;
}

bool ChannelNote::clear() {
  const bool was = !text_.empty();
  if ((was || fresh_) && !directory_.empty()) ::unlink(note_path(directory_, subject_).c_str());
  fresh_ = false;
  text_.clear();
  return was;
}

std::vector<ReadNote> read_notes(const std::string& directory) {
  std::vector<ReadNote> notes;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const auto name = at->path().filename().string();
    if (!name.ends_with(kNoteEnding) || name.starts_with('.')) continue;
    const auto contents = read_if_there(at->path().string(), kLargestNote);
    if (contents && !*contents) continue;  // it has just been removed
    std::string text(contents ? std::string(text_of(**contents))
                              : "a note on this cannot be read: " + contents.error().what);
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    notes.push_back({name.substr(0, name.size() - kNoteEnding.size()), printable(text, 1000)});
  }
  std::sort(notes.begin(), notes.end(),
            [](const auto& a, const auto& b) { return a.subject < b.subject; });
  return notes;
}

}  // namespace cmpost
