// What people have to agree to before it happens, and that it is this and nothing else.
#include "crypto/x509/certificate_builder.h"
#include "processor/credentials/key_archive.h"
#include "tests/processor/admission/consent_shown.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

void use_profile(CaUnderTest& ca, const std::function<void(ProfileSettings&)>& edit) {
  auto settings = ca.channels.at("drop").profiles.front().settings();
  edit(settings);
  ca.channels.at("drop").profiles = {must(Profile::create(settings))};
}

std::vector<std::string> details(CaUnderTest& ca, const std::string& event) {
  std::vector<std::string> found;
  for (const auto& entry : must(ca.reader->audit(0, 1000))) {
    if (entry.event == event) found.push_back(entry.detail);
  }
  return found;
}

Extension names_extension(std::initializer_list<std::string_view> names) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    for (const auto text : names) writer.raw(must(GeneralName::from_text(text)).der);
  });
  return {oid::id_ce_subjectAltName, false, std::move(writer).take()};
}

RequestOptions with_names(std::initializer_list<std::string_view> names) {
  return {.edit = [extension = names_extension(names)](CertTemplate& wanted) {
    wanted.extensions = Extensions{extension};
  }};
}

struct ConsentTest : ::testing::Test {
  explicit ConsentTest(const std::string& approve = "one")
      : ca("waiting = \"always\"\nwaiting_by_error = true\nrecovery = true\napprove = \"" +
           approve + "\"\n") {}
  // The transactionID of one that waits.
  Bytes ask(const PKIBody& body, const MessageOptions& options = {}) {
    const auto told = ca.talk(with_mac(ca, body, options));
    EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
    return tid_of(told);
  }
  WaitingPart part(const Bytes& tid, std::size_t index = 0) {
    const auto parts = ca.waiting_parts(tid);
    return index < parts.size() ? parts[index] : WaitingPart();
  }
  void approve(const Bytes& tid, const std::string& who = "alice") {
    EXPECT_EQ(ca.say(tid, true, who), Decided::done);
    ca.work();
  }
  Office ca;
};

TEST_F(ConsentTest, WhoAsksForWhatIsShownWhole) {
  const Credential device;
  Secret wide;
  wide.reference = "wide";
  wide.value = to_bytes(std::string_view("for many names"));
  wide.subject = "CN=dev*";
  wide.san = {SanRule::Kind::pattern, {"DNS:*.example"}};
  wide.profiles = {"device", "fresh"};
  wide.channels.names = {"drop"};
  wide.max_uses = 3;
  wide.expires = ca.clock.now() + hours(24);
  ca.add(wide);
  const auto told = ca.talk(
      with_mac(ca, ir(device, "CN=dev1", with_names({"DNS:dev1.example", "DNS:bank.example"})), {},
               "for many names", "wide"));
  const auto items = shown(part(tid_of(told)));
  for (const auto& [what, text] : std::vector<std::pair<std::string, std::string>>{
           {"asked for", "ir"},
           {"asked by", "mac:wide, shared secret"},
           {"secret is for", "CN=dev*"},
           {"secret is for names", "DNS:*.example"},
           {"secret is for profiles", "device, fresh"},
           {"secret counts on channels", "drop"},
           {"secret is good for", "3 certificates"},
           {"secret expires", to_iso8601(ca.clock.now() + hours(24))},
           {"on channel", "drop"},
           {"subject", "CN=dev1"},
           {"subjectAltName", "DNS:dev1.example"},
           {"subjectAltName", "DNS:bank.example"},
           {"profile", "device"},
           {"key", to_hex(sha256(device.key.public_key().spki()))},
           {"valid for", "398d"},
           {"keyUsage (critical)", "digitalSignature"}}) {
    EXPECT_THAT(items, Contains(Says(what, text)));
  }
  EXPECT_THAT(items, Not(Contains(Mentions("RIGHTS"))));
}

TEST_F(ConsentTest, CaRightsStandOut) {
  use_profile(ca, [](ProfileSettings& profile) {
    profile.ca = true;
    profile.who = {RequesterKind::secret};
    profile.key_usage = {5};  // keyCertSign
  });
  const auto tid = ask(ir(Credential()));
  EXPECT_THAT(shown(part(tid)), Contains(Says("RIGHTS", "of a CA")));
}

TEST_F(ConsentTest, WhatTheProfileChangesIsShown) {
  use_profile(ca, [](ProfileSettings& profile) {
    profile.subject.fields = {{"2.5.4.10", "O", {FieldRule::Kind::set, "Grid"}}};
  });
  const auto items = shown(part(ask(ir(Credential()))));
  EXPECT_THAT(items, Contains(Says("subject", "O=Grid")));
  EXPECT_THAT(items, Contains(Says("profile changes", "O = \"Grid\" added")));
}

TEST_F(ConsentTest, DigestStandsInTheVerdictAndInTheAuditOfVerdictAndGrant) {
  const auto tid = ask(ir(Credential()));
  const auto digest = digest_of(part(tid));
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
  const auto votes = must(WaitTable(ca.reader->connection()).verdicts(ca.transaction(tid).id));
  ASSERT_THAT(votes, SizeIs(1));
  EXPECT_EQ(to_hex(votes[0].object), digest);
  EXPECT_THAT(details(ca, "request.approved"), Each(HasSubstr(digest)));
  EXPECT_THAT(details(ca, "request.granted"), SizeIs(1));
  EXPECT_THAT(details(ca, "request.granted"), Each(HasSubstr(digest)));
}

TEST_F(ConsentTest, TimeAloneChangesNothing) {
  const Credential device;
  const auto limit = ca.clock.now() + hours(24 * 400);  // is within the profile's validity later
  const auto tid = ask(ir(device, "CN=dev1", {.edit = [&](CertTemplate& wanted) {
                            wanted.validity = OptionalValidity{.notBefore = {}, .notAfter = limit};
                          }}));
  ca.clock.advance(hours(24 * 90));
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
}

TEST_F(ConsentTest, OtherSettingsNeedAnotherConsent) {
  const auto tid = ask(ir(Credential()));
  const auto before = digest_of(part(tid));
  use_profile(ca, [](ProfileSettings& profile) { profile.validity = hours(24 * 30); });
  approve(tid);
  EXPECT_EQ(ca.certificates(), 0);
  const auto again = part(tid);
  EXPECT_EQ(again.state, PartState::undecided);
  EXPECT_NE(digest_of(again), before);
  EXPECT_EQ(again.round, 1);
  EXPECT_THAT(again.why, AllOf(HasSubstr("398d"), HasSubstr("30d")));
  EXPECT_THAT(details(ca, "request.asked_again"), Each(HasSubstr(before)));
  EXPECT_THAT(details(ca, "request.granted"), IsEmpty());
  ca.work();
  EXPECT_EQ(part(tid).round, 1) << "nothing goes on before somebody decides";
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
}

TEST_F(ConsentTest, SettingsThatAreAsBeforeDoNotReviveAnOldVerdict) {
  const auto tid = ask(ir(Credential()));
  use_profile(ca, [](ProfileSettings& profile) { profile.validity = hours(24 * 30); });
  approve(tid);
  use_profile(ca, [](ProfileSettings& profile) { profile.validity = hours(24 * 398); });
  ca.work();
  EXPECT_EQ(part(tid).state, PartState::undecided);
  approve(tid);
  EXPECT_EQ(part(tid).round, 2) << "what was shown last had 30 days";
  EXPECT_EQ(ca.certificates(), 0);
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
}

TEST_F(ConsentTest, IsNotAskedForWithoutEnd) {
  const auto tid = ask(ir(Credential()));
  int asked = 0;
  while (part(tid).state == PartState::undecided && asked < 50) {
    const auto days = 100 + ++asked;
    use_profile(ca, [&](ProfileSettings& profile) { profile.validity = hours(24 * days); });
    approve(tid);
  }
  EXPECT_EQ(asked, 6);
  EXPECT_EQ(ca.certificates(), 0);
  EXPECT_EQ(part(tid).state, PartState::ready);
  EXPECT_EQ(cert_response(part(tid).answer)->response.at(0).status.status, PKIStatus::rejection);
}

TEST_F(ConsentTest, MayNameWhatItIsAbout) {
  const auto tid = ask(ir(Credential()));
  Vote vote;
  vote.approves = true;
  vote.who = "alice";
  const auto decide = [&](const Sha256& object) {
    return must(cmpost::decide(*ca.spool, *ca.ledger, &ca.channels.at("drop").settings, ca.clock,
                               ca.transaction(tid), {{}, object}, vote));
  };
  EXPECT_EQ(decide(sha256(view_of("something else"))).decided, Decided::differs);
  EXPECT_EQ(part(tid).state, PartState::undecided);
  const auto verdict = decide(part(tid).digest().value());
  EXPECT_EQ(verdict.decided, Decided::done);
  ASSERT_THAT(verdict.about, SizeIs(1));
  EXPECT_EQ(verdict.about[0].object, part(tid).object);
  EXPECT_EQ(verdict.about[0].state, PartState::approved);
}

TEST_F(ConsentTest, OfOnePartSaysNothingOfTheOther) {
  const auto tid = ask(body::ir{{cert_request(Credential(), "CN=dev1"),
                                 cert_request(Credential(), "CN=dev1", {.certReqId = 1})}});
  EXPECT_NE(digest_of(part(tid, 0)), digest_of(part(tid, 1)));
  EXPECT_EQ(ca.say(tid, true, "alice", 0), Decided::done);
  use_profile(ca, [](ProfileSettings& profile) { profile.validity = hours(24 * 30); });
  ca.work();
  EXPECT_EQ(ca.certificates(), 0);
  EXPECT_EQ(part(tid, 0).round, 1);
  EXPECT_EQ(part(tid, 1).round, 0);
}

TEST_F(ConsentTest, OnePartAskedAgainKeepsTheOtherFromImplicitConfirmation) {
  const auto tid = ask(body::ir{{cert_request(Credential(), "CN=dev1"),
                                 cert_request(Credential(), "CN=dev1", {.certReqId = 1})}});
  // As if the second had been approved as something else.
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    WaitTable table(writer.connection());
    auto waiting = *must(table.find(ca.transaction(tid).id));
    auto object = must(read_consent_object(waiting.parts[1].object));
    object.add("subject", "CN=somebody else");
    waiting.parts[1].object = encode_consent_object(object);
    ++waiting.version;
    EXPECT_TRUE(must(table.replace(waiting, WaitTable::Parts::changed)));
    return {};
  }));
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
  EXPECT_EQ(part(tid, 0).state, PartState::ready);
  EXPECT_EQ(part(tid, 1).state, PartState::undecided);
  EXPECT_FALSE(
      must(WaitTable(ca.reader->connection()).find(ca.transaction(tid).id))->implicitConfirm);
}

TEST_F(ConsentTest, ToWhatAFormerVersionHasNotRecordedIsAskedForAnew) {
  const auto tid = ask(ir(Credential()));
  const auto object = part(tid).object;
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    return writer.connection().execute("UPDATE wait_part SET object = x''");
  }));
  EXPECT_EQ(ca.say(tid, true), Decided::not_recorded);
  ca.work();
  EXPECT_EQ(ca.certificates(), 0);
  EXPECT_EQ(part(tid).object, object);
  EXPECT_EQ(part(tid).state, PartState::undecided);
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
}

TEST_F(ConsentTest, ToAKeyThatIsMadeHereLasts) {
  ca.authority->key_generator = key_generator_of(ca);
  Secret secret;
  secret.reference = "long";
  secret.value = to_bytes(std::string_view("8f3AeZq1-Lm0Vx7Rt5Yk2Wn9-Pb4Hc6Jd"));
  ca.add(secret);
  use_profile(ca, [](ProfileSettings& profile) {
    profile.generate = "ec:P-256";
    profile.subject.fields = {{"2.5.4.5", "serialNumber", {FieldRule::Kind::derive, "{key}"}}};
  });
  CertReqMsg wanted;
  wanted.certReq.certTemplate.subject = name("CN=dev1");
  wanted.certReq.der = encode(wanted.certReq);
  const auto told = ca.talk(
      with_mac(ca, body::ir{{wanted}}, pvno3(), "8f3AeZq1-Lm0Vx7Rt5Yk2Wn9-Pb4Hc6Jd", "long"));
  ASSERT_EQ(status_in(told).status, PKIStatus::waiting);
  const auto tid = tid_of(told);
  const auto items = shown(part(tid));
  EXPECT_THAT(items, Contains(Says("key", "ec:P-256, made here")));
  EXPECT_THAT(items, Contains(Says("PRIVATE KEY", "leaves")));
  EXPECT_THAT(items, Contains(Says("subject", "{key of its own}")));
  approve(tid);
  EXPECT_EQ(ca.certificates(), 1);
}

struct FourEyes : ConsentTest {
  FourEyes() : ConsentTest("two") {}
};

TEST_F(FourEyes, LookAtTheSameThing) {
  const auto tid = ask(ir(Credential()));
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
  EXPECT_EQ(ca.say(tid, true, "bob"), Decided::done);
  use_profile(ca, [](ProfileSettings& profile) { profile.validity = hours(24 * 30); });
  ca.work();
  EXPECT_EQ(ca.certificates(), 0);
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more) << "what she said was about another";
  ca.work();
  EXPECT_EQ(ca.certificates(), 0);
  approve(tid, "bob");
  EXPECT_EQ(ca.certificates(), 1);
}

struct RecoveryConsent : ConsentTest {
  RecoveryConsent() {
    ca.authority->key_generator = key_generator_of(ca);
    device.certificate = issued("CN=dev1");
    keep(*device.certificate);
  }
  Certificate issued(std::string_view subject) {
    const auto tid = ask(ir(device, subject));
    approve(tid);
    return must(Certificate::from_der(ca.issued().back().der));
  }
  void keep(const Certificate& certificate) {
    const auto sealed = must(seal_for_archive(test_key("x25519"), certificate.serial_number(),
                                              ca.clock.now(), ca.sealing_key, ca.random));
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      return KeyArchive(writer.connection()).add(sealed);
    }));
  }
  Bytes recover() {
    CertReqMsg message;
    message.certReq.controls =
        Controls{{oid::id_regCtrl_protocolEncrKey, to_bytes(protocol_key.public_key().spki())}};
    message.certReq.der = encode(message.certReq);
    const auto told = ca.talk(signed_by(ca, device, body::krr{{message}}, pvno3()));
    EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
    return tid_of(told);
  }
  void both_approve(const Bytes& tid) {
    EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
    approve(tid, "bob");
  }
  PrivateKey protocol_key = test_key("x25519");
  Credential device;
};

TEST_F(RecoveryConsent, SaysWhichKeysLeaveAndToWhichKey) {
  const auto items = shown(part(recover()));
  EXPECT_THAT(items, Contains(Says("recovers the key of", "CN=dev1")));
  EXPECT_THAT(items, Contains(Says("recovers the key of", "mac:dev1"))) << "its holder";
  EXPECT_THAT(items,
              Contains(Says("PRIVATE KEYS", to_hex(sha256(protocol_key.public_key().spki())))));
}

TEST_F(RecoveryConsent, IsForTheseKeysAndNoOthers) {
  const auto tid = recover();
  keep(issued("CN=dev1"));
  both_approve(tid);
  EXPECT_THAT(details(ca, "key.recovered"), IsEmpty());
  EXPECT_EQ(part(tid).state, PartState::undecided);
  EXPECT_THAT(part(tid).why, HasSubstr("now recovers the key of"));
  both_approve(tid);
  EXPECT_THAT(details(ca, "key.recovered"), SizeIs(2));
}

TEST(ConsentObject, IsReadAsItWasWrittenAndNothingElseIs) {
  ConsentObject object;
  object.add("subject", "CN=\xff", Bytes{1, 2});
  object.add("subject", "");
  const auto encoded = encode_consent_object(object);
  EXPECT_EQ(must(read_consent_object(encoded)), object);
  auto longer = encoded;
  longer.push_back(0);
  EXPECT_FALSE(read_consent_object(longer));
  EXPECT_FALSE(read_consent_object({}));
}

TEST(ConsentObject, DifferenceIsSaidWithoutControlCharacters) {
  ConsentObject before, after;
  before.add("subject", "CN=a");
  after.add("subject", "CN=\x1b[2J");
  EXPECT_EQ(difference(before, after), "no longer subject CN=a; now subject CN=\\x1b[2J");
  EXPECT_EQ(difference(before, before), "");
}

}  // namespace
}  // namespace cmpost
