// A CA with its databases in a temporary directory, and requesters that speak CMP with it.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "ca/crl_publisher.h"
#include "cmp/protection.h"
#include "processor/ca_role/ca_role.h"
#include "processor/commit.h"
#include "processor/credentials/secret_store.h"
#include "processor/dialogue/respond.h"
#include "processor/officers/officer.h"
#include "processor/rulings/rule_tables.h"
#include "processor/transaction/announcement_table.h"
#include "processor/transaction/operation_schema.h"
#include "processor/transaction/transaction_table.h"
#include "processor/upstream/upstream_table.h"
#include "store/rows.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

template <typename T>
T must(Result<T> result) {
  if (!result) ADD_FAILURE() << to_string(result.error());
  return std::move(result).value();
}
inline void must(Result<void> result) {
  if (!result) ADD_FAILURE() << to_string(result.error());
}

inline Name name(std::string_view text) { return must(Name::from_text(text)); }

// What an rr names a certificate by.
inline RevDetails details_of(const Certificate& certificate) {
  RevDetails details;
  details.certDetails.issuer = certificate.issuer();
  details.certDetails.serialNumber = to_bytes(certificate.serial_number());
  return details;
}

// rr for one certificate.
inline PKIBody revocation(const Certificate& certificate,
                          CRLReason reason = CRLReason::keyCompromise) {
  auto details = details_of(certificate);
  der::Writer code;
  code.integer(static_cast<std::int64_t>(reason), 0x0a);
  details.crlEntryDetails = Extensions{{oid::id_ce_cRLReasons, false, std::move(code).take()}};
  return body::rr{{details}};
}

// A key pair and, once it has one, a certificate.
struct Credential {
  explicit Credential(const char* algorithm = "ec:P-256")
      : key(must(PrivateKey::generate(algorithm))), signer(must(Signer::create(key))) {}
  PrivateKey key;
  Signer signer;
  std::optional<Certificate> certificate;
};

// A root that is not the CA under test: a vendor's or an RA's.
struct OtherRoot {
  OtherRoot(std::string_view subject, Time now, Random& random)
      : certificate(must(make_root(credential.key, name(subject), now - std::chrono::hours(24),
                                   now + std::chrono::hours(24 * 3650), random))) {}

  void certify(Credential& holder, std::string_view subject, Time now, Random& random) const {
    TBSCertificate tbs;
    tbs.serialNumber = random.bytes(12);
    tbs.serialNumber[0] = 1;
    tbs.issuer = certificate.subject();
    tbs.subject = name(subject);
    tbs.notBefore = now - std::chrono::hours(1);
    tbs.notAfter = now + std::chrono::hours(24 * 365);
    tbs.subjectPublicKeyInfo = to_bytes(holder.key.public_key().spki());
    tbs.extensions = {subject_key_identifier_extension(holder.key.public_key().key_identifier())};
    if (!purposes.empty()) tbs.extensions.push_back(extended_key_usage_extension(purposes));
    tbs.extensions.insert(tbs.extensions.end(), extensions.begin(), extensions.end());
    if (!serial.empty()) tbs.serialNumber = serial;
    holder.certificate =
        must(Certificate::from_der(must(sign_certificate(tbs, credential.signer))));
  }

  Credential credential;
  Certificate certificate;
  // Of the certificates that it makes.
  std::vector<Oid> purposes{};
  Extensions extensions{};
  Bytes serial{};  // empty: another one each time
};

class CaUnderTest {
 public:
  static constexpr const char* kReference = "dev1";
  static constexpr const char* kSecret = "a shared secret";

  explicit CaUnderTest(const std::string& channel_settings = "")
      : vendor("CN=Vendor", clock.now(), random),
        ra_root("CN=RA Root", clock.now(), random),
        other_ca("CN=Other CA", clock.now(), random) {
    ra_root.purposes = {oid::id_kp_cmcRA};
    other_ca.purposes = {oid::id_kp_cmcCA};
    const auto now = clock.now();
    Credential ca, cmp;
    const auto root = must(make_root(ca.key, name("CN=Test CA"), now - std::chrono::hours(1),
                                     now + std::chrono::hours(24 * 3650), random));
    auto issuer = must(Issuer::create(root, ca.key, random, clock));
    const auto cmp_certificate =
        must(make_cmp_certificate(issuer, cmp.key.public_key(), name("CN=Test CMP"), now,
                                  now + std::chrono::hours(24 * 365)));
    authority.emplace(Authority{
        .identity = {.certificate = cmp_certificate,
                     .signer = cmp.signer,
                     .key_identifier = cmp.key.public_key().key_identifier(),
                     .chain = {{to_bytes(cmp_certificate.der())}}},
        .issuer = std::move(issuer),
        .ca_chain = {{to_bytes(root.der())}},
    });
    role.emplace(*authority);
    must(write_file(directory / "vendor.pem", view_of(vendor.certificate.to_pem()), 0644,
                    IfExists::fail));
    must(write_file(directory / "ra.pem", view_of(ra_root.certificate.to_pem()), 0644,
                    IfExists::fail));
    must(write_file(directory / "ca.pem", view_of(other_ca.certificate.to_pem()), 0644,
                    IfExists::fail));
    configure(channel_settings);
    open();
    Secret secret;
    secret.reference = kReference;
    secret.value = to_bytes(std::string_view(kSecret));
    secret.subject = "CN=dev*";
    add(secret);
  }

  void configure(const std::string& channel_settings) {
    const auto text =
        "[instance]\nname = \"test\"\n"
        "[ca]\ncertificate = \"c\"\nkey = \"k\"\ncmp_certificate = \"d\"\ncmp_key = \"l\"\n"
        "kga_certificate = \"e\"\nkga_key = \"m\"\n"
        "[[profile]]\nname = \"device\"\n"
        "extensions = { subjectAltName = \"copy\", other = \"ignore\" }\n"
        "[[profile]]\nname = \"fresh\"\nreuse_key = \"deny\"\n"
        "[[channel]]\nname = \"drop\"\nkind = \"directory\"\nin = \"in\"\nout = \"out\"\n"
        "profiles = [\"device\", \"fresh\"]\n"
        "trust = [\"vendor.pem\"]\nroles = { ra = [\"ra.pem\"], ca = [\"ca.pem\"] }\n" +
        channel_settings;
    auto settings = parse_settings(text, directory / "cmpost.toml");
    if (!settings) ADD_FAILURE() << to_string(settings.error().front());
    channels = must(load_channel_policies(*settings, authority->own_roots()));
  }

  // What a restart does: everything that is not in the databases is gone.
  void open() { open_in(directory.path()); }
  void open_in(const std::string& place) {
    reader.reset();
    ledger.reset();
    spool.reset();
    ledger = must(Ledger::open("sqlite:ledger.db", place, clock,
                               {{"processor", kProcessorMigrations},
                                {"announcement", kAnnouncementMigrations},
                                {"protection", kProtectionMigrations},
                                {"envelope", kEnvelopeMigrations},
                                {"operation", kOperationMigrations},
                                {"upstream", kUpstreamMigrations},
                                {"device", kDeviceMigrations},
                                {"rule", kRuleMigrations},
                                {"officer", kOfficerMigrations}}));
    spool = must(open_spool({.url = "sqlite:spool.db", .base_directory = place}, clock));
    reader = must(ledger->reader());
  }

  virtual ~CaUnderTest() = default;
  virtual ProcessorServices services() {
    const Clock& sure = doubted ? *doubted : clock;
    return {authority->identity, *role, channels, sealing_key, random, clock, sure, sure};
  }
  // The wall clock `clock` is in doubt: this is what is believed, as with a clock that is ahead.
  std::optional<FakeClock> doubted;

  void add(const Secret& secret) {
    must(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      EXPECT_THAT(SecretStore(writer.connection(), sealing_key).add(secret, random), IsOk());
      return {};
    }));
  }

  // All that the ledger has, the oldest first.
  std::vector<CertificateRecord> issued() {
    std::vector<CertificateRecord> all;
    must(reader->for_each({}, [&](const CertificateRecord& record) -> Result<void> {
      all.push_back(record);
      return {};
    }));
    return all;
  }

  // A lease as the queue would give it; each call is another arrival.
  Lease arrival(Bytes der) {
    Job job;
    job.id = make_job_id({random.bytes(16)});
    job.envelope.channel = "drop";
    job.envelope.reply.channel = "drop";
    job.payload = std::move(der);
    return {std::move(job), 1, clock.now()};
  }
  Decision decide(Bytes der) { return must(respond(arrival(std::move(der)), *reader, services())); }

  // Takes effect at once: true unless it conflicts.
  bool commit(const Decision& decision) {
    bool applied = false;
    must(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(const auto conflict, apply(decision.effects, writer, clock.now()));
      applied = !conflict;
      return {};
    }));
    return applied;
  }

  // The whole way: decided, committed, answered. The answer's DER; empty for silence.
  Bytes exchange(Bytes der) {
    const auto decision = decide(std::move(der));
    EXPECT_TRUE(commit(decision));
    const auto* reply = std::get_if<Decision::Reply>(&decision.what);
    return reply == nullptr ? Bytes() : reply->job.payload;
  }
  PKIMessage ask(Bytes der) {
    auto message = decode(exchange(std::move(der)));
    if (!message) ADD_FAILURE() << "no readable answer: " << message.error().text();
    return message.value_or(PKIMessage{});
  }

  std::optional<CertificateRecord> record(const Certificate& certificate) {
    return must(reader->find(certificate.serial_number()));
  }
  std::int64_t certificates() { return must(reader->count()); }

  TemporaryDirectory directory;
  FakeClock clock;
  FakeRandom random;
  OtherRoot vendor;
  OtherRoot ra_root;
  OtherRoot other_ca;
  SealingKey sealing_key = SealingKey::generate(random);
  std::optional<Authority> authority;
  std::optional<CaRole> role;
  ChannelPolicies channels;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<LedgerReader> reader;
};

// How many rows a table of the ledger has.
inline std::int64_t rows_of(CaUnderTest& ca, const std::string& table) {
  return must(only(ca.reader->connection(), "SELECT count(*) FROM " + table, column<std::int64_t>));
}

}  // namespace cmpost
