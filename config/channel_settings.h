// [[channel]]: a way in and out, and what is believed of messages that come this way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "config/rights_settings.h"
#include "config/transport/courier_settings.h"
#include "config/transport/directory_settings.h"
#include "config/transport/http_settings.h"
#include "config/transport/mail_settings.h"
#include "config/transport/orders_settings.h"
#include "config/transport/sftp_settings.h"

namespace cmpost {

// What a channel goes by: its kind. A kind is an alternative here, with the word for it, its `poll`
// and is_private() as the others have them; a row in channel_reader.cpp; and one in
// app/instance/channel_kinds.cpp. Neither compiles without.
using Transport = std::variant<DirectorySettings, MailSettings, SftpSettings, HttpSettings,
                               OrdersSettings, CourierSettings>;

enum class Direction {
  downstream,  // requests come in, answers go out
  upstream     // our requests go out to another CA, its answers come in
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

// direction = "upstream": how the CA at the other end is asked.
struct UpstreamSettings {
  std::string to;  // mail: its address
  std::string
      recipient;  // RFC 4514, of the messages that are ours; empty: whom the requester named
  // The reference of a secret of ours (`secret add`) that protects what we send instead of our key.
  std::string secret;
  // Who signs answers, beside `trust` itself, CAs below it, and who is for id-kp-cmcCA: patterns of
  // subjects.
  std::vector<std::string> signers;
  Duration answer_within{};  // that of [ra]: from its departure a message is to be answered
  // mode = "batch": so many requests in one message at most, and how long one may wait for others.
  std::size_t batch_most = 1000;
  Duration batch_within = std::chrono::minutes(10);
};

struct ChannelSettings {
  std::string name;
  Transport transport;
  Direction direction = Direction::downstream;
  UpstreamSettings upstream;  // of an upstream channel

  std::string_view kind() const;  // the word for it
  // The settings of one kind; nullptr: it is another.
  const DirectorySettings* directory() const { return std::get_if<DirectorySettings>(&transport); }
  DirectorySettings* directory() { return std::get_if<DirectorySettings>(&transport); }
  const MailSettings* mail() const { return std::get_if<MailSettings>(&transport); }
  MailSettings* mail() { return std::get_if<MailSettings>(&transport); }
  const SftpSettings* sftp() const { return std::get_if<SftpSettings>(&transport); }
  SftpSettings* sftp() { return std::get_if<SftpSettings>(&transport); }
  const HttpSettings* http() const { return std::get_if<HttpSettings>(&transport); }
  HttpSettings* http() { return std::get_if<HttpSettings>(&transport); }
  const OrdersSettings* orders() const { return std::get_if<OrdersSettings>(&transport); }
  OrdersSettings* orders() { return std::get_if<OrdersSettings>(&transport); }
  const CourierSettings* courier() const { return std::get_if<CourierSettings>(&transport); }
  CourierSettings* courier() { return std::get_if<CourierSettings>(&transport); }

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
  bool listed_devices = false;  // devices = "listed": who is not in the list of devices waits
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
// Whether what leaves for `peer` reaches nobody but whom the settings name.
bool is_private(const ChannelSettings& channel, std::string_view peer);
// Where it notes what it has taken from a server that keeps it, unless the settings name a file.
std::string taken_file(const ChannelSettings& channel);

}  // namespace cmpost
