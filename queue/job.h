// What waits in the queues: bytes and an Envelope, never what the bytes mean.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace cmpost {

// 16 octets. For a request: digest of channel, arrival and bytes, so the same arrival twice is one
// job. For a reply: derived from the request's id.
struct JobId {
  std::array<std::uint8_t, 16> octets{};
  std::string text() const;  // 32 hex digits
  static std::optional<JobId> from_text(std::string_view text);
  friend auto operator<=>(const JobId&, const JobId&) = default;
};
// SHA-512 over the length-prefixed parts, cut to 16 octets: of long messages it is made in half the
// time of SHA-256.
JobId make_job_id(std::initializer_list<ByteView> parts);

// Where an answer goes: a channel and what its Egress needs to address it.
struct Route {
  std::string channel;
  std::string address;  // mail: the recipient; directory: empty; sftp: a folder
  std::string name;     // the stem of the request's file name; a directory answer is named from it
  std::string in_reply_to;  // mail: Message-ID of the request
  std::string references;   // mail
  friend bool operator==(const Route&, const Route&) = default;
};

// How the bytes came or go; written by an Ingress, read by an Egress.
struct Envelope {
  std::string channel;  // the channel that it came in on
  std::string source;   // for people: a file name, a mail's Message-ID and part
  Route reply;          // where an answer to it goes
  std::string body;     // replies: "ip", "pkiconf", ...; requests: empty
  std::string tid;      // replies: transactionID in hex, for names and logs; requests: empty
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

// Spelled in the database, in listings and in logs as here.
enum class JobState { waiting, active, deferred, held, done };
std::string_view to_string(JobState state);
std::optional<JobState> job_state(std::string_view text);

struct Job {
  JobId id;
  Envelope envelope;
  Bytes payload;
};

// A job as the queue sees it, for listings.
struct JobStatus {
  JobId id;
  Envelope envelope;
  JobState state = JobState::waiting;
  int attempts = 0;  // times leased
  Time arrived{};
  Time due{};                   // deferred: next try
  std::string reason;           // deferred, held: why; done: how ("sent", "answered", "dropped")
  std::size_t size = 0;         // octets of the payload
  std::optional<Time> ended{};  // done: when
  bool dropped = false;         // done: by a person; what it was to do has not happened
};

}  // namespace cmpost
