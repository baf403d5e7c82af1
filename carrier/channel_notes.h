// What a channel has to say to the operator who asks for the status, whatever process runs it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cmpost {

enum class NoteKind {
  remark,  // to be known
  warning  // somebody has to look
};

// One sentence on one subject ("paused", "medium"), in a small file as long as it holds. Writing is
// not durable and never fails loudly: the log has the same, and it is tried again with the next
// call.
class ChannelNote {
 public:
  // `directory` is the channel's own state; empty: nothing is kept. What an earlier process has
  // left on the subject is removed with the first call.
  ChannelNote(std::string directory, std::string subject, NoteKind kind = NoteKind::remark)
      : directory_(std::move(directory)), subject_(std::move(subject)), kind_(kind) {}

  // True when that is news: the note was another one.
  bool set(const std::string& text);
  // It still holds: what could not be written is tried again.
  void hold() { (void)set(text_); }
  // True when there was a note.
  bool clear();

 private:
  std::string directory_;
  std::string subject_;
  NoteKind kind_;
  std::string text_;
  bool outdated_ = true;  // the file may say something else
};

struct ReadNote {
  std::string subject;
  NoteKind kind = NoteKind::warning;  // of one that cannot be read, too
  std::string text;
};
// All notes in a channel's state, by subject. An Error: there may be some.
Result<std::vector<ReadNote>> read_notes(const std::string& directory);

// Those of an earlier process, which may have had other settings and so other subjects.
void remove_notes(const std::string& directory);

}  // namespace cmpost
