// Bodies in words.
#include <bit>

#include "cmp/inspect/inspect_facts.h"
#include "cmp/reading.h"

namespace cmpost::inspect {
namespace {

Facts status_name(PKIStatus status) {
  const auto name = to_string(status);
  return name == "unknown" ? Facts(static_cast<int>(status)) : Facts(name);
}

Facts failure_names(std::uint64_t bits) {
  auto names = Facts::array();
  for (; bits != 0; bits &= bits - 1) {
    const int bit = std::countr_zero(bits);
    names.push_back(bit < kFailureInfoCount ? Facts(to_string(static_cast<PKIFailureInfo>(bit)))
                                            : Facts(bit));
  }
  return names;
}

Facts status(const PKIStatusInfo& info) {
  Facts facts = {{"status", status_name(info.status)}};
  if (info.statusString.present()) facts["statusString"] = free_text(info.statusString);
  if (info.failInfo) facts["failInfo"] = failure_names(*info.failInfo);
  return facts;
}

Facts certificates(const std::vector<CMPCertificate>& list) { return each(list, certificate); }

Facts crls(const std::vector<Bytes>& list) {
  return each(list, [](const Bytes& crl) { return info_value(oid::id_it_currentCRL, crl); });
}

Facts elements(const std::vector<Bytes>& list) {
  return each(list, [](const Bytes& element) { return octets(element); });
}

Facts key_pair(const CertifiedKeyPair& pair) {
  Facts facts;
  if (const auto* cert = std::get_if<CMPCertificate>(&pair.certOrEncCert.choice)) {
    facts["certificate"] = certificate(*cert);
  } else {
    facts["encryptedCert"] = encrypted_key(std::get<EncryptedKey>(pair.certOrEncCert.choice).der);
  }
  if (pair.privateKey) facts["privateKey"] = encrypted_key(pair.privateKey->der);
  if (pair.publicationInfo)
    facts["publicationInfo"] =
        control_value(oid::id_regCtrl_pkiPublicationInfo, *pair.publicationInfo);
  return facts;
}

Facts cert_response(const CertRepMessage& response) {
  Facts facts;
  if (response.caPubs) facts["caPubs"] = certificates(*response.caPubs);
  facts["response"] = each(response.response, [](const CertResponse& one) {
    Facts entry = {{"certReqId", one.certReqId}, {"status", status(one.status)}};
    if (one.certifiedKeyPair) entry["certifiedKeyPair"] = key_pair(*one.certifiedKeyPair);
    if (one.rspInfo) entry["rspInfo"] = octets(*one.rspInfo);
    return entry;
  });
  return facts;
}

Facts challenge(const Challenge& challenge) {
  Facts facts;
  if (challenge.owf) facts["owf"] = algorithm(*challenge.owf);
  facts["witness"] = octets(challenge.witness);
  facts["challenge"] = octets(challenge.challenge);
  if (challenge.encryptedRand) facts["encryptedRand"] = encrypted_key(*challenge.encryptedRand);
  return facts;
}

Facts content(const KeyRecRepContent& content) {
  Facts facts = {{"status", status(content.status)}};
  if (content.newSigCert) facts["newSigCert"] = certificate(*content.newSigCert);
  if (content.caCerts) facts["caCerts"] = certificates(*content.caCerts);
  if (content.keyPairHist) facts["keyPairHist"] = each(*content.keyPairHist, key_pair);
  return facts;
}

Facts content(const RevRepContent& content) {
  Facts facts = {{"status", each(content.status, status)}};
  if (content.revCerts) facts["revCerts"] = each(*content.revCerts, cert_id);
  if (content.crls) facts["crls"] = crls(*content.crls);
  return facts;
}

Facts content(const RevAnnContent& content) {
  Facts facts = {{"status", status_name(content.status)},
                 {"certId", cert_id(content.certId)},
                 {"willBeRevokedAt", to_iso8601(content.willBeRevokedAt)},
                 {"badSinceDate", to_iso8601(content.badSinceDate)}};
  if (content.crlDetails) facts["crlDetails"] = extensions(*content.crlDetails);
  return facts;
}

Facts content(const ErrorMsgContent& content) {
  Facts facts = {{"pKIStatusInfo", status(content.pKIStatusInfo)}};
  if (content.errorCode) facts["errorCode"] = *content.errorCode;
  if (content.errorDetails.present()) facts["errorDetails"] = free_text(content.errorDetails);
  return facts;
}

Facts content(const CAKeyUpdAnnContent& content) {
  return {{"oldWithNew", certificate(content.oldWithNew)},
          {"newWithOld", certificate(content.newWithOld)},
          {"newWithNew", certificate(content.newWithNew)}};
}

Facts content(const RootCaKeyUpdateContent& content) {
  Facts facts = {{"newWithNew", certificate(content.newWithNew)}};
  if (content.newWithOld) facts["newWithOld"] = certificate(*content.newWithOld);
  if (content.oldWithNew) facts["oldWithNew"] = certificate(*content.oldWithNew);
  return facts;
}

Facts revocation(const RevDetails& details) {
  Facts facts = {{"certDetails", cert_template(details.certDetails)}};
  if (details.crlEntryDetails) facts["crlEntryDetails"] = extensions(*details.crlEntryDetails);
  return facts;
}

Facts confirmation(const CertStatus& one) {
  Facts facts = {{"certHash", octets(one.certHash)}, {"certReqId", one.certReqId}};
  if (one.statusInfo) facts["statusInfo"] = status(*one.statusInfo);
  if (one.hashAlg) facts["hashAlg"] = algorithm(*one.hashAlg);
  return facts;
}

Facts poll(const PollRep& one) {
  Facts facts = {{"certReqId", one.certReqId}, {"checkAfter", one.checkAfter}};
  if (one.reason.present()) facts["reason"] = free_text(one.reason);
  return facts;
}

struct Body {
  template <typename Choice>
  requires requires(const Choice& choice) { choice.response.response; }
  Facts operator()(const Choice& choice) const { return inspect::cert_response(choice.response); }
  template <typename Choice>
  requires requires(const Choice& choice) { choice.requests.front().certReq; }
  Facts operator()(const Choice& choice) const {
    return {{"requests", inspect::cert_requests(choice.requests)}};
  }
  template <typename Choice>
  requires requires(const Choice& choice) { choice.items; }
  Facts operator()(const Choice& choice) const { return {{"items", infos(choice.items)}}; }
  Facts operator()(const body::p10cr& choice) const {
    return {{"subject", text(choice.request.subject.text())},
            {"publicKey", public_key(choice.request.spki)},
            {"extensions", extensions(choice.request.extensions)},
            {"signatureAlgorithm", algorithm(choice.request.signatureAlgorithm)}};
  }
  Facts operator()(const body::popdecc& choice) const {
    return {{"challenges", each(choice.challenges, challenge)}};
  }
  Facts operator()(const body::popdecr& choice) const {
    return {{"integers", elements(choice.integers)}};
  }
  Facts operator()(const body::krp& choice) const { return content(choice.content); }
  Facts operator()(const body::rr& choice) const {
    return {{"details", each(choice.details, revocation)}};
  }
  Facts operator()(const body::rp& choice) const { return content(choice.content); }
  Facts operator()(const body::ckuann& choice) const {
    return std::visit([](const auto& update) { return content(update); }, choice.content);
  }
  Facts operator()(const body::cann& choice) const {
    return {{"certificate", certificate(choice.certificate)}};
  }
  Facts operator()(const body::rann& choice) const { return content(choice.content); }
  Facts operator()(const body::crlann& choice) const {
    return {{"crls", inspect::crls(choice.crls)}};
  }
  Facts operator()(const body::pkiconf&) const { return Facts::object(); }
  Facts operator()(const body::nested& choice) const {
    return {{"messages", each(choice.messages, inner_message)}};
  }
  Facts operator()(const body::error& choice) const { return content(choice.content); }
  Facts operator()(const body::certConf& choice) const {
    return {{"statuses", each(choice.statuses, confirmation)}};
  }
  Facts operator()(const body::pollReq& choice) const {
    const auto one = [](const PollReq& poll) { return Facts{{"certReqId", poll.certReqId}}; };
    return {{"requests", each(choice.requests, one)}};
  }
  Facts operator()(const body::pollRep& choice) const {
    return {{"responses", each(choice.responses, poll)}};
  }
};

}  // namespace

Facts inner_message(const Bytes& der) {
  Facts facts = {{"octets", der.size()}};
  const auto parts = split(der);
  if (!parts) {
    facts["unreadable"] = parts.error().what;
    return facts;
  }
  facts["body"] = body_name(parts->body_tag);
  der::Reader reader(parts->header);
  if (const auto inner = codec::read_header(reader, {})) facts["header"] = header(*inner);
  return facts;
}

Facts body(const PKIBody& body) {
  Facts facts = {{"type", body_name(body)}};
  facts.update(std::visit(Body{}, body));
  return facts;
}

Facts message(const PKIMessage& message) {
  Facts facts = {{"header", header(message.header)}, {"body", body(message.body)}};
  if (message.protection) facts["protection"] = octets(message.protection->bits);
  if (message.extraCerts.present()) facts["extraCerts"] = certificates(message.extraCerts);
  return facts;
}

}  // namespace cmpost::inspect
