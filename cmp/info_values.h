// Values of the info types that genm and genp carry (RFC 9810 5.3.19, R-210 to R-224).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmp/pki_body.h"

namespace cmpost {

// Which CRL is meant. A distribution point is a key for looking up what is here, never an address
// to fetch from (RFC 9810 5.3.19.17).
struct CRLSource {
  enum class Kind { dpn, issuer };
  Kind kind = Kind::dpn;
  // fullName or the issuer; empty for a nameRelativeToCRLIssuer, which says too little to look
  // anything up.
  std::vector<GeneralName> names;
};
struct CRLStatus {
  CRLSource source;
  std::optional<Time> thisUpdate;
};

// certTemplate has no publicKey; keySpec says instead which keys are welcome.
struct CertReqTemplateContent {
  CertTemplate certTemplate;
  Controls keySpec;
};

// Each takes the whole infoValue and consumes all of it.
der::Parsed<std::vector<CRLStatus>> read_crl_status_list(ByteView value);
der::Parsed<CMPCertificate> read_ca_certificate(ByteView value);  // id-it-rootCaCert
der::Parsed<RootCaKeyUpdateContent> read_root_ca_key_update(ByteView value);
der::Parsed<std::vector<CMPCertificate>> read_ca_certificates(ByteView value);
der::Parsed<std::vector<std::string>> read_utf8_strings(ByteView value);  // suppLangTags, ...
der::Parsed<Oid> read_oid(ByteView value);                                // id-it-keyPairParamReq
der::Parsed<std::vector<Oid>> read_oids(ByteView value);                  // id-it-unsupportedOIDs
der::Parsed<AlgorithmIdentifier> read_algorithm_value(ByteView value);
der::Parsed<std::vector<AlgorithmIdentifier>> read_algorithms(ByteView value);
der::Parsed<std::vector<Bytes>> read_crls(ByteView value);  // a CertificateList each
der::Parsed<CertReqTemplateContent> read_cert_req_template(ByteView value);

Bytes encode(const std::vector<CRLStatus>& list);
Bytes encode(const RootCaKeyUpdateContent& update);
Bytes encode(const CAKeyUpdAnnContent& update);
Bytes encode(const AlgorithmIdentifier& algorithm);
Bytes encode(const std::vector<AlgorithmIdentifier>& algorithms);
Bytes encode(const std::vector<Oid>& ids);
Bytes encode(const CertReqTemplateContent& content);
Bytes encode_utf8_strings(const std::vector<std::string>& texts);
Bytes encode_elements(const std::vector<Bytes>& elements);  // SEQUENCE OF whole elements

// One entry of keySpec (RFC 9480 2.16): id-regCtrl-algId, for every algorithm but RSA, or
// id-regCtrl-rsaKeyLen.
Attribute algorithm_control(const AlgorithmIdentifier& algorithm);
Attribute rsa_length_control(int bits);

}  // namespace cmpost
