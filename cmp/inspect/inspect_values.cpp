// Values of info types, controls and extensions in words. What cannot be read is given as octets.
#include "cmp/info_values.h"
#include "cmp/inspect/inspect_facts.h"
#include "cmp/reading.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost::inspect {
namespace {

using Describe = der::Parsed<Facts> (*)(ByteView);
struct Row {
  Oid type;
  Describe describe;
};

constexpr std::size_t kMostShown = 1000;

template <auto read, auto describe>
der::Parsed<Facts> list_of(ByteView value) {
  ASSIGN_OR_RETURN(const auto items, read(value));
  return each(items, [](const auto& item) { return Facts(describe(item)); });
}

Facts oid_name(const Oid& id) { return id.name(); }
Facts plain_text(const std::string& line) { return text(line); }

Facts crl(const Bytes& der) {
  const auto list = CertificateList::from_der(der);
  if (!list) return {{"unreadable", text(list.error().what)}, {"octets", der.size()}};
  Facts facts = {{"issuer", text(list->issuer.text())},
                 {"thisUpdate", to_iso8601(list->thisUpdate)}};
  if (list->nextUpdate) facts["nextUpdate"] = to_iso8601(*list->nextUpdate);
  if (list->crlNumber) facts["crlNumber"] = *list->crlNumber;
  facts["revoked"] = list->revokedCertificates.size();
  return facts;
}

Facts crl_status(const CRLStatus& status) {
  const bool dpn = status.source.kind == CRLSource::Kind::dpn;
  Facts facts = {{dpn ? "dpn" : "issuer", each(status.source.names, [](const GeneralName& name) {
                    return text(name.text());
                  })}};
  if (status.thisUpdate) facts["thisUpdate"] = to_iso8601(*status.thisUpdate);
  return facts;
}

der::Parsed<Facts> one_certificate(ByteView value) {
  ASSIGN_OR_RETURN(const auto found, read_ca_certificate(value));
  return certificate(found);
}

der::Parsed<Facts> one_crl(ByteView value) { return crl(to_bytes(value)); }

der::Parsed<Facts> one_algorithm(ByteView value) {
  ASSIGN_OR_RETURN(const auto found, read_algorithm_value(value));
  return algorithm(found);
}

der::Parsed<Facts> key_update(ByteView value) {
  ASSIGN_OR_RETURN(const auto update, read_root_ca_key_update(value));
  Facts facts = {{"newWithNew", certificate(update.newWithNew)}};
  if (update.newWithOld) facts["newWithOld"] = certificate(*update.newWithOld);
  if (update.oldWithNew) facts["oldWithNew"] = certificate(*update.oldWithNew);
  return facts;
}

der::Parsed<Facts> request_template(ByteView value) {
  ASSIGN_OR_RETURN(const auto content, read_cert_req_template(value));
  Facts facts = {{"certTemplate", cert_template(content.certTemplate)}};
  if (!content.keySpec.empty()) facts["keySpec"] = attributes(content.keySpec);
  return facts;
}

// KemCiphertextInfo ::= SEQUENCE { kem AlgorithmIdentifier, ct OCTET STRING }
der::Parsed<Facts> kem_ciphertext(ByteView value) {
  der::Reader reader(value);
  return codec::enclosed(reader, der::kSequence, [](der::Reader& at) -> der::Parsed<Facts> {
    ASSIGN_OR_RETURN(const auto kem, read_algorithm(at));
    ASSIGN_OR_RETURN(const ByteView ciphertext, at.octet_string());
    return Facts{{"kem", algorithm(kem)}, {"ct", octets(ciphertext)}};
  });
}

// Complete messages; what they say is a matter for a file of their own.
der::Parsed<Facts> messages(ByteView value) {
  der::Reader reader(value);
  ASSIGN_OR_RETURN(const auto found, codec::list(reader, kMostShown, codec::whole_sequence));
  return each(found, inner_message);
}

const std::vector<Row>& info_rows() {
  static const std::vector<Row> rows = {
      {oid::id_it_caProtEncCert, one_certificate},
      {oid::id_it_signKeyPairTypes, list_of<read_algorithms, algorithm>},
      {oid::id_it_encKeyPairTypes, list_of<read_algorithms, algorithm>},
      {oid::id_it_preferredSymmAlg, one_algorithm},
      {oid::id_it_currentCRL, one_crl},
      {oid::id_it_unsupportedOIDs, list_of<read_oids, oid_name>},
      {oid::id_it_keyPairParamRep, one_algorithm},
      {oid::id_it_revPassphrase, encrypted_key_facts},
      {oid::id_it_origPKIMessage, messages},
      {oid::id_it_suppLangTags, list_of<read_utf8_strings, plain_text>},
      {oid::id_it_caCerts, list_of<read_ca_certificates, certificate>},
      {oid::id_it_rootCaKeyUpdate, key_update},
      {oid::id_it_certReqTemplate, request_template},
      {oid::id_it_rootCaCert, one_certificate},
      {oid::id_it_certProfile, list_of<read_utf8_strings, plain_text>},
      {oid::id_it_crlStatusList, list_of<read_crl_status_list, crl_status>},
      {oid::id_it_crls, list_of<read_crls, crl>},
      {oid::id_it_KemCiphertextInfo, kem_ciphertext}};
  return rows;
}

der::Parsed<Facts> old_certificate(ByteView value) {
  ASSIGN_OR_RETURN(const auto id, read_cert_id(value));
  return cert_id(id);
}

der::Parsed<Facts> publication(ByteView value) {
  ASSIGN_OR_RETURN(const auto info, read_publication_info(value));
  const bool please = info.action == PKIPublicationInfo::Action::please;
  Facts facts = {{"action", please ? "pleasePublish" : "dontPublish"}};
  if (info.pubInfos.empty()) return facts;
  facts["pubInfos"] = each(info.pubInfos, [](const PKIPublicationInfo::SinglePubInfo& one) {
    constexpr const char* kMethods[] = {"dontCare", "x500", "web", "ldap"};
    const bool known = one.pubMethod >= 0 && one.pubMethod < 4;
    Facts entry = {{"pubMethod", known ? Facts(kMethods[one.pubMethod]) : Facts(one.pubMethod)}};
    if (one.pubLocation) entry["pubLocation"] = text(one.pubLocation->text());
    return entry;
  });
  return facts;
}

der::Parsed<Facts> encryption_key(ByteView value) {
  der::Reader reader(value);
  ASSIGN_OR_RETURN(const auto key, read_spki(reader));
  TRY(reader.finish());
  return public_key(key);
}

// PKIArchiveOptions ::= CHOICE { encryptedPrivKey [0] EncryptedKey,
//   keyGenParameters [1] OCTET STRING, archiveRemGenPrivKey [2] BOOLEAN }
der::Parsed<Facts> archive_options(ByteView value) {
  der::Reader reader(value);
  if (reader.peek() == der::context_constructed(0)) {
    ASSIGN_OR_RETURN(const der::Element element, reader.any());
    ASSIGN_OR_RETURN(auto key, encrypted_key_facts(element.content));
    return Facts{{"encryptedPrivKey", std::move(key)}};
  }
  if (reader.peek() == der::context(1)) {
    ASSIGN_OR_RETURN(const ByteView parameters, reader.octet_string(der::context(1)));
    return Facts{{"keyGenParameters", octets(parameters)}};
  }
  ASSIGN_OR_RETURN(const bool archive, reader.boolean(der::context(2)));
  return Facts{{"archiveRemGenPrivKey", archive}};
}

der::Parsed<Facts> template_value(ByteView value) {
  ASSIGN_OR_RETURN(const auto found, read_cert_template(value));
  return cert_template(found);
}

// CertRequest of id-regInfo-certReq.
der::Parsed<Facts> request_value(ByteView value) {
  der::Reader reader(value);
  ASSIGN_OR_RETURN(const auto request, codec::read_cert_request(reader, {}));
  TRY(reader.finish());
  return Facts{{"certReqId", request.certReqId},
               {"certTemplate", cert_template(request.certTemplate)}};
}

// Tokens are secrets of a kind: who reads over somebody's shoulder shall not learn them.
der::Parsed<Facts> secret_text(ByteView value) {
  der::Reader reader(value);
  ASSIGN_OR_RETURN(const std::string token, reader.utf8_string());
  return Facts("a text of " + std::to_string(token.size()) + " octets, not shown");
}

const std::vector<Row>& control_rows() {
  static const std::vector<Row> rows = {{oid::id_regCtrl_regToken, secret_text},
                                        {oid::id_regCtrl_authenticator, secret_text},
                                        {oid::id_regCtrl_pkiPublicationInfo, publication},
                                        {oid::id_regCtrl_pkiArchiveOptions, archive_options},
                                        {oid::id_regCtrl_oldCertID, old_certificate},
                                        {oid::id_regCtrl_protocolEncrKey, encryption_key},
                                        {oid::id_regCtrl_altCertTemplate, template_value},
                                        {oid::id_regCtrl_algId, one_algorithm},
                                        {oid::id_regInfo_certReq, request_value}};
  return rows;
}

der::Parsed<Facts> alternative_names(ByteView value) {
  der::Reader reader(value);
  const auto name = [](der::Reader& at) -> der::Parsed<Facts> {
    ASSIGN_OR_RETURN(const GeneralName found, read_general_name(at));
    return text(found.text());
  };
  ASSIGN_OR_RETURN(const auto names, codec::list(reader, kMostShown, name));
  return Facts(names);
}

der::Parsed<Facts> key_usage(ByteView value) {
  constexpr const char* kNames[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                    "dataEncipherment", "keyAgreement",   "keyCertSign",
                                    "cRLSign",          "encipherOnly",   "decipherOnly"};
  der::Reader reader(value);
  ASSIGN_OR_RETURN(const auto bits, reader.bit_string());
  TRY(reader.finish());
  auto names = Facts::array();
  for (std::size_t i = 0; i < std::size(kNames) && i < 8 * bits.octets.size(); ++i) {
    if ((bits.octets[i / 8] & (0x80U >> (i % 8))) != 0) names.push_back(kNames[i]);
  }
  return names;
}

der::Parsed<Facts> basic_constraints(ByteView value) {
  der::Reader outer(value);
  return codec::enclosed(outer, der::kSequence, [](der::Reader& at) -> der::Parsed<Facts> {
    Facts facts = {{"cA", false}};
    if (at.peek() == der::kBoolean) {
      ASSIGN_OR_RETURN(facts["cA"], at.boolean());
    }
    if (at.at_end()) return facts;
    ASSIGN_OR_RETURN(const auto length, at.integer());
    facts["pathLenConstraint"] = length;
    return facts;
  });
}

der::Parsed<Facts> key_identifier(ByteView value) {
  der::Reader reader(value);
  ASSIGN_OR_RETURN(const ByteView identifier, reader.octet_string());
  return octets(identifier);
}

const std::vector<Row>& extension_rows() {
  static const std::vector<Row> rows = {{oid::id_ce_subjectAltName, alternative_names},
                                        {oid::id_ce_issuerAltName, alternative_names},
                                        {oid::id_ce_certificateIssuer, alternative_names},
                                        {oid::id_ce_keyUsage, key_usage},
                                        {oid::id_ce_basicConstraints, basic_constraints},
                                        {oid::id_ce_subjectKeyIdentifier, key_identifier},
                                        {oid::id_ce_extKeyUsage, list_of<read_oids, oid_name>}};
  return rows;
}

Facts described(const std::vector<Row>& rows, const Oid& type, ByteView element) {
  for (const auto& row : rows) {
    if (row.type != type) continue;
    if (auto facts = row.describe(element)) return *std::move(facts);
    break;
  }
  return value(element);
}

}  // namespace

Facts info_value(const Oid& type, ByteView element) {
  return described(info_rows(), type, element);
}
Facts control_value(const Oid& type, ByteView element) {
  return described(control_rows(), type, element);
}
Facts extension_value(const Oid& type, ByteView element) {
  return described(extension_rows(), type, element);
}

Facts attributes(const std::vector<Attribute>& attributes) {
  return each(attributes, [](const Attribute& attribute) {
    return Facts{{"type", attribute.type.name()},
                 {"value", control_value(attribute.type, attribute.value)}};
  });
}

}  // namespace cmpost::inspect
