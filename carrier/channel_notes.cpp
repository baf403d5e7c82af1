#include "carrier/channel_notes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

std::string_view word_of(NoteKind kind) { return kind == NoteKind::warning ? "warning" : "remark"; }

// The kind, alone on its line, then the sentence.
Result<ReadNote> parse_note(std::string subject, std::string_view text) {
  for (const auto kind : {NoteKind::remark, NoteKind::warning}) {
    const auto head = std::string(word_of(kind)) + "\n";
    if (!text.starts_with(head)) continue;
    std::string sentence(text.substr(head.size()));
    std::erase(sentence, '\n');
    return ReadNote{std::move(subject), kind, printable(sentence, 1000)};
  }
  return hold("it does not begin with its kind");
}

Result<std::vector<std::string>> note_files(const std::string& directory) {
  ASSIGN_OR_RETURN(auto names, names_if_there(directory));
  std::erase_if(names, [](const std::string& name) {
    return !name.ends_with(kNoteEnding) || name.starts_with('.');
  });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

bool ChannelNote::set(const std::string& text) {
  const bool news = text != text_;
  if (!news && !outdated_) return false;
  text_ = text;
  outdated_ = !directory_.empty() && !write_sign(note_path(directory_, subject_),
                                                 std::string(word_of(kind_)) + "\n" + text + "\n");
  return news;
}

bool ChannelNote::clear() {
  const bool was = !text_.empty();
  if ((was || outdated_) && !directory_.empty()) {
    outdated_ = ::unlink(note_path(directory_, subject_).c_str()) != 0 && errno != ENOENT;
  }
  text_.clear();
  return was;
}

Result<std::vector<ReadNote>> read_notes(const std::string& directory) {
  std::vector<ReadNote> notes;
  ASSIGN_OR_RETURN(const auto files, note_files(directory));
  for (const auto& file : files) {
    const auto subject = file.substr(0, file.size() - kNoteEnding.size());
    const auto contents = read_if_there(directory + "/" + file, kLargestNote);
    if (contents && !*contents) continue;  // it has just been removed
    auto note = contents ? parse_note(subject, text_of(**contents)) : failure(contents.error());
    if (!note) {
      note = ReadNote{subject, NoteKind::warning,
                      printable("a note on this cannot be read: " + note.error().what, 1000)};
    }
    notes.push_back(std::move(*note));
  }
  return notes;
}

void remove_notes(const std::string& directory) {
  if (directory.empty()) return;
  const auto files = note_files(directory);
  if (!files) return;
  for (const auto& file : *files) ::unlink((directory + "/" + file).c_str());
}

}  // namespace cmpost
