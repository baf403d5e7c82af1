#include "app/looking/restore.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "app/instance/channel_kinds.h"
#include "base/files.h"
#include "ca/ledger/ledger_rows.h"
#include "ca/published_crl.h"
#include "cmp/pki_message.h"
#include "outbox/unanswered.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/effects.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOctets = 64 << 20;
constexpr std::size_t kJobsAtATime = 100'000'000;
constexpr std::string_view kRestored = "restored";

// The certificates that an answer hands out, with its extraCerts and those of the messages in it.
void collect(const PKIMessage& message, std::vector<Bytes>& found) {
  for (const auto& extra : message.extraCerts) found.push_back(extra.der);
  if (const auto* answer = cert_response(message.body)) {
    for (const auto& response : answer->response) {
      if (!response.certifiedKeyPair) continue;
      const auto& choice = response.certifiedKeyPair->certOrEncCert.choice;
      if (const auto* plain = std::get_if<CMPCertificate>(&choice)) found.push_back(plain->der);
    }
  }
  const auto* krp = std::get_if<body::krp>(&message.body);
  if (krp != nullptr && krp->content.newSigCert) found.push_back(krp->content.newSigCert->der);
  const auto* nested = std::get_if<body::nested>(&message.body);
  if (nested == nullptr) return;
  for (const auto& inner : nested->messages) {
    if (const auto decoded = decode(inner, {.max_message = kMostOctets})) collect(*decoded, found);
  }
}

bool has_signed(const Certificate& root, const CertificateList& list) {
  if (!list.issuer.same(root.subject())) return false;
  const auto key = root.public_key();
  if (!key) return false;
  const auto verdict = verify(*key, list.signatureAlgorithm, list.tbs, list.signature);
  return verdict && *verdict == Verdict::good;
}

class Search {
 public:
  Search(Instance& instance, const Authority& authority, LedgerReader& ledger)
      : instance_(instance), authority_(authority), ledger_(ledger) {}

  Result<void> look_into_crls() {
    const auto& settings = instance_.ca().crl;
    ASSIGN_OR_RETURN(losses_.ledger_number, last_crl_number(ledger_.connection()));
    for (const auto& path : {settings.publish, settings.publish_delta}) {
      ASSIGN_OR_RETURN(const auto list, read_published_crl(path, authority_.issuer));
      if (list) TRY(take(*list));
    }
    return {};
  }

  Result<void> look_into_spool(std::size_t newest) {
    const auto spool = instance_.look_into_spool();
    if (!spool) {
      losses_.unread.push_back("the spool: " + spool.error().what);
      return {};
    }
    JobFilter all;
    all.limit = newest;
    all.newest_first = true;
    ASSIGN_OR_RETURN(const auto jobs, (*spool)->replies().list(all));
    for (const auto& job : jobs) {
      const auto payload = (*spool)->replies().payload(job.id);
      if (!payload) {
        losses_.unread.push_back("the answer " + job.id.text() + ": " + payload.error().what);
        continue;
      }
      TRY(take_message(*payload, "the answer " + job.id.text() + " in the queue",
                       job.envelope.channel));
    }
    return {};
  }

  Result<void> look_into_outputs() {
    for (const auto& channel : instance_.settings().channels) {
      for (const auto& path : kind_of(channel).outputs(channel)) {
        TRY(look_into(path, channel.name));
      }
    }
    return {};
  }

  Result<void> look_into(const std::string& path, const std::string& channel) {
    std::error_code error;
    if (!fs::is_directory(path, error)) return look_into_file(path, channel);
    fs::directory_iterator entries(path, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      std::error_code unknown;
      const auto status = entries->symlink_status(unknown);
      const auto place = entries->path().string();
      if (fs::is_directory(status)) TRY(look_into(place, channel));
      if (entries->is_regular_file(unknown)) TRY(look_into_file(place, channel));
    }
    if (error) losses_.unread.push_back(path + ": " + error.message());
    return {};
  }

  Losses take() && { return std::move(losses_); }

 private:
  Result<void> look_into_file(const std::string& path, const std::string& channel) {
    const auto contents = read_file(path, kMostOctets);
    if (!contents) {
      losses_.unread.push_back(path + ": " + contents.error().what);
      return {};
    }
    if (const auto list = CertificateList::from_file(*contents)) return take(*list, path);
    if (const auto pem = Certificate::from_pem(text_of(*contents))) {
      for (const auto& certificate : *pem) TRY(take(certificate, path, channel, {}));
      return {};
    }
    if (const auto certificate = Certificate::from_der(*contents)) {
      return take(*certificate, path, channel, {});
    }
    const auto unwrapped = unwrap(*contents);
    if (unwrapped.what != Unwrapped::What::message) return {};
    return take_message(unwrapped.message, path, channel);
  }

  Result<void> take_message(ByteView der, const std::string& found_in, const std::string& channel) {
    const auto message = decode(der, {.max_message = kMostOctets});
    if (!message) return {};  // nothing of ours
    std::vector<Bytes> certificates;
    collect(*message, certificates);
    const auto& tid = message->header.transactionID;
    for (const auto& one : certificates) {
      const auto certificate = Certificate::from_der(one);
      if (certificate) TRY(take(*certificate, found_in, channel, tid ? to_hex(*tid) : ""));
    }
    return {};
  }

  Result<void> take(const Certificate& certificate, const std::string& found_in,
                    const std::string& channel, const std::string& tid) {
    const auto serial = to_bytes(certificate.serial_number());
    if (seen_.contains(serial)) return {};
    ASSIGN_OR_RETURN(const auto known, ledger_.find(serial));
    if (known || !is_ours(certificate)) return {};
    seen_.insert(serial);
    CertificateRecord record;
    record.serial = serial;
    record.der = to_bytes(certificate.der());
    record.subject = certificate.subject_text();
    record.channel = channel;
    record.requester = kRestored;
    record.tid = tid;
    record.issued = certificate.not_before();
    record.not_after = certificate.not_after();
    losses_.certificates.push_back({std::move(record), found_in});
    return {};
  }

  // Who may write into `out` must not revoke what we have issued.
  Result<void> take(const CertificateList& list, const std::string& path) {
    const auto roots = authority_.own_roots();
    if (std::ranges::any_of(roots, [&](const auto& root) { return has_signed(root, list); })) {
      return take(list);
    }
    const auto is_named = [&](const auto& root) { return list.issuer.same(root.subject()); };
    if (std::ranges::any_of(roots, is_named)) {
      losses_.unread.push_back(path + ": a CRL of this CA's name that none of its keys has signed");
    }
    return {};
  }

  Result<void> take(const CertificateList& list) {
    ASSIGN_OR_RETURN(const auto missing, missing_revocations(ledger_.connection(), list));
    for (const auto& entry : missing) {
      const bool news = revoked_.insert(entry.userCertificate).second;
      if (news) losses_.revocations.push_back(entry);
    }
    losses_.published_number = std::max(losses_.published_number, list.crlNumber.value_or(0));
    return {};
  }

  // Issued by one of our keys, and neither of these themselves.
  bool is_ours(const Certificate& certificate) const {
    for (const auto& root : authority_.own_roots()) {
      if (!certificate.issuer().same(root.subject())) continue;
      if (equal(certificate.der(), root.der())) return false;
      const auto key = root.public_key();
      const auto verdict = key ? verify(*key, certificate.signature_algorithm(), certificate.tbs(),
                                        certificate.signature())
                               : hold("a key that cannot be used");
      if (verdict && *verdict == Verdict::good) return true;
    }
    return false;
  }

  Instance& instance_;
  const Authority& authority_;
  LedgerReader& ledger_;
  std::set<Bytes> seen_, revoked_;
  Losses losses_;
};

Result<void> put_back(LedgerWriter& writer, const CertificateRecord& record) {
  TRY(writer.add(record));
  const auto entry = issued_entry(record, {});
  return writer.audit(entry.event, entry.detail);
}

Result<void> put_back(LedgerWriter& writer, const RevokedCertificate& entry) {
  const Revocation revocation{entry.userCertificate, entry.reason.value_or(CRLReason::unspecified),
                              entry.revocationDate, entry.invalidityDate};
  ASSIGN_OR_RETURN(const bool done, writer.revoke(revocation.serial, revocation.reason,
                                                  revocation.when, revocation.invalidity_date));
  const auto record = revoked_entry(revocation, kRestored);
  if (done) return writer.audit(record.event, record.detail);
  TRY(writer.carry(entry));
  return writer.audit("revocation.carried", record.detail);
}

}  // namespace

Result<std::optional<Error>> find_newer_crl(Instance& instance) {
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  const auto& settings = instance.ca().crl;
  ASSIGN_OR_RETURN(auto left, find_left_crls(reader->connection(), authority->issuer,
                                             {settings.publish, settings.publish_delta}));
  return std::move(left.ahead);
}

Result<Losses> find_losses(Instance& instance, const std::vector<std::string>& more) {
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  ASSIGN_OR_RETURN(const auto ledger, instance.look_into_ledger());
  Search search(instance, *authority, *ledger);
  TRY(search.look_into_crls());
  TRY(search.look_into_spool(kJobsAtATime));
  TRY(search.look_into_outputs());
  for (const auto& path : more) TRY(search.look_into(path, ""));
  return std::move(search).take();
}

Result<Losses> find_losses_in_spool(Instance& instance, std::size_t newest) {
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  ASSIGN_OR_RETURN(const auto ledger, instance.look_into_ledger());
  Search search(instance, *authority, *ledger);
  TRY(search.look_into_spool(newest));
  return std::move(search).take();
}

Result<void> bring_back(Instance& instance, const Losses& losses) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  return ledger->write([&](LedgerWriter& writer) -> Result<void> {
    for (const auto& [record, found_in] : losses.certificates) {
      ASSIGN_OR_RETURN(const auto known, reader->find(record.serial));
      if (!known) TRY(put_back(writer, record));
    }
    for (const auto& entry : losses.revocations) TRY(put_back(writer, entry));
    if (!losses.is_number_behind()) return {};
    TRY(writer.keep_above(losses.published_number));
    return writer.audit("crl.number_raised",
                        R"({"number":)" + std::to_string(losses.published_number) + "}");
  });
}

Result<std::vector<ListedOrder>> orders_to_be_placed(Instance& instance) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(auto orders, list_orders(*reader, false));
  std::erase_if(orders, [&](const ListedOrder& one) {
    const auto* channel = instance.settings().channel(one.message.channel);
    const bool by_program =
        channel != nullptr && channel->orders() != nullptr && !channel->orders()->command.empty();
    return one.revocation || one.message.left || !by_program;
  });
  return orders;
}

// As of a process that has died over them.
Result<void> hold_orders(Instance& instance, const std::vector<ListedOrder>& orders) {
  for (const auto& one : orders) {
    const auto* channel = instance.settings().channel(one.message.channel);
    TRY(Unanswered(channel->state + "/unanswered").add(one.message.job()));
  }
  return {};
}

}  // namespace cmpost
