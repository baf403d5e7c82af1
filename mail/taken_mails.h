// What a source without folders has taken, and when: remembered on disk.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

// Arrivals (MailHandle::arrival) of mails that lie on although their jobs are durable. One thread,
// and one process for a file.
class TakenMails {
 public:
  TakenMails() = default;  // nothing outlives the object
  // `file` is made when the first mail is taken, with its directory; empty: nothing outlives the
  // object. A line that cannot be read (the last one may be, after a loss of power) is one mail
  // forgotten, which then is taken once more: the queue knows its job.
  static Result<TakenMails> open(std::string file);

  // Durable when it returns. An arrival that is known keeps its time.
  Result<void> add(const std::vector<std::string>& arrivals, Time now);
  std::optional<Time> taken(const std::string& arrival) const;
  // Forgets those that are not among `there`, which are all that the server still has. The file is
  // written anew when most of it is about mails that are gone.
  Result<void> keep_only(const std::vector<std::string>& there);

  std::size_t size() const { return taken_.size(); }

 private:
  using Key = std::string;  // 32 hex digits, of a digest: arrivals may hold anything
  explicit TakenMails(std::string file) : file_(std::move(file)) {}
  static Key key_of(const std::string& arrival);
  void read(std::string_view text);
  Result<void> append_lines(const std::string& lines) const;

  std::string file_;
  std::map<Key, Time> taken_;
  std::size_t lines_ = 0;  // in the file
};

}  // namespace cmpost
