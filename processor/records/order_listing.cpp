#include "processor/records/order_listing.h"

#include "cmp/pki_message.h"
#include "crypto/x509/certificate.h"
#include "processor/transaction/transaction_table.h"
#include "queue/order_job.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::string_view kToBeRevoked =
    "mode = 'pkcs10' AND body = 'rr' AND state IN ('made', 'left', 'unanswered')";

void append(std::string& list, const std::string& more) {
  if (!more.empty()) list += (list.empty() ? "" : ", ") + more;
}

std::string names_of(const CertificationRequest& request) {
  const auto* extension = find(request.extensions, oid::id_ce_subjectAltName);
  if (extension == nullptr) return {};
  der::Reader reader(extension->extnValue);
  auto sequence = reader.enter(der::kSequence);
  std::string names;
  while (sequence && !sequence->at_end()) {
    const auto name = read_general_name(*sequence);
    if (!name) return names + ", ...";
    append(names, name->text());
  }
  return names;
}

Result<void> describe_certificate(ListedOrder& order) {
  ASSIGN_OR_RETURN(const auto request, certification_request_from_pem_or_der(order.message.octets));
  order.subject = request.subject.text();
  order.names = names_of(request);
  for (const auto& one : request.extensions) {
    if (one.extnID != oid::id_ce_subjectAltName) append(order.extensions, one.extnID.name());
  }
  if (const auto key = PublicKey::from_spki(request.spki.der)) order.key = key->description();
  return {};
}

Result<void> describe_revocation(ListedOrder& order, LedgerReader& ledger) {
  const auto message = decode(order.message.octets, {.max_message = order.message.octets.size()});
  if (!message) return hold("a stored message cannot be read: " + message.error().text());
  const auto* rr = std::get_if<body::rr>(&message->body);
  if (rr == nullptr) return {};
  for (const auto& one : rr->details) {
    const auto& serial = one.certDetails.serialNumber;
    if (!serial) continue;
    append(order.serials, to_hex(*serial));
    ASSIGN_OR_RETURN(const auto record, ledger.find(*serial));
    if (!record) continue;
    // Another CA may have given the same serial number.
    ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record->der));
    const auto& issuer = one.certDetails.issuer;
    if (!issuer || certificate.issuer().same(*issuer)) append(order.subject, record->subject);
  }
  return {};
}

}  // namespace

Result<ListedOrder> describe_order(UpstreamMessage message, LedgerReader& ledger) {
  ListedOrder order;
  order.message = std::move(message);
  order.id = order_name(to_hex(order.message.transactionID));
  order.revocation = order.message.body == kRevocationOrder;
  ASSIGN_OR_RETURN(const auto transaction,
                   TransactionTable(ledger.connection()).find(order.message.transaction));
  if (transaction) order.requester = transaction->requester;
  if (!order.message.question) order.requester += " (has not accepted it)";
  TRY(order.revocation ? describe_revocation(order, ledger) : describe_certificate(order));
  return order;
}

Result<std::int64_t> count_to_be_revoked(Connection& connection) {
  return only(connection, "SELECT count(*) FROM upstream WHERE " + std::string(kToBeRevoked),
              column<std::int64_t>);
}

Result<std::vector<ListedOrder>> list_orders(LedgerReader& ledger, bool all) {
  const auto open = all ? std::string()
                        : " AND (state IN ('made', 'left') OR (" + std::string(kToBeRevoked) + "))";
  ASSIGN_OR_RETURN(const auto ids, cmpost::all(ledger.connection(),
                                               "SELECT id FROM upstream WHERE mode = 'pkcs10'" +
                                                   open + " ORDER BY id",
                                               column<std::int64_t>));
  std::vector<ListedOrder> orders;
  for (const auto id : ids) {
    ASSIGN_OR_RETURN(auto message, UpstreamTable(ledger.connection()).find(id));
    if (!message) continue;
    ASSIGN_OR_RETURN(auto order, describe_order(*std::move(message), ledger));
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace cmpost
