#include "processor/records/verify_ledger.h"

#include "processor/records/secret_digest.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class VerifyLedger : public ::testing::Test {
 protected:
  void add_secret(const std::string& reference, SecretPurpose purpose = SecretPurpose::mac) {
    Secret secret;
    secret.reference = reference;
    secret.purpose = purpose;
    secret.value = to_bytes(std::string_view("a secret that was added"));
    secret.subject = "CN=" + reference;
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(SecretStore(writer.connection(), ca.sealing_key).add(secret, ca.random));
      ASSIGN_OR_RETURN(const auto digest,
                       secret_digest(writer.connection(), secret_key(purpose, reference)));
      return writer.audit("secret.added", "{\"reference\":\"" + reference + "\",\"for\":\"" +
                                              std::string(to_string(purpose)) +
                                              "\",\"columns\":\"" + digest.columns +
                                              "\",\"sha256\":\"" + digest.sha256 + "\"}");
    }));
  }
  // As somebody with a tool of SQLite's.
  void by_hand(const std::string& sql) {
    must(ca.ledger->write([&](LedgerWriter& writer) { return writer.connection().execute(sql); }));
  }
  static std::string blob(ByteView octets) { return "x'" + to_hex(octets) + "'"; }
  std::string where(const Certificate& certificate) {
    return " WHERE serial = " + blob(certificate.serial_number());
  }
  std::vector<std::string> differences() {
    std::vector<std::string> told;
    verdict =
        must(verify_ledger(*ca.reader, [&](const std::string& text) { told.push_back(text); }));
    EXPECT_EQ(verdict.differences, static_cast<std::int64_t>(told.size()));
    // The secret that the fixture has put there has no record.
    std::erase_if(told, [](const std::string& text) { return text.starts_with("secret dev1 "); });
    return told;
  }
  // All that may become of a certificate.
  void live() {
    plain = enrolled(ca, "CN=dev1");
    unconfirmed = certificate_in(
        ca.talk(with_mac(ca, ir(Credential(), "CN=dev2"), {.implicit_confirm = false})));
    const auto open =
        ca.talk(with_mac(ca, ir(Credential(), "CN=dev3"), {.implicit_confirm = false}));
    confirmed = certificate_in(open);
    ca.talk(with_mac(ca, cert_conf(*confirmed), following(open)));
    const auto old = enrolled(ca, "CN=dev4");
    updated = old.certificate;
    ca.talk(signed_by(ca, old, body::kur{{cert_request(Credential(), "CN=dev4")}}));
    revoked = enrolled(ca, "CN=dev5").certificate;
    held = enrolled(ca, "CN=dev6").certificate;
    released = enrolled(ca, "CN=dev7").certificate;
    for (const auto& [certificate, reason] :
         {std::pair(*revoked, 1), {*held, 6}, {*released, 6}, {*released, 8}}) {
      by_an_ra(certificate, static_cast<std::uint8_t>(reason));
    }
    add_secret("dev8");
  }
  void by_an_ra(const Certificate& certificate, std::uint8_t reason) {
    Credential ra;
    ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
    auto details = details_of(certificate);
    details.crlEntryDetails = Extensions{{oid::id_ce_cRLReasons, false, Bytes{0x0a, 1, reason}}};
    EXPECT_EQ(status_in(ca.talk(signed_by(ca, ra, body::rr{{details}}))).status,
              PKIStatus::accepted);
  }

  Office ca;
  LedgerVerdict verdict;
  Credential plain;
  std::optional<Certificate> unconfirmed, confirmed, updated, revoked, held, released;
};

TEST_F(VerifyLedger, WhatHappenedFitsItsRecords) {
  live();
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_EQ(verdict.certificates, ca.certificates());
  EXPECT_EQ(verdict.certificates_by_serial, 0);
  EXPECT_EQ(verdict.transactions_without_record, 0);
  EXPECT_GT(verdict.transactions, 7);
  EXPECT_EQ(verdict.broken_at, std::nullopt);
}

TEST_F(VerifyLedger, ATokenIsOneOfItsOwn) {
  add_secret("dev9");
  add_secret("dev9", SecretPurpose::regToken);
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(VerifyLedger, WhatIsReleasedIsWhatItWasBefore) {
  live();
  by_an_ra(*unconfirmed, 6);
  by_an_ra(*unconfirmed, 8);
  ASSERT_EQ(ca.record(*unconfirmed)->state, CertificateState::unconfirmed);
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(VerifyLedger, ARevocationThatIsTakenBackByHandIsNamed) {
  live();
  const auto serial = to_hex(revoked->serial_number());
  by_hand("UPDATE certificate SET state = 'valid', revoked_at = NULL, reason = NULL" +
          where(*revoked));
  EXPECT_THAT(differences(), ElementsAre(HasSubstr(serial + " is valid, and it became revoked")));
}

TEST_F(VerifyLedger, EachChangeOfACertificateIsNamed) {
  live();
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"UPDATE certificate SET state = 'valid'" + where(*unconfirmed), "became unconfirmed"},
      {"UPDATE certificate SET state = 'unconfirmed'" + where(*confirmed), "became valid"},
      {"UPDATE certificate SET state = 'valid'" + where(*updated), "became updated"},
      {"UPDATE certificate SET state = 'valid'" + where(*held), "became held"},
      {"UPDATE certificate SET state = 'held', reason = 6" + where(*released), "became valid"},
      {"UPDATE certificate SET not_after = 1000000000000000" + where(*revoked), "it ends "},
      {"UPDATE certificate SET reason = 4" + where(*revoked), "revoked for superseded"},
      {"UPDATE certificate SET subject = 'CN=other'" + where(*plain.certificate), "its subject"},
      {"UPDATE certificate SET der = der || x'00'" + where(*plain.certificate), "its octets"},
      {"DELETE FROM certificate" + where(*plain.certificate), "is missing"},
      {"UPDATE certificate SET serial = x'42'" + where(*plain.certificate), "no record"}};
  for (const auto& [sql, told] : changes) {
    must(ca.ledger->write([&](LedgerWriter& writer) {
      return writer.connection().execute(
          "CREATE TABLE IF NOT EXISTS saved AS SELECT * FROM certificate");
    }));
    by_hand(sql);
    EXPECT_THAT(differences(), ::testing::Contains(HasSubstr(told))) << sql;
    by_hand("DELETE FROM certificate; INSERT INTO certificate SELECT * FROM saved");
  }
  EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(VerifyLedger, SecretsAndTransactionsThatAreMissingChangedOrMoreAreNamed) {
  live();
  by_hand("UPDATE secret SET subject = 'CN=*' WHERE reference = 'dev8'");
  EXPECT_THAT(differences(), ElementsAre(HasSubstr("secret dev8 was changed")));
  by_hand("DELETE FROM secret WHERE reference = 'dev8'");
  EXPECT_THAT(differences(), ElementsAre(HasSubstr("secret dev8 is missing")));
  add_secret("dev8");
  EXPECT_THAT(differences(), IsEmpty());
  const auto last = " WHERE id = (SELECT max(id) FROM tx)";
  by_hand(std::string("UPDATE tx SET tid = x'4242'") + last);
  EXPECT_THAT(differences(), SizeIs(2)) << "one is missing, one has no record";
}

TEST_F(VerifyLedger, UsesOfASecretDoNotBecomeFewer) {
  add_secret("dev9");
  const auto request =
      with_mac(ca, ir(Credential(), "CN=dev9"), {}, "a secret that was added", "dev9");
  certificate_in(ca.talk(request));
  EXPECT_THAT(differences(), IsEmpty());
  by_hand("UPDATE secret SET uses = 0 WHERE reference = 'dev9'");
  EXPECT_THAT(differences(), ElementsAre(HasSubstr("counts 0 uses")));
}

TEST_F(VerifyLedger, WhatEarlierVersionsDidNotWriteDownIsCounted) {
  const auto device = enrolled(ca, "CN=dev1");
  by_hand("DELETE FROM audit");
  const auto serial = to_hex(device.certificate->serial_number());
  must(ca.ledger->write([&](LedgerWriter& writer) {
    return writer.audit("certificate.issued",
                        "{\"serial\":\"" + serial + "\",\"subject\":\"CN=dev1\"}");
  }));
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_EQ(verdict.certificates_by_serial, 1);
  EXPECT_EQ(verdict.transactions_without_record, 1);
  by_hand("UPDATE certificate SET state = 'updated'");
  EXPECT_THAT(differences(), IsEmpty()) << "no record can say";
  by_hand("UPDATE certificate SET state = 'revoked', reason = 1, revoked_at = 1");
  EXPECT_THAT(differences(), ElementsAre(HasSubstr("never revoked")));
}

TEST_F(VerifyLedger, OfABrokenChainNothingIsDerived) {
  enrolled(ca, "CN=dev1");
  by_hand("UPDATE audit SET detail = '{}' WHERE id = 1");
  EXPECT_THAT(differences(), IsEmpty());
  EXPECT_EQ(verdict.broken_at, 1);
}

}  // namespace
}  // namespace cmpost
