#include "sftp/source_files.h"

#include <algorithm>

#include "base/crash_point.h"
#include "crypto/keys/algorithm.h"
#include "sftp/remote_name.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

constexpr std::string_view kRefused = ".refused", kReason = ".reason.txt";
constexpr std::size_t kMarkDigits = 8;

// Where one file goes.
struct Move {
  std::size_t file;  // index
  std::string from, to;
};

// The n-th name that a file may get: its own, then with a part, then with all of its job id.
std::string numbered(const std::string& name, const JobId& id, int attempt, std::size_t reserve) {
  const auto mark = id.text().substr(0, attempt == 1 ? kMarkDigits : std::string::npos);
  return marked_name(name, attempt == 0 ? "" : mark, reserve);
}

// How names are made in the place where files go.
struct Place {
  std::string folder;
  std::string ending;
  std::size_t reserve = 0;  // octets for something that will be appended

  std::string path(const SourceFile& file, int attempt) const {
    return remote_path(folder,
                       numbered(file.name, file.id, attempt, ending.size() + reserve) + ending);
  }
};

// Why all names are taken: cannot happen, since one of them is unique.
Error no_name(const SourceFile& file) {
  return {Recovery::hold, "no name is left for " + printable(file.name) + " in its folder", {}};
}

// Renames each file to the first of its names that is free.
class Mover {
 public:
  Mover(SftpDialogue& dialogue, const SftpSettings& settings, const std::vector<SourceFile>& files,
        Place place)
      : dialogue_(dialogue),
        settings_(settings),
        files_(files),
        place_(std::move(place)),
        outcomes_(files.size()),
        targets_(files.size()) {}

  Result<std::vector<LetGo>> run() {
    for (std::size_t i = 0; i < files_.size(); ++i) left_.push_back(i);
    constexpr int kAttempts = 3;
    for (int attempt = 0; attempt < kAttempts && !left_.empty(); ++attempt) TRY(try_names(attempt));
    for (const auto i : left_) outcomes_[i] = {LetGo::What::failed, no_name(files_[i])};
    TRY(verify());
    return std::move(outcomes_);
  }
  // Where each file is now; empty where it was not moved.
  const std::vector<std::string>& targets() const { return targets_; }

 private:
  std::string source(std::size_t i) const {
    return remote_path(settings_.fetch.path, files_[i].name);
  }

  Result<void> try_names(int attempt) {
    std::vector<std::string> paths;
    for (const auto i : left_) paths.push_back(place_.path(files_[i], attempt));
    ASSIGN_OR_RETURN(const auto looked, look_at(dialogue_, paths));
    std::vector<Move> moves;
    std::vector<std::size_t> taken;
    for (std::size_t k = 0; k < left_.size(); ++k) {
      const auto i = left_[k];
      if (looked[k].status.ok()) {
        taken.push_back(i);
      } else {
        moves.push_back({i, source(i), paths[k]});
      }
    }
    left_ = std::move(taken);
    return rename(moves);
  }

  Result<void> rename(const std::vector<Move>& moves) {
    std::vector<Renaming> renamings;
    for (const auto& move : moves) renamings.emplace_back(move.from, move.to);
    ASSIGN_OR_RETURN(const auto statuses, rename_files(dialogue_, renamings));
    crash_point("sftp.renamed");
    std::vector<Move> failed;
    std::vector<SftpStatus> why;
    for (std::size_t k = 0; k < moves.size(); ++k) {
      if (statuses[k].ok()) {
        targets_[moves[k].file] = moves[k].to;
      } else {
        failed.push_back(moves[k]);
        why.push_back(statuses[k]);
      }
    }
    return explain(failed, why);
  }

  // The source is gone: somebody else was faster. The target is there: another name. Else trouble.
  Result<void> explain(const std::vector<Move>& failed, const std::vector<SftpStatus>& why) {
    std::vector<std::string> paths;
    for (const auto& move : failed) {
      paths.push_back(move.from);
      paths.push_back(move.to);
    }
    ASSIGN_OR_RETURN(const auto looked, look_at(dialogue_, paths));
    for (std::size_t k = 0; k < failed.size(); ++k) {
      const auto i = failed[k].file;
      ASSIGN_OR_RETURN(const bool gone, is_gone(looked[2 * k].status, files_[i].name));
      if (gone) continue;
      if (looked[2 * k + 1].status.ok()) {
        left_.push_back(i);
        continue;
      }
      auto error = remote_error("moving", failed[k].from, dialogue_.peer(), why[k]);
      if (const auto more = why_not_writable(dialogue_, place_.folder); !more.empty()) {
        error.what += " (" + more + ")";
      }
      outcomes_[i] = {LetGo::What::failed, std::move(error)};
    }
    return {};
  }

  // Some servers say "failure" of what is not there: then the list of the folder tells.
  Result<bool> is_gone(const SftpStatus& looked, const std::string& name) {
    if (looked.ok()) return false;
    if (looked.code == SftpCode::no_such_file) return true;
    ASSIGN_OR_RETURN(const bool listed, is_listed(dialogue_, settings_.fetch.path, name));
    return !listed;
  }

  // Is what was moved what was fetched?
  Result<void> verify() {
    std::vector<std::size_t> moved;
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (targets_[i].empty()) continue;
      moved.push_back(i);
      paths.push_back(targets_[i]);
    }
    ASSIGN_OR_RETURN(const auto looked, look_at(dialogue_, paths));
    std::vector<std::size_t> replaced, doubtful;
    for (std::size_t k = 0; k < moved.size(); ++k) {
      const auto& file = files_[moved[k]];
      if (!looked[k].status.ok()) continue;
      const bool same =
          looked[k].look.size == file.look.size && looked[k].look.mtime == file.look.mtime;
      if (!same) {
        replaced.push_back(moved[k]);
      } else if (file.contents && file.look.size) {
        doubtful.push_back(moved[k]);
      }
    }
    TRY(compare(doubtful, replaced));
    return put_back(replaced);
  }

  Result<void> compare(const std::vector<std::size_t>& doubtful,
                       std::vector<std::size_t>& replaced) {
    std::vector<Wanted> wanted;
    for (const auto i : doubtful) {
      wanted.push_back({targets_[i], static_cast<std::size_t>(*files_[i].look.size)});
    }
    ASSIGN_OR_RETURN(const auto fetched, fetch_files(dialogue_, wanted));
    for (std::size_t k = 0; k < doubtful.size(); ++k) {
      if (!fetched[k].status.ok()) continue;
      if (sha256(fetched[k].contents) != files_[doubtful[k]].contents) {
        replaced.push_back(doubtful[k]);
      }
    }
    return {};
  }

  // To its old name, or to one beside it that is as good.
  Result<void> put_back(const std::vector<std::size_t>& replaced) {
    for (const auto i : replaced) {
      const auto from = std::exchange(targets_[i], "");
      const Place home{settings_.fetch.path, "", 0};
      outcomes_[i].what = LetGo::What::replaced;
      for (int attempt = 0; attempt < 3; ++attempt) {
        const auto to = home.path(files_[i], attempt);
        ASSIGN_OR_RETURN(const auto looked, look_at(dialogue_, {to}));
        if (looked.front().status.ok()) continue;
        ASSIGN_OR_RETURN(const auto statuses, rename_files(dialogue_, {{from, to}}));
        if (statuses.front().ok()) break;
      }
    }
    return {};
  }

  SftpDialogue& dialogue_;
  const SftpSettings& settings_;
  const std::vector<SourceFile>& files_;
  const Place place_;
  std::vector<LetGo> outcomes_;
  std::vector<std::string> targets_;
  std::vector<std::size_t> left_;  // without a new name as yet
};

// A marker without its file would speak for the next file of that name.
Result<void> remove_markers(SftpDialogue& dialogue, const SftpSettings& settings,
                            const std::vector<SourceFile>& files) {
  std::vector<std::string> paths;
  for (const auto& file : files) {
    if (!file.marker.empty()) paths.push_back(remote_path(settings.fetch.path, file.marker));
  }
  TRY(remove_files(dialogue, paths));
  return {};
}

std::string done_path(const SftpSettings& settings) {
  return remote_path(settings.fetch.path, settings.done_folder);
}
std::string quarantine_path(const SftpSettings& settings) {
  return remote_path(settings.fetch.path, settings.quarantine_folder);
}

}  // namespace

Result<std::vector<LetGo>> let_go(SftpDialogue& dialogue, const SftpSettings& settings,
                                  const std::vector<SourceFile>& files) {
  if (settings.after == SftpAfter::leave_alone) return std::vector<LetGo>(files.size());
  TRY(remove_markers(dialogue, settings, files));
  const bool beside = settings.after == SftpAfter::rename;
  Mover mover(
      dialogue, settings, files,
      beside ? Place{settings.fetch.path, settings.suffix, 0} : Place{done_path(settings), "", 0});
  ASSIGN_OR_RETURN(auto outcomes, mover.run());
  if (settings.after != SftpAfter::remove) return outcomes;
  std::vector<std::string> paths;
  for (const auto& target : mover.targets()) {
    if (!target.empty()) paths.push_back(target);
  }
  TRY(remove_files(dialogue, paths));
  return outcomes;
}

Result<LetGo> set_aside(SftpDialogue& dialogue, const SftpSettings& settings,
                        const SourceFile& file, const std::string& reason) {
  if (settings.after == SftpAfter::leave_alone) return LetGo{};
  TRY(remove_markers(dialogue, settings, {file}));
  const bool beside = settings.after == SftpAfter::rename;
  const std::vector<SourceFile> files = {file};
  Mover mover(dialogue, settings, files,
              beside ? Place{settings.fetch.path, std::string(kRefused), kReason.size()}
                     : Place{quarantine_path(settings), "", kReason.size()});
  ASSIGN_OR_RETURN(auto outcomes, mover.run());
  const auto& target = mover.targets().front();
  if (!target.empty()) {
    // The queue has the reason too, so it does not matter whether this works.
    TRY(write_files(dialogue, {{target + std::string(kReason), view_of(reason)}}));
  }
  return outcomes.front();
}

Result<bool> set_aside_done(SftpDialogue& dialogue, const SftpSettings& settings,
                            const std::string& name, const JobId& id, const std::string& reason,
                            const std::function<bool(const RemoteLook&)>& is_it) {
  const SourceFile file{name, {}, id, {}, std::nullopt};
  const Place done{done_path(settings), "", 0};
  const Place quarantine{quarantine_path(settings), "", kReason.size()};
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto from = done.path(file, attempt);
    // With all of the id: nobody else has that name.
    const auto to = quarantine.path(file, 2);
    ASSIGN_OR_RETURN(const auto looked, look_at(dialogue, {from}));
    if (!looked.front().status.ok() || !is_it(looked.front().look)) continue;
    ASSIGN_OR_RETURN(const auto renamed, rename_files(dialogue, {{from, to}}));
    if (!renamed.front().ok()) return false;
    TRY(write_files(dialogue, {{to + std::string(kReason), view_of(reason)}}));
    return true;
  }
  return false;
}

bool is_own_name(const SftpSettings& settings, std::string_view name) {
  if (settings.after == SftpAfter::rename) {
    return name.ends_with(settings.suffix) || name.ends_with(kRefused) ||
           name.ends_with(std::string(kRefused) + std::string(kReason));
  }
  return name == settings.done_folder || name == settings.quarantine_folder;
}

Result<void> ensure_folders(SftpDialogue& dialogue, const SftpSettings& settings) {
  if (settings.after == SftpAfter::leave_alone || settings.after == SftpAfter::rename) return {};
  for (const auto& path : {done_path(settings), quarantine_path(settings)}) {
    if (auto made = ensure_directory(dialogue, path); !made) {
      auto error = std::move(made).error();
      if (const auto why = why_not_writable(dialogue, settings.fetch.path); !why.empty()) {
        error.what += " (" + why + ")";
      }
      error.hint = "after = \"leave\" is for a server that may only be read";
      return failure(std::move(error));
    }
  }
  return {};
}

}  // namespace cmpost
