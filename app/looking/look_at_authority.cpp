// CRLs, certificates, and how the ledger stands to what has left.
#include <algorithm>

#include "app/instance/lifetimes.h"
#include "app/instance/own_renewal.h"
#include "app/looking/clock_notes.h"
#include "app/looking/inspection.h"
#include "app/looking/restore.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "ca/published_crl.h"
#include "processor/admission/credential_files.h"
#include "processor/ra_role/own_request.h"
#include "processor/upstream/orphan_table.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {
namespace {

void add_lifetimes(Remarks& findings, const Result<std::vector<LifetimeWarning>>& warnings) {
  if (!warnings) return findings.add(RemarkKind::lifetime, {}, warnings.error());
  for (const auto& warning : *warnings) {
    findings.add({warning.urgent ? Severity::error : Severity::warning,
                  RemarkKind::lifetime,
                  {},
                  warning.text,
                  {},
                  {}});
  }
}

class AuthorityLook {
 public:
  AuthorityLook(Instance& instance, Remarks& findings) : instance_(instance), findings_(findings) {}

  void look(std::size_t newest) {
    look_at_lifetimes();
    if (!instance_.is_ca()) {
      look_at_stranded();
      look_at_orphans();
      return look_at_renewal();
    }
    const auto behind = find_newer_crl(instance_);
    if (!behind) return findings_.add(RemarkKind::crl, {}, behind.error());
    if (*behind) {
      findings_.add(RemarkKind::ledger, "the ledger", **behind);
    } else if (const auto done = look_at_crls(); !done) {
      findings_.add(RemarkKind::crl, {}, done.error());
    }
    look_at_answers(newest);
  }

 private:
  void look_at_stranded() {
    const auto done = find_stranded();
    if (!done) findings_.add(RemarkKind::transaction, "messages to the CA", done.error());
  }

  Result<void> find_stranded() {
    ASSIGN_OR_RETURN(const auto reader, instance_.look_into_ledger());
    ASSIGN_OR_RETURN(const auto all, UpstreamTable(reader->connection()).open_by_channel());
    for (const auto& one : all) {
      const auto& channels = instance_.settings().channels;
      const auto known = std::ranges::find(channels, one.channel, &ChannelSettings::name);
      if (known != channels.end() && known->direction == Direction::upstream) continue;
      findings_.add({Severity::warning,
                     RemarkKind::transaction,
                     "messages to the CA",
                     std::to_string(one.messages) + " are for the channel " + one.channel +
                         ", which is no upstream channel of the settings; the oldest is of " +
                         to_iso8601(one.oldest),
                     "give the channel back its name, and they go on; when `upstream_within` is "
                     "over their requesters hear systemUnavail",
                     {}});
    }
    return {};
  }

  // Certificates that a CA has issued and nobody has.
  void look_at_orphans() {
    if (const auto done = find_orphans(); !done) {
      findings_.add(RemarkKind::order, "certificates of nobody", done.error());
    }
  }

  Result<void> find_orphans() {
    ASSIGN_OR_RETURN(const auto reader, instance_.look_into_ledger());
    ASSIGN_OR_RETURN(const auto open,
                     OrphanTable(reader->connection()).in_state(OrphanState::open));
    if (open.empty()) return {};
    const auto& first = open.front();
    findings_.add({Severity::error,
                   RemarkKind::order,
                   "certificates of nobody",
                   std::to_string(open.size()) + " of a CA above, the first " +
                       to_hex(first.serial) + " (" + printable(first.subject, 200) + ") since " +
                       to_iso8601(first.since) + ": " + first.why +
                       (first.note.empty() ? "" : "; " + printable(first.note, 300)),
                   "`cmpost orphan list`; then `cmpost orphan revoke ID`, or `keep`, or `revoked` "
                   "once that has been done at the CA",
                   {}});
    return {};
  }

  void look_at_renewal() {
    if (const auto done = find_renewal(); !done) {
      findings_.add(RemarkKind::credential, "the certificate of this RA", done.error());
    }
  }

  // Before one is under way that could not come into use.
  void look_at_files(const RaSettings& ra) {
    const auto* channel = instance_.settings().channel(ra.upstream);
    const bool renews =
        channel != nullptr && channel->orders() == nullptr && ra.renew_before != Duration::zero();
    if (!renews) return;
    if (const auto may = check_exchangeable(ra.cmp_key, ra.cmp_certificate); !may) {
      say(Severity::warning, "cannot be renewed: " + may.error().what, may.error().hint);
    }
  }

  Result<void> find_renewal() {
    look_at_files(*instance_.settings().ra);
    ASSIGN_OR_RETURN(const auto reader, instance_.look_into_ledger());
    OwnRenewalTable table(reader->connection());
    ASSIGN_OR_RETURN(const auto newest, table.newest());
    ASSIGN_OR_RETURN(const auto failures, table.failures());
    ASSIGN_OR_RETURN(const auto* const identity, instance_.identity());
    if (identity->certificate.not_after() <= instance_.sure_clock().now()) {
      say(Severity::error,
          "has ended on " + to_iso8601(identity->certificate.not_after()) +
              ": nothing is worked on but the answers that bring the next one",
          "`cmpost ra renew --by ir` asks for one where the CA believes this RA by a secret "
          "(`secret` of the channel); else let it issue one by hand for the key in `cmp_key`, and "
          "put that into `cmp_certificate`");
    }
    if (newest && newest->state != RenewalState::in_use) return tell(*newest, failures);
    const auto due = renewal_due(*instance_.settings().ra, identity->certificate);
    if (!due || instance_.sure_clock().now() < *due) return {};
    ASSIGN_OR_RETURN(const auto body, own_renewal_body(instance_));
    if (body) return {};
    ASSIGN_OR_RETURN(const auto services, instance_.services());
    const auto why = cannot_be_asked_for(services.channels.at(instance_.settings().ra->upstream));
    say(Severity::warning, "ends, and nothing asks for the next one: " + why.what, why.hint);
    return {};
  }

  Result<void> tell(const OwnRenewal& renewal, std::int64_t failures) {
    const auto since = " since " + to_iso8601(renewal.begun) + " (" + renewal.body +
                       " by channel " + renewal.channel + ")";
    switch (renewal.state) {
      case RenewalState::granted:
        say(Severity::error, "is renewed, and the files are not written yet",
            "the service, or `cmpost run`, writes them; it needs the right to write beside "
            "`cmp_key` and `cmp_certificate`");
        break;
      case RenewalState::asked:
      case RenewalState::confirming:
        say(Severity::note, "is being renewed" + since, "");
        break;
      case RenewalState::refused:
      case RenewalState::unanswered:
        say(Severity::warning,
            "was not renewed, asked for" + since + ": " +
                (renewal.reason.empty() ? "no answer in time" : printable(renewal.reason, 500)) +
                "; tried again by itself from " + to_iso8601(next_try(renewal, failures)) +
                " on, if it is due",
            "`cmpost ra renew` asks now");
        break;
      default:
        break;
    }
    return {};
  }

  void say(Severity severity, std::string text, std::string hint) {
    findings_.add({severity,
                   RemarkKind::credential,
                   "the certificate of this RA",
                   std::move(text),
                   std::move(hint),
                   {}});
  }

  void look_at_lifetimes() { add_lifetimes(findings_, find_lifetime_warnings(instance_)); }

  Result<void> look_at_crls() {
    ASSIGN_OR_RETURN(const auto reader, instance_.look_into_ledger());
    const auto& settings = instance_.ca().crl;
    ASSIGN_OR_RETURN(const auto complete, reader->newest_crl());
    if (complete) TRY(look_at_crl("the CRL", complete->second, settings.publish));
    if (settings.delta == Duration::zero()) return {};
    ASSIGN_OR_RETURN(const auto delta, reader->newest_delta_crl());
    if (delta) TRY(look_at_crl("the delta CRL", delta->second, settings.publish_delta));
    return {};
  }

  Result<void> look_at_crl(const std::string& what, ByteView der, const std::string& path) {
    ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(der));
    const auto now = instance_.clock().now();
    if (crl.thisUpdate > now) {
      findings_.add({Severity::error,
                     RemarkKind::clock,
                     {},
                     what + " is of the future: " + to_iso8601(crl.thisUpdate) + ", now it is " +
                         to_iso8601(now),
                     "set the clock; the service then issues a new one",
                     {}});
    }
    if (path.empty()) return {};
    if (!exists(path)) {
      findings_.add({Severity::warning,
                     RemarkKind::crl,
                     {},
                     what + " is not where it should be published: " + path + " does not exist",
                     "the service, or `cmpost run`, writes it",
                     {}});
      return {};
    }
    ASSIGN_OR_RETURN(const auto* const authority, instance_.authority());
    ASSIGN_OR_RETURN(const auto published, read_published_crl(path, authority->issuer));
    if (published && published->crlNumber == crl.crlNumber) return {};
    findings_.add(
        {Severity::warning,
         RemarkKind::crl,
         {},
         path + (published ? " is CRL number " + std::to_string(published->crlNumber.value_or(0)) +
                                 ", the newest of the ledger is number " +
                                 std::to_string(crl.crlNumber.value_or(0))
                           : " is no CRL of this CA"),
         "the service, or `cmpost run`, writes it anew",
         {}});
    return {};
  }

  void look_at_answers(std::size_t newest) {
    const auto losses = find_losses_in_spool(instance_, newest);
    if (!losses) return findings_.add(RemarkKind::ledger, "the ledger", losses.error());
    if (losses->certificates.empty()) return;
    findings_.add({Severity::error,
                   RemarkKind::ledger,
                   "the ledger",
                   "the ledger lacks " + std::to_string(losses->certificates.size()) +
                       " certificates that answers in the spool hand out: it is older than these",
                   "`cmpost restore-check` names them, with --apply it brings them back",
                   {}});
  }

  Instance& instance_;
  Remarks& findings_;
};

}  // namespace

void look_at_clock(Instance& instance, Remarks& remarks) {
  const auto notes = find_clock_notes(instance);
  // What the clock was is in the ledger.
  if (!notes) return remarks.add(RemarkKind::database, {}, notes.error());
  for (const auto& note : *notes) {
    remarks.add({note.urgent ? Severity::error : Severity::warning,
                 RemarkKind::clock,
                 "the clock",
                 note.text,
                 {},
                 {}});
  }
}

void look_without_keys(Instance& instance, Remarks& findings) {
  add_lifetimes(findings, find_lifetimes_without_keys(instance));
}

void look_at_authority(Instance& instance, std::size_t newest, Remarks& findings) {
  AuthorityLook(instance, findings).look(newest);
}

}  // namespace cmpost
