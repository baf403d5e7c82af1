// An RA of another maker before the CA under test: it does to messages what Siemens
// LightweightCmpRa 4.0.3 was seen to do.
#pragma once

#include "tests/processor/messages.h"

namespace cmpost {

enum class RaWay { keep, reprotect, nest, nest_reprotected, force, force_keep, force_nest, strip };

class LikeLightweightCmpRa {
 public:
  LikeLightweightCmpRa(CaUnderTest& ca, RaWay way) : way_(way) {
    ca.ra_root.certify(own_, "CN=RA", ca.clock.now(), ca.random);
  }

  bool suppresses_extra_certs = false;  // in what follows the first message

  // What goes up for a message from below.
  Bytes up(const Bytes& der) const {
    const auto inner = inner_of(der);
    return nests() ? added(inner) : inner;
  }

  // Whether it takes what the CA answers, and what it then says to the requester, if it does not:
  // one CertResponse with certReqId 0, and a status of four.
  static std::string complaint(const PKIMessage& answer) {
    const auto* response = cert_response(answer.body);
    if (response == nullptr) return "";
    if (response->response.size() != 1) return "several CertResponses";
    if (response->response[0].certReqId != 0) return "CertReqId must be 0";
    switch (response->response[0].status.status) {
      case PKIStatus::accepted:
      case PKIStatus::grantedWithMods:
      case PKIStatus::rejection:
      case PKIStatus::waiting:
        return "";
      default:
        return "status";
    }
  }

 private:
  bool nests() const {
    return way_ == RaWay::nest || way_ == RaWay::nest_reprotected || way_ == RaWay::force_nest;
  }
  bool reprotects() const {
    return way_ == RaWay::reprotect || way_ == RaWay::nest_reprotected || way_ == RaWay::force;
  }
  bool forces() const {
    return way_ == RaWay::force || way_ == RaWay::force_keep || way_ == RaWay::force_nest;
  }

  Bytes inner_of(const Bytes& der) const {
    auto message = *decode(der);
    const bool kur = std::holds_alternative<body::kur>(message.body);
    const bool changed = forces() && claims_to_have_verified(message.body);
    // A kur is never signed anew, and what was changed has lost the protection that it had.
    if (way_ == RaWay::strip || (kur && changed)) {
      message.header.protectionAlg.reset();
      return leave_unprotected(message.header, message.body, message.extraCerts);
    }
    return (reprotects() && !kur) || changed ? signed_anew(message) : der;
  }

  static bool claims_to_have_verified(PKIBody& body) {
    auto* requests = cert_requests(body);
    if (requests == nullptr) return false;
    for (auto& one : *requests) one.popo = RaVerified{};
    return true;
  }
  static CertReqMessages* cert_requests(PKIBody& body) {
    if (auto* ir = std::get_if<body::ir>(&body)) return &ir->requests;
    if (auto* cr = std::get_if<body::cr>(&body)) return &cr->requests;
    if (auto* kur = std::get_if<body::kur>(&body)) return &kur->requests;
    return nullptr;
  }

  // messageTime stays the requester's.
  PKIHeader named(PKIHeader header) const {
    header.sender = GeneralName::of(own_.certificate->subject());
    header.senderKID = own_.certificate->subject_key_identifier();
    return header;
  }
  Bytes signed_anew(const PKIMessage& message) const {
    const bool first = !message.header.recipNonce;
    return sign(named(message.header), message.body, first || !suppresses_extra_certs);
  }
  // recipNonce is copied, too.
  Bytes added(const Bytes& inner) const {
    const auto from = decode(inner)->header;
    PKIHeader header;
    header.recipient = from.recipient;
    header.messageTime = from.messageTime;
    header.transactionID = from.transactionID;
    header.senderNonce = from.senderNonce;
    header.recipNonce = from.recipNonce;
    return sign(named(header), body::nested{{inner}}, true);
  }
  Bytes sign(PKIHeader header, const PKIBody& body, bool with_certificate) const {
    std::vector<CMPCertificate> certificates;
    if (with_certificate) certificates.push_back({to_bytes(own_.certificate->der())});
    return must(protect_with_signature(std::move(header), body, own_.signer, certificates));
  }

  RaWay way_;
  Credential own_;
};

}  // namespace cmpost
