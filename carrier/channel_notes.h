// What a channel has to say to the operator who asks for the status, whatever process runs it.
#pragma once

#include <string>
#include <vector>

namespace cmpost {

// The subject of files that are in no list: the one note that is a warning.
inline constexpr const char* kUnlistedNote = "unlisted";

// One sentence on one subject ("paused", "medium"), in a small file as long as it holds. Writing is
// not durable and never fails loudly: the log has the same.
class ChannelNote {
 public:
  // `directory` is the channel's own state; empty: nothing is kept. What an earlier process has
  // left on the subject is removed with the first call.
  ChannelNote(std::string directory, std::string subject)
      : directory_(std::move(directory)), subject_(std::move(subject)) {}

  // True when that is news: the note was another one.
  bool set(const std::string& text);
  // True when there was a note.
  bool clear();

 private:
  std::string directory_;
  std::string subject_;
  std::string text_;
  bool fresh_ = true;
};

struct ReadNote {
  std::string subject;
  std::string text;
};
// All notes in a channel's state, by subject.
std::vector<ReadNote> read_notes(const std::string& directory);

}  // namespace cmpost
