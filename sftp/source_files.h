// Letting go of files at a server, after what was in them is durable here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/transport/sftp_settings.h"
#include "crypto/keys/algorithm.h"
#include "queue/job.h"
#include "sftp/remote_files.h"

namespace cmpost {

// A file that was taken, or that is bad.
struct SourceFile {
  std::string name;
  RemoteLook look;     // when it was fetched
  JobId id;            // makes a name unique
  std::string marker;  // its marker's name; empty: it has none
  // What it held. Set when time and size are no proof that it is still the same.
  std::optional<Sha256> contents;
};

struct LetGo {
  enum class What {
    done,      // it is where it belongs, or somebody else has taken it away
    replaced,  // another file has taken its name meanwhile; that one is at its place again
    failed     // `error`; try again
  };
  What what = What::done;
  Error error;
};

// Does what settings.after says to files that were taken, on one connection. Nothing is ever
// overwritten: a name that is taken gets a part of the job id. A file that somebody has put in the
// place of the one that was taken is noticed behind the renaming, by time, size or contents, and
// put back. Repeating it is harmless.
Result<std::vector<LetGo>> let_go(SftpDialogue& dialogue, const SftpSettings& settings,
                                  const std::vector<SourceFile>& files);

// Moves a bad file into the quarantine folder (SftpAfter::rename: gives it the ending ".refused")
// and writes `reason` beside it; SftpAfter::leave_alone leaves it.
Result<LetGo> set_aside(SftpDialogue& dialogue, const SftpSettings& settings,
                        const SourceFile& file, const std::string& reason);

// A file in done_folder that turned out to be no request: the same, from there. Only with
// SftpAfter::move. Not there any more: nothing happens. `is_it` tells by the file's time whether it
// is the one.
Result<bool> set_aside_done(SftpDialogue& dialogue, const SftpSettings& settings,
                            const std::string& name, const JobId& id, const std::string& reason,
                            const std::function<bool(const RemoteLook&)>& is_it);

// Names that this channel itself has given to files in the directory of the requests.
bool is_own_name(const SftpSettings& settings, std::string_view name);

// Makes the folders that settings.after needs.
Result<void> ensure_folders(SftpDialogue& dialogue, const SftpSettings& settings);

}  // namespace cmpost
