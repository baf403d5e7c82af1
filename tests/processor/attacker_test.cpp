// What lay in `in` and `out` is put together anew in every way that an attacker may think of, under
// each of his credentials. He gets no certificate for a name or a key that is not his, no private
// key and no passphrase; nothing of the victim's is revoked, and its dialogues end well.
#include "tests/processor/attacker.h"

#include "cmp/nesting.h"

namespace cmpost {
namespace {

const char* const kOwnName = "CN=dev2";

// How he may protect something.
struct Guise {
  std::string who;
  std::function<Bytes(const PKIBody&, const MessageOptions&)> protect;
};

// What the victim said last in a transaction, and what it heard.
struct Heard {
  Bytes transactionID;
  std::optional<Bytes> senderNonce, recipNonce;
};

class Attacker : public Wiretapped {
 protected:
  Attacker() {
    ca.vendor.certify(foreign, kOwnName, ca.clock.now(), ca.random);
    thief.certificate =
        certificate_in(ca.talk(with_mac(ca, ir(thief, kOwnName), pvno3(), kThiefs, "thief")));
    guises = {{"holder", [this](const auto& body,
                                const auto& how) { return signed_by(ca, thief, body, how); }},
              {"vendor", [this](const auto& body,
                                const auto& how) { return signed_by(ca, foreign, body, how); }},
              {"secret", [this](const auto& body, const auto& how) {
                 return with_mac(ca, body, how, kThiefs, "thief");
               }}};
    for (const auto& der : in) note(der);
    for (const auto& der : out) note(der);
    before = certificates();
    left_before = left();
    judged = before.size();
  }

  void note(const Bytes& der) {
    if (const auto message = decode(der)) {
      const auto& header = message->header;
      captured.push_back(*message);
      heard[*header.transactionID] = {*header.transactionID, header.senderNonce, header.recipNonce};
    }
    for (const auto member : nested_members(der)) note(to_bytes(member));
  }

  bool is_his(const CertificateRecord& record) const {
    return equal(record.serial, thief.certificate->serial_number());
  }
  // What the ledger has.
  std::vector<CertificateRecord> certificates() { return ca.issued(); }
  std::string left() {
    std::string rows;
    for (const auto* sql :
         {"SELECT hex(holder), hex(sealed) FROM holder_passphrase ORDER BY 1",
          "SELECT hex(serial), hex(holder) FROM key_archive ORDER BY 1",
          "SELECT reference, uses FROM secret WHERE reference = 'victim' ORDER BY 1"}) {
      auto* const statement = must(ca.reader->connection().statement(sql));
      while (must(statement->step())) {
        rows += std::string(statement->text(0)) + "=" + std::string(statement->text(1)) + "\n";
      }
      statement->reset();
    }
    return rows;
  }

  // ---- Messages.

  void put(const std::string& what, Bytes der) {
    const auto message = decode(der);
    if (message && message->header.transactionID) {
      tried.insert_or_assign(to_hex(*message->header.transactionID), what);
    }
    ca.put(der);
    ++count;
  }
  // Under each credential, with his name and with the victim's, in a transaction of its own and, if
  // there is one, in the victim's.
  void put_in_all_guises(const std::string& what, const PKIBody& body, const Heard* as = nullptr,
                         const GeneralInfo& items = {}) {
    // Nonces of none, of the message that he has read, and of the one that would follow it.
    enum class Nonces { fresh, copied, following };
    const std::vector<std::pair<const char*, Nonces>> ways = {{kOwnName, Nonces::fresh},
                                                              {"CN=dev1", Nonces::fresh},
                                                              {"CN=dev1", Nonces::copied},
                                                              {"CN=dev1", Nonces::following}};
    for (const auto& guise : guises) {
      for (const auto& [sender, nonces] : ways) {
        if (nonces != Nonces::fresh && as == nullptr) continue;
        const auto options = pvno3({.edit = [&](PKIHeader& header) {
          header.sender = GeneralName::of(name(sender));
          header.generalInfo.insert(header.generalInfo.end(), items.begin(), items.end());
          if (nonces == Nonces::fresh) return;
          header.transactionID = as->transactionID;
          header.recipNonce = nonces == Nonces::copied ? as->recipNonce : as->senderNonce;
          if (nonces == Nonces::copied && as->senderNonce) header.senderNonce = as->senderNonce;
        }});
        put(guise.who + " as " + sender + ": " + what, guise.protect(body, options));
      }
    }
  }

  CertReqMsg of_his_own(const std::function<void(CertReqMsg&)>& edit = {},
                        std::string_view subject = kOwnName) {
    auto& key = keys.emplace_back(std::make_unique<Credential>());
    CertReqMsg message;
    message.certReq.certTemplate.subject = name(subject);
    message.certReq.certTemplate.publicKey = spki_of(key->key.public_key());
    if (edit) edit(message);
    message.certReq.der = encode(message.certReq);
    if (!message.popo) {
      message.popo = POPOSigningKey{
          {}, key->signer.algorithm(), must(key->signer.sign(message.certReq.der)), 0};
    }
    return message;
  }

  // ---- What he puts together.

  void send_as_it_is(const PKIMessage& message) {
    const auto what = "as it is, " + std::string(body_name(message.body));
    put(what, encode(message));
    auto bare = message;
    bare.protection.reset();
    put(what + ", unprotected", encode(bare));
    bare.header.protectionAlg.reset();
    put(what + ", unprotected", encode(bare));
    auto renamed = message;
    renamed.header.sender = GeneralName::of(name(kOwnName));
    put(what + ", renamed", encode(renamed));
    auto other = message;
    other.body = body::ir{{of_his_own()}};
    put(what + ", another body under its protection", encode(other));
    auto certified = message;
    certified.extraCerts = {{to_bytes(thief.certificate->der())}};
    put(what + ", his certificate", encode(certified));
    put_in_all_guises("nested", body::nested{{encode(message)}});
    const Heard as{*message.header.transactionID, message.header.senderNonce, {}};
    put_in_all_guises("added protection", body::nested{{encode(message)}}, &as);
  }

  void take_requests_out(const CertReqMessages& messages) {
    for (auto one : messages) {
      one.certReq.certReqId = 0;
      for (const PKIBody& body :
           std::vector<PKIBody>{body::ir{{one}}, body::cr{{one}}, body::kur{{one}},
                                body::krr{{one}}, body::ccr{{one}}}) {
        put_in_all_guises("CertReqMsg in " + std::string(body_name(body)), body);
      }
      auto renamed = one;
      renamed.certReq.certTemplate.subject = name(kOwnName);
      renamed.certReq.der = encode(renamed.certReq);
      put_in_all_guises("another subject", body::cr{{renamed}});
      put_in_all_guises("another subject", body::ir{{renamed}});
      const auto popo = of_his_own([&](CertReqMsg& his) { his.popo = one.popo; });
      put_in_all_guises("popo", body::cr{{popo}});
      const auto controls =
          of_his_own([&](CertReqMsg& his) { his.certReq.controls = one.certReq.controls; });
      if (one.certReq.controls) put_in_all_guises("controls", body::cr{{controls}});
      if (!one.certReq.certTemplate.publicKey) continue;
      const auto key = of_his_own([&](CertReqMsg& his) {
        his.certReq.certTemplate.publicKey = one.certReq.certTemplate.publicKey;
      });
      put_in_all_guises("publicKey", body::cr{{key}});
      put_in_all_guises("publicKey", body::ir{{key}});
    }
  }

  void send_envelope(const Bytes& envelope) {
    put_in_all_guises("passphrase", body::genm{{passphrase(envelope)}});
    put_in_all_guises("header", body::genm{}, nullptr, {passphrase(envelope)});
    put_in_all_guises("header", body::cr{{of_his_own()}}, nullptr, {passphrase(envelope)});
    const auto archive =
        of_his_own([&](CertReqMsg& his) { his.certReq.controls = archiving(envelope); });
    put_in_all_guises("archive", body::cr{{archive}});
    const POPOPrivKey proof{POPOPrivKey::EncryptedKey{tagged(envelope, 4)}};
    put_in_all_guises(
        "proof",
        body::cr{{of_his_own([&](CertReqMsg& his) { his.popo = KeyEncipherment{proof}; })}});
    for (const auto& message : captured) {
      const auto* requests = cert_requests(message.body);
      if (requests == nullptr || !requests->front().certReq.certTemplate.publicKey) continue;
      const auto key = of_his_own([&](CertReqMsg& his) {
        his.certReq.certTemplate.publicKey = requests->front().certReq.certTemplate.publicKey;
        his.popo = KeyEncipherment{proof};
      });
      put_in_all_guises("proof of another's key", body::cr{{key}});
    }
  }

  // Into the victim's dialogues; and what he may ask for by himself.
  void go_on(const Heard& as) {
    for (const auto& record : before) {
      const auto certificate = must(Certificate::from_der(record.der));
      if (record.tid != to_hex(as.transactionID)) continue;
      put_in_all_guises("certConf", cert_conf(certificate), &as);
    }
    put_in_all_guises("pollReq", poll_req(0), &as);
    put_in_all_guises("pollReq", poll_req(kWholeMessage), &as);
    put_in_all_guises("popdecr", body::popdecr{{Bytes{1}}}, &as);
    put_in_all_guises(
        "error", body::error{{status_info({PKIFailureInfo::badRequest, "enough"}), {}, {}}}, &as);
  }
  void ask_openly() {
    for (const auto& record : before) {
      if (is_his(record)) continue;
      put_in_all_guises("rr", revocation(must(Certificate::from_der(record.der))));
    }
    put_in_all_guises("krr", body::krr{{recovery_to(test_key("x25519"), name("CN=dev1"))}});
    put_in_all_guises("krr", body::krr{{recovery_to(test_key("x25519"))}});
    put_in_all_guises(
        "vouched",
        body::ir{{of_his_own([](CertReqMsg& his) { his.popo = RaVerified{}; }, "CN=dev1")}});
  }

  // ---- What has come of it.

  void judge(const std::string& about) {
    SCOPED_TRACE(about);
    ca.work();
    for (const auto& job : ca.sent()) judge_answer(job.payload);
    const auto after = certificates();
    ASSERT_GE(after.size(), judged);
    for (std::size_t i = judged; i < after.size(); ++i) judge_certificate(after[i]);
    judged = after.size();
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (is_his(after[i])) continue;
      EXPECT_EQ(after[i].state, before[i].state) << after[i].subject;
      EXPECT_EQ(after[i].revoked_at, before[i].revoked_at);
      EXPECT_EQ(after[i].holder, before[i].holder);
    }
    EXPECT_EQ(left(), left_before);
  }
  bool is_his_key(const Certificate& certificate) const {
    return std::ranges::any_of(keys, [&](const auto& key) {
      return equal(key->key.public_key().spki(), certificate.spki());
    });
  }
  // For another's key one may be made that only who has the key can read, and so confirm.
  void judge_certificate(const CertificateRecord& record) {
    const auto certificate = must(Certificate::from_der(record.der));
    EXPECT_EQ(certificate.subject(), name(kOwnName)) << tried[record.tid];
    EXPECT_TRUE(is_his_key(certificate) || record.state == CertificateState::unconfirmed)
        << tried[record.tid];
  }
  // By itself, or among the answers to a batch.
  bool has_read(const Bytes& der) const {
    return std::ranges::any_of(out, [&](const auto& one) {
      const auto members = nested_members(one);
      return one == der ||
             std::ranges::any_of(members, [&](auto member) { return equal(member, der); });
    });
  }
  // What the victim was sent already tells him nothing.
  void judge_answer(const Bytes& der) {
    if (has_read(der)) return;
    const auto answer = decode(der);
    ASSERT_TRUE(answer);
    const auto what = tried[to_hex(*answer->header.transactionID)];
    if (const auto* krp = std::get_if<body::krp>(&answer->body)) {
      EXPECT_FALSE(krp->content.keyPairHist || krp->content.newSigCert) << what;
      if (krp->content.status.status == PKIStatus::waiting) waits.push_back(*answer);
    }
    const auto* response = cert_response(answer->body);
    if (response == nullptr) return;
    for (const auto& one : response->response) {
      if (!one.certifiedKeyPair) continue;
      EXPECT_FALSE(one.certifiedKeyPair->privateKey) << what;
      const auto* plain = std::get_if<CMPCertificate>(&one.certifiedKeyPair->certOrEncCert.choice);
      EXPECT_TRUE(plain == nullptr || is_his_key(must(Certificate::from_der(plain->der)))) << what;
    }
  }

  // To all that he has asked for.
  void people_agree() {
    const auto all = std::exchange(waits, {});
    for (const auto& told : all) approve(*told.header.transactionID);
    for (const auto& told : all) put("poll", signed_by(ca, thief, poll_req(0), next(told)));
    judge("what people have agreed to");
  }
  // It has not noticed anything.
  void the_victim_goes_on() {
    EXPECT_EQ(body_name(by_secret(cert_conf(certificate_in(open)), next(open)).body), "pkiconf");
    const auto ip = by_secret(respond_to(challenged, *challenged_key), next_);
    EXPECT_EQ(status_in(ip).status, PKIStatus::accepted);
    approve(*waiting.header.transactionID);
    const auto krp = by_victim(poll_req(0), next(waiting));
    ASSERT_EQ(body_name(krp.body), "krp");
    EXPECT_TRUE(std::get<body::krp>(krp.body).content.keyPairHist);
    const auto rp = say(with_mac(ca, revocation(*victim.certificate), pvno3(), kPass, ""));
    EXPECT_EQ(status_in(rp).status, PKIStatus::accepted);
  }

  Credential thief, foreign;
  std::vector<std::unique_ptr<Credential>> keys;  // his own
  std::vector<Guise> guises;
  std::vector<PKIMessage> captured;
  std::map<Bytes, Heard> heard;              // the last of each transaction
  std::map<std::string, std::string> tried;  // by transactionID
  std::vector<PKIMessage> waits;
  std::vector<CertificateRecord> before;
  std::string left_before;
  std::size_t judged = 0, count = 0;
};

TEST_F(Attacker, MessagesThatHeHasRead) {
  ASSERT_GE(captured.size(), 50U);
  for (const auto& message : captured) {
    const Heard as{*message.header.transactionID, message.header.senderNonce,
                   message.header.recipNonce};
    send_as_it_is(message);
    put_in_all_guises(std::string(body_name(message.body)), message.body, &as);
    put_in_all_guises("header", body::genm{}, nullptr, message.header.generalInfo);
    judge("as it is, and under his own protection: " + std::string(body_name(message.body)));
  }
  EXPECT_GT(count, 1000U);
  people_agree();
  the_victim_goes_on();
}

TEST_F(Attacker, RequestsThatHeTakesOutOfMessages) {
  for (const auto& message : captured) {
    const auto* requests = cert_requests(message.body);
    if (requests == nullptr) continue;
    take_requests_out(*requests);
    judge("requests out of " + std::string(body_name(message.body)));
  }
  EXPECT_GT(count, 1000U);
  people_agree();
  the_victim_goes_on();
}

TEST_F(Attacker, EnvelopesThatHeHasRead) {
  for (const auto& envelope : envelopes) {
    send_envelope(envelope);
    judge("an envelope");
  }
  EXPECT_GT(count, 200U);
  the_victim_goes_on();
}

TEST_F(Attacker, DialoguesOfOthers) {
  for (const auto& [tid, as] : heard) go_on(as);
  judge("in the transactions of the victim");
  ask_openly();
  judge("what he asks for by himself");
  EXPECT_GT(count, 500U);
  EXPECT_FALSE(waits.empty());
  people_agree();
  the_victim_goes_on();
}

}  // namespace
}  // namespace cmpost
