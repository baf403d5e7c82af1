// Requests and their replies.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sftp/wire/sftp_packets.h"
#include "sftp/wire/sftp_stream.h"

namespace cmpost {

// One SFTP session. Many requests are on their way at a time, so that a long way costs its time
// once for all of them. libssh's own SFTP functions wait for each reply, read packets of up to
// 256 MiB and have no time limit; hence this one. Used by one thread.
class SftpDialogue {
 public:
  static Result<std::unique_ptr<SftpDialogue>> open(std::unique_ptr<SftpStream> stream);

  // Sends the requests and returns the replies in the same order; at most about 512 KiB are on
  // their way. An Error is the connection's or a server's that breaks the rules: any of the
  // requests may have been carried out, and the dialogue is over.
  Result<std::vector<SftpReply>> ask(std::vector<SftpRequest> requests);
  Result<SftpReply> ask_one(SftpRequest request);

  bool has_fsync() const { return has_fsync_; }
  bool has_file_system() const { return has_file_system_; }
  // False: open another one.
  bool keep_alive() { return !broken_ && stream_->keep_alive(); }
  // What the server has sent breaks the rules: ends the dialogue.
  Error protocol_error(std::string what);
  const std::string& peer() const { return stream_->peer(); }

 private:
  explicit SftpDialogue(std::unique_ptr<SftpStream> stream) : stream_(std::move(stream)) {}

  Result<void> begin();
  Result<ByteView> peek(std::size_t count);
  // The next packet without its length, valid until the next call.
  Result<ByteView> receive();
  template <typename T>
  Result<T> noted(Result<T> result);
  struct Flight;
  Result<void> send_some(Flight& flight);
  Result<void> take_reply(Flight& flight);
  Result<std::vector<SftpReply>> exchange(std::vector<SftpRequest> requests);

  std::unique_ptr<SftpStream> stream_;
  Bytes input_;
  std::size_t used_ = 0;  // octets at the front of input_ that were taken
  std::uint32_t next_id_ = 1;
  bool has_fsync_ = false, has_file_system_ = false, broken_ = false;
};

}  // namespace cmpost
