// What has left the house and the ledger does not know: what a restored backup lacks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "processor/records/order_listing.h"

namespace cmpost {

// A certificate of this CA that was found outside the ledger.
struct StrayCertificate {
  CertificateRecord record;  // as it will be put on the books
  std::string found_in;      // for people: "the answer 0a1b... in the queue", a file
};

struct Losses {
  std::vector<StrayCertificate> certificates;
  // Of the published CRLs. The certificates of some may be among those above; of others only the
  // serial number is known.
  std::vector<RevokedCertificate> revocations;
  std::uint64_t published_number = 0;  // the highest cRLNumber that was found, 0: none
  std::uint64_t ledger_number = 0;     // what the ledger knows to have left
  // Places that could not be looked at, with the reason: what lies there is not known.
  std::vector<std::string> unread;

  bool is_number_behind() const { return published_number > ledger_number; }
  bool none() const { return certificates.empty() && revocations.empty() && !is_number_behind(); }
};

// Looks into the answers that the spool still has, the published CRLs, the output directories of
// channels and `more` files or directories (PKIMessages, certificates and CRLs in DER or PEM).
// Only what this CA's keys have signed counts. Changes nothing.
Result<Losses> find_losses(Instance& instance, const std::vector<std::string>& more);

// The same of the `newest` answers in the spool alone.
Result<Losses> find_losses_in_spool(Instance& instance, std::size_t newest);

// Of an RA: orders that a program would place next. Since the backup was made it may have placed
// them already, and nobody here knows.
Result<std::vector<ListedOrder>> orders_to_be_placed(Instance& instance);
// From now on each is held instead, until a person has looked. Harmless to repeat.
Result<void> hold_orders(Instance& instance, const std::vector<ListedOrder>& orders);

// Why no CRL would be issued: a published one is ahead of the ledger. nullopt: none is. An Error:
// it cannot be found out.
Result<std::optional<Error>> find_newer_crl(Instance& instance);

// Puts all of it on the books in one commit, with audit records; what is known meanwhile is left as
// it is, so a second call changes nothing.
Result<void> bring_back(Instance& instance, const Losses& losses);

}  // namespace cmpost
