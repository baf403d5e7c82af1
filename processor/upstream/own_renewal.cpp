#include "processor/upstream/own_renewal.h"

#include <algorithm>
#include <array>

#include "asn1/der.h"
#include "processor/upstream/upstream_table.h"
#include "store/rows.h"

namespace cmpost {

namespace {

constexpr std::string_view kOwnKey = "own_renewal key";
constexpr std::array kStates = {
    RenewalState::asked,   RenewalState::confirming, RenewalState::granted, RenewalState::in_use,
    RenewalState::refused, RenewalState::unanswered, RenewalState::given_up};
constexpr const char* kSelectRenewal =
    "SELECT id, state, body, channel, tid, key, chain, former_key, former_chain, begun, ended, "
    "reason FROM own_renewal ";

// One after the other, as they are.
Bytes joined(const std::vector<Bytes>& chain) {
  Bytes all;
  for (const auto& one : chain) all.insert(all.end(), one.begin(), one.end());
  return all;
}

Result<std::vector<Bytes>> apart_again(ByteView joined) {
  std::vector<Bytes> chain;
  der::Reader reader(joined);
  while (!reader.at_end()) {
    const auto one = reader.any();
    if (!one) return hold("the ledger has a certificate that cannot be read");
    chain.push_back(to_bytes(one->whole));
  }
  return chain;
}

Result<OwnRenewal> read_renewal(Row& row) {
  OwnRenewal renewal;
  row.into(renewal.id);
  const auto state = renewal_state(row.next<std::string_view>());
  row.into(renewal.body, renewal.channel, renewal.transactionID, renewal.key);
  auto chain = apart_again(row.next<ByteView>());
  row.into(renewal.former_key);
  auto former = apart_again(row.next<ByteView>());
  row.into(renewal.begun, renewal.ended, renewal.reason);
  if (!state) {
    return hold("the ledger has a renewal of the own certificate in an unknown state",
                "restore the ledger from a backup, or use the version that has written it");
  }
  renewal.state = *state;
  ASSIGN_OR_RETURN(renewal.chain, std::move(chain));
  ASSIGN_OR_RETURN(renewal.former_chain, std::move(former));
  return renewal;
}

bool has_failed(RenewalState state) {
  return state == RenewalState::refused || state == RenewalState::unanswered ||
         state == RenewalState::given_up;
}

}  // namespace

std::string_view to_string(RenewalState state) {
  switch (state) {
    case RenewalState::asked:
      return "asked";
    case RenewalState::confirming:
      return "confirming";
    case RenewalState::granted:
      return "granted";
    case RenewalState::in_use:
      return "in_use";
    case RenewalState::refused:
      return "refused";
    case RenewalState::unanswered:
      return "unanswered";
    case RenewalState::given_up:
      break;
  }
  return "given_up";
}

std::optional<RenewalState> renewal_state(std::string_view text) {
  for (const auto one : kStates) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

bool is_under_way(RenewalState state) {
  return state == RenewalState::asked || state == RenewalState::confirming ||
         state == RenewalState::granted;
}

Result<Bytes> seal_own_key(const PrivateKey& key, const SealingKey& sealing_key, Random& random) {
  ASSIGN_OR_RETURN(auto plain, key.to_pkcs8());
  auto sealed = sealing_key.seal(plain, kOwnKey, random);
  wipe(plain);
  return sealed;
}

Result<PrivateKey> unseal_own_key(ByteView sealed, const SealingKey& sealing_key) {
  ASSIGN_OR_RETURN(auto plain, sealing_key.unseal(sealed, kOwnKey));
  auto key = PrivateKey::from_pkcs8(plain);
  wipe(plain);
  return key;
}

Result<std::optional<UpstreamMessage>> certConf_again(const OwnRenewal& renewal,
                                                      const std::vector<UpstreamMessage>& messages,
                                                      Connection& ledger, const LostAnswer& lost) {
  if (renewal.state != RenewalState::confirming || renewal.chain.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(renewal.chain.front()));
  const auto last =
      std::ranges::find(messages.rbegin(), messages.rend(), "certConf", &UpstreamMessage::body);
  if (lost.sure >= certificate.not_after() || last == messages.rend()) return std::nullopt;
  ASSIGN_OR_RETURN(auto whole, UpstreamTable(ledger).find(last->id));
  if (!whole) return hold("the ledger has lost a certConf of our own");
  return again(*std::move(whole), messages.back().seq + 1, lost.now);
}

Result<std::optional<OwnRenewal>> OwnRenewalTable::find(std::int64_t id) {
  return one(connection_, kSelectRenewal + std::string("WHERE id = ?"), read_renewal, id);
}

Result<std::optional<OwnRenewal>> OwnRenewalTable::newest() {
  return one(connection_, kSelectRenewal + std::string("ORDER BY id DESC LIMIT 1"), read_renewal);
}

Result<std::int64_t> OwnRenewalTable::failures() {
  return only(connection_,
              "SELECT count(*) FROM own_renewal WHERE state IN ('refused', 'unanswered') AND id > "
              "(SELECT coalesce(max(id), 0) FROM own_renewal "
              "WHERE state IN ('in_use', 'given_up'))",
              column<std::int64_t>);
}

Result<std::vector<OwnRenewal>> OwnRenewalTable::with_former() {
  return all(connection_, kSelectRenewal + std::string("WHERE length(former_key) > 0 ORDER BY id"),
             read_renewal);
}

Result<std::optional<std::int64_t>> OwnRenewalTable::add(const OwnRenewal& renewal) {
  ASSIGN_OR_RETURN(
      const auto count,
      cmpost::change(connection_,
                     "INSERT INTO own_renewal (state, body, channel, tid, key, chain, former_key, "
                     "former_chain, begun, reason) VALUES (?, ?, ?, ?, ?, x'', x'', x'', ?, '') "
                     "ON CONFLICT DO NOTHING",
                     to_string(renewal.state), renewal.body, renewal.channel, renewal.transactionID,
                     renewal.key, renewal.begun));
  if (count == 0) return std::nullopt;
  ASSIGN_OR_RETURN(const auto row,
                   only(connection_, "SELECT max(id) FROM own_renewal", column<std::int64_t>));
  return row;
}

Result<bool> OwnRenewalTable::change(const RenewalChange& change) {
  ASSIGN_OR_RETURN(
      const auto count,
      cmpost::change(connection_,
                     "UPDATE own_renewal SET state = ?, reason = ?, ended = coalesce(?, ended), "
                     "chain = CASE WHEN length(?) = 0 THEN chain ELSE ? END, "
                     "key = CASE WHEN ? THEN x'' ELSE key END WHERE id = ? AND state = ?",
                     to_string(change.to), change.reason, change.ended, joined(change.chain),
                     joined(change.chain),
                     has_failed(change.to) || change.to == RenewalState::in_use, change.id,
                     to_string(change.from)));
  return count == 1;
}

Result<void> OwnRenewalTable::keep_former(std::int64_t id, const Bytes& key,
                                          const std::vector<Bytes>& chain) {
  TRY(cmpost::change(connection_,
                     "UPDATE own_renewal SET former_key = ?, former_chain = ? WHERE id = ?", key,
                     joined(chain), id));
  return {};
}

Result<bool> OwnRenewalTable::is_needed(ByteView signer) {
  ASSIGN_OR_RETURN(const auto found,
                   only(connection_,
                        "SELECT EXISTS (SELECT 1 FROM upstream JOIN tx ON tx.id = upstream.tx "
                        "WHERE upstream.signer = ? AND tx.state <> 'closed')",
                        column<std::int64_t>, signer));
  return found != 0;
}

Result<void> OwnRenewalTable::forget_former(std::int64_t id) {
  TRY(cmpost::change(
      connection_, "UPDATE own_renewal SET former_key = x'', former_chain = x'' WHERE id = ?", id));
  return {};
}

}  // namespace cmpost
