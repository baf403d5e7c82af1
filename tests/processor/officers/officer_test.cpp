// Who decides: nobody about what he has brought himself, and what is signed counts as it was
// signed.
#include "crypto/envelope/cms.h"
#include "processor/devices/device_table.h"
#include "processor/officers/verdict_text.h"
#include "tests/processor/admission/consent_shown.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Person person(std::string account, std::string as = {}) {
  Person person;
  person.account = std::move(account);
  person.as = std::move(as);
  return person;
}

struct Officers : ::testing::Test {
  Office ca{kToldByError};
  Officer alice{"alice", "al", {}};

  Bytes wait() { return tid_of(ca.talk(with_mac(ca, ir(Credential())))); }
  Ruling approve(const Bytes& tid, const Officer& officer, bool approves = true) {
    Vote vote;
    vote.approves = approves;
    vote.who = officer.name;
    vote.account = officer.account;
    return must(decide(*ca.spool, *ca.ledger, &ca.channels.at("drop").settings, ca.clock,
                       ca.transaction(tid), {}, vote, &officer));
  }
  void note(const std::function<Result<void>(MakerTable&, LedgerWriter&)>& what) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      MakerTable table(writer.connection());
      return what(table, writer);
    }));
  }
  void make_secret(const Person& who) {
    note([&](MakerTable& table, LedgerWriter&) {
      return table.note_secret(secret_key(SecretPurpose::mac, "dev1"), who);
    });
  }
};

TEST_F(Officers, DecideAboutWhatOthersHaveBrought) {
  make_secret(person("bo"));
  EXPECT_EQ(approve(wait(), alice).decided, Decided::done);
  ca.work();
  EXPECT_THAT(ca.issued(), SizeIs(1));
}

TEST_F(Officers, DoNotApproveUnderASecretThatTheyHaveMade) {
  const auto tid = wait();
  for (const auto& maker : {person("al"), person("root", "alice"), person("root", "ALICE")}) {
    make_secret(maker);
    const auto ruling = approve(tid, alice);
    EXPECT_EQ(ruling.decided, Decided::own);
    EXPECT_THAT(ruling.why, HasSubstr("made the secret"));
  }
  EXPECT_EQ(approve(tid, alice, false).decided, Decided::done) << "but may refuse it";
}

TEST_F(Officers, DoNotApproveADeviceOfTheirOwnImport) {
  note([&](MakerTable& table, LedgerWriter& writer) -> Result<void> {
    Device device;
    device.name = "dev1";
    DeviceTable devices(writer.connection());
    ASSIGN_OR_RETURN(const auto import, devices.begin_import(Bytes{1}, "x", ca.clock.now()));
    TRY(devices.add(device, import));
    return table.note_import(import, person("al"));
  });
  const auto ruling = approve(wait(), alice);
  EXPECT_EQ(ruling.decided, Decided::own);
  EXPECT_THAT(ruling.why, HasSubstr("import"));
}

TEST_F(Officers, DoNotApproveWhatTheyHaveSigned) {
  ca.configure("");
  auto device = enrolled(ca);
  ca.configure(kToldByError);
  const auto tid =
      tid_of(ca.talk(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev1")}})));
  alice.certificate = device.certificate;
  EXPECT_EQ(approve(tid, alice).decided, Decided::own);
  // Another certificate of the same holder.
  Credential other;
  ca.vendor.certify(other, "CN=dev1", ca.clock.now(), ca.random);
  alice.certificate = other.certificate;
  EXPECT_EQ(approve(tid, alice).decided, Decided::own);
  ca.vendor.certify(other, "CN=alice", ca.clock.now(), ca.random);
  alice.certificate = other.certificate;
  EXPECT_EQ(approve(tid, alice).decided, Decided::done);
}

VerdictText verdict() {
  VerdictText verdict;
  verdict.transactionID = Bytes(16, 1);
  verdict.certReqId = -1;
  verdict.round = 2;
  verdict.request = Bytes(32, 3);
  verdict.object = Bytes(32, 4);
  verdict.approves = true;
  verdict.officer = "alice";
  verdict.at = std::chrono::floor<std::chrono::seconds>(FakeClock().now());
  verdict.reason = "as agreed by phone";
  return verdict;
}

TEST(VerdictTexts, AreReadAsTheyAreSpelt) {
  const auto text = spell(verdict());
  EXPECT_EQ(must(read_verdict(text)), verdict());
  std::string mailed;
  for (const char one : text) mailed += one == '\n' ? "\r\n" : std::string(1, one);
  EXPECT_EQ(must(read_verdict(mailed)), verdict());
}

TEST(VerdictTexts, WhatIsNoneIsRefused) {
  const auto text = spell(verdict());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(read_verdict(text.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(read_verdict(text + "more\n").has_value());
  auto other = text;
  other.replace(other.find("verdict: approve"), 16, "verdict: Approve");
  EXPECT_FALSE(read_verdict(other).has_value());
}

struct SignedVerdicts : Officers {
  SignedVerdicts() {
    ca.vendor.certify(key, "CN=Alice", ca.clock.now(), ca.random);
    alice.certificate = key.certificate;
    signed_text.at = std::chrono::floor<std::chrono::seconds>(ca.clock.now());
  }
  Bytes sign(const Credential& by) {
    return must(cms_sign(view_of(spell(signed_text)), CmsForm::opaque, *by.certificate, by.key, {},
                         ca.clock.now()));
  }
  Result<VerdictText> read(const Bytes& cms) {
    return read_signed_verdict(cms, {alice, Officer{"bob", "bo", {}}}, ca.clock.now());
  }
  Credential key{"rsa:2048"};
  VerdictText signed_text = verdict();
};

TEST_F(SignedVerdicts, CountByTheCertificateOfTheOfficer) {
  EXPECT_EQ(must(read(sign(key))), signed_text);
}

TEST_F(SignedVerdicts, OfOthersDoNot) {
  Credential other("rsa:2048");
  ca.vendor.certify(other, "CN=Alice", ca.clock.now(), ca.random);
  EXPECT_FALSE(read(sign(other)).has_value());
  signed_text.officer = "bob";
  EXPECT_FALSE(read(sign(key)).has_value()) << "bob has no certificate";
  signed_text.officer = "eve";
  EXPECT_FALSE(read(sign(key)).has_value());
}

TEST_F(SignedVerdicts, ThatWereChangedDoNot) {
  auto cms = sign(key);
  const auto word = std::ranges::search(cms, view_of("approve")).begin();
  ASSERT_NE(word, cms.end());
  *word = 'A';
  EXPECT_FALSE(read(cms).has_value());
}

TEST_F(SignedVerdicts, OutsideTheTimeOfTheCertificateDoNot) {
  signed_text.at = alice.certificate->not_before() - hours(1);
  EXPECT_FALSE(read(sign(key)).has_value());
  signed_text.at = std::chrono::floor<std::chrono::seconds>(ca.clock.now() + hours(1));
  EXPECT_FALSE(read(sign(key)).has_value()) << "in the future";
}

}  // namespace
}  // namespace cmpost
