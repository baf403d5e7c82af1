// Somebody who has captured envelopes, changes them and sends them again: he learns nothing.
#include "processor/admission/received_envelope.h"

#include <algorithm>
#include <set>

#include "tests/processor/keys.h"

namespace cmpost {
namespace {

// What a stranger can see of an answer, and what it leaves behind.
struct Sight {
  std::string body;
  std::vector<std::string> text;
  std::optional<std::uint64_t> failInfo;
  std::size_t size = 0;
  std::int64_t transactions = 0, envelopes = 0, failures = 0;
  auto operator<=>(const Sight&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Sight& sight) {
  return out << sight.body << " " << ::testing::PrintToString(sight.text) << " "
             << ::testing::PrintToString(sight.failInfo) << " of " << sight.size << " octets, "
             << sight.transactions << "/" << sight.envelopes << "/" << sight.failures;
}

struct EnvelopeTest : ::testing::Test {
  static constexpr std::string_view kLimits =
      "archive = true\nrevocation_passphrase = true\n"
      "envelopes = { refuse_after = 0 }\n";

  explicit EnvelopeTest(const std::string& settings = std::string(kLimits)) : ca(settings) {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
    ca.authority->identity.protocol_keys.push_back(elliptic.protocol_key());
    offer_any_key();
    for (const auto* reference : {"thief", "dev2"}) {
      Secret secret;
      secret.reference = reference;
      secret.value = to_bytes(std::string_view(CaUnderTest::kSecret));
      secret.subject = reference == std::string("thief") ? "CN=thief" : "CN=dev2";
      ca.add(secret);
    }
  }

  void offer_any_key() {
    ProfileSettings any;
    any.name = "any";
    any.keys = {{KeyRule::Kind::ec, "P-256", 0, 0},
                {KeyRule::Kind::rsa, "", 2048, 4096},
                {KeyRule::Kind::x25519, "", 0, 0}};
    any.key_usage = {};
    any.max_requests = 4;
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(any)));
  }

  Bytes sealed(ByteView content, const Oid& type, Envelopment how = Envelopment::enveloped) {
    return must(envelop(content, type, must(recipient_of(own.certificate)), ca.random, how));
  }
  static Bytes key_with_id(const PrivateKey& key, std::string_view owner) {
    return must(encode(EncKeyWithID{key, GeneralName::of(name(owner))}));
  }
  Bytes sealed_key(std::string_view owner = "CN=dev1", Envelopment how = Envelopment::enveloped) {
    return sealed(key_with_id(key, owner), oid::id_ct_encKeyWithID, how);
  }

  // The three ways in.
  CertReqMsg as_proof(Bytes enveloped, std::string_view subject = "CN=dev1") const {
    enveloped[0] = der::context_constructed(4);
    return request_for(key.public_key(), subject, [&](const CertRequest&) {
      return KeyEncipherment{{POPOPrivKey::EncryptedKey{enveloped}}};
    });
  }
  CertReqMsg as_archive(Bytes enveloped, std::string_view subject = "CN=dev1") const {
    enveloped[0] = der::context_constructed(0);
    der::Writer options;
    options.constructed(der::context_constructed(0), [&] { options.raw(enveloped); });
    return request_for(
        key.public_key(), subject,
        [&](const CertRequest& wanted) {
          POPOSigningKey popo;
          popo.algorithmIdentifier = signer.algorithm();
          popo.signature = must(signer.sign(wanted.der));
          return popo;
        },
        [&](CertRequest& wanted) {
          wanted.controls = Controls{{oid::id_regCtrl_pkiArchiveOptions, options.bytes()}};
        });
  }
  static PKIBody as_passphrase(Bytes enveloped) {
    enveloped[0] = der::context_constructed(0);
    return body::genm{{{oid::id_it_revPassphrase, enveloped}}};
  }

  Bytes exchange(const PKIBody& body, std::string_view reference = "dev1") {
    return ca.exchange(with_mac(ca, body, pvno3(), CaUnderTest::kSecret, reference));
  }
  PKIMessage talk(const PKIBody& body, std::string_view reference = "dev1") {
    return decode(exchange(body, reference)).value();
  }
  Sight sight_of(const PKIBody& body, std::string_view reference = "dev1") {
    const auto transactions = rows_of(ca, "tx"), envelopes = rows_of(ca, "envelope"),
               failures = rows_of(ca, "envelope_failure");
    const auto der = exchange(body, reference);
    const auto answer = decode(der).value();
    const bool refused = body_name(answer.body) != "genp";
    const auto status = refused ? status_in(answer) : PKIStatusInfo{};
    return {std::string(body_name(answer.body)),
            status.statusString,
            status.failInfo,
            der.size(),
            rows_of(ca, "tx") - transactions,
            rows_of(ca, "envelope") - envelopes,
            rows_of(ca, "envelope_failure") - failures};
  }

  CaUnderTest ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  AgreedParty elliptic{"ec:P-256", ca.ra_root, "CN=CA EC", KeyUsageBit::keyAgreement, ca};
  PrivateKey key = must(PrivateKey::generate("ec:P-256"));
  Signer signer = must(Signer::create(key));
};

// From the end of its content on: the last block, and the octets before it.
Bytes flipped(Bytes enveloped, std::size_t from_end, std::uint8_t by) {
  enveloped[enveloped.size() - from_end] ^= by;
  return enveloped;
}

using Way = PKIBody (*)(const EnvelopeTest&, const Bytes&);
struct WayIn {
  const char* name;
  Way body;
  const Oid& type;
};
PKIBody proof(const EnvelopeTest& test, const Bytes& enveloped) {
  return body::ir{{test.as_proof(enveloped)}};
}
PKIBody archive(const EnvelopeTest& test, const Bytes& enveloped) {
  return body::ir{{test.as_archive(enveloped)}};
}
PKIBody passphrase(const EnvelopeTest&, const Bytes& enveloped) {
  return EnvelopeTest::as_passphrase(enveloped);
}

class EveryEnvelope : public EnvelopeTest, public ::testing::WithParamInterface<int> {
 public:
  EveryEnvelope() {
    Secret one;
    one.reference = "single";
    one.value = to_bytes(std::string_view(CaUnderTest::kSecret));
    one.subject = "CN=dev1";
    ca.add(one);
  }
  static const WayIn& way() {
    static const std::array kWays = {
        WayIn{"proof", proof, oid::id_ct_encKeyWithID},
        WayIn{"archive", archive, oid::id_ct_encKeyWithID},
        WayIn{"passphrase", passphrase, oid::id_data},
    };
    return kWays.at(static_cast<std::size_t>(GetParam()));
  }
  Bytes good() {
    if (way().type == oid::id_data)
      return sealed(view_of("three wise men of Gotham went to sea in a bowl"), oid::id_data);
    return sealed_key();
  }
  Sight sight(const Bytes& enveloped) { return sight_of(way().body(*this, enveloped), "single"); }
};

TEST_P(EveryEnvelope, HasOneAnswerWhateverIsWrongWithIt) {
  std::set<Sight> sights;
  const auto garbage = [&] { return ca.random.bytes(static_cast<std::size_t>(160)); };
  for (int i = 0; i < 40; ++i) {
    sights.insert(sight(flipped(good(), 17, 0x40)));      // the padding
    sights.insert(sight(sealed(garbage(), way().type)));  // right padding around garbage
    sights.insert(sight(flipped(good(), 33, 0x01)));      // a block within
    sights.insert(sight(sealed(garbage(), oid::id_signedData)));
  }
  const auto stranger = must(PrivateKey::generate("ec:P-256"));
  sights.insert(sight(sealed(key_with_id(stranger, "CN=dev1"), way().type)));
  sights.insert(sight(sealed(key_with_id(key, "CN=somebody"), way().type)));
  auto other_key = good();
  const Bytes of_256_octets = {0x04, 0x82, 0x01, 0x00};  // the encrypted content-encryption key
  const auto found =
      std::search(other_key.begin(), other_key.end(), of_256_octets.begin(), of_256_octets.end());
  ASSERT_NE(found, other_key.end());
  found[4 + 90] ^= 1;
  sights.insert(sight(other_key));
  EXPECT_EQ(sights.size(), 1U) << ::testing::PrintToString(sights);
  EXPECT_EQ(sights.begin()->envelopes, 1);
  EXPECT_EQ(sights.begin()->failures, 1);
}

TEST_P(EveryEnvelope, ThatCannotBeReadAtAllHasTheSameAnswer) {
  const auto usual = sight(flipped(good(), 17, 0x40));
  const auto other =
      AgreedParty("rsa:2048", ca.ra_root, "CN=other", KeyUsageBit::keyEncipherment, ca);
  const auto for_others =
      must(envelop(view_of("x"), way().type, must(recipient_of(other.certificate)), ca.random));
  for (const auto& enveloped :
       {for_others, Bytes{0x30, 0x00}, Bytes{0x30, 0x03, 0x02, 0x01, 0x00}}) {
    auto seen = sight(enveloped);
    EXPECT_EQ(seen.envelopes, 0) << "there is no key that could be remembered";
    seen.envelopes = usual.envelopes;
    EXPECT_EQ(seen, usual);
  }
}

TEST_P(EveryEnvelope, ThatIsRightIsTaken) {
  for (const auto how : {Envelopment::enveloped, Envelopment::authenticated}) {
    const auto content = way().type == oid::id_data
                             ? to_bytes(std::string_view("seven wise men of Gotham"))
                             : key_with_id(key, "CN=dev1");
    const auto seen = sight(sealed(content, way().type, how));
    EXPECT_TRUE(!seen.failInfo) << seen;
    EXPECT_EQ(seen.failures, 0);
  }
}

// The attack that has read a key in 8 000 messages: the octets of a block are found one after the
// other, by what the CA says to changed copies.
TEST_P(EveryEnvelope, CannotBeReadOctetByOctet) {
  const auto captured = good();
  ASSERT_TRUE(!sight(captured).failInfo) << "the victim's";
  const auto body_of = way().body;
  std::set<Sight> sights;
  for (std::size_t place = 17; place <= 19; ++place) {
    for (int guess = 1; guess < 256; ++guess) {
      const auto changed = flipped(captured, place, static_cast<std::uint8_t>(guess));
      sights.insert(sight_of(body_of(*this, changed), "dev1"));
    }
  }
  EXPECT_EQ(sights.size(), 1U) << ::testing::PrintToString(sights);
  ASSERT_TRUE(sights.begin()->failInfo.has_value());
  EXPECT_EQ(sights.begin()->envelopes, 0) << "its key is the victim's";
}

TEST_P(EveryEnvelope, IsItsSendersAlone) {
  const auto captured = good();
  ASSERT_TRUE(!sight(captured).failInfo);
  EXPECT_TRUE(sight_of(way().body(*this, captured), "dev1").failInfo.has_value());
  EXPECT_TRUE(!sight(captured).failInfo) << "who sends it again is not harmed";
}

INSTANTIATE_TEST_SUITE_P(ByWay, EveryEnvelope, ::testing::Values(0, 1, 2));

TEST_F(EnvelopeTest, TheReasonIsForTheOperatorAlone) {
  talk(body::ir{{as_proof(sealed_key("CN=somebody"))}});
  auto* const rows = must(ca.reader->connection().statement(
      "SELECT detail FROM audit WHERE event = 'envelope.refused'"));
  ASSERT_TRUE(must(rows->step()));
  EXPECT_THAT(std::string(rows->text(0)), ::testing::HasSubstr("names another owner"));
  rows->reset();
}

TEST_F(EnvelopeTest, PublicKeyAloneProvesNothing) {
  auto content = key_with_id(key, "CN=dev1");
  const Bytes scalar_header = {0x04, 0x20};
  const auto found =
      std::search(content.begin(), content.end(), scalar_header.begin(), scalar_header.end());
  ASSERT_NE(found, content.end());
  found[2 + 5] ^= 1;
  EXPECT_THAT(talk(body::ir{{as_proof(sealed(content, oid::id_ct_encKeyWithID))}}),
              Refuses("ip", PKIFailureInfo::badPOP));
}

// Two requests of one message are two questions, too.
TEST_F(EnvelopeTest, OneKeyIsForOneEnvelopeWithinAMessage) {
  const auto first = sealed_key();
  auto second = as_proof(flipped(first, 17, 1));
  second.certReq.certReqId = 1;
  second.certReq.der = encode(second.certReq);
  const auto answer = talk(body::ir{{as_proof(first), second}});
  const auto* response = cert_response(answer.body);
  ASSERT_NE(response, nullptr);
  EXPECT_EQ(response->response.at(0).status.status, PKIStatus::accepted);
  EXPECT_EQ(response->response.at(1).status.status, PKIStatus::rejection);
}

struct EnvelopeLimit : EnvelopeTest {
  EnvelopeLimit()
      : EnvelopeTest("archive = true\nenvelopes = { refuse_after = 3, refuse_time = \"1h\" }\n") {}
};

TEST_F(EnvelopeLimit, AfterSomeFailuresNothingOfThatCredentialIsOpened) {
  for (int i = 0; i < 3; ++i) talk(body::ir{{as_proof(flipped(sealed_key(), 17, 0x40))}});
  EXPECT_THAT(talk(body::ir{{as_proof(sealed_key())}}), Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_EQ(rows_of(ca, "envelope_failure"), 3);
  const auto mine = std::exchange(key, must(PrivateKey::generate("ec:P-256")));
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(sealed_key("CN=dev2"), "CN=dev2")}}, "dev2")).status,
            PKIStatus::accepted)
      << "another credential";
  key = mine;
  ca.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(sealed_key())}})).status, PKIStatus::accepted);
}

TEST_F(EnvelopeLimit, ASecretAddedLaterUnderTheReferenceIsAnotherCredential) {
  const auto captured = sealed_key();
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(captured)}})).status, PKIStatus::accepted);
  for (int i = 0; i < 3; ++i) talk(body::ir{{as_proof(flipped(sealed_key(), 17, 0x40))}});
  EXPECT_THAT(talk(body::ir{{as_proof(sealed_key())}}), Refuses("ip", PKIFailureInfo::badPOP));
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(SecretStore(writer.connection(), ca.sealing_key).remove("dev1"));
    return {};
  }));
  Secret next;
  next.reference = "dev1";
  next.value = to_bytes(std::string_view(CaUnderTest::kSecret));
  next.subject = "CN=dev1";
  ca.add(next);
  const auto of_the_first = std::exchange(key, must(PrivateKey::generate("ec:P-256")));
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(sealed_key())}})).status, PKIStatus::accepted)
      << "the failures were another's";
  key = of_the_first;
  EXPECT_THAT(talk(body::ir{{as_proof(captured)}}), Refuses("ip", PKIFailureInfo::badPOP))
      << "and so was the envelope";
}

// Rows of versions that knew a secret by its reference alone.
TEST_F(EnvelopeLimit, WhatWasTakenUnderTheReferenceIsTheSecretsThatWasThereThen) {
  const auto mine = sealed_key();
  talk(body::ir{{as_proof(mine)}});
  const auto taken_at = [&](Time at) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(change(writer.connection(), "UPDATE envelope SET credential = 'secret:dev1', at = ?",
                 at));
      return {};
    }));
  };
  taken_at(ca.clock.now());
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(mine)}})).status, PKIStatus::accepted);
  taken_at(Time{} - std::chrono::hours(1));
  EXPECT_THAT(talk(body::ir{{as_proof(mine)}}), Refuses("ip", PKIFailureInfo::badPOP))
      << "before this secret was added";
}

TEST_F(EnvelopeLimit, TheSameWrongEnvelopeCountsOnce) {
  const auto wrong = flipped(sealed_key(), 17, 0x40);
  for (int i = 0; i < 5; ++i) talk(body::ir{{as_proof(wrong)}});
  EXPECT_EQ(rows_of(ca, "envelope_failure"), 1);
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(sealed_key())}})).status, PKIStatus::accepted);
}

struct AuthenticatedOnly : EnvelopeTest {
  AuthenticatedOnly() : EnvelopeTest("archive = true\nenvelopes = { authenticated = true }\n") {}
};

TEST_F(AuthenticatedOnly, EnvelopedDataIsNotOpened) {
  EXPECT_THAT(talk(body::ir{{as_proof(sealed_key())}}), Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_EQ(rows_of(ca, "envelope"), 0);
  EXPECT_EQ(rows_of(ca, "envelope_failure"), 0);
  EXPECT_EQ(status_in(talk(body::ir{{as_proof(sealed_key("CN=dev1", Envelopment::authenticated))}}))
                .status,
            PKIStatus::accepted);
}

// Decisions that are not committed yet.
TEST(EnvelopeMemory, KnowsWhatTheLedgerDoesNotKnowYet) {
  EnvelopeMemory memory;
  const EnvelopeUse use{Sha256{1}, Sha256{2}, "secret:a", Time{}};
  EXPECT_TRUE(memory.claim(use));
  EXPECT_TRUE(memory.claim(use));
  EXPECT_FALSE(memory.claim({Sha256{1}, Sha256{2}, "secret:b", Time{}}));
  EXPECT_FALSE(memory.claim({Sha256{1}, Sha256{3}, "secret:a", Time{}}));
  memory.count({"secret:a", Sha256{1}, Time{}});
  memory.count({"secret:a", Sha256{1}, Time{}});
  memory.count({"secret:b", Sha256{1}, Time{}});
  EXPECT_EQ(memory.failures("secret:a", Time{}), 1);
  EXPECT_EQ(memory.failures("secret:a", Time{} + std::chrono::hours(1)), 0);
}

}  // namespace
}  // namespace cmpost
