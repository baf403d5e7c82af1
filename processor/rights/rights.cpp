#include "processor/rights/rights.h"

#include <algorithm>

#include "processor/credentials/holder_identity.h"
#include "processor/rights/channel_policy.h"
#include "processor/rights/requester.h"

namespace cmpost {
namespace {

template <typename... Bodies>
BodySet set_of() {
  BodySet set;
  (set.set(PKIBody(Bodies{}).index()), ...);
  return set;
}

// What goes on with a transaction that was opened with this right.
const BodySet kFollowUps =
    set_of<body::certConf, body::pollReq, body::popdecr, body::error, body::pkiconf>();
const BodySet kRevocation = set_of<body::rr>();
const BodySet kQuestions = set_of<body::genm>();
const BodySet kAnnouncements = set_of<body::ckuann, body::cann, body::rann, body::crlann>();
const BodySet kCertificates = set_of<body::ir, body::cr, body::p10cr>();
// Refused by their own rules, in their own words, for who is no holder.
const BodySet kOfHolders = set_of<body::kur, body::krr, body::ccr>();

bool lists(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Of what it has.
void deny_all_but(Rights& rights, const BodySet& bodies, std::string why) {
  rights.bodies &= bodies;
  rights.denial.text = std::move(why);
}

// `by_row`: on which channels it counts says the list of devices.
void limit(Rights& rights, const Secret& secret, const ChannelPolicy& channel, Time now,
           bool by_row) {
  if (!by_row && !counts_here(secret.channels, channel)) {
    deny_all_but(
        rights, {},
        "the secret is not for this channel (`cmpost secret add --channel` says for which)");
  } else if (is_over(secret, now)) {
    deny_all_but(rights, kFollowUps, "the secret has expired");
  } else if (rights.left && *rights.left <= 0) {
    // it still protects the certConf of its own transaction.
    deny_all_but(rights, kFollowUps, "the secret is used up");
    rights.used_up = true;
  }
}

// Who is retired gets nothing, on whatever channel; what it has it may still give back.
bool deny_retired(Rights& rights, const KnownDevice& device) {
  const auto& row = device.row;
  if (!row.retired) return false;
  rights.used_up = false;
  deny_all_but(rights, kRevocation | kFollowUps,
               "the device " + printable(row.name) +
                   " is retired: " + printable(row.retired_reason, kLongestRetiredReason));
  return true;
}

// When and where it may ask for what is not a renewal.
void limit(Rights& rights, const Device& row, const ChannelPolicy& channel, Time now) {
  const auto only = [&](std::string why) { deny_all_but(rights, kFollowUps, std::move(why)); };
  const auto called = "the device " + printable(row.name);
  if (!row.channel.empty() && row.channel != channel.settings.name) {
    only(called + " is listed for the channel " + row.channel);
  } else if (row.valid_from && now < *row.valid_from) {
    only(called + " may ask from " + to_iso8601(*row.valid_from) + " on");
  } else if (row.valid_until && *row.valid_until < now) {
    only(called + " could ask until " + to_iso8601(*row.valid_until));
  }
}

// The row says what a listed device may have: not the secret, which was made for it at some time,
// and not the channel.
Result<void> take_row(Rights& rights, const KnownDevice& device, const ChannelPolicy& channel,
                      Time now) {
  const auto& row = device.row;
  ASSIGN_OR_RETURN(const auto subject, subject_of(row));
  rights.subject = {SubjectRule::Kind::pattern, subject};
  rights.san = san_of(row);
  rights.profiles.clear();
  if (!row.profile.empty()) rights.profiles = {row.profile};
  rights.by_row = true;
  rights.row_allows = row.uses;
  // An operator's secret that says nothing of it is that of one device all the same.
  if (rights.kind == RequesterKind::secret && !rights.left && !row.uses) rights.row_allows = 1;
  if (rights.row_allows) {
    const auto left = *rights.row_allows - device.taken();
    rights.left = std::min(rights.left.value_or(left), left);
    if (left <= 0) {
      deny_all_but(rights, kFollowUps,
                   device.under_way == 0
                       ? "the device has got all the certificates that its row allows"
                       : "the device has asked for all the certificates that its row allows");
    }
  }
  limit(rights, row, channel, now);
  if (rights.kind == RequesterKind::secret && row.secret == DeviceSecret::none) {
    deny_all_but(rights, kFollowUps,
                 "the device " + printable(row.name) + " has no secret, its row says");
  }
  return {};
}

Rights rights_of(const SecretHolder& holder, const ChannelPolicy& channel, Time now, bool by_row) {
  Rights rights;
  if (holder.revokes) {
    rights.bodies = kRevocation | kFollowUps;
    rights.revokes = holder.revokes;
    rights.denial.text = "a revocation passphrase is for rr alone";
    return rights;
  }
  const auto& secret = holder.secret;
  rights.bodies = kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps;
  rights.subject = secret.subject.empty() ? SubjectRule{SubjectRule::Kind::any}
                                          : SubjectRule{SubjectRule::Kind::pattern, secret.subject};
  rights.san = secret.san;
  rights.profiles = secret.profiles;
  if (secret.max_uses) rights.left = *secret.max_uses - secret.uses;
  limit(rights, secret, channel, now, by_row);
  return rights;
}

bool belongs_here(const CertificateRecord& record, const ChannelPolicy& channel) {
  const auto& also = channel.settings.holders_of;
  return record.channel == channel.settings.name || also.any || lists(also.names, record.channel);
}

// Where silence is acceptance, what is signed with it all the more.
bool is_accepted_by_use(const CertificateRecord& record, const ChannelPolicy& channel) {
  return channel.settings.unconfirmed == UnconfirmedRule::keep &&
         record.channel == channel.settings.name;
}

void limit(Rights& rights, const CertificateRecord& record, const ChannelPolicy& channel) {
  if (record.state == CertificateState::unconfirmed && !is_accepted_by_use(record, channel)) {
    // An RA does not hear what becomes of each: the CA decides about renewals, under the
    // requester's own protection.
    const auto more = channel.takes_unseen ? set_of<body::kur>() : BodySet();
    deny_all_but(rights, kRevocation | kFollowUps | more,
                 "the certificate has not been confirmed yet");
  } else if (!belongs_here(record, channel)) {
    deny_all_but(
        rights, kRevocation | kQuestions | kFollowUps,
        "the certificate is of another channel (`holders_of` names those that count here)");
  }
}

Rights rights_of_holder(const CertificateHolder& holder, const ChannelPolicy& channel) {
  Rights rights;
  rights.kind = RequesterKind::holder;
  rights.subject = channel.settings.additional_subject;
  rights.san = channel.settings.additional_san;
  if (!holder.record) return rights;
  rights.bodies = kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps;
  rights.profile = holder.record->profile;
  rights.serial_hex = to_hex(holder.record->serial);
  limit(rights, *holder.record, channel);
  return rights;
}

Result<void> read_pattern(Rights& rights) {
  if (rights.subject.kind != SubjectRule::Kind::pattern) return {};
  ASSIGN_OR_RETURN(rights.pattern, SubjectPattern::parse(rights.subject.pattern));
  return {};
}

Rights rights_of_vendor(const ChannelPolicy& channel) {
  Rights rights;
  rights.kind = RequesterKind::vendor;
  rights.bodies = kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps;
  rights.subject = channel.settings.trusted_subject;
  rights.san = channel.settings.trusted_san;
  return rights;
}

Rights rights_of_ra(const CertificateHolder& holder) {
  Rights rights;
  if (holder.record) rights.profile = holder.record->profile;
  rights.kind = RequesterKind::ra;
  rights.bodies =
      kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps | set_of<body::nested>();
  rights.subject = {SubjectRule::Kind::any};
  rights.san = {SanRule::Kind::any};
  rights.others = true;
  return rights;
}

Rights rights_of_ca() {
  Rights rights;
  rights.kind = RequesterKind::ca;
  rights.bodies = set_of<body::ccr>() | kAnnouncements | kFollowUps;
  return rights;
}

Rights rights_by_role(const CertificateHolder& holder, const ChannelPolicy& channel) {
  switch (holder.role) {
    case CertificateHolder::Role::end_entity:
      return rights_of_holder(holder, channel);
    case CertificateHolder::Role::vendor:
      return rights_of_vendor(channel);
    case CertificateHolder::Role::ra:
      return rights_of_ra(holder);
    case CertificateHolder::Role::ca:
      return rights_of_ca();
  }
  return {};
}

}  // namespace

bool counts_here(const ChannelRule& rule, const ChannelPolicy& channel) {
  if (rule.any) return true;
  if (rule.names.empty()) return channel.first;
  return lists(rule.names, channel.settings.name);
}

Result<Rights> rights_of(const Requester& requester, const ChannelPolicy& channel, Time now) {
  const auto* holder = requester.secret();
  const bool listed = channel.settings.listed_devices;
  const bool by_row = listed && requester.device;
  ASSIGN_OR_RETURN(auto rights, holder == nullptr
                                    ? rights_of(*requester.certificate(), channel)
                                    : Result<Rights>(rights_of(*holder, channel, now, by_row)));
  rights.unlisted = listed && !requester.unlisted.empty();
  // What its row allows is counted and held against where it shows its secret or its birth.
  rights.only_renews = by_row && rights.kind == RequesterKind::holder;
  if (requester.device && !deny_retired(rights, *requester.device) && by_row &&
      rights.kind != RequesterKind::holder) {
    TRY(take_row(rights, *requester.device, channel, now));
  }
  TRY(read_pattern(rights));
  return rights;
}

Result<Rights> rights_of(const CertificateHolder& holder, const ChannelPolicy& channel) {
  auto rights = rights_by_role(holder, channel);
  // what speaks for a CA asks in the name of that CA, not in its own.
  rights.own = holder.speaks_for ? *holder.speaks_for : holder.certificate;
  TRY(read_pattern(rights));
  return rights;
}

Rights rights_of_speaker(const Certificate& ca) {
  auto rights = rights_of_ca();
  rights.own = ca;
  return rights;
}

}  // namespace cmpost
