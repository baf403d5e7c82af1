// Messages that nobody asked for and nobody answers (RFC 9810 5.3.13 to 5.3.16, R-075 to R-078).
#pragma once

#include "ca/ledger/certificate_record.h"
#include "ca/ledger/ledger.h"
#include "ca/rollover.h"
#include "processor/admission/identity.h"
#include "processor/admission/request.h"
#include "processor/transaction/announcement_table.h"
#include "queue/job.h"

namespace cmpost {

// ckuann, cann, rann or crlann.
bool is_announcement(const PKIBody& body);

// What this CA has to announce.
struct Announcement {
  PKIBody body;
  // Names what it is about, as a file name: "crl-17". The same on the same channel is one job.
  std::string occasion;
  std::int64_t pvno = kCmp2000;
};
Announcement crl_announcement(std::uint64_t number, Bytes crl);
Announcement delta_crl_announcement(std::uint64_t number, Bytes crl);
// With pvno 3, as RootCaKeyUpdateContent, or in the older form of pvno 2.
Announcement ca_key_announcement(const CaRollover& rollover, std::int64_t pvno = kCmp2021);
Announcement certificate_announcement(const Certificate& certificate);
// What the ledger says about a revoked certificate; `when` is the revocation's time, which may lie
// ahead (revocationWarning) or not (revocationNotification).
Announcement revocation_announcement(const Certificate& certificate, Time when, Time now,
                                     std::optional<Time> bad_since, CRLReason reason);

// Of the job below. Depends on channel, body and occasion only, so that putting it twice sends it
// once.
JobId announcement_id(const Announcement& announcement, const ChannelSettings& channel);
// Signed and addressed: for the queue of replies.
Result<Job> announcement_job(const Announcement& announcement, const ChannelSettings& channel,
                             const Identity& identity, Random& random, Time now);

// A Rejection says why it is not believed, to the log alone: an announcement is never answered.
// Believed is what a CA of the channel's `roles.ca` has signed (speaking_ca()) about itself: its
// new root by newWithOld, a certificate or a CRL by its signature, a revocation by the issuer's
// name. `der` is the whole message, to be kept.
Outcome<ReceivedAnnouncement> receive_announcement(const Request& request, ByteView der,
                                                   LedgerReader& ledger);

}  // namespace cmpost
