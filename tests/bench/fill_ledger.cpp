// Gives a ledger the past of a CA that has been busy: certificates, transactions, messages and
// audit records, as many as asked for.
//
//   fill_ledger CONFIG COUNT REQUEST.pki
//
// The certificates are copies of one that the CA signs here, with other serial numbers and keys;
// the ledger does not look at their signatures. REQUEST.pki is stored as the message of each.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "base/files.h"
#include "processor/transaction/effects.h"

namespace cmpost {
namespace {

constexpr std::size_t kGroup = 2000;
constexpr std::size_t kReplySize = 1500;

// A certificate in which serial number and key can be written over.
class Template {
 public:
  static Result<Template> create(const Issuer& issuer, Time now) {
    ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
    CertificatePlan plan;
    ASSIGN_OR_RETURN(plan.subject, Name::from_text("CN=device,O=Fleet"));
    plan.subjectPublicKeyInfo = to_bytes(key.public_key().spki());
    plan.notBefore = now;
    plan.notAfter = now + std::chrono::hours(24 * 365);
    ASSIGN_OR_RETURN(const Certificate certificate, issuer.issue(plan));
    return Template(certificate, key.public_key().spki().last(kKeySize));
  }

  // The certificate number `i`; serial numbers ascend as those of a real CA do.
  Bytes copy(std::uint64_t i, Random& random) {
    for (int octet = 7; octet >= 0; --octet, i >>= 8U) {
      der_[serial_at_ + static_cast<std::size_t>(octet)] =
          static_cast<std::uint8_t>(octet == 0 ? 0x20 : i);
    }
    random.fill(std::span(der_).subspan(key_at_, kKeySize));
    return der_;
  }
  Bytes serial() const {
    return Bytes(der_.begin() + static_cast<std::ptrdiff_t>(serial_at_),
                 der_.begin() + static_cast<std::ptrdiff_t>(serial_at_ + serial_size_));
  }

 private:
  static constexpr std::size_t kKeySize = 64;

  Template(const Certificate& certificate, ByteView key)
      : der_(to_bytes(certificate.der())),
        serial_at_(find(certificate.serial_number())),
        serial_size_(certificate.serial_number().size()),
        key_at_(find(key)) {}

  std::size_t find(ByteView part) const {
    const auto at = std::search(der_.begin(), der_.end(), part.begin(), part.end());
    CHECK(at != der_.end());
    return static_cast<std::size_t>(at - der_.begin());
  }

  Bytes der_;
  std::size_t serial_at_, serial_size_, key_at_;
};

Effects past_enrolment(Template& certificates, std::uint64_t i, const Bytes& request,
                       Random& random, Time now) {
  CertificateRecord record;
  record.der = certificates.copy(i, random);
  record.serial = certificates.serial();
  record.subject = "CN=device-" + std::to_string(i) + ",O=Fleet";
  record.profile = "device";
  record.channel = "drop";
  record.requester = "cert:" + record.subject;
  record.issued = now;
  record.not_after = now + std::chrono::hours(24 * 365);

  Transaction transaction;
  transaction.transactionID = random.bytes(16);
  transaction.channel = "drop";
  transaction.body = "ir";
  transaction.credential = record.requester;
  transaction.our_nonce = random.bytes(16);
  transaction.certificates = {{0, record.serial}};
  transaction.opened = now;
  transaction.requester = record.requester;
  transaction.subject = record.subject;
  transaction.source = "in/device-" + std::to_string(i) + ".pki";
  record.tid = to_hex(transaction.transactionID);

  StoredMessage message;
  random.fill(message.digest);
  message.channel = "drop";
  message.body = "ir";
  message.reply_body = "ip";
  message.request = request;
  message.reply = random.bytes(kReplySize);
  message.outcome = "accepted";

  Effects effects;
  effects.audit.push_back({"certificate.issued", R"({"subject":")" + record.subject + "\"}"});
  effects.open = std::move(transaction);
  effects.message = std::move(message);
  effects.certificates.push_back(std::move(record));
  return effects;
}

Result<void> fill(const std::string& config, std::uint64_t count, const std::string& request_file) {
  CommonOptions options;
  options.config = config;
  options.quiet = true;
  ASSIGN_OR_RETURN(const auto instance, Instance::open(options));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto* const authority, instance->authority());
  ASSIGN_OR_RETURN(const Bytes request, read_file(request_file, 1 << 20));
  const Time now = instance->clock().now();
  ASSIGN_OR_RETURN(auto certificates, Template::create(authority->issuer, now));
  for (std::uint64_t done = 0; done < count;) {
    const std::uint64_t end = std::min<std::uint64_t>(count, done + kGroup);
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      for (; done < end; ++done) {
        TRY(apply(past_enrolment(certificates, done, request, instance->random(), now), writer,
                  now));
      }
      return {};
    }));
  }
  return {};
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: fill_ledger CONFIG COUNT REQUEST.pki\n");
    return 64;
  }
  const auto done = cmpost::fill(argv[1], std::strtoull(argv[2], nullptr, 10), argv[3]);
  if (done) return 0;
  std::fprintf(stderr, "fill_ledger: %s\n", cmpost::to_string(done.error()).c_str());
  return 1;
}
