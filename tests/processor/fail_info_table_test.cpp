// Each bit of PKIFailureInfo (RFC 9810 5.2.3) by itself and in the right kind of answer, or the
// reason why it is never sent.
#include <set>

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using enum PKIFailureInfo;

struct Sent {
  PKIFailureInfo bit;
  const char* body;  // of the answer
  PKIMessage (*answer)();
};

PKIMessage first_message(const std::function<void(PKIHeader&)>& edit) {
  Office ca;
  return ca.talk(with_mac(ca, ir(Credential()), {.edit = edit}));
}
PKIMessage with_template(const std::function<void(CertTemplate&)>& edit) {
  Office ca;
  return ca.talk(with_mac(ca, ir(Credential(), "CN=dev1", {.edit = edit})));
}
PKIMessage revoke(const std::function<void(CertTemplate&)>& edit) {
  Office ca;
  const auto device = enrolled(ca);
  auto details = details_of(*device.certificate);
  edit(details.certDetails);
  return ca.talk(signed_by(ca, device, body::rr{{details}}));
}

PKIMessage protection_that_is_not_allowed() {
  Office ca("protection = [\"ecdsa\"]\n");
  return ca.talk(with_mac(ca, ir(Credential())));
}
PKIMessage wrong_secret() {
  Office ca;
  return ca.talk(with_mac(ca, ir(Credential()), {}, "guessed"));
}
PKIMessage misnumbered() {
  Office ca;
  return ca.talk(with_mac(ca, ir(Credential(), "CN=dev1", {.certReqId = 3})));
}
PKIMessage old_message() {
  return first_message([](PKIHeader& header) {
    header.messageTime = *header.messageTime - std::chrono::hours(24 * 365);
  });
}
PKIMessage unknown_certificate() {
  return revoke([](CertTemplate& details) { details.serialNumber = Bytes{1, 2, 3}; });
}
PKIMessage malformed_header_value() {
  return first_message([](PKIHeader& header) {
    header.generalInfo.push_back({oid::id_it_certProfile, Bytes{der::kNull, 0}});
  });
}
PKIMessage other_issuer() {
  return with_template([](CertTemplate& wanted) { wanted.issuer = name("CN=Another CA"); });
}
PKIMessage no_time_where_it_is_wanted() {
  Office ca("missing_time = \"missingTimeStamp\"\n");
  return ca.talk(with_mac(ca, ir(Credential()),
                          {.edit = [](PKIHeader& header) { header.messageTime.reset(); }}));
}
PKIMessage wrong_proof() {
  Office ca;
  return ca.talk(with_mac(ca, ir(Credential(), "CN=dev1", {.edit_signed = [](CertReqMsg& message) {
                                   std::get<POPOSigningKey>(*message.popo).signature = Bytes{1};
                                 }})));
}
PKIMessage revoked_signer() {
  Office ca;
  const auto device = enrolled(ca);
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    EXPECT_TRUE(must(writer.revoke(device.certificate->serial_number(), CRLReason::unspecified,
                                   ca.clock.now(), {})));
    return {};
  }));
  return ca.talk(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev1")}}));
}
PKIMessage second_certConf() {
  Office ca("strict = true\n");
  const auto ip = ca.talk(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
  const auto certificate = certificate_in(ip);
  const auto pkiconf = ca.talk(with_mac(ca, cert_conf(certificate), following(ip)));
  return ca.talk(with_mac(ca, cert_conf(certificate), following(pkiconf)));
}
PKIMessage renewal_by_mac() {
  Office ca;
  return ca.talk(with_mac(ca, body::kur{{cert_request(Credential(), "CN=dev1")}}));
}
PKIMessage nonce_of_nothing() {
  return first_message([](PKIHeader& header) { header.recipNonce = Bytes(16, 1); });
}
PKIMessage serial_is_missing() {
  return revoke([](CertTemplate& details) { details.serialNumber.reset(); });
}
PKIMessage short_nonce() {
  return first_message([](PKIHeader& header) { header.senderNonce = Bytes(8); });
}
PKIMessage version_1() {
  return with_template([](CertTemplate& wanted) { wanted.version = 0; });
}
PKIMessage stranger() {
  Office ca;
  const OtherRoot root("CN=Nobody's Root", ca.clock.now(), ca.random);
  Credential device;
  root.certify(device, "CN=dev1", ca.clock.now(), ca.random);
  return ca.talk(signed_by(ca, device, ir(Credential())));
}
PKIMessage same_transactionID() {
  Office ca;
  const auto first = ca.talk(with_mac(ca, ir(Credential())));
  return ca.talk(with_mac(ca, ir(Credential()), {.edit = [&](PKIHeader& header) {
                            header.transactionID = first.header.transactionID;
                          }}));
}
PKIMessage pvno_4() {
  return first_message([](PKIHeader& header) { header.pvno = 4; });
}
PKIMessage other_subject() {
  Office ca;
  return ca.talk(with_mac(ca, ir(Credential(), "CN=server")));
}
PKIMessage nobody_decided() {
  Office ca("approve = \"one\"\ndecide_within = \"10d\"\n");
  ca.post(with_mac(ca, ir(Credential())));
  ca.clock.advance(std::chrono::hours(24 * 11));
  ca.timers();
  return Office::only(ca.work_and_send());
}
PKIMessage same_key_again() {
  Office ca;
  const Credential device;
  ca.channels.at("drop").profiles.erase(ca.channels.at("drop").profiles.begin());
  ca.talk(with_mac(ca, ir(device)));
  return ca.talk(with_mac(ca, ir(device)));
}

const std::vector<Sent> kSent = {
    {badAlg, "error", protection_that_is_not_allowed},
    {badMessageCheck, "error", wrong_secret},
    {badRequest, "ip", misnumbered},
    {badTime, "error", old_message},
    {badCertId, "rp", unknown_certificate},
    {badDataFormat, "error", malformed_header_value},
    {wrongAuthority, "ip", other_issuer},
    {missingTimeStamp, "error", no_time_where_it_is_wanted},
    {badPOP, "ip", wrong_proof},
    {certRevoked, "error", revoked_signer},
    {certConfirmed, "error", second_certConf},
    {wrongIntegrity, "error", renewal_by_mac},
    {badRecipientNonce, "error", nonce_of_nothing},
    {addInfoNotAvailable, "rp", serial_is_missing},
    {badSenderNonce, "error", short_nonce},
    {badCertTemplate, "ip", version_1},
    {signerNotTrusted, "error", stranger},
    {transactionIdInUse, "error", same_transactionID},
    {unsupportedVersion, "error", pvno_4},
    {notAuthorized, "ip", other_subject},
    {systemUnavail, "ip", nobody_decided},
    {duplicateCertReq, "ip", same_key_again},
};

struct NeverSent {
  PKIFailureInfo bit;
  const char* why;
};
const std::vector<NeverSent> kNeverSent = {
    {incorrectData, "R-277: of notaries"},
    {timeNotAvailable, "R-284: of time stamping authorities"},
    {unacceptedPolicy, "R-285: of time stamping authorities; a policy is a badCertTemplate here"},
    {unacceptedExtension, "R-286: as unacceptedPolicy"},
    {systemFailure,
     "R-295: a fault of ours defers or holds the request, whose answer is late then"},
};

TEST(FailInfoTable, EveryBitIsTriggeredOrHasAReasonNotToBeSent) {
  std::set<PKIFailureInfo> named;
  for (const auto& row : kSent) EXPECT_TRUE(named.insert(row.bit).second) << to_string(row.bit);
  for (const auto& row : kNeverSent) {
    EXPECT_TRUE(named.insert(row.bit).second) << to_string(row.bit) << ": " << row.why;
  }
  for (int bit = 0; bit < kFailureInfoCount; ++bit) {
    const auto named_bit = static_cast<PKIFailureInfo>(bit);
    EXPECT_TRUE(named.contains(named_bit)) << to_string(named_bit) << " is in neither table";
  }
}

TEST(FailInfoTable, EachBitComesAloneAndInItsKindOfAnswer) {
  for (const auto& row : kSent) {
    SCOPED_TRACE(to_string(row.bit));
    EXPECT_THAT(row.answer(), Refuses(row.body, row.bit));
  }
}

}  // namespace
}  // namespace cmpost
