#include "app/instance/own_renewal.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/json_object.h"
#include "base/log.h"
#include "processor/admission/credential_files.h"
#include "processor/ra_role/own_request.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr const char* kByItself = "by itself";

const ChannelPolicy* own_channel(const ProcessorServices& services, const RaSettings& ra) {
  const auto found = services.channels.find(ra.upstream);
  return found == services.channels.end() ? nullptr : &found->second;
}

std::vector<Bytes> ders(const std::vector<Certificate>& certificates) {
  std::vector<Bytes> all;
  for (const auto& one : certificates) all.push_back(to_bytes(one.der()));
  return all;
}

Result<std::vector<Certificate>> certificates_of(const std::vector<Bytes>& ders) {
  std::vector<Certificate> all;
  for (const auto& one : ders) {
    ASSIGN_OR_RETURN(auto certificate, Certificate::from_der(one));
    all.push_back(std::move(certificate));
  }
  return all;
}

AuditEntry in_use_entry(const OwnRenewal& renewal, const Certificate& certificate) {
  return {"ra.certificate_in_use", JsonObject()
                                       .add("tid", to_hex(renewal.transactionID))
                                       .add("serial", certificate.serial_hex())
                                       .add("notAfter", to_iso8601(certificate.not_after()))
                                       .text()};
}

// Each step may be the last of a process, and happens again then.
Result<void> put_into_use(Instance& instance, Ledger& ledger, const OwnRenewal& renewal) {
  const auto& ra = *instance.settings().ra;
  ASSIGN_OR_RETURN(const auto* const sealing_key, instance.sealing_key());
  ASSIGN_OR_RETURN(const auto chain, certificates_of(renewal.chain));
  if (chain.empty()) return hold("the ledger has lost the certificate that was granted");
  ASSIGN_OR_RETURN(const auto present,
                   read_pair(ra.cmp_key, ra.cmp_certificate, ra.cmp_key_password_file));
  if (present.certificates.front() != chain.front()) {
    ASSIGN_OR_RETURN(const auto former, seal_own_key(present.key, *sealing_key, instance.random()));
    TRY(ledger.write([&](LedgerWriter& writer) {
      return OwnRenewalTable(writer.connection())
          .keep_former(renewal.id, former, ders(present.certificates));
    }));
    crash_point("ra.former_kept");
  }
  // Also of a pair that is half exchanged.
  ASSIGN_OR_RETURN(const auto key, unseal_own_key(renewal.key, *sealing_key));
  TRY(write_pair({key, chain}, ra.cmp_key, ra.cmp_certificate, ra.cmp_key_password_file));
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    RenewalChange change{renewal.id, RenewalState::granted, RenewalState::in_use, {}, {}, {}};
    change.ended = instance.likely_clock().now();
    ASSIGN_OR_RETURN(const bool done, OwnRenewalTable(writer.connection()).change(change));
    if (!done) return {};  // another process has
    const auto entry = in_use_entry(renewal, chain.front());
    return writer.audit(entry.event, entry.detail);
  }));
  log::info("ra.certificate_in_use", {{"serial", chain.front().serial_hex()},
                                      {"notAfter", to_iso8601(chain.front().not_after())}});
  return {};
}

Result<std::shared_ptr<const Identity>> former_identity(const OwnRenewal& renewal,
                                                        const SealingKey& sealing_key) {
  ASSIGN_OR_RETURN(const auto key, unseal_own_key(renewal.former_key, sealing_key));
  ASSIGN_OR_RETURN(const auto chain, certificates_of(renewal.former_chain));
  if (chain.empty()) return hold("the ledger has lost a former certificate");
  ASSIGN_OR_RETURN(auto signer, Signer::create(key));
  const auto named = chain.front().subject_key_identifier();
  return std::make_shared<const Identity>(
      Identity{.certificate = chain.front(),
               .signer = std::move(signer),
               .key_identifier = named ? *named : key.public_key().key_identifier(),
               .chain = chain_to_send(chain, chain.size() == 1)});
}

// What nothing goes on under any more, or is over, is forgotten with its key.
Result<void> forget_former(Instance& instance, Ledger& ledger) {
  ASSIGN_OR_RETURN(const auto* const sealing_key, instance.sealing_key());
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  OwnRenewalTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto all, table.with_former());
  for (const auto& renewal : all) {
    if (renewal.state != RenewalState::in_use) continue;
    ASSIGN_OR_RETURN(const auto former, former_identity(renewal, *sealing_key));
    ASSIGN_OR_RETURN(const bool needed, table.is_needed(former->key_identifier));
    const bool over = former->certificate.not_after() <= instance.sure_clock().now();
    if (needed && !over) continue;
    TRY(ledger.write([&](LedgerWriter& writer) {
      return OwnRenewalTable(writer.connection()).forget_former(renewal.id);
    }));
  }
  return {};
}

Result<bool> may_begin(Instance& instance, Ledger& ledger) {
  ASSIGN_OR_RETURN(const auto* const identity, instance.identity());
  const auto now = instance.sure_clock().now();
  const auto due = renewal_due(*instance.settings().ra, identity->certificate);
  if (!due || now < *due) return false;
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  OwnRenewalTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto newest, table.newest());
  if (!newest) return true;
  // Also where `renew_before` is longer than what the CA gives.
  const Duration life = identity->certificate.not_after() - identity->certificate.not_before();
  if (newest->state == RenewalState::in_use) {
    return now >= newest->ended.value_or(newest->begun) + std::min<Duration>(24h, life / 3);
  }
  ASSIGN_OR_RETURN(const auto failures, table.failures());
  return !is_under_way(newest->state) && now >= next_try(*newest, failures);
}

}  // namespace

std::optional<Time> renewal_due(const RaSettings& settings, const Certificate& present) {
  constexpr Duration kMost = 24h * 30;
  const Duration life = present.not_after() - present.not_before();
  const auto before = settings.renew_before.value_or(std::min<Duration>(life / 3, kMost));
  if (before == Duration::zero()) return std::nullopt;
  return present.not_after() - before;
}

Time next_try(const OwnRenewal& newest, std::int64_t failures) {
  constexpr std::int64_t kDoubled = 5;
  const auto wait =
      std::min<Duration>(1h * (1 << std::clamp<std::int64_t>(failures - 1, 0, kDoubled)), 24h);
  const auto pause = newest.state == RenewalState::given_up ? Duration(24h) : wait;
  return newest.ended.value_or(newest.begun) + pause;
}

Result<std::optional<std::string>> own_renewal_body(Instance& instance) {
  const auto& ra = *instance.settings().ra;
  ASSIGN_OR_RETURN(const auto services, instance.services());
  const auto* channel = own_channel(services, ra);
  if (channel == nullptr) return hold("[ra] upstream names no channel");
  ASSIGN_OR_RETURN(const bool issued,
                   is_issued_above(services.identity, *channel, instance.likely_clock().now()));
  return renewal_body(ra.renew_by, issued, *channel);
}

Result<OwnRenewal> begin_own_renewal(Instance& instance, const std::string& wanted,
                                     const std::string& by) {
  const auto& ra = *instance.settings().ra;
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto services, instance.services());
  std::optional<std::string> body = wanted;
  if (wanted.empty()) {
    ASSIGN_OR_RETURN(body, own_renewal_body(instance));
  }
  const auto* channel = own_channel(services, ra);
  if (channel == nullptr) return hold("[ra] upstream names no channel");
  if (!body) return failure(cannot_be_asked_for(*channel));
  TRY(check_exchangeable(ra.cmp_key, ra.cmp_certificate));
  TokenLog tokens;
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  const Services ours{services.identity, *reader, services.sealing_key, services.random, tokens};
  ASSIGN_OR_RETURN(auto request, make_own_request(*body, ra.renew_profile, *channel,
                                                  instance.likely_clock().now(), ours));
  const auto renewal = request.renewal;
  const auto job = departure_of(request.message);
  bool stored = false;
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(stored, store_own_request(std::move(request), by, writer));
    return {};
  }));
  if (!stored) {
    return hold("a certificate for this RA has been asked for already",
                "`cmpost ra show` says since when; `cmpost ra give-up` ends that");
  }
  // Where the process dies before, the timers do it.
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  TRY(spool->replies().put({&job, 1}));
  log::info("ra.certificate_asked", {{"channel", renewal.channel}, {"body", renewal.body}});
  return renewal;
}

Result<void> end_by_hand(const OwnRenewal& renewal, Time now, LedgerWriter& writer) {
  RenewalChange change{renewal.id, renewal.state, RenewalState::given_up, {}, {}, {}};
  change.ended = now;
  ASSIGN_OR_RETURN(const bool done, OwnRenewalTable(writer.connection()).change(change));
  if (!done) return hold("it has gone on meanwhile", "look again with `cmpost ra show`");
  UpstreamTable table(writer.connection());
  ASSIGN_OR_RETURN(const auto messages, table.of_renewal(renewal.transactionID));
  for (const auto& one : messages) {
    if (!is_open(one.state)) continue;
    TRY(table.change(
        {.id = one.id, .from = {one.state}, .to = UpstreamState::given_up, .answered = now}));
  }
  return {};
}

Result<void> settle_own_certificate(Instance& instance) {
  if (instance.is_ca()) return {};
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  std::optional<OwnRenewal> newest;
  {
    ASSIGN_OR_RETURN(const auto reader, ledger->reader());
    ASSIGN_OR_RETURN(newest, OwnRenewalTable(reader->connection()).newest());
  }
  if (!newest || newest->state != RenewalState::granted) return {};
  // The present pair does its work meanwhile, and `check` tells of it.
  if (const auto done = put_into_use(instance, *ledger, *newest); !done) {
    log::error("ra.certificate_not_written", {{"error", to_string(done.error())}});
  }
  return {};
}

Result<void> recall_former_certificates(Instance& instance) {
  if (instance.is_ca()) return {};
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto* const sealing_key, instance.sealing_key());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto all, OwnRenewalTable(reader->connection()).with_former());
  std::vector<std::shared_ptr<const Identity>> former;
  for (const auto& renewal : all) {
    ASSIGN_OR_RETURN(auto one, former_identity(renewal, *sealing_key));
    former.push_back(std::move(one));
  }
  return instance.recall_former(std::move(former));
}

Result<void> tend_own_certificate(Instance& instance) {
  if (instance.is_ca()) return {};
  TRY(settle_own_certificate(instance));
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  TRY(forget_former(instance, *ledger));
  ASSIGN_OR_RETURN(const bool due, may_begin(instance, *ledger));
  if (!due) return {};
  ASSIGN_OR_RETURN(const auto body, own_renewal_body(instance));
  if (!body) return {};  // `check` says so
  TRY(begin_own_renewal(instance, *body, kByItself));
  return {};
}

bool own_certificate_has_changed(Instance& instance) {
  if (instance.is_ca()) return false;
  const auto identity = instance.identity();
  const auto certificate = Instance::certificate_in(instance.cmp_certificate_file());
  return identity && certificate && (*identity)->certificate != *certificate;
}

}  // namespace cmpost
