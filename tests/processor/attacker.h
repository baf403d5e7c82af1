// Somebody who has every file that ever lay in `in` and `out`, credentials of his own, and as many
// requests as he likes.
#pragma once

#include <set>

#include "cmp/kem_ciphertext_info.h"
#include "processor/credentials/key_archive.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {

// Honest dialogues of CN=dev1 in all their kinds; three of them are not over.
class Wiretapped : public ::testing::Test {
 protected:
  static constexpr auto kSettings =
      "archive = true\nrecovery = true\nrevocation_passphrase = true\nwaiting = \"always\"\n"
      "waiting_by_error = true\nout_of_order = \"0s\"\n"
      "protection = [\"pbm\", \"rsa\", \"ecdsa\", \"dh\", \"kem\"]\n";
  static constexpr std::string_view kVictims = "8f3AeZq1-Lm0Vx7Rt5Yk2Wn9-Pb4Hc6Jd";
  static constexpr std::string_view kThiefs = "Qm7Tz2Lk-Yw9Xc4Bv6Nr1Hs8-Df3Gj5Ka";
  static constexpr std::string_view kPass = "seven wise men of Gotham";

  Wiretapped() {
    configure("");
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
    ca.authority->identity.protocol_keys.push_back(own_dh.protocol_key());
    ca.authority->key_generator = key_generator_of(ca);
    add_secret("victim", kVictims, "CN=dev1");
    add_secret("thief", kThiefs, "CN=dev2");
    ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
    enrol();
    prove();
    revoke();
    recover();
    go_through_an_ra();
    leave_open();
  }

  void configure(const std::string& more) {
    ca.configure(kSettings + more);
    ProfileSettings any, made_here;
    any.name = "any";
    any.keys = {{KeyRule::Kind::ec, "P-256", 0, 0},
                {KeyRule::Kind::rsa, "", 2048, 4096},
                {KeyRule::Kind::x25519, "", 0, 0}};
    any.key_usage = {};
    made_here = any;
    made_here.name = "made-here";
    made_here.generate = "ec:P-256";
    ca.channels.at("drop").profiles = {must(Profile::create(any)),
                                       must(Profile::create(made_here))};
  }
  void add_secret(std::string_view reference, std::string_view value, std::string_view subject) {
    Secret secret;
    secret.reference = reference;
    secret.value = to_bytes(value);
    secret.is_key = true;
    secret.subject = subject;
    ca.add(secret);
  }

  // What lies in `in` and in `out`.
  std::vector<Bytes> in, out;
  PKIMessage say(const Bytes& request) {
    in.push_back(request);
    const auto answers = ca.post(request);
    out.insert(out.end(), answers.begin(), answers.end());
    return Office::only(answers);
  }
  PKIMessage by_secret(const PKIBody& body, const MessageOptions& options = pvno3()) {
    return say(with_mac(ca, body, options, kVictims, "victim"));
  }
  PKIMessage by_victim(const PKIBody& body, const MessageOptions& options = pvno3()) {
    return say(signed_by(ca, victim, body, options));
  }
  static MessageOptions waits_for_confirm() { return pvno3({.implicit_confirm = false}); }
  static MessageOptions next(const PKIMessage& answer) { return pvno3(following(answer)); }

  Bytes sealed(ByteView content, const Oid& type) {
    return must(envelop(content, type, must(recipient_of(own.certificate)), ca.random));
  }
  static Bytes tagged(Bytes enveloped, int tag) {
    enveloped[0] = der::context_constructed(tag);
    return enveloped;
  }
  static InfoTypeAndValue passphrase(const Bytes& enveloped) {
    return {oid::id_it_revPassphrase, tagged(enveloped, 0)};
  }
  static Controls archiving(const Bytes& enveloped) {
    der::Writer options;
    options.constructed(der::context_constructed(0), [&] { options.raw(tagged(enveloped, 0)); });
    return {{oid::id_regCtrl_pkiArchiveOptions, std::move(options).take()}};
  }

  // ir, certConf; kur; p10cr; cr with its name in poposkInput's place alone.
  void enrol() {
    const auto ip = by_secret(ir(victim), waits_for_confirm());
    victim.certificate = certificate_in(ip);
    by_secret(cert_conf(*victim.certificate), next(ip));
    Credential renewed;
    renewed.certificate = certificate_in(by_victim(body::kur{{cert_request(renewed, "CN=dev1")}}));
    victim = renewed;
    by_secret(body::p10cr{certification_request(Credential(), "CN=dev1")});
    CertReqMsg nameless;
    const Credential fresh;
    nameless.certReq.certTemplate.publicKey = spki_of(fresh.key.public_key());
    nameless.certReq.der = encode(nameless.certReq);
    nameless.popo = POPOSigningKey{
        {}, fresh.signer.algorithm(), must(fresh.signer.sign(nameless.certReq.der)), 0};
    by_victim(body::kur{{nameless}});
  }
  // Challenge, agreeMAC, encrCert, the key itself, and one that is made here; a KEM key's.
  void prove() {
    using enum POPOPrivKey::SubsequentMessage;
    const auto asking = [](const PrivateKey& key, POPOPrivKey::SubsequentMessage how) {
      return body::ir{{request_for(key.public_key(), "CN=dev1",
                                   [&](const CertRequest&) { return later(how); })}};
    };
    const auto key = test_key("x25519");
    by_secret(respond_to(by_secret(asking(key, challengeResp)), key), next_);
    by_secret(asking(test_key("x25519"), encrCert), waits_for_confirm());
    const auto agreeing = test_key("x25519");
    by_victim(body::cr{{request_for(agreeing.public_key(), "CN=dev1", [&](const CertRequest& one) {
      const MacParameters dh = make_dhbm_parameter();
      const auto agreed = must(agree(agreeing, own_dh.key.public_key()));
      return KeyAgreement{
          {PKMACValue{to_algorithm(dh), must(compute_mac(dh, agreed, Bytes(), one.der)), 0}}};
    })}});
    const auto given = test_key("x25519");
    const auto owner = EncKeyWithID{given, GeneralName::of(name("CN=dev1")), {}};
    const auto envelope = sealed(must(encode(owner)), oid::id_ct_encKeyWithID);
    envelopes.push_back(envelope);
    by_victim(body::cr{{request_for(given.public_key(), "CN=dev1", [&](const CertRequest&) {
      return KeyEncipherment{{POPOPrivKey::EncryptedKey{tagged(envelope, 4)}}};
    })}});
    CertReqMsg made_here;
    made_here.certReq.certTemplate.subject = name("CN=dev1");
    made_here.certReq.der = encode(made_here.certReq);
    const auto ip = by_secret(body::ir{{made_here}}, named("made-here"));
    EXPECT_TRUE(key_pair_in(ip).privateKey);
  }
  PKIBody respond_to(const PKIMessage& popdecc, const PrivateKey& key) {
    next_ = next(popdecc);
    return body::popdecr{{solved(popdecc, key)}};
  }
  static Bytes solved(const PKIMessage& popdecc, const PrivateKey& key) {
    const auto& challenge = std::get<body::popdecc>(popdecc.body).challenges.at(0);
    der::Reader sealed_rand(*challenge.encryptedRand);
    const auto rand =
        must(open_envelope(sealed_rand.expect(der::context_constructed(0)).value().content, key));
    der::Reader reader(rand.content);
    return reader.enter(der::kSequence).value().big_integer().value();
  }
  static MessageOptions named(std::string_view profile) {
    return pvno3({.edit = [profile](PKIHeader& header) {
      der::Writer names;
      names.constructed(der::kSequence, [&] { names.utf8_string(profile); });
      header.generalInfo.push_back({oid::id_it_certProfile, std::move(names).take()});
    }});
  }
  // rr by signature and under a passphrase that genm has left.
  void revoke() {
    Credential lost, also_lost;
    lost.certificate = certificate_in(by_victim(body::cr{{cert_request(lost, "CN=dev1")}}));
    by_victim(revocation(*lost.certificate));
    also_lost.certificate =
        certificate_in(by_victim(body::cr{{cert_request(also_lost, "CN=dev1")}}));
    const auto envelope = sealed(view_of(kPass), oid::id_data);
    envelopes.push_back(envelope);
    by_victim(body::genm{{passphrase(envelope)}});
    say(with_mac(ca, revocation(*also_lost.certificate), pvno3(), kPass, ""));
  }
  // A key in the archive, and what krr brings back.
  void recover() {
    const Credential archived;
    const auto owner = EncKeyWithID{archived.key, GeneralName::of(name("CN=dev1")), {}};
    const auto envelope = sealed(must(encode(owner)), oid::id_ct_encKeyWithID);
    envelopes.push_back(envelope);
    by_victim(body::cr{{request_for(
        archived.key.public_key(), "CN=dev1",
        [&](const CertRequest& one) {
          return POPOSigningKey{
              {}, archived.signer.algorithm(), must(archived.signer.sign(one.der)), 0};
        },
        [&](CertRequest& one) { one.controls = archiving(envelope); })}});
    const auto told = by_victim(body::krr{{recovery_to(test_key("x25519"))}});
    approve(*told.header.transactionID);
    const auto krp = by_victim(poll_req(0), next(told));
    EXPECT_TRUE(std::get<body::krp>(krp.body).content.keyPairHist);
  }
  static CertReqMsg recovery_to(const PrivateKey& key, std::optional<Name> subject = {}) {
    CertReqMsg message;
    message.certReq.certTemplate.subject = std::move(subject);
    message.certReq.controls =
        Controls{{oid::id_regCtrl_protocolEncrKey, to_bytes(key.public_key().spki())}};
    message.certReq.der = encode(message.certReq);
    return message;
  }
  void approve(const Bytes& tid) {
    ca.say(tid, true, "alice");
    ca.say(tid, true, "bob");
    ca.work();
  }
  // Added protection, a batch, and somebody with a KEM key alone.
  void go_through_an_ra() {
    const auto inner = with_mac(ca, ir(Credential()), pvno3(), kVictims, "victim");
    const auto header = decode(inner)->header;
    say(signed_by(ca, ra, body::nested{{inner}}, pvno3({.edit = [&](PKIHeader& outer) {
                    outer.transactionID = header.transactionID;
                    outer.senderNonce = header.senderNonce;
                  }})));
    say(signed_by(ca, ra,
                  body::nested{{with_mac(ca, ir(Credential()), pvno3(), kVictims, "victim"),
                                signed_by(ca, victim, body::genm{}, pvno3())}},
                  pvno3()));
    const AgreedParty kem("rsa:2048", ca.vendor, "CN=dev1", KeyUsageBit::keyEncipherment, ca);
    const std::vector<CMPCertificate> chain = {{to_bytes(kem.certificate.der())}};
    auto first = first_header(ca, name("CN=dev1"), *kem.certificate.subject_key_identifier(),
                              waits_for_confirm());
    const auto genp =
        say(leave_unprotected(first, body::genm{{{oid::id_it_KemCiphertextInfo, {}}}}, chain));
    const auto info =
        read_kem_ciphertext_info(*std::get<body::genp>(genp.body).items.at(0).infoValue).value();
    first.recipNonce = genp.header.senderNonce;
    first.senderNonce = ca.random.bytes(16);
    const auto ip =
        say(must(protect_with_mac(first, ir(Credential()), make_kem_parameter(),
                                  must(decapsulate(kem.key, info.kem, info.ct)), chain)));
    EXPECT_EQ(status_in(ip).status, PKIStatus::accepted);
  }
  void leave_open() {
    open = by_secret(ir(Credential()), waits_for_confirm());
    challenged_key = test_key("x25519");
    challenged = by_secret(
        body::ir{{request_for(challenged_key->public_key(), "CN=dev1", [](const CertRequest&) {
          return later(POPOPrivKey::SubsequentMessage::challengeResp);
        })}});
    waiting = by_victim(body::krr{{recovery_to(test_key("x25519"))}});
    EXPECT_EQ(status_in(waiting).status, PKIStatus::waiting);
  }

  Office ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  AgreedParty own_dh{"x25519", ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca};
  Credential victim, ra;
  std::vector<Bytes> envelopes;  // that the victim has sent
  PKIMessage open, challenged, waiting;
  std::optional<PrivateKey> challenged_key;
  MessageOptions next_;
};

}  // namespace cmpost
