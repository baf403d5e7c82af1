#include "sftp/remote_files.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::uint32_t kChunk = 32U << 10U;  // what every server takes and gives at once
constexpr std::size_t kListingRequests = 4;

SftpStatus status_of(const SftpReply& reply) {
  if (reply.kind == SftpReply::Kind::status) return {reply.code, reply.message};
  return {SftpCode::bad_message, "an unexpected kind of reply"};
}

template <typename Item, typename Make>
Result<std::vector<SftpStatus>> ask_statuses(SftpDialogue& dialogue, const std::vector<Item>& items,
                                             const Make& make) {
  std::vector<SftpRequest> requests;
  for (const auto& item : items) requests.push_back(make(item));
  ASSIGN_OR_RETURN(const auto replies, dialogue.ask(std::move(requests)));
  std::vector<SftpStatus> statuses;
  for (const auto& reply : replies) statuses.push_back(status_of(reply));
  return statuses;
}

std::string in_words(const SftpStatus& status) {
  switch (status.code) {
    case SftpCode::no_such_file:
      return "there is no such file or directory";
    case SftpCode::permission_denied:
      return "permission denied";
    case SftpCode::failure:
      return status.message.empty() || status.message == "Failure"
                 ? "the server says no more than 'failure'"
                 : status.message;
    default:
      return status.message.empty()
                 ? "status " + std::to_string(static_cast<std::uint32_t>(status.code))
                 : status.message;
  }
}

// Opened files of a group: their handles, or why not.
struct Opened {
  std::vector<std::optional<Bytes>> handles;
  std::vector<SftpStatus> statuses;
};

Result<Opened> open_all(SftpDialogue& dialogue, std::vector<SftpRequest> requests) {
  ASSIGN_OR_RETURN(auto replies, dialogue.ask(std::move(requests)));
  Opened opened;
  for (auto& reply : replies) {
    const bool handle = reply.kind == SftpReply::Kind::handle;
    opened.statuses.push_back(handle ? SftpStatus{} : status_of(reply));
    opened.handles.push_back(handle ? std::optional(std::move(reply.data)) : std::nullopt);
    // "OK" is no handle.
    if (!handle && opened.statuses.back().ok()) opened.statuses.back().code = SftpCode::bad_message;
  }
  return opened;
}

// Closes what is open and notes the first thing that went wrong with each.
Result<void> close_all(SftpDialogue& dialogue, Opened& opened) {
  std::vector<SftpRequest> requests;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < opened.handles.size(); ++i) {
    if (!opened.handles[i]) continue;
    requests.push_back(sftp_close(*opened.handles[i]));
    owners.push_back(i);
  }
  ASSIGN_OR_RETURN(const auto replies, dialogue.ask(std::move(requests)));
  for (std::size_t k = 0; k < replies.size(); ++k) {
    if (opened.statuses[owners[k]].ok()) opened.statuses[owners[k]] = status_of(replies[k]);
  }
  return {};
}

// A piece of a file that was asked for.
struct Piece {
  std::size_t file;
  std::uint64_t offset;
  std::uint32_t length;
};

SftpRequest read_request(const Opened& opened, const Piece& piece) {
  return sftp_read(*opened.handles[piece.file], piece.offset, piece.length);
}

// Every octet that is expected, and one more, which a file that grows has.
std::vector<Piece> pieces_of(std::size_t file, std::size_t size) {
  std::vector<Piece> pieces;
  const std::uint64_t end = std::uint64_t{size} + 1;
  for (std::uint64_t offset = 0; offset < end; offset += kChunk) {
    pieces.push_back(
        {file, offset, static_cast<std::uint32_t>(std::min<std::uint64_t>(kChunk, end - offset))});
  }
  return pieces;
}

// Puts a reply to its place; false when it is shorter than it could be, so that what is asked for
// behind it does not follow it.
bool take_piece(const Piece& piece, SftpReply&& reply, Fetched& fetched) {
  const bool data = reply.kind == SftpReply::Kind::data;
  const bool eof = reply.kind == SftpReply::Kind::status && reply.code == SftpCode::eof;
  if (!data && !eof) {
    fetched.status = status_of(reply);
    return true;
  }
  if (fetched.contents.size() == piece.offset) append(fetched.contents, reply.data);
  return eof || reply.data.size() == piece.length;
}

// Goes on where a short reply has ended, until the end of the file.
Result<void> read_rest(SftpDialogue& dialogue, const Opened& opened, std::size_t file,
                       std::size_t size, Fetched& fetched) {
  while (fetched.status.ok() && fetched.contents.size() <= size) {
    const auto left = size + 1 - fetched.contents.size();
    const Piece piece{file, fetched.contents.size(),
                      static_cast<std::uint32_t>(std::min<std::size_t>(kChunk, left))};
    ASSIGN_OR_RETURN(auto reply, dialogue.ask_one(read_request(opened, piece)));
    if (reply.data.size() > piece.length) {
      return failure(dialogue.protocol_error("more data than was asked for"));
    }
    const bool data = reply.kind == SftpReply::Kind::data;
    if (data && reply.data.empty()) {
      return failure(dialogue.protocol_error("data without any octet"));
    }
    take_piece(piece, std::move(reply), fetched);
    if (!data) break;
  }
  return {};
}

Result<void> read_all(SftpDialogue& dialogue, const Opened& opened,
                      const std::vector<Wanted>& files, std::vector<Fetched>& fetched) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!opened.handles[i]) continue;
    const auto some = pieces_of(i, files[i].size_is_known ? files[i].size : kChunk - 1);
    pieces.insert(pieces.end(), some.begin(), some.end());
  }
  std::vector<SftpRequest> requests;
  for (const auto& piece : pieces) requests.push_back(read_request(opened, piece));
  ASSIGN_OR_RETURN(auto replies, dialogue.ask(std::move(requests)));
  std::vector<bool> torn(files.size());
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    const auto& piece = pieces[k];
    if (replies[k].data.size() > piece.length) {
      return failure(dialogue.protocol_error("more data than was asked for"));
    }
    const bool last = piece.offset + piece.length > files[piece.file].size;
    const bool full = take_piece(piece, std::move(replies[k]), fetched[piece.file]);
    // The last one is short in every file that has not grown.
    const auto& now = fetched[piece.file].contents;
    if (!files[piece.file].size_is_known ||
        (!full && !(last && now.size() == files[piece.file].size))) {
      torn[piece.file] = true;
    }
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (torn[i]) TRY(read_rest(dialogue, opened, i, files[i].size, fetched[i]));
  }
  return {};
}

// Asks for `make(i, handle)` of every file that is all right so far.
template <typename Make>
Result<void> for_open_files(SftpDialogue& dialogue, Opened& opened, const Make& make) {
  std::vector<SftpRequest> requests;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < opened.handles.size(); ++i) {
    if (!opened.handles[i] || !opened.statuses[i].ok()) continue;
    for (auto& request : make(i, *opened.handles[i])) {
      requests.push_back(std::move(request));
      owners.push_back(i);
    }
  }
  ASSIGN_OR_RETURN(const auto replies, dialogue.ask(std::move(requests)));
  for (std::size_t k = 0; k < replies.size(); ++k) {
    auto& status = opened.statuses[owners[k]];
    if (status.ok()) status = status_of(replies[k]);
  }
  return {};
}

std::vector<SftpRequest> write_requests(ByteView handle, ByteView contents) {
  std::vector<SftpRequest> requests;
  for (std::size_t offset = 0; offset < contents.size(); offset += kChunk) {
    const auto length = std::min<std::size_t>(kChunk, contents.size() - offset);
    requests.push_back(sftp_write(handle, offset, contents.subspan(offset, length)));
  }
  return requests;
}

}  // namespace

Error remote_error(std::string_view doing, std::string_view path, const std::string& peer,
                   const SftpStatus& status) {
  std::string hint;
  if (status.code == SftpCode::permission_denied) {
    hint = "give the user of the login the rights at the server";
  }
  return {Recovery::retry,
          std::string(doing) + " " + printable(path) + " at " + peer + ": " + in_words(status),
          hint};
}

Result<std::vector<Looked>> look_at(SftpDialogue& dialogue, const std::vector<std::string>& paths) {
  std::vector<SftpRequest> requests;
  for (const auto& path : paths) requests.push_back(sftp_look(path));
  ASSIGN_OR_RETURN(auto replies, dialogue.ask(std::move(requests)));
  std::vector<Looked> looked;
  for (auto& reply : replies) {
    const bool look = reply.kind == SftpReply::Kind::look;
    looked.push_back({look ? SftpStatus{} : status_of(reply), reply.look});
    if (!look && looked.back().status.ok()) looked.back().status.code = SftpCode::bad_message;
  }
  return looked;
}

Result<std::vector<Fetched>> fetch_files(SftpDialogue& dialogue, const std::vector<Wanted>& files) {
  std::vector<SftpRequest> requests;
  for (const auto& file : files) requests.push_back(sftp_open_for_reading(file.path));
  ASSIGN_OR_RETURN(auto opened, open_all(dialogue, std::move(requests)));
  std::vector<Fetched> fetched(files.size());
  TRY(read_all(dialogue, opened, files, fetched));
  TRY(close_all(dialogue, opened));
  for (std::size_t i = 0; i < files.size(); ++i) {
    // What was read is there, however closing ended.
    if (!opened.handles[i]) fetched[i].status = opened.statuses[i];
    const auto size = fetched[i].contents.size();
    fetched[i].changed = files[i].size_is_known ? size != files[i].size : size > files[i].size;
  }
  return fetched;
}

Result<std::vector<SftpStatus>> write_files(SftpDialogue& dialogue,
                                            const std::vector<NewFile>& files) {
  std::vector<SftpRequest> requests;
  for (const auto& file : files) requests.push_back(sftp_open_new(file.path));
  ASSIGN_OR_RETURN(auto opened, open_all(dialogue, std::move(requests)));
  TRY(for_open_files(dialogue, opened, [&](std::size_t i, ByteView handle) {
    return write_requests(handle, files[i].contents);
  }));
  if (dialogue.has_fsync()) {
    TRY(for_open_files(dialogue, opened, [](std::size_t, ByteView handle) {
      return std::vector{sftp_fsync(handle)};
    }));
  }
  TRY(close_all(dialogue, opened));
  return std::move(opened.statuses);
}

Result<std::vector<SftpStatus>> rename_files(SftpDialogue& dialogue,
                                             const std::vector<Renaming>& files) {
  return ask_statuses(dialogue, files,
                      [](const Renaming& file) { return sftp_rename(file.first, file.second); });
}

Result<std::vector<SftpStatus>> remove_files(SftpDialogue& dialogue,
                                             const std::vector<std::string>& paths) {
  return ask_statuses(dialogue, paths, [](const std::string& path) { return sftp_remove(path); });
}

Result<bool> is_directory(SftpDialogue& dialogue, const std::string& path) {
  ASSIGN_OR_RETURN(const auto looked, dialogue.ask_one(sftp_look_through(path)));
  const bool told =
      looked.kind == SftpReply::Kind::look && looked.look.kind() != RemoteLook::Kind::not_told;
  if (told) return looked.look.kind() == RemoteLook::Kind::directory;
  ASSIGN_OR_RETURN(const auto opened, dialogue.ask_one(sftp_open_directory(path)));
  if (opened.kind != SftpReply::Kind::handle) return false;
  TRY(dialogue.ask_one(sftp_close(opened.data)));
  return true;
}

Result<bool> is_listed(SftpDialogue& dialogue, const std::string& directory,
                       const std::string& name) {
  constexpr std::size_t kAtATime = 5'000;
  ASSIGN_OR_RETURN(auto listing, RemoteListing::open(dialogue, directory));
  bool found = false;
  while (true) {  // to its end, so that it is closed
    ASSIGN_OR_RETURN(const auto entries, listing.next(kAtATime));
    if (entries.empty()) return found;
    found = found || std::ranges::find(entries, name, &RemoteEntry::name) != entries.end();
  }
}

Result<void> ensure_directory(SftpDialogue& dialogue, const std::string& path) {
  ASSIGN_OR_RETURN(const bool found, is_directory(dialogue, path));
  if (found) return {};
  ASSIGN_OR_RETURN(const auto made, dialogue.ask_one(sftp_make_directory(path)));
  const auto status = status_of(made);
  if (status.ok()) return {};
  ASSIGN_OR_RETURN(const bool found_now, is_directory(dialogue, path));
  if (found_now) return {};
  return failure(remote_error("making directory", path, dialogue.peer(), status));
}

std::string why_not_writable(SftpDialogue& dialogue, const std::string& directory) {
  if (!dialogue.has_file_system()) return {};
  const auto reply = dialogue.ask_one(sftp_file_system(directory));
  const auto system = reply ? read_file_system(*reply) : std::nullopt;
  if (!system) return {};
  if (system->read_only) return "the file system is read-only";
  if (system->free_blocks == 0) return "the disk is full";
  if (system->files > 0 && system->free_files == 0) return "the disk has no room for more files";
  return {};
}

Result<RemoteListing> RemoteListing::open(SftpDialogue& dialogue, const std::string& path) {
  ASSIGN_OR_RETURN(auto reply, dialogue.ask_one(sftp_open_directory(path)));
  if (reply.kind != SftpReply::Kind::handle) {
    return failure(remote_error("listing", path, dialogue.peer(), status_of(reply)));
  }
  return RemoteListing(dialogue, path, std::move(reply.data));
}

Result<void> RemoteListing::read_more(std::vector<RemoteEntry>& entries) {
  std::vector<SftpRequest> requests(kListingRequests, sftp_read_directory(handle_));
  ASSIGN_OR_RETURN(auto replies, dialogue_->ask(std::move(requests)));
  for (auto& reply : replies) {
    const bool names = reply.kind == SftpReply::Kind::names;
    if (!names && reply.code != SftpCode::eof) {
      return failure(remote_error("listing", path_, dialogue_->peer(), status_of(reply)));
    }
    // A server that sends empty lists for ever would keep us for ever.
    if (!names || reply.names.empty()) ended_ = true;
    for (auto& entry : reply.names) {
      if (entry.name != "." && entry.name != "..") entries.push_back(std::move(entry));
    }
  }
  if (!ended_) return {};
  TRY(dialogue_->ask_one(sftp_close(handle_)));
  return {};
}

Result<std::vector<RemoteEntry>> RemoteListing::next(std::size_t count) {
  std::vector<RemoteEntry> entries;
  while (!ended_ && entries.size() < count) TRY(read_more(entries));
  return entries;
}

}  // namespace cmpost
