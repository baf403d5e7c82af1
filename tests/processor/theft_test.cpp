// Somebody who has every message of another, and one credential of his own: what is cut out of the
// messages does not work under the credential (RFC 4211 4.1, 4.2.1, R-097 to R-105).
#include "processor/credentials/key_archive.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using Later = POPOPrivKey::SubsequentMessage;
using Edit = std::function<void(CertReqMsg&)>;

const std::string kTheftSettings = "archive = true\nrecovery = true\nwaiting = \"always\"\n";

// The victim is CN=dev1, the thief CN=dev2.
struct Theft : ::testing::Test {
  explicit Theft(const std::string& settings = kTheftSettings)
      : ca(settings), victim(enrolled(ca, "CN=dev1")), thief(enrolled(ca, "CN=dev2")) {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
    ca.authority->identity.protocol_keys.push_back(own_dh.protocol_key());
    ca.authority->key_generator = key_generator_of(ca);
    ProfileSettings any;
    any.name = "any";
    any.keys = {{KeyRule::Kind::ec, "P-256", 0, 0},
                {KeyRule::Kind::rsa, "", 2048, 4096},
                {KeyRule::Kind::x25519, "", 0, 0}};
    any.key_usage = {};
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(any)));
  }

  // What a thief may write into a header: the sender is not compared where the channel is lax.
  static MessageOptions calling_himself(std::string_view sender) {
    return pvno3({.edit = [sender = name(sender)](PKIHeader& header) {
      header.sender = GeneralName::of(sender);
    }});
  }
  PKIMessage by(const Credential& who, const PKIBody& body, const MessageOptions& options) {
    return ca.talk(signed_by(ca, who, body, options));
  }
  PKIMessage by(const Credential& who, const PKIBody& body) { return by(who, body, pvno3()); }
  PKIMessage by_victim(const PKIBody& body) { return by(victim, body); }
  PKIMessage by_thief(const PKIBody& body) {
    const auto honest = by(thief, body);
    const auto lying = by(thief, body, calling_himself("CN=dev1"));
    EXPECT_EQ(status_in(honest).status, status_in(lying).status) << "whatever the sender says";
    return lying;
  }

  static CertReqMsg signed_request(
      const Credential& key, const Edit& edit = [](CertReqMsg&) {}) {
    CertReqMsg message;
    message.certReq.certTemplate.publicKey = spki_of(key.key.public_key());
    edit(message);
    message.certReq.der = encode(message.certReq);
    if (!message.popo) message.popo = proof_by(key, message.certReq.der);
    return message;
  }
  static POPOSigningKey proof_by(const Credential& key, ByteView what) {
    POPOSigningKey popo;
    popo.algorithmIdentifier = key.signer.algorithm();
    popo.signature = must(key.signer.sign(what));
    return popo;
  }
  static Edit with_input(const Credential& key, std::variant<GeneralName, PKMACValue> authInfo) {
    return [&key, authInfo = std::move(authInfo)](CertReqMsg& message) {
      POPOSigningKeyInput input;
      input.authInfo = authInfo;
      input.publicKey = *message.certReq.certTemplate.publicKey;
      input.der = encode(input);
      auto popo = proof_by(key, input.der);
      popo.poposkInput = input;
      message.popo = popo;
    };
  }
  static Edit with_subject(std::string_view subject) {
    return [subject = name(subject)](CertReqMsg& message) {
      message.certReq.certTemplate.subject = subject;
    };
  }
  static Edit with_old_cert_id(const Certificate& old) {
    return [old](CertReqMsg& message) {
      der::Writer id;
      id.constructed(der::kSequence, [&] {
        id.raw(GeneralName::of(old.issuer()).der);
        id.big_integer(old.serial_number());
      });
      message.certReq.controls = Controls{{oid::id_regCtrl_oldCertID, std::move(id).take()}};
    };
  }
  // The private key, to the CA; `whose` may be missing.
  Bytes enveloped(const PrivateKey& key, const std::optional<GeneralName>& whose,
                  const std::optional<std::string>& token = {}) {
    return must(envelop(must(encode(EncKeyWithID{key, whose, token})), oid::id_ct_encKeyWithID,
                        must(recipient_of(own.certificate)), ca.random));
  }
  static void archive(CertReqMsg& message, Bytes enveloped) {
    enveloped[0] = der::context_constructed(0);
    der::Writer options;
    options.constructed(der::context_constructed(0), [&] { options.raw(enveloped); });
    message.certReq.controls =
        Controls{{oid::id_regCtrl_pkiArchiveOptions, std::move(options).take()}};
  }
  // cr for `key`, which is given to the CA as its proof.
  static PKIBody giving(const PrivateKey& key, std::string_view subject, Bytes enveloped) {
    enveloped[0] = der::context_constructed(4);
    return body::cr{{request_for(key.public_key(), subject, [&](const CertRequest&) {
      return KeyEncipherment{{POPOPrivKey::EncryptedKey{enveloped}}};
    })}};
  }
  void add_secret(std::string_view reference, std::string_view value, std::string_view subject) {
    Secret secret;
    secret.reference = reference;
    secret.value = to_bytes(value);
    secret.subject = subject;
    ca.add(secret);
  }

  Office ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  AgreedParty own_dh{"x25519", ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca};
  Credential victim;
  Credential thief;
  Credential wanted;  // the victim's new key
};

const auto kRefusedKup = Refuses("kup", PKIFailureInfo::badPOP);
const auto kRefusedCp = Refuses("cp", PKIFailureInfo::badPOP);

struct StrictTheft : Theft {
  StrictTheft() { ca.configure("strict = true\n"); }
};

TEST_F(Theft, ProofOfARenewalThatNamesNobodyIsNobodys) {
  const auto cut = signed_request(wanted);
  EXPECT_THAT(by_thief(body::kur{{cut}}), kRefusedKup);
  EXPECT_THAT(by_thief(body::cr{{cut}}), kRefusedCp);
  const auto nameless = signed_request(wanted, with_subject(""));
  EXPECT_THAT(by_thief(body::cr{{nameless}}), kRefusedCp);
}

TEST_F(StrictTheft, ProofOfARenewalThatNamesNobodyIsNobodys) {
  EXPECT_THAT(by(thief, body::kur{{signed_request(wanted)}}), kRefusedKup);
}

TEST_F(Theft, ProofOfARenewalNamesTheSubjectOrTheOldCertificate) {
  const auto by_id = signed_request(wanted, with_old_cert_id(*victim.certificate));
  EXPECT_THAT(by_thief(body::kur{{by_id}}), Refuses("kup", PKIFailureInfo::badCertId));
  EXPECT_THAT(by_thief(body::cr{{by_id}}), kRefusedCp);
  EXPECT_EQ(certificate_in(by_victim(body::kur{{by_id}})).subject(), name("CN=dev1"));
  const Credential more;
  const auto by_name = signed_request(more, with_subject("CN=dev1"));
  EXPECT_THAT(by_thief(body::kur{{by_name}}), Refuses("kup", PKIFailureInfo::badCertTemplate));
  EXPECT_EQ(status_in(by_victim(body::cr{{by_name}})).status, PKIStatus::accepted);
}

TEST_F(Theft, AuthInfoNamesWhoHasBeenAuthenticated) {
  const auto input = with_input(wanted, GeneralName::of(name("CN=dev1")));
  const auto cut = signed_request(wanted, input);
  EXPECT_THAT(by_thief(body::kur{{cut}}), kRefusedKup);
  EXPECT_THAT(by_thief(body::cr{{cut}}), kRefusedCp);
  const auto kup = by(victim, body::kur{{cut}}, calling_himself(""));
  EXPECT_EQ(certificate_in(kup).subject(), name("CN=dev1")) << "whatever the sender says";
}

TEST_F(Theft, EmptyNameIsNobodysName) {
  ca.configure(kTheftSettings + "trusted_subject = \"any\"\n");
  Credential one;
  ca.vendor.certify(one, "", ca.clock.now(), ca.random);
  const auto cut = signed_request(wanted, with_input(wanted, GeneralName::of(Name())));
  EXPECT_THAT(by(one, body::ir{{cut}}), Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(Theft, PublicKeyMacIsOfTheSecretThatProtectsTheMessage) {
  add_secret("two", "the secret of the thief", "");
  const auto parameters = make_pbm_parameter(ca.random, 500);
  const auto spki = spki_of(wanted.key.public_key());
  const auto mac = must(compute_mac(parameters, view_of(CaUnderTest::kSecret), {}, spki.der));
  const auto cut =
      signed_request(wanted, with_input(wanted, PKMACValue{to_algorithm(parameters), mac, 0}));
  EXPECT_THAT(ca.talk(with_mac(ca, body::ir{{cut}}, pvno3(), "the secret of the thief", "two")),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(Theft, SenderInAuthInfoIsTheReferenceOfTheSecret) {
  add_secret("two", "the secret of the thief", "");
  const auto cut = signed_request(wanted, with_input(wanted, GeneralName::of(name("CN=dev1"))));
  EXPECT_THAT(ca.talk(with_mac(ca, body::ir{{cut}}, pvno3(), "the secret of the thief", "two")),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(Theft, AgreeMacNamesItsRequester) {
  const auto key = test_key("x25519");
  const auto asking = [&](std::string_view subject) {
    return request_for(
        key.public_key(), subject,
        [&](const CertRequest& request) {
          const MacParameters dh = make_dhbm_parameter();
          const auto agreed = must(agree(key, own_dh.key.public_key()));
          const auto mac = must(compute_mac(dh, agreed, Bytes(), request.der));
          return KeyAgreement{{PKMACValue{to_algorithm(dh), mac, 0}}};
        },
        [&](CertRequest& request) {
          if (subject.empty()) request.certTemplate.subject.reset();
        });
  };
  EXPECT_THAT(by_thief(body::kur{{asking("")}}), kRefusedKup);
  EXPECT_THAT(by_thief(body::kur{{asking("CN=dev1")}}),
              Refuses("kup", PKIFailureInfo::badCertTemplate));
  EXPECT_EQ(status_in(by_victim(body::cr{{asking("CN=dev1")}})).status, PKIStatus::accepted);
}

TEST_F(Theft, EncryptedKeyIsForWhoItNames) {
  const auto key = test_key("x25519");
  const auto victims = GeneralName::of(name("CN=dev1"));
  const auto sealed = enveloped(key, victims);
  EXPECT_THAT(by_thief(giving(key, "CN=dev2", sealed)), kRefusedCp);
  EXPECT_THAT(by_thief(giving(key, "CN=dev2", enveloped(key, {}))), kRefusedCp)
      << "MUST be present if the purpose is to prove possession";
  EXPECT_THAT(by_thief(giving(key, "CN=dev2", enveloped(key, GeneralName::of(Name())))),
              kRefusedCp);
  EXPECT_THAT(by_thief(giving(key, "CN=dev2", enveloped(key, {}, "dev1"))), kRefusedCp);
  EXPECT_THAT(by_victim(giving(key, "CN=dev1", sealed)), kRefusedCp)
      << "an envelope is of who has sent it first";
  EXPECT_EQ(status_in(by_victim(giving(key, "CN=dev1", enveloped(key, victims)))).status,
            PKIStatus::accepted);
}

TEST_F(Theft, EncryptedKeyMayNameItsRequesterByAToken) {
  const auto key = test_key("x25519");
  auto sealed = enveloped(key, {}, CaUnderTest::kReference);
  EXPECT_EQ(status_in(by_victim(giving(key, "CN=dev1", enveloped(key, {}, "cn=DEV1")))).status,
            PKIStatus::accepted);
  const auto cr = std::get<body::cr>(giving(key, "CN=dev1", sealed));
  EXPECT_EQ(status_in(ca.talk(with_mac(ca, body::ir{cr.requests}, pvno3()))).status,
            PKIStatus::accepted);
}

// Wide credentials may ask for the victim's name, but are not the victim.
TEST_F(Theft, EncryptedKeyOfAnotherIsNotForAWideSecret) {
  add_secret("two", "the secret of the thief", "");
  const auto key = test_key("x25519");
  const auto cut =
      std::get<body::cr>(giving(key, "CN=dev1", enveloped(key, GeneralName::of(name("CN=dev1")))));
  EXPECT_THAT(
      ca.talk(with_mac(ca, body::ir{cut.requests}, pvno3(), "the secret of the thief", "two")),
      Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(Theft, KeyForTheArchiveIsTheRequestersOwn) {
  add_secret("two", "the secret of the thief", "");
  for (const auto& whose :
       {std::optional<GeneralName>(), std::optional(GeneralName::of(name("CN=dev1")))}) {
    const auto sealed = enveloped(wanted.key, whose);
    const auto cut = signed_request(wanted, [&](CertReqMsg& message) {
      message.certReq.certTemplate.subject = name("CN=dev1");
      archive(message, sealed);
    });
    EXPECT_THAT(ca.talk(with_mac(ca, body::ir{{cut}}, pvno3(), "the secret of the thief", "two")),
                Refuses("ip", PKIFailureInfo::badPOP))
        << "the whole CertReqMsg, under a secret for all subjects";
    // The envelope alone, under a proof that comes later.
    const auto built = request_for(
        wanted.key.public_key(), "CN=dev2",
        [](const CertRequest&) { return later(Later::encrCert); },
        [&](CertRequest& request) {
          CertReqMsg message;
          archive(message, sealed);
          request.controls = message.certReq.controls;
        });
    EXPECT_THAT(by_thief(body::cr{{built}}), kRefusedCp);
    const auto again = signed_request(wanted, [&](CertReqMsg& message) {
      message.certReq.certTemplate.subject = name("CN=dev1");
      archive(message, enveloped(wanted.key, whose));
    });
    EXPECT_EQ(status_in(by_victim(body::cr{{again}})).status, PKIStatus::accepted);
  }
}

TEST_F(Theft, RaMayArchiveWhatNamesTheSubject) {
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  const auto asking = [&](std::string_view whose, std::string_view subject) {
    const auto sealed = enveloped(wanted.key, GeneralName::of(name(whose)));
    return body::ir{{signed_request(wanted, [&](CertReqMsg& message) {
      message.certReq.certTemplate.subject = name(subject);
      archive(message, sealed);
    })}};
  };
  EXPECT_THAT(by(ra, asking("CN=dev1", "CN=dev2")), Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_EQ(status_in(by(ra, asking("CN=dev2", "CN=dev2"))).status, PKIStatus::accepted);
}

TEST_F(Theft, CertificationRequestThatNamesNobodyIsNobodys) {
  ca.configure(kTheftSettings + "trusted_subject = \"any\"\n");
  Credential one;
  ca.vendor.certify(one, "", ca.clock.now(), ca.random);
  EXPECT_THAT(by(one, body::p10cr{certification_request(wanted, "")}), kRefusedCp);
  EXPECT_THAT(by_thief(body::p10cr{certification_request(wanted, "CN=dev1")}),
              Refuses("cp", PKIFailureInfo::notAuthorized));
}

TEST_F(Theft, NewSignatureKeyOfARecoveryIsTheRequestersOwn) {
  EXPECT_THAT(by_thief(body::krr{{signed_request(wanted)}}),
              Refuses("krp", PKIFailureInfo::badPOP));
}

// Who asks for a KEM ciphertext has not proven anything, and leaves nothing.
struct UnprotectedTheft : Theft {
  UnprotectedTheft()
      : Theft(kTheftSettings +
              "revocation_passphrase = true\nprotection = [\"pbm\", \"rsa\", "
              "\"ecdsa\", \"kem\"]\n") {}
};

TEST_F(UnprotectedTheft, NobodyLeavesAPassphraseInTheNameOfAnother) {
  Credential device("rsa:2048");
  device.certificate = certificate_in(ca.talk(with_mac(ca, ir(device, "CN=dev1"))));
  auto sealed = must(envelop(view_of("seven wise men of Gotham"), oid::id_data,
                             must(recipient_of(own.certificate)), ca.random));
  sealed[0] = der::context_constructed(0);
  auto header = first_header(ca, name("CN=dev1"), *device.certificate->subject_key_identifier(),
                             pvno3({.implicit_confirm = false}));
  header.generalInfo.push_back({oid::id_it_revPassphrase, sealed});
  const auto genp =
      ca.talk(leave_unprotected(std::move(header), body::genm{{{oid::id_it_KemCiphertextInfo, {}}}},
                                {{to_bytes(device.certificate->der())}}));
  EXPECT_EQ(body_name(genp.body), "genp");
  EXPECT_EQ(protection_kind(genp), ProtectionKind::none);
  EXPECT_EQ(find(genp.header.generalInfo, oid::id_it_revPassphrase), nullptr);
  for (const auto& record : must(ca.reader->audit(0, 100))) {
    EXPECT_NE(record.event, "revocation_passphrase.stored");
  }
}

// What an archive has of whom.
struct ArchiveTheft : Theft {
  // The keys that krr brings, after two people have agreed.
  std::size_t recovered(const Credential& who, std::optional<Name> subject = {}) {
    const auto protocol_key = test_key("x25519");
    CertReqMsg message;
    message.certReq.certTemplate.subject = std::move(subject);
    message.certReq.controls =
        Controls{{oid::id_regCtrl_protocolEncrKey, to_bytes(protocol_key.public_key().spki())}};
    message.certReq.der = encode(message.certReq);
    const auto told = by(who, body::krr{{message}});
    EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
    ca.say(*told.header.transactionID, true, "alice");
    ca.say(*told.header.transactionID, true, "bob");
    ca.work();
    const auto krp = by(who, poll_req(0), pvno3(following(told)));
    const auto& history = std::get<body::krp>(krp.body).content.keyPairHist;
    return history ? history->size() : 0;
  }
  Credential enrolled_by(std::string_view reference, std::string_view secret,
                         std::string_view subject) {
    Credential device;
    device.certificate =
        certificate_in(ca.talk(with_mac(ca, ir(device, subject), {}, secret, reference)));
    return device;
  }
  void archive_for_victim(const PrivateKey& key) {
    const auto sealed = enveloped(key, GeneralName::of(name("CN=dev1")));
    EXPECT_EQ(status_in(by_victim(giving(key, "CN=dev1", sealed))).status, PKIStatus::accepted);
  }
};

TEST_F(ArchiveTheft, NameAloneIsNotItsHolder) {
  archive_for_victim(test_key("x25519"));
  EXPECT_EQ(recovered(victim), 1U);
  EXPECT_EQ(recovered(thief), 0U);
  add_secret("two", "the secret of the thief", "");
  const auto namesake = enrolled_by("two", "the secret of the thief", "CN=dev1");
  EXPECT_EQ(recovered(namesake), 0U);
  const auto renewed = [&] {
    Credential next;
    next.certificate = certificate_in(by(namesake, body::kur{{cert_request(next, "CN=dev1")}}));
    return next;
  }();
  EXPECT_EQ(recovered(renewed), 0U);
}

TEST_F(ArchiveTheft, RenewedCertificateIsTheSameHolders) {
  archive_for_victim(test_key("x25519"));
  Credential next;
  next.certificate = certificate_in(by_victim(body::kur{{cert_request(next, "CN=dev1")}}));
  EXPECT_EQ(recovered(next), 1U);
}

TEST_F(ArchiveTheft, SecretForOneSubjectIsThatSubjects) {
  add_secret("lost", "before everything was lost", "CN=dev7");
  add_secret("found", "after everything was lost", "CN=Dev7");
  const auto before = enrolled_by("lost", "before everything was lost", "CN=dev7");
  const auto key = test_key("x25519");
  const auto sealed = enveloped(key, GeneralName::of(name("CN=dev7")));
  EXPECT_EQ(status_in(by(before, giving(key, "CN=dev7", sealed))).status, PKIStatus::accepted);
  EXPECT_EQ(recovered(enrolled_by("found", "after everything was lost", "CN=DEV7")), 1U);
}

TEST_F(ArchiveTheft, RaFindsANameInEverySpelling) {
  archive_for_victim(test_key("x25519"));
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  EXPECT_EQ(recovered(ra, name("CN=DEV1")), 1U);
  EXPECT_EQ(recovered(ra, name("CN=dev2")), 0U);
}

TEST_F(ArchiveTheft, KeyIsItsFirstHoldersAlsoWhenItIsRevoked) {
  const auto key = test_key("x25519");
  archive_for_victim(key);
  for (const auto& record : ca.issued()) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      if (record.serial == to_bytes(thief.certificate->serial_number())) return {};
      TRY(writer.revoke(record.serial, CRLReason::superseded, ca.clock.now(), {}));
      return {};
    }));
  }
  const auto sealed = enveloped(key, GeneralName::of(name("CN=dev2")));
  EXPECT_THAT(by_thief(giving(key, "CN=dev2", sealed)),
              Refuses("cp", PKIFailureInfo::badCertTemplate));
}

TEST_F(ArchiveTheft, KeyOfACertificateThatWasNotConfirmedIsForgotten) {
  const auto key = test_key("x25519");
  const auto sealed = enveloped(key, GeneralName::of(name("CN=dev1")));
  const auto asking = request_for(
      key.public_key(), "CN=dev1", [](const CertRequest&) { return later(Later::encrCert); },
      [&](CertRequest& request) {
        CertReqMsg message;
        archive(message, sealed);
        request.controls = message.certReq.controls;
      });
  const auto cp = by_victim(body::cr{{asking}});
  EXPECT_EQ(status_in(cp).status, PKIStatus::accepted);
  EXPECT_EQ(recovered(victim), 0U) << "not yet";
  CertStatus guess;
  guess.certHash = Bytes(32);
  EXPECT_THAT(by(victim, body::certConf{{guess}}, pvno3(following(cp))),
              Refuses("error", PKIFailureInfo::badCertId));
  EXPECT_EQ(recovered(victim), 0U);
  EXPECT_THAT(must(KeyArchive(ca.reader->connection()).of_subject(name("CN=dev1"))),
              ::testing::IsEmpty());
}

// Who has no name in its certificate is not one with all others who have none.
struct Nameless : ::testing::Test {
  Nameless() {
    ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  }
  Credential device(std::string_view dns) {
    Credential made;
    der::Writer names;
    names.constructed(der::kSequence, [&] {
      names.raw(must(GeneralName::from_text("DNS:" + std::string(dns))).der);
    });
    const RequestOptions with_name{.edit = [&](CertTemplate& wanted) {
      wanted.extensions = Extensions{{oid::id_ce_subjectAltName, true, names.bytes()}};
    }};
    made.certificate = certificate_in(ca.talk(signed_by(ca, ra, ir(made, "", with_name))));
    return made;
  }
  Office ca{"revocation_passphrase = true\n"};
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  Credential ra;
};

TEST_F(Nameless, PassphraseOfOneIsNotThatOfAnother) {
  constexpr std::string_view kSpoken = "seven wise men of Gotham";
  const auto one = device("one.example"), other = device("other.example");
  auto sealed =
      must(envelop(view_of(kSpoken), oid::id_data, must(recipient_of(own.certificate)), ca.random));
  sealed[0] = der::context_constructed(0);
  const auto genp =
      ca.talk(signed_by(ca, one, body::genm{{{oid::id_it_revPassphrase, sealed}}}, pvno3()));
  ASSERT_EQ(body_name(genp.body), "genp");
  const auto revoking = [&](const Credential& whose) {
    RevDetails details;
    details.certDetails.issuer = whose.certificate->issuer();
    details.certDetails.serialNumber = to_bytes(whose.certificate->serial_number());
    return with_mac(ca, body::rr{{details}},
                    {.edit = [](PKIHeader& header) { header.sender = GeneralName::of(Name()); }},
                    kSpoken, "");
  };
  EXPECT_THAT(ca.talk(revoking(other)), Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(ca.record(*other.certificate)->state, CertificateState::valid);
  EXPECT_EQ(status_in(ca.talk(revoking(one))).status, PKIStatus::accepted);
  EXPECT_EQ(ca.record(*one.certificate)->state, CertificateState::revoked);
}

}  // namespace
}  // namespace cmpost
