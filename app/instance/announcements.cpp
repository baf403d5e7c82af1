#include "app/instance/announcements.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "processor/transaction/announcement_table.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

using AnnouncementWish = bool AnnouncementSettings::*;

// To each channel that wants it.
Result<void> announce_everywhere(Instance& instance, const Announcement& announcement,
                                 AnnouncementWish wanted) {
  for (const auto& channel : instance.settings().channels) {
    if (channel.announcements.*wanted) TRY(announce(instance, announcement, channel));
  }
  return {};
}

bool somebody_wants(const Instance& instance, AnnouncementWish wanted) {
  const auto& channels = instance.settings().channels;
  return std::ranges::any_of(channels,
                             [&](const auto& channel) { return channel.announcements.*wanted; });
}

// A delta CRL that is older than the complete one has nothing to say any more.
Result<void> announce_crls(Instance& instance, LedgerReader& reader) {
  ASSIGN_OR_RETURN(auto complete, reader.newest_crl());
  if (!complete) return {};
  const auto number = complete->first;
  TRY(announce_everywhere(instance, crl_announcement(number, std::move(complete->second)),
                          &AnnouncementSettings::crlann));
  ASSIGN_OR_RETURN(auto delta, reader.newest_delta_crl());
  if (!delta || delta->first < number) return {};
  return announce_everywhere(instance,
                             delta_crl_announcement(delta->first, std::move(delta->second)),
                             &AnnouncementSettings::crlann);
}

Result<void> announce_keys(Instance& instance) {
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  for (const auto& rollover : authority->rollovers) {
    TRY(announce_everywhere(instance, ca_key_announcement(rollover),
                            &AnnouncementSettings::ckuann));
  }
  return {};
}

// The serial of a revocation that its holder did not ask for; nullopt for every other record.
Result<std::optional<CertificateRecord>> revoked_by_others(const AuditRecord& entry,
                                                           LedgerReader& reader) {
  if (entry.event != "certificate.revoked") return std::nullopt;
  const auto detail = nlohmann::json::parse(entry.detail, nullptr, false);
  if (!detail.is_object()) return std::nullopt;
  auto serial = from_hex(detail.value("serial", ""));
  if (!serial || serial->empty()) return std::nullopt;
  if (serial->front() >= 0x80) serial->insert(serial->begin(), 0);  // INTEGER is signed
  ASSIGN_OR_RETURN(auto record, reader.find(*serial));
  if (!record || !record->revoked_at) return std::nullopt;
  // "This would typically be used where the request for revocation did not come from the subject
  // concerned." (RFC 9810 5.3.15)
  if (detail.value("why", "") == kAskedByHolder) return std::nullopt;
  return record;
}

Result<void> announce_revocation(Instance& instance, const CertificateRecord& record) {
  const auto* channel = instance.settings().channel(record.channel);
  if (channel == nullptr || !channel->announcements.rann) return {};
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record.der));
  const auto announcement = revocation_announcement(certificate, *record.revoked_at,
                                                    instance.clock().now(), record.invalidity_date,
                                                    record.reason.value_or(CRLReason::unspecified));
  TRY(announce(instance, announcement, *channel));
  return {};
}

// Follows the audit log, which has every revocation, whoever asked for it. What was revoked before
// the first channel wanted announcements is not announced any more.
Result<void> announce_revocations(Instance& instance, LedgerReader& reader) {
  constexpr std::size_t kAtATime = 1000;
  AnnouncementTable table(reader.connection());
  ASSIGN_OR_RETURN(const auto known, table.audit_position());
  ASSIGN_OR_RETURN(const auto head, reader.audit_head());
  auto position = known.value_or(head.id);
  if (known == position && position == head.id) return {};
  while (position < head.id) {
    ASSIGN_OR_RETURN(const auto entries, reader.audit(position, kAtATime));
    if (entries.empty()) break;
    for (const auto& entry : entries) {
      ASSIGN_OR_RETURN(const auto record, revoked_by_others(entry, reader));
      if (record) TRY(announce_revocation(instance, *record));
    }
    position = entries.back().id;
  }
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  return ledger->write([&](LedgerWriter& writer) {
    return AnnouncementTable(writer.connection()).set_audit_position(position);
  });
}

}  // namespace

Result<bool> announce(Instance& instance, const Announcement& announcement,
                      const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  const auto id = announcement_id(announcement, channel);
  ASSIGN_OR_RETURN(const bool out, AnnouncementTable(reader->connection()).is_out(id));
  if (out) return false;
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  const auto now = instance.clock().now();
  ASSIGN_OR_RETURN(const Job job, announcement_job(announcement, channel, authority->identity,
                                                   instance.random(), now));
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  // First the queue, then the note: dying between the two, the same id is put again, which changes
  // nothing.
  TRY(spool->replies().put({&job, 1}));
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(AnnouncementTable(writer.connection()).mark_out(id, now));
    const nlohmann::json detail = {{"channel", channel.name},
                                   {"body", body_name(announcement.body)},
                                   {"about", announcement.occasion}};
    return writer.audit("announcement.made", detail.dump());
  }));
  log::info("announcement.made", {{"channel", channel.name}, {"about", announcement.occasion}});
  return true;
}

Result<void> announce_crls(Instance& instance) {
  if (!somebody_wants(instance, &AnnouncementSettings::crlann)) return {};
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  return announce_crls(instance, *reader);
}

Result<void> announce_news(Instance& instance) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  TRY(announce_crls(instance));
  if (somebody_wants(instance, &AnnouncementSettings::ckuann)) TRY(announce_keys(instance));
  if (somebody_wants(instance, &AnnouncementSettings::rann)) {
    TRY(announce_revocations(instance, *reader));
  }
  return {};
}

}  // namespace cmpost
