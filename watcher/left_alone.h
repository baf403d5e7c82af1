// What lies at a source and is not looked at.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "carrier/channel_notes.h"
#include "config/channel_settings.h"

namespace cmpost {

// Gathers it during one look and tells it at the end: in notes of the channel and, when it is news,
// in the log. Used by one thread.
class LeftAlone {
 public:
  explicit LeftAlone(const ChannelSettings& settings);

  // A look begins.
  void begin();
  // Somebody may have put a folder with requests there. What file systems have of their own does
  // not count.
  void folder(const std::string& name);
  // More lies there than one look takes notice of: a sentence, which may be said again.
  void more(const std::string& text);
  // The look is over. `where`: the directory, for people.
  void tell(const std::string& where);

 private:
  void tell(ChannelNote& note, log::Level level, const std::string& text) const;

  const std::string channel_;
  ChannelNote folders_note_, more_note_;
  std::size_t folders_ = 0;
  std::string folder_;  // one of them
  std::vector<std::string> more_;
};

}  // namespace cmpost
