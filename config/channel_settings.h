// [[channel]]: a way in and out, and what is believed of messages that come this way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/mail_settings.h"
#include "config/rights_settings.h"
#include "config/sftp_settings.h"

namespace cmpost {

// Kinds that the file may name. A kind adds a struct to ChannelSettings and a row to kKinds in
// channel_reader.cpp.
enum class ChannelKind { directory, mail, sftp };
std::string_view to_string(ChannelKind kind);

enum class Direction {
  downstream,  // requests come in, answers go out
  upstream     // our requests go out to another CA, its answers come in
};

// When a file of an input directory is complete.
enum class ReadyRule {
  rename,   // it was renamed there or closed by its writer, or has not changed for `settle`
  stable,   // it has not changed for `settle`, whatever events say
  marker,   // x.done or x.ok lies beside x; what the marker says is x's SHA-256
  manifest  // a list of SHA-256 and names has come, and everything in it
};

struct DirectorySettings {
  std::string in;   // absolute
  std::string out;  // absolute
  // The name of an answer: {stem} of the request's file, {body} "ip", {tid} transactionID in hex,
  // {date} 20260131, {seq} a number that is fixed by the answer itself.
  std::string name_template = "{stem}.{body}.pki";
  ReadyRule ready = ReadyRule::rename;
  // Where answers are written before they are renamed to `out`, on the same file system; empty: in
  // `out` itself, under hidden names. For readers of `out` that take any file at once.
  std::string staging;
  // At least so long between two answers, and at most so many in `out` at a time; zero: no limit.
  // For readers that cannot take more.
  Duration pace = Duration::zero();
  std::size_t max_outstanding = 0;

  // `in` and `out` lie on something that is taken out and put in again.
  bool media = false;
  // Then: the medium is there only while this is a mount point. Empty: while `in` exists.
  std::string mount_point;

  // Numbered batches, of which nobody tells whether they arrived (docs/one-way.md).
  bool one_way_in = false, one_way_out = false;
  std::size_t copies = 1;                             // times each batch is written
  Duration repeat_after = Duration::zero();           // between two of them
  Duration batch_keep = std::chrono::hours(24 * 90);  // for `cmpost resend`; zero: for ever
  // A file that is seen first by a scan, and not by an event that says it is complete, must look
  // the same for this long. Raise it when uploads stall; it costs that much delay for such files
  // only.
  Duration settle = std::chrono::seconds(1);
  // Time between scans. Events make new files known at once where the file system has them.
  Duration poll = std::chrono::seconds(10);
  // How long in/.done and in/.quarantine keep files; zero: for ever.
  Duration done_keep = std::chrono::hours(24 * 30);
  Duration quarantine_keep = Duration::zero();
};

// When an Ingress leaves input where it is. It goes on by itself.
struct IntakeLimits {
  // The disks of `disks` (the spool's) keep at least so many octets free.
  std::size_t min_free = std::size_t{4} << 20U;
  std::vector<std::string> disks;
  std::size_t max_rate = 0;           // requests a second; 0: no limit
  std::size_t max_pending = 100'000;  // requests of the channel not yet answered; 0: no limit
};

// Limits for MACs on this channel.
struct MacSettings {
  bool allow_hmac_sha1 = true;  // RFC 9481 6.1 still names it for PBM
  std::uint32_t max_iterations = 1'000'000;
  // A password is not believed any more after this many wrong MACs of one peer within `lock_time`,
  // from that peer, where peers can be told apart; and after `lock_after_all` of all peers, on the
  // whole channel. Zero: never. Secrets that nobody can guess are always believed.
  std::uint32_t lock_after = 10;
  std::uint32_t lock_after_all = 1000;
  Duration lock_time = std::chrono::hours(24);
};

// What requesters encrypt to us: private keys, passphrases.
struct EnvelopeSettings {
  bool authenticated = false;  // AuthEnvelopedData (RFC 5083) alone is opened
  // After this many envelopes of one credential that could not be used, within `refuse_time`, no
  // more of it are opened. Zero: never.
  std::uint32_t refuse_after = 20;
  Duration refuse_time = std::chrono::hours(24);
};

// What is told to those who ask by genm (RFC 9810 5.3.19).
struct InformationSettings {
  enum class Asker {
    anybody,  // with a valid MAC or signature
    signer,   // a MAC is refused
    nobody    // genm is refused
  };
  Asker asker = Asker::anybody;
  std::vector<std::string> languages = {"en"};  // RFC 5646 tags, the most welcome first
  bool caKeyUpdateInfo = false;  // also answer id-it 5, deprecated since pvno 3
};

// Which messages leave without a request (RFC 9810 5.3.13 to 5.3.16).
struct AnnouncementSettings {
  bool crlann = false;  // after each new CRL
  bool ckuann = false;  // once for each roll-over of the CA key
  bool rann = false;    // after each revocation that the certificate's holder did not ask for
  std::string to;       // mail: the recipient
  bool any() const { return crlann || ckuann || rann; }
};

// How messages may be protected. A bare MAC takes the registered secret as its key, so that a
// password could be guessed at full speed from one message: not by default.
enum class ProtectionMethod {
  rsa,
  rsa_pss,
  ecdsa,
  ed25519,
  ed448,
  pbm,
  pbmac1,
  hmac,
  kmac,
  gmac,
  dh,
  kem
};
using ProtectionMethods = std::vector<ProtectionMethod>;

// What protects answers: the same as the request, or (RFC 9810 5.1.3.4) our KEM key alone.
enum class AnswerProtection { mirror, kem };

// What a message without messageTime gets.
enum class MissingTime { allowed, badTime, missingTimeStamp };

// Whether an answer promises that silence means acceptance (implicitConfirm).
enum class ConfirmRule { implicit, wait };

// What becomes of a certificate that nobody confirms in time.
enum class UnconfirmedRule {
  revoke,
  keep,   // silence is acceptance, for peers that never forward certConf
  alarm,  // somebody shall look; a late certConf still counts
};

// What of a registration authority stands for the approval of one person.
enum class RaApproval {
  none,
  nested,  // its protection around somebody's message (RFC 9483 5.2.2.1)
  any      // also its protection in place of somebody's (5.2.3)
};

// What a peer understands only its own way.
struct Quirks {
  bool p10cr_zero = false;  // p10cr is answered with certReqId 0 instead of -1
};

// Requests that cannot be answered at once.
struct WaitingSettings {
  // Whether the requester is told `waiting` and polls, or hears nothing until the final response is
  // there.
  enum class Interim { never, always, after } interim = Interim::never;
  Duration after{};               // Interim::after: silence for so long
  bool by_error = false;          // peers take an error with status waiting for what it is
  bool push = false;              // send the final response without a poll also after `waiting`
  Duration check_after{};         // for pollRep; zero: from the calendar
  int approvals = 0;              // different people that must agree: 0, 1 or 2
  bool approve_accounts = false;  // they are told apart by their accounts, whatever --as says
  std::vector<std::string> approve_for = {"ir", "cr", "p10cr", "kur"};  // bodies
  RaApproval ra_approval = RaApproval::nested;
  Duration decide_within = std::chrono::hours(24 * 90);  // then systemUnavail; zero: for ever
  // Whether the validity of secrets and signers counts on arrival or when the certificate is made
  //
  bool judge_on_arrival = false;
};

struct ChannelSettings {
  std::string name;
  ChannelKind kind = ChannelKind::directory;
  Direction direction = Direction::downstream;
  DirectorySettings directory;  // kind = "directory"
  MailSettings mail;            // kind = "mail"
  SftpSettings sftp;            // kind = "sftp"

  std::size_t max_message = std::size_t{1} << 20U;  // octets, before anything is read
  IntakeLimits limits;
  // What the channel itself must remember (numbers of batches, media), absolute: a directory of its
  // own below [instance] `state`.
  std::string state;

  // Policy, for the processor.
  std::vector<std::string> trust;  // absolute paths of PEM files: who may sign requests here
  // roles.ra: who may act as RA here. The certificates in these files do; below those of CAs among
  // them, certificates with id-kp-cmcRA do.
  std::vector<std::string> trust_ra;
  // ... and, where this is said, certificates without any purpose.
  bool ra_without_purpose = false;
  std::vector<std::string> trust_ca;  // roles.ca: CAs whose announcements are kept
  std::vector<std::string> crls;      // absolute paths: revocation lists of those others
  std::vector<std::string> profiles;  // names; the first is used when a request names none
  // What who signs with a certificate from `trust` may ask for.
  SubjectRule trusted_subject;
  SanRule trusted_san;
  // What holders of our certificates may ask for beside the renewal of these.
  SubjectRule additional_subject;
  SanRule additional_san;
  ChannelRule holders_of;  // whose holders count here, beside those of this channel's certificates
  Duration age = std::chrono::hours(24 * 14);  // messageTime may differ from now by this much
  MissingTime missing_time = MissingTime::allowed;
  ConfirmRule confirm = ConfirmRule::implicit;
  Duration confirm_within = std::chrono::hours(24 * 30);  // from the departure of the answer
  UnconfirmedRule unconfirmed = UnconfirmedRule::revoke;
  WaitingSettings waiting;
  // How long a message may wait for the one that it follows.
  Duration out_of_order = std::chrono::minutes(10);
  bool strict = false;
  Quirks quirks;
  MacSettings mac;
  EnvelopeSettings envelopes;
  InformationSettings information;
  AnnouncementSettings announcements;
  ProtectionMethods protection = {
      ProtectionMethod::rsa,     ProtectionMethod::rsa_pss, ProtectionMethod::ecdsa,
      ProtectionMethod::ed25519, ProtectionMethod::ed448,   ProtectionMethod::pbm,
      ProtectionMethod::pbmac1,  ProtectionMethod::dh,      ProtectionMethod::kem};
  AnswerProtection answer = AnswerProtection::mirror;
  bool archive = false;                // private keys that requesters send are kept
  bool recovery = false;               // krr: archived keys are given back
  bool revocation_passphrase = false;  // rr under a MAC
  bool encrypted_value = false;        // EncryptedValue for requesters of pvno 2
};

// Its `poll`, of whatever kind it is.
Duration poll_of(const ChannelSettings& channel);
// Where it notes what it has taken from a server that keeps it, unless the settings name a file.
std::string taken_file(const ChannelSettings& channel);

}  // namespace cmpost
