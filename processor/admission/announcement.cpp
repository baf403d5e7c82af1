#include "processor/admission/announcement.h"

#include "cmp/protection.h"

namespace cmpost {
namespace {

constexpr std::size_t kFreshOctets = 16;

CMPCertificate cmp_certificate(const Certificate& certificate) {
  return {to_bytes(certificate.der())};
}

Extension reason_extension(CRLReason reason) {
  constexpr der::Tag kEnumerated = 0x0a;
  der::Writer writer;
  writer.integer(static_cast<int>(reason), kEnumerated);
  return {oid::id_ce_cRLReasons, false, std::move(writer).take()};
}

Envelope envelope_of(const Announcement& announcement, const ChannelSettings& channel) {
  Envelope envelope;
  envelope.channel = channel.name;
  envelope.source = "announcement " + announcement.occasion;
  envelope.reply.channel = channel.name;
  envelope.reply.address = channel.announcements.to;
  envelope.reply.name = announcement.occasion;
  envelope.body = body_name(announcement.body);
  return envelope;
}

}  // namespace

bool is_announcement(const PKIBody& body) {
  return std::holds_alternative<body::ckuann>(body) || std::holds_alternative<body::cann>(body) ||
         std::holds_alternative<body::rann>(body) || std::holds_alternative<body::crlann>(body);
}

Announcement crl_announcement(std::uint64_t number, Bytes crl) {
  return {body::crlann{{std::move(crl)}}, "crl-" + std::to_string(number)};
}

Announcement delta_crl_announcement(std::uint64_t number, Bytes crl) {
  return {body::crlann{{std::move(crl)}}, "delta-crl-" + std::to_string(number)};
}

Announcement ca_key_announcement(const CaRollover& rollover, std::int64_t pvno) {
  const auto occasion = "ca-key-" + to_hex(rollover.newWithNew.fingerprint()).substr(0, 16);
  const auto old_with_new = cmp_certificate(rollover.oldWithNew),
             new_with_old = cmp_certificate(rollover.newWithOld),
             new_with_new = cmp_certificate(rollover.newWithNew);
  if (pvno == kCmp2021) {
    return {body::ckuann{RootCaKeyUpdateContent{new_with_new, new_with_old, old_with_new}},
            occasion, pvno};
  }
  return {body::ckuann{CAKeyUpdAnnContent{old_with_new, new_with_old, new_with_new}}, occasion,
          pvno};
}

Announcement certificate_announcement(const Certificate& certificate) {
  return {body::cann{cmp_certificate(certificate)}, "certificate-" + certificate.serial_hex()};
}

Announcement revocation_announcement(const Certificate& certificate, Time when, Time now,
                                     std::optional<Time> bad_since, CRLReason reason) {
  RevAnnContent content;
  content.status = when > now ? PKIStatus::revocationWarning : PKIStatus::revocationNotification;
  content.certId = {GeneralName::of(certificate.issuer()), to_bytes(certificate.serial_number())};
  content.willBeRevokedAt = std::chrono::floor<std::chrono::seconds>(when);
  content.badSinceDate = std::chrono::floor<std::chrono::seconds>(bad_since.value_or(when));
  if (reason != CRLReason::unspecified) content.crlDetails = Extensions{reason_extension(reason)};
  return {body::rann{std::move(content)}, "revocation-" + certificate.serial_hex()};
}

JobId announcement_id(const Announcement& announcement, const ChannelSettings& channel) {
  return make_job_id({view_of("announcement"), view_of(channel.name),
                      view_of(body_name(announcement.body)), view_of(announcement.occasion)});
}

Result<Job> announcement_job(const Announcement& announcement, const ChannelSettings& channel,
                             const Identity& identity, Random& random, Time now) {
  PKIHeader header;
  header.pvno = announcement.pvno;
  header.sender = GeneralName::of(identity.certificate.subject());
  header.recipient = GeneralName::of(Name());
  header.messageTime = std::chrono::floor<std::chrono::seconds>(now);
  header.senderKID = identity.key_identifier;
  header.transactionID = random.bytes(kFreshOctets);
  header.senderNonce = random.bytes(kFreshOctets);
  Job job{announcement_id(announcement, channel), envelope_of(announcement, channel), {}};
  job.envelope.tid = to_hex(*header.transactionID);
  ASSIGN_OR_RETURN(job.payload, protect_with_signature(std::move(header), announcement.body,
                                                       identity.signer, identity.chain));
  return job;
}

}  // namespace cmpost
