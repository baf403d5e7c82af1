// Lists in an input directory, ready = "manifest".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "carrier/channel_notes.h"
#include "carrier/hash_list.h"
#include "watcher/drop_input.h"
#include "watcher/taken_lists.h"

namespace cmpost {

// Finds the lists in `in` and whether all that they name is there. What is whole is taken
// (taken_lists.h); what is not waits, which is told, and is not read again before one of its files
// changes; a list of which one file will never be a request goes into quarantine with all of them.
// One thread.
class ListedInput {
 public:
  // Both must outlive the object.
  ListedInput(DropInput& input, TakenLists& taken)
      : input_(input),
        taken_(taken),
        unlisted_(input.settings.state, "unlisted", NoteKind::warning) {}

  Result<Intake> take(const std::stop_token& stop);

  // Some list waits for its files.
  bool waits() const { return !incomplete_.empty(); }
  void add_stuck(LookedAt& found) const;
  void forget() { incomplete_.clear(); }
  // The channel has another rule, whatever it had before.
  void forget_note() { unlisted_.clear(); }

 private:
  // What a list names, as found.
  struct Contents {
    std::vector<Spot> spots;
    std::vector<Bytes> messages;     // of all spots, when none of the following is set
    std::string incomplete;          // why the list has to wait
    std::string not_read;            // the same, since something cannot be read just now
    std::optional<Finding> refused;  // why nothing of it will ever be taken
  };
  struct Incomplete {
    std::vector<Look> looks;  // of its files
    std::string why;
    bool not_read = false;  // looks that are the same may tell more the next time
  };

  Result<Intake> take_list(const Spot& list);
  Contents read_listed(const Spot& list, const std::vector<ListedFile>& files);
  void read_one_listed(const ListedFile& file, std::size_t index, Contents& listed,
                       std::vector<std::string>& damaged) const;
  Result<Intake> quarantine_list(const Spot& list, const std::vector<Spot>& spots,
                                 const Finding& finding);
  void note_unlisted(std::size_t count);

  DropInput& input_;
  TakenLists& taken_;
  std::map<std::string, Incomplete> incomplete_;  // by the list's name
  ChannelNote unlisted_;
};

}  // namespace cmpost
