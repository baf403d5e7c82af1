// Revocation under a passphrase (RFC 9810 Appendix B; ).
#include "processor/admission/revocation_passphrase.h"

#include "crypto/envelope/envelope_attributes.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

constexpr std::string_view kPass = "seven wise men of Gotham";

// EnvelopedData with a localKeyId beside it.
Bytes with_local_key_id(ByteView enveloped, ByteView id) {
  der::Reader reader(enveloped);
  const auto content = reader.expect(der::kSequence).value().content;
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.raw(content);
    writer.constructed(der::context_constructed(1), [&] {
      writer.constructed(der::kSequence, [&] {
        writer.object_identifier(Oid("1.2.840.113549.1.9.21"));
        writer.constructed(der::kSet, [&] { writer.octet_string(id); });
      });
    });
  });
  return std::move(writer).take();
}

struct PassphraseTest : ::testing::Test {
  explicit PassphraseTest(const std::string& settings = "revocation_passphrase = true\n")
      : ca(settings), device(enrolled(ca)) {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  }
  InfoTypeAndValue sealed(std::string_view passphrase, std::optional<Bytes> id = {}) {
    auto value = must(
        envelop(view_of(passphrase), oid::id_data, must(recipient_of(own.certificate)), ca.random));
    if (id) value = with_local_key_id(value, *id);
    value[0] = der::context_constructed(0);
    return {oid::id_it_revPassphrase, value};
  }
  PKIMessage leave(const InfoTypeAndValue& item) {
    return ca.talk(signed_by(ca, device, body::genm{{item}}, pvno3()));
  }
  static PKIBody rr(const Credential& whose) {
    RevDetails details;
    details.certDetails.issuer = whose.certificate->issuer();
    details.certDetails.serialNumber = to_bytes(whose.certificate->serial_number());
    return body::rr{{details}};
  }
  Bytes rr_by(std::string_view passphrase, const Credential& whose,
              const MessageOptions& options = {}) {
    return with_mac(ca, rr(whose), options, passphrase, "");
  }
  CertificateState state() { return ca.record(*device.certificate)->state; }
  Office ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  Credential device;
};

TEST_F(PassphraseTest, LaterRevocationUnderItWorks) {
  const auto genp = leave(sealed(kPass));
  ASSERT_EQ(body_name(genp.body), "genp");
  const auto& items = std::get<body::genp>(genp.body).items;
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].infoType, oid::id_it_revPassphrase);
  EXPECT_FALSE(items[0].infoValue);
  ca.open();
  const auto rp = ca.talk(rr_by(kPass, device));
  ASSERT_EQ(body_name(rp.body), "rp");
  EXPECT_EQ(status_in(rp).status, PKIStatus::accepted);
  EXPECT_EQ(protection_kind(rp), ProtectionKind::password_based_mac) << "mirrored (R-043)";
  EXPECT_EQ(state(), CertificateState::revoked);
}

TEST_F(PassphraseTest, CertificateToEncryptItToIsCaProtEncCert) {
  const auto genp = leave({oid::id_it_caProtEncCert, {}});
  EXPECT_TRUE(
      equal(std::get<body::genp>(genp.body).items.at(0).infoValue.value(), own.certificate.der()));
}

TEST_F(PassphraseTest, MayComeInTheHeaderOfAnyMessage) {
  Secret secret;
  secret.reference = "one";
  secret.value = to_bytes(std::string_view("for one device"));
  secret.subject = "CN=dev1";
  ca.add(secret);
  const auto ip = ca.talk(
      with_mac(ca, ir(Credential()), pvno3({.implicit_confirm = false}), "for one device", "one"));
  auto options = pvno3(following(ip));
  options.edit = [this, edit = options.edit](PKIHeader& header) {
    edit(header);
    header.generalInfo.push_back(sealed(kPass));
  };
  const auto pkiconf =
      ca.talk(with_mac(ca, cert_conf(certificate_in(ip)), options, "for one device", "one"));
  ASSERT_EQ(body_name(pkiconf.body), "pkiconf");
  const auto* item = find(pkiconf.header.generalInfo, oid::id_it_revPassphrase);
  ASSERT_NE(item, nullptr);
  EXPECT_FALSE(item->infoValue);
  ca.talk(rr_by(kPass, device));
  EXPECT_EQ(state(), CertificateState::revoked) << "the certificates of this subject";
}

struct PassphraseOfTheUnconfirmed : PassphraseTest {
  PassphraseOfTheUnconfirmed()
      : PassphraseTest(
            "revocation_passphrase = true\napprove = \"one\"\napprove_for = [\"rr\"]\n"
            "waiting = \"always\"\nwaiting_by_error = true\n") {}
};

TEST_F(PassphraseOfTheUnconfirmed, IsNotTakenWithAPollEither) {
  Credential fresh;
  fresh.certificate =
      certificate_in(ca.talk(with_mac(ca, ir(fresh), pvno3({.implicit_confirm = false}))));
  const auto told = ca.talk(signed_by(ca, fresh, rr(fresh), pvno3()));
  ASSERT_EQ(status_in(told).status, PKIStatus::waiting);
  auto options = pvno3(following(told));
  options.edit = [this, edit = options.edit](PKIHeader& header) {
    edit(header);
    header.generalInfo.push_back(sealed(kPass));
  };
  EXPECT_THAT(ca.talk(signed_by(ca, fresh, poll_req(0), options)),
              Refuses("error", PKIFailureInfo::notAuthorized));
}

TEST_F(PassphraseTest, OneThatCannotBeTakenIsAnError) {
  MessageOptions options = pvno3();
  options.edit = [this, edit = options.edit](PKIHeader& header) {
    edit(header);
    header.generalInfo.push_back(sealed("1234"));
  };
  EXPECT_THAT(ca.talk(signed_by(ca, device, body::genm{}, options)),
              Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_THAT(ca.talk(with_mac(ca, body::genm{{sealed(kPass)}}, pvno3())),
              Refuses("error", PKIFailureInfo::notAuthorized))
      << "a secret for many subjects";
  EXPECT_THAT(ca.talk(signed_by(ca, device, body::genm{{sealed(kPass)}})),
              Refuses("error", PKIFailureInfo::badRequest))
      << "pvno 2";
}

TEST_F(PassphraseTest, RevokesTheCertificatesOfItsHolderAndNothingElse) {
  leave(sealed(kPass));
  const auto other = enrolled(ca, "CN=dev2");
  EXPECT_THAT(ca.talk(rr_by(kPass, other)), Refuses("error", PKIFailureInfo::badMessageCheck));
  auto both = std::get<body::rr>(rr(device));
  both.details.push_back(std::get<body::rr>(rr(other)).details.front());
  const auto rp = ca.talk(with_mac(ca, both, {}, kPass, ""));
  ASSERT_EQ(body_name(rp.body), "rp");
  EXPECT_EQ(std::get<body::rp>(rp.body).content.status.at(1).status, PKIStatus::rejection);
  EXPECT_EQ(ca.record(*other.certificate)->state, CertificateState::valid);
  EXPECT_THAT(ca.talk(with_mac(ca, ir(Credential()), {}, kPass, "")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

// Of a subject with another spelling; from before holders were noted.
TEST_F(PassphraseTest, OneThatWasKeptBySubjectGoesOnWorking) {
  Credential named;
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  named.certificate = certificate_in(ca.talk(signed_by(ca, ra, ir(named, "CN=Old One"))));
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(auto* const insert,
                     writer.connection().statement("INSERT INTO rev_passphrase (subject, kid, "
                                                   "sealed, at) VALUES ('CN=Old One', x'', ?, 0)"));
    const auto old =
        must(ca.sealing_key.seal(view_of(kPass), "rev_passphrase/CN=Old One", ca.random));
    insert->bind(1, ByteView(old));
    TRY(insert->execute());
    return {};
  }));
  EXPECT_EQ(status_in(ca.talk(rr_by(kPass, named))).status, PKIStatus::accepted);
  EXPECT_EQ(ca.record(*named.certificate)->state, CertificateState::revoked);
}

TEST_F(PassphraseTest, IsFoundByItsLocalKeyIdToo) {
  const Bytes id = {0x6b, 0x31};
  leave(sealed(kPass, id));
  const auto rp = ca.talk(rr_by(kPass, device, {.edit = [&](PKIHeader& header) {
                                  header.sender = GeneralName::of(Name());
                                  header.senderKID = id;
                                }}));
  EXPECT_EQ(status_in(rp).status, PKIStatus::accepted);
}

TEST_F(PassphraseTest, WhoGuessesIsStopped) {
  ca.channels.at("drop").settings.mac.lock_after_all = 10;
  leave(sealed(kPass));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(ca.talk(rr_by("guess " + std::to_string(i), device)),
                Refuses("error", PKIFailureInfo::badMessageCheck));
  }
  EXPECT_THAT(ca.talk(rr_by(kPass, device)), Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(state(), CertificateState::valid);
}

TEST_F(PassphraseTest, TheNewestCountsAndItIsSealed) {
  leave(sealed("the one before this one"));
  leave(sealed(kPass));
  PKIMessage message;
  message.body = rr(device);
  const auto kept = must(RevocationPassphrases(ca.reader->connection()).find(message, *ca.reader));
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(text_of(must(unseal(*kept, ca.sealing_key))), kPass);
  EXPECT_FALSE(unseal(*kept, SealingKey::generate(ca.random)).has_value());
}

// What people agree to is answered as it was asked for: under the passphrase.
struct PassphraseThatWaits : PassphraseTest {
  PassphraseThatWaits() : PassphraseTest("revocation_passphrase = true\n") { leave(sealed(kPass)); }
  void wait(const std::string& how) {
    ca.configure("revocation_passphrase = true\napprove = \"one\"\napprove_for = [\"rr\"]\n" + how);
  }
  static Bytes tid_of(const Bytes& der) { return *must_decode(der).header.transactionID; }
  static PKIMessage must_decode(const Bytes& der) {
    auto message = decode(der);
    EXPECT_TRUE(message);
    return message.value_or(PKIMessage{});
  }
};

TEST_F(PassphraseThatWaits, IsToldSoAndPollsForItsAnswerUnderThePassphrase) {
  wait("waiting = \"always\"\nwaiting_by_error = true\n");
  const auto told = ca.talk(rr_by(kPass, device));
  ASSERT_EQ(body_name(told.body), "error");
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(protection_kind(told), ProtectionKind::password_based_mac);
  const auto not_yet = ca.talk(with_mac(ca, poll_req(kWholeMessage), following(told), kPass, ""));
  ASSERT_EQ(body_name(not_yet.body), "pollRep");
  EXPECT_EQ(ca.say(*told.header.transactionID, true), Decided::done);
  ca.work();
  EXPECT_EQ(state(), CertificateState::revoked);
  const auto rp = ca.talk(with_mac(ca, poll_req(kWholeMessage), following(not_yet), kPass, ""));
  ASSERT_EQ(body_name(rp.body), "rp");
  EXPECT_EQ(status_in(rp).status, PKIStatus::accepted);
}

TEST_F(PassphraseThatWaits, GetsTheFinalResponseUnaskedWhereItIsNotTold) {
  for (const bool approved : {false, true}) {
    SCOPED_TRACE(approved);
    wait("waiting = \"always\"\n");
    const auto request = rr_by(kPass, device);
    EXPECT_TRUE(ca.post(request).empty()) << "its peer may not know that an error can wait";
    EXPECT_EQ(ca.say(tid_of(request), approved), Decided::done);
    const auto rp = Office::only(ca.work_and_send());
    ASSERT_EQ(body_name(rp.body), "rp");
    EXPECT_EQ(status_in(rp).status, approved ? PKIStatus::accepted : PKIStatus::rejection);
    EXPECT_EQ(protection_kind(rp), ProtectionKind::password_based_mac);
    EXPECT_EQ(state(), approved ? CertificateState::revoked : CertificateState::valid);
  }
}

TEST_F(PassphraseThatWaits, GetsAnAnswerAlsoWhereItIsAnotherByThen) {
  wait("waiting = \"never\"\n");
  const auto request = rr_by(kPass, device);
  EXPECT_TRUE(ca.post(request).empty());
  leave(sealed("four and twenty blackbirds"));
  EXPECT_EQ(ca.say(tid_of(request), true), Decided::done);
  EXPECT_THAT(Office::only(ca.work_and_send()), Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(state(), CertificateState::valid);
}

struct PassphraseOff : PassphraseTest {
  PassphraseOff() : PassphraseTest("") {}
};
struct PassphraseStrict : PassphraseTest {
  PassphraseStrict() : PassphraseTest("revocation_passphrase = true\n") {
    leave(sealed(kPass));
    ca.configure("revocation_passphrase = true\nstrict = true\n");
  }
};

TEST_F(PassphraseOff, MacedRevocationIsWrongIntegrityAndThePassphraseUnsupported) {
  EXPECT_THAT(ca.talk(rr_by(kPass, device)), Refuses("error", PKIFailureInfo::wrongIntegrity));
  const auto genp = leave(sealed(kPass));
  EXPECT_EQ(std::get<body::genp>(genp.body).items.at(0).infoType, oid::id_it_unsupportedOIDs);
}

TEST_F(PassphraseStrict, MacedRevocationIsWrongIntegrity) {
  EXPECT_THAT(ca.talk(rr_by(kPass, device)), Refuses("error", PKIFailureInfo::wrongIntegrity));
}

TEST(LocalKeyId, IsReadFromTheUnprotectedAttributesAlone) {
  EXPECT_EQ(local_key_id(*from_hex("300702010031003000")), std::nullopt);
  EXPECT_EQ(local_key_id(with_local_key_id(*from_hex("300702010031003000"), Bytes{7})), Bytes{7});
  EXPECT_EQ(local_key_id({}), std::nullopt);
}

}  // namespace
}  // namespace cmpost
