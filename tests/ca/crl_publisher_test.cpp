#include "ca/crl_publisher.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/ca/ca_fixture.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class CrlTest : public ::testing::Test {
 protected:
  CrlTest() {
    write_text(directory / "ca.pem", ca.root.to_pem());
    settings.lifetime = 24h * 7;
    settings.publish = directory / "ca.crl";
  }

  Certificate added(std::string_view subject) {
    auto certificate = ca.issue(subject);
    EXPECT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.add(ca.record(certificate)));
      return {};
    }),
                IsOk());
    return certificate;
  }
  void revoke(const Certificate& certificate, CRLReason reason, std::optional<Time> date = {}) {
    ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.revoke(certificate.serial_number(), reason, ca.clock.now(), date));
      return {};
    }),
                IsOk());
  }
  CertificateList issue() {
    auto list = issue_crl(*ledger, ca.issuer, settings, ca.clock);
    EXPECT_THAT(list, IsOk());
    return *std::move(list);
  }
  CertificateList issue_delta() {
    auto list = issue_delta_crl(*ledger, ca.issuer, settings, ca.clock);
    EXPECT_THAT(list, IsOk());
    return *std::move(list);
  }
  void release(const Certificate& certificate) {
    ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.unrevoke(certificate.serial_number()));
      return {};
    }),
                IsOk());
  }
  std::string openssl_crl() {
    return run("openssl crl -inform DER -in " + settings.publish + " -noout -text -CAfile " +
               (directory / "ca.pem") + " -verify");
  }
  std::string openssl_verify(const Certificate& certificate) {
    write_text(directory / "ee.pem", certificate.to_pem());
    EXPECT_THAT(
        run("openssl crl -inform DER -in " + settings.publish + " -out " + (directory / "crl.pem")),
        StartsWith("0: "));
    return run("openssl verify -x509_strict -crl_check -CAfile " + (directory / "ca.pem") +
               " -CRLfile " + (directory / "crl.pem") + " " + (directory / "ee.pem"));
  }

  TestCa ca;
  TemporaryDirectory directory;
  CrlSettings settings;
  std::unique_ptr<Ledger> ledger =
      Ledger::open("sqlite:ledger.db", directory.path(), ca.clock).value();
};

TEST_F(CrlTest, DoesNotLoseARevocationThatTheLedgerHasLost) {
  for (const bool deleted : {false, true}) {
    const auto victim = added(deleted ? "CN=deleted" : "CN=changed");
    revoke(victim, CRLReason::keyCompromise);
    issue();
    const auto serial = to_hex(victim.serial_number());
    const auto by_hand = [&](const std::string& sql) {
      ASSERT_THAT(ledger->write([&](LedgerWriter& writer) {
        return writer.connection().execute(sql + " WHERE serial = x'" + serial + "'");
      }),
                  IsOk());
    };
    by_hand("UPDATE certificate SET state = 'valid', revoked_at = NULL, reason = NULL");
    EXPECT_THAT(issue_crl(*ledger, ca.issuer, settings, ca.clock), Fails(HasSubstr(serial)));
    EXPECT_THAT(issue_delta_crl(*ledger, ca.issuer, settings, ca.clock), Fails(HasSubstr(serial)));
    revoke(victim, CRLReason::keyCompromise);
    issue();
    if (!deleted) continue;
    by_hand("DELETE FROM certificate");
    EXPECT_THAT(issue_crl(*ledger, ca.issuer, settings, ca.clock), Fails(HasSubstr(serial)));
  }
}

TEST_F(CrlTest, LeavesOutWhatIsReleasedOrLongExpired) {
  const auto released = added("CN=released"), expired = added("CN=expired");
  revoke(released, CRLReason::certificateHold);
  revoke(expired, CRLReason::keyCompromise);
  EXPECT_EQ(issue().revokedCertificates.size(), 2U);
  release(released);
  EXPECT_EQ(issue().revokedCertificates.size(), 1U);
  const auto last = expired.not_after();
  ASSERT_THAT(ledger->write([&](LedgerWriter& writer) {
    return writer.connection().execute("UPDATE certificate SET not_after = " +
                                       std::to_string(to_unix_micros(last - 24h * 3650)));
  }),
              IsOk());
  EXPECT_THAT(issue().revokedCertificates, IsEmpty());
}

TEST_F(CrlTest, IsEmptyAtFirstAndVerifies) {
  const auto list = issue();
  EXPECT_EQ(list.crlNumber, 1u);
  EXPECT_EQ(list.thisUpdate, ca.clock.now() - 5min);  // readers whose clocks are slow
  EXPECT_EQ(list.nextUpdate, ca.clock.now() + 24h * 7);
  EXPECT_EQ(list.issuer, ca.root.subject());
  EXPECT_THAT(list.revokedCertificates, IsEmpty());
  EXPECT_THAT(openssl_crl(), HasSubstr("verify OK"));
  EXPECT_THAT(openssl_crl(), HasSubstr("No Revoked Certificates"));
}

TEST_F(CrlTest, TellsOpensslWhoIsRevoked) {
  const auto good = added("CN=good");
  const auto bad = added("CN=bad");
  revoke(bad, CRLReason::keyCompromise, ca.clock.now() - 48h);
  issue();
  EXPECT_THAT(openssl_verify(good), StartsWith("0: "));
  EXPECT_THAT(openssl_verify(bad), HasSubstr("certificate revoked"));
  const std::string text = openssl_crl();
  EXPECT_THAT(text, HasSubstr("verify OK"));
  EXPECT_THAT(text, HasSubstr("Key Compromise"));
  EXPECT_THAT(text, HasSubstr("Invalidity Date"));
}

TEST_F(CrlTest, HasHoldsAndDropsThemAfterTheirRelease) {
  const auto device = added("CN=a");
  revoke(device, CRLReason::certificateHold);
  const auto list = issue();
  ASSERT_EQ(list.revokedCertificates.size(), 1u);
  EXPECT_EQ(list.revokedCertificates[0].reason, CRLReason::certificateHold);
  EXPECT_THAT(openssl_crl(), HasSubstr("Certificate Hold"));
  release(device);
  EXPECT_THAT(issue().revokedCertificates, IsEmpty());
  EXPECT_THAT(openssl_verify(device), StartsWith("0: "));
}

TEST_F(CrlTest, DeltaSaysWhatHasChangedSinceItsBase) {
  settings.publish_delta = directory / "delta.crl";
  settings.delta = 24h;
  const auto held = added("CN=held"), old = added("CN=old"), fresh = added("CN=fresh");
  revoke(held, CRLReason::certificateHold);
  revoke(old, CRLReason::superseded);
  issue();
  release(held);
  revoke(fresh, CRLReason::keyCompromise);
  const auto delta = issue_delta_crl(*ledger, ca.issuer, settings, ca.clock);
  ASSERT_THAT(delta, IsOk());
  EXPECT_EQ(delta->baseCRLNumber, 1u);
  EXPECT_EQ(delta->crlNumber, 2u) << "one numbering for both kinds (RFC 5280 5.2.3)";
  std::map<Bytes, CRLReason> said;
  for (const auto& entry : delta->revokedCertificates) {
    said[entry.userCertificate] = entry.reason.value_or(CRLReason::unspecified);
  }
  EXPECT_EQ(said, (std::map<Bytes, CRLReason>{
                      {to_bytes(held.serial_number()), CRLReason::removeFromCRL},
                      {to_bytes(fresh.serial_number()), CRLReason::keyCompromise}}));
  const auto text = run("openssl crl -inform DER -in " + settings.publish_delta +
                        " -noout -text -verify -CAfile " + (directory / "ca.pem"));
  EXPECT_THAT(text, HasSubstr("verify OK"));
  EXPECT_THAT(text, HasSubstr("X509v3 Delta CRL Indicator: critical"));
  EXPECT_THAT(text, HasSubstr("Remove From CRL"));
  EXPECT_EQ(issue().crlNumber, 3u);
}

TEST_F(CrlTest, DeltaReleasesWhatAnotherDeltaHeld) {
  const auto device = added("CN=a");
  issue();
  revoke(device, CRLReason::certificateHold);
  EXPECT_EQ(issue_delta().revokedCertificates.at(0).reason, CRLReason::certificateHold);
  release(device);
  EXPECT_EQ(issue_delta().revokedCertificates.at(0).reason, CRLReason::removeFromCRL);
  EXPECT_EQ(issue_delta().revokedCertificates.at(0).reason, CRLReason::removeFromCRL)
      << "for who missed the last one";
  issue();
  EXPECT_THAT(issue_delta().revokedCertificates, IsEmpty());
}

TEST_F(CrlTest, DeltaNeedsABaseOfTheSameScopeKeyAndTime) {
  EXPECT_EQ(issue_delta().baseCRLNumber, std::nullopt) << "there is none";
  EXPECT_EQ(issue_delta().baseCRLNumber, 1u);
  settings.url = "http://crl.example/grid.crl";
  EXPECT_EQ(issue_delta().baseCRLNumber, std::nullopt);
  EXPECT_EQ(issue_delta().baseCRLNumber, 3u);
  ca.clock.advance(settings.lifetime);
  EXPECT_EQ(issue_delta().baseCRLNumber, std::nullopt);
  const auto next_key = PrivateKey::generate("ec:P-256").value();
  const auto next_root =
      make_root(next_key, ca.root.subject(), ca.clock.now(), ca.clock.now() + 24h * 365, ca.random)
          .value();
  const auto next = Issuer::create(next_root, next_key, ca.random, ca.clock).value();
  EXPECT_EQ(issue_delta_crl(*ledger, next, settings, ca.clock)->baseCRLNumber, std::nullopt);
  EXPECT_EQ(issue_delta_crl(*ledger, next, settings, ca.clock)->baseCRLNumber, 6u);
}

TEST_F(CrlTest, SaysWhereItAndItsDeltaAreToBeHad) {
  settings.url = "http://crl.example/grid.crl";
  settings.delta_url = "http://crl.example/grid-delta.crl";
  issue();
  const auto text = openssl_crl();
  EXPECT_THAT(text, HasSubstr("X509v3 Issuing Distribution Point: critical"));
  EXPECT_THAT(text, HasSubstr("URI:http://crl.example/grid.crl"));
  EXPECT_THAT(text, HasSubstr("X509v3 Freshest CRL"));
  EXPECT_THAT(text, HasSubstr("URI:http://crl.example/grid-delta.crl"));
}

TEST_F(CrlTest, IsDueByTimeAndByWhatHasHappened) {
  const auto due = [&] {
    const auto reader = ledger->reader().value();
    return crl_due(*reader, ca.issuer, settings, ca.clock.now()).value();
  };
  EXPECT_EQ(due(), CrlDue::complete);
  issue();
  EXPECT_EQ(due(), CrlDue::none);
  revoke(added("CN=a"), CRLReason::superseded);
  EXPECT_EQ(due(), CrlDue::complete);
  settings.delta = 24h;
  EXPECT_EQ(due(), CrlDue::delta);
  ASSERT_THAT(issue_delta_crl(*ledger, ca.issuer, settings, ca.clock), IsOk());
  EXPECT_EQ(due(), CrlDue::none);
  ca.clock.advance(25h);
  EXPECT_EQ(due(), CrlDue::delta);
  ca.clock.advance(24h * 3);
  EXPECT_EQ(due(), CrlDue::complete) << "half through its life";
}

TEST_F(CrlTest, WritesNoReasonForUnspecified) {
  revoke(added("CN=a"), CRLReason::unspecified);
  issue();
  EXPECT_THAT(openssl_crl(), Not(HasSubstr("Reason Code")));
}

TEST_F(CrlTest, KeepsAnExpiredCertificateForOneLifetimeMore) {
  const auto device = added("CN=a");
  revoke(device, CRLReason::superseded);
  ca.clock.set(device.not_after() + settings.lifetime);
  EXPECT_EQ(issue().revokedCertificates.size(), 1u);
  ca.clock.advance(1s);
  EXPECT_THAT(issue().revokedCertificates, IsEmpty());
}

TEST_F(CrlTest, CountsAndAuditsEachCrl) {
  EXPECT_EQ(issue().crlNumber, 1u);
  EXPECT_EQ(issue().crlNumber, 2u);
  ledger = Ledger::open("sqlite:ledger.db", directory.path(), ca.clock).value();
  EXPECT_EQ(issue().crlNumber, 3u);
  const auto records = ledger->reader().value()->audit(0, 10).value();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[2].event, "crl.issued");
  EXPECT_THAT(records[2].detail, HasSubstr("\"number\":3"));
}

TEST_F(CrlTest, IsPemUnderAnotherName) {
  settings.publish = directory / "ca.pem.txt";
  issue();
  const std::string output = run("openssl crl -in " + settings.publish + " -noout -CAfile " +
                                 (directory / "ca.pem") + " -verify");
  EXPECT_THAT(output, HasSubstr("verify OK"));
}

TEST_F(CrlTest, IsOnlyInTheLedgerWithoutAPlaceToPublish) {
  settings.publish.clear();
  const auto list = issue();
  EXPECT_EQ(ledger->reader().value()->newest_crl().value()->second, list.der);
}

TEST_F(CrlTest, IsPublishedAgainWhenTheFileIsGoneOrOld) {
  const auto list = issue();
  const auto reader = ledger->reader().value();
  write_text(settings.publish, "rubbish");
  ASSERT_THAT(publish_newest_crl(*reader, settings), IsOk());
  EXPECT_EQ(read_file(settings.publish, 1 << 20).value(), list.der);
  ASSERT_EQ(::unlink(settings.publish.c_str()), 0);
  ASSERT_THAT(publish_newest_crl(*reader, settings), IsOk());
  EXPECT_EQ(read_file(settings.publish, 1 << 20).value(), list.der);
}

// It may be newer than the ledger.
TEST_F(CrlTest, DoesNotReplaceWhatIsThereAndCannotBeRead) {
  issue();
  const auto reader = ledger->reader().value();
  const Unreadable unreadable(settings.publish);
  EXPECT_THAT(publish_newest_crl(*reader, settings), Fails(HasSubstr("ca.crl")));
  EXPECT_TRUE(std::filesystem::is_symlink(settings.publish));
}

// A ledger that came back from a backup: what was done after it is only in what has left the house.
class RestoredLedger : public CrlTest {
 protected:
  void SetUp() override {
    first_ = added("CN=first");
    second_ = added("CN=second");
    issue();
    back_up();
  }
  void back_up() {
    ledger.reset();
    std::filesystem::copy_file(directory / "ledger.db", directory / "backup.db");
    open();
  }
  void restore() {
    ledger.reset();
    for (const auto* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(directory / "ledger.db" + suffix);
    }
    std::filesystem::copy_file(directory / "backup.db", directory / "ledger.db");
    open();
  }
  void open() { ledger = Ledger::open("sqlite:ledger.db", directory.path(), ca.clock).value(); }
  CertificateList published() {
    return CertificateList::from_file(read_file(settings.publish, 1 << 20).value()).value();
  }

  std::optional<Certificate> first_, second_;
};

TEST_F(RestoredLedger, GoesOnWithNumbersAboveWhatWasPublished) {
  issue();
  issue();
  restore();
  const auto reader = ledger->reader().value();
  EXPECT_EQ(crl_due(*reader, ca.issuer, settings, ca.clock.now()).value(), CrlDue::complete);
  EXPECT_EQ(issue().crlNumber, 4U);
  EXPECT_EQ(published().crlNumber, 4U);
}

// Where no file here tells: what came back from relying parties has been noted.
TEST_F(RestoredLedger, GoesOnAboveTheNumberThatItWasTold) {
  for (const std::uint64_t number : {7U, 5U}) {
    ASSERT_THAT(ledger->write([&](LedgerWriter& writer) { return writer.keep_above(number); }),
                IsOk());
  }
  const auto reader = ledger->reader().value();
  EXPECT_EQ(crl_due(*reader, ca.issuer, settings, ca.clock.now()).value(), CrlDue::complete);
  const auto first = issue_delta();
  EXPECT_EQ(first.crlNumber, 8U);
  EXPECT_EQ(first.baseCRLNumber, std::nullopt) << "the one that it would be added to is not out";
  EXPECT_EQ(issue().crlNumber, 9U);
  EXPECT_EQ(published().crlNumber, 9U);
}

TEST_F(RestoredLedger, TakesNoRevocationBack) {
  revoke(*first_, CRLReason::keyCompromise);
  issue();
  restore();
  const auto before = read_file(settings.publish, 1 << 20).value();
  EXPECT_THAT(issue_crl(*ledger, ca.issuer, settings, ca.clock),
              Fails(HasSubstr("revokes 1 cert")));
  EXPECT_THAT(issue_delta_crl(*ledger, ca.issuer, settings, ca.clock),
              Fails(HasSubstr("revokes 1 cert")));
  const auto reader = ledger->reader().value();
  EXPECT_THAT(crl_due(*reader, ca.issuer, settings, ca.clock.now()),
              Fails(HasSubstr("revokes 1 cert")));
  EXPECT_THAT(publish_newest_crl(*reader, settings), Fails(HasSubstr("has the number 2")));
  EXPECT_EQ(read_file(settings.publish, 1 << 20).value(), before);
  revoke(*first_, CRLReason::keyCompromise);  // what restoring brings back
  EXPECT_EQ(issue().crlNumber, 3U);
}

TEST_F(RestoredLedger, KnowsThatAHoldMayHaveEndedAndARevocationNot) {
  revoke(*first_, CRLReason::certificateHold);
  issue();
  restore();
  EXPECT_THAT(issue_crl(*ledger, ca.issuer, settings, ca.clock),
              Fails(HasSubstr("revokes 1 cert")));
  revoke(*first_, CRLReason::certificateHold);
  EXPECT_EQ(issue().crlNumber, 3U);
  release(*first_);
  EXPECT_EQ(issue().crlNumber, 4U);
}

TEST_F(RestoredLedger, LooksAtDeltasThatLeftToo) {
  settings.delta = 24h;
  settings.publish_delta = directory / "delta.crl";
  revoke(*second_, CRLReason::superseded);
  issue_delta();
  restore();
  EXPECT_THAT(issue_crl(*ledger, ca.issuer, settings, ca.clock), Fails(HasSubstr("delta.crl")));
}

TEST_F(RestoredLedger, MindsNothingThatIsNotOfThisIssuer) {
  for (int i = 0; i < 5; ++i) issue();
  const auto another =
      make_root(ca.key, name("CN=Another"), ca.clock.now(), ca.clock.now() + 24h * 100, ca.random);
  const auto issuer = Issuer::create(*another, ca.key, ca.random, ca.clock).value();
  restore();
  EXPECT_EQ(issue_crl(*ledger, issuer, settings, ca.clock)->crlNumber, 2U);
}

TEST_F(CrlTest, OfTheFutureIsReplacedWhenTheClockIsRight) {
  ca.clock.advance(24h * 400);
  issue();
  ca.clock.advance(-24h * 400);
  const auto reader = ledger->reader().value();
  EXPECT_EQ(crl_due(*reader, ca.issuer, settings, ca.clock.now()).value(), CrlDue::complete);
  EXPECT_EQ(issue().crlNumber, 2U);
  EXPECT_EQ(crl_due(*reader, ca.issuer, settings, ca.clock.now()).value(), CrlDue::none);
}

TEST_F(CrlTest, CountsWhicheverTimeIsRightWhileTheClockIsInDoubt) {
  const auto right = ca.clock.now();
  const auto after = right + 24h * 30;
  const auto crl = issue_crl(*ledger, ca.issuer, settings, CrlTime{right, after});
  ASSERT_THAT(crl, IsOk());
  EXPECT_LE(crl->thisUpdate, right);
  EXPECT_EQ(crl->nextUpdate, after + settings.lifetime);
  const auto reader = ledger->reader().value();
  for (const auto& now : {CrlTime{right}, CrlTime{after}, CrlTime{right, after}}) {
    EXPECT_EQ(crl_due(*reader, ca.issuer, settings, now).value(), CrlDue::none);
  }
}

TEST_F(CrlTest, IsNotMadeByAnIssuerThatMayNotSignCrls) {
  const Bytes identifier = ca.key.public_key().key_identifier();
  const TBSCertificate tbs{
      Bytes{1},
      name("CN=No CRLs"),
      ca.clock.now(),
      ca.clock.now() + 24h,
      name("CN=No CRLs"),
      to_bytes(ca.key.public_key().spki()),
      {basic_constraints_extension(true, {}), key_usage_extension({KeyUsageBit::keyCertSign})}};
  const auto der = sign_certificate(tbs, Signer::create(ca.key).value()).value();
  const auto issuer =
      Issuer::create(Certificate::from_der(der).value(), ca.key, ca.random, ca.clock).value();
  EXPECT_THAT(issue_crl(*ledger, issuer, settings, ca.clock),
              Fails(HasSubstr("may not sign CRLs")));
  EXPECT_EQ(ledger->reader().value()->newest_crl().value(), std::nullopt);
}

}  // namespace
}  // namespace cmpost
