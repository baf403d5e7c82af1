#include "sftp/wire/sftp_dialogue.h"

#include <algorithm>

namespace cmpost {
namespace {

// Well below the window that libssh gives a server, so that neither side waits for the other.
constexpr std::size_t kOctetsInFlight = std::size_t{512} << 10U;
constexpr std::size_t kRequestsInFlight = 256;

std::size_t weight(const SftpRequest& request) {
  return request.body.size() + request.reply_octets;
}

}  // namespace

// Requests on their way.
struct SftpDialogue::Flight {
  std::vector<SftpRequest> requests;
  std::vector<SftpReply> replies;
  std::vector<bool> replied;
  std::uint32_t first_id = 0;
  std::size_t sent = 0, received = 0, octets = 0;
};

Result<std::unique_ptr<SftpDialogue>> SftpDialogue::open(std::unique_ptr<SftpStream> stream) {
  std::unique_ptr<SftpDialogue> dialogue(new SftpDialogue(std::move(stream)));
  TRY(dialogue->begin());
  return dialogue;
}

Result<void> SftpDialogue::begin() {
  TRY(stream_->write(sftp_init_packet()));
  ASSIGN_OR_RETURN(const auto packet, receive());
  ASSIGN_OR_RETURN(const auto version, read_sftp_version(packet));
  const auto has = [&](const char* name) {
    return std::find(version.extensions.begin(), version.extensions.end(), name) !=
           version.extensions.end();
  };
  has_fsync_ = has("fsync@openssh.com");
  has_file_system_ = has("statvfs@openssh.com");
  return {};
}

template <typename T>
Result<T> SftpDialogue::noted(Result<T> result) {
  if (!result) broken_ = true;
  return result;
}

Error SftpDialogue::protocol_error(std::string what) {
  broken_ = true;
  return {Recovery::retry, peer() + " breaks the rules of SFTP: " + what, {}};
}

// At least `count` octets of input that nobody has taken yet.
Result<ByteView> SftpDialogue::peek(std::size_t count) {
  while (input_.size() - used_ < count) {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    ASSIGN_OR_RETURN(const auto more, stream_->read());
    append(input_, more);
  }
  return ByteView(input_).subspan(used_);
}

Result<ByteView> SftpDialogue::receive() {
  constexpr std::size_t kLength = 4;
  ASSIGN_OR_RETURN(const auto head, peek(kLength));
  std::size_t length = 0;
  for (const auto octet : head.first(kLength)) length = length << 8U | octet;
  if (length == 0 || length > kMaxSftpPacket) {
    return failure(protocol_error("a packet of " + std::to_string(length) + " octets"));
  }
  ASSIGN_OR_RETURN(const auto packet, peek(kLength + length));
  used_ += kLength + length;
  return packet.subspan(kLength, length);
}

Result<void> SftpDialogue::send_some(Flight& flight) {
  Bytes packets;
  while (flight.sent < flight.requests.size() &&
         flight.sent - flight.received < kRequestsInFlight) {
    auto& request = flight.requests[flight.sent];
    const bool idle = flight.sent == flight.received;
    if (!idle && flight.octets + weight(request) > kOctetsInFlight) break;
    append_packet(packets, request, flight.first_id + static_cast<std::uint32_t>(flight.sent));
    flight.octets += weight(request);
    ++flight.sent;
  }
  if (packets.empty()) return {};
  return stream_->write(packets);
}

Result<void> SftpDialogue::take_reply(Flight& flight) {
  ASSIGN_OR_RETURN(const auto packet, receive());
  ASSIGN_OR_RETURN(auto reply, read_sftp_reply(packet));
  const std::size_t index = reply.id - flight.first_id;  // wraps to something large
  if (index >= flight.sent || flight.replied[index]) {
    return failure(protocol_error("a reply to no request"));
  }
  flight.replied[index] = true;
  flight.octets -= weight(flight.requests[index]);
  flight.requests[index].body = {};
  ++flight.received;
  flight.replies[index] = std::move(reply);
  return {};
}

Result<std::vector<SftpReply>> SftpDialogue::exchange(std::vector<SftpRequest> requests) {
  Flight flight;
  flight.replies.resize(requests.size());
  flight.replied.resize(requests.size());
  flight.first_id = next_id_;
  next_id_ += static_cast<std::uint32_t>(requests.size());
  flight.requests = std::move(requests);
  while (flight.received < flight.requests.size()) {
    TRY(send_some(flight));
    TRY(take_reply(flight));
  }
  return std::move(flight.replies);
}

Result<std::vector<SftpReply>> SftpDialogue::ask(std::vector<SftpRequest> requests) {
  if (broken_) return retry("the connection to " + peer() + " is broken");
  return noted(exchange(std::move(requests)));
}

Result<SftpReply> SftpDialogue::ask_one(SftpRequest request) {
  std::vector<SftpRequest> requests;
  requests.push_back(std::move(request));
  ASSIGN_OR_RETURN(auto replies, ask(std::move(requests)));
  return std::move(replies.front());
}

}  // namespace cmpost
