// The values of info types and controls, of hostile octets: by their readers and by inspect.
#include "cmp/info_values.h"
#include "cmp/inspect/inspect.h"
#include "fuzz.h"

namespace {

using namespace cmpost;

constexpr std::size_t kLongestShown = 512;

void read_with_every_reader(ByteView value) {
  if (const auto list = read_crl_status_list(value)) (void)encode(*list);
  if (const auto update = read_root_ca_key_update(value)) (void)encode(*update);
  if (const auto content = read_cert_req_template(value)) (void)encode(*content);
  (void)read_ca_certificate(value);
  (void)read_ca_certificates(value);
  (void)read_utf8_strings(value);
  (void)read_oid(value);
  (void)read_oids(value);
  (void)read_algorithm_value(value);
  (void)read_algorithms(value);
  (void)read_crls(value);
}

void inspect_as_every_type(const Bytes& value) {
  PKIMessage message;
  body::genp genp;
  for (const auto* type :
       {&oid::id_it_caProtEncCert, &oid::id_it_signKeyPairTypes, &oid::id_it_currentCRL,
        &oid::id_it_unsupportedOIDs, &oid::id_it_revPassphrase, &oid::id_it_origPKIMessage,
        &oid::id_it_suppLangTags, &oid::id_it_caCerts, &oid::id_it_rootCaKeyUpdate,
        &oid::id_it_certReqTemplate, &oid::id_it_crlStatusList, &oid::id_it_crls,
        &oid::id_it_KemCiphertextInfo}) {
    genp.items.push_back({*type, value});
  }
  message.body = std::move(genp);
  (void)inspect_text(message);
  CertReqMsg request;
  request.certReq.controls.emplace();
  request.certReq.certTemplate.extensions.emplace();
  for (const auto* type :
       {&oid::id_regCtrl_pkiArchiveOptions, &oid::id_regCtrl_pkiPublicationInfo,
        &oid::id_regCtrl_protocolEncrKey, &oid::id_regCtrl_oldCertID, &oid::id_regInfo_certReq,
        &oid::id_regCtrl_altCertTemplate, &oid::id_regCtrl_regToken}) {
    request.certReq.controls->push_back({*type, value});
  }
  for (const auto* type : {&oid::id_ce_keyUsage, &oid::id_ce_basicConstraints,
                           &oid::id_ce_extKeyUsage, &oid::id_ce_subjectAltName}) {
    request.certReq.certTemplate.extensions->push_back({*type, false, value});
  }
  message.body = body::cr{{request}};
  (void)inspect_json(message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  read_with_every_reader(input);
  // What is longer is printed as octets for the most part, two dozen times.
  if (size <= kLongestShown) inspect_as_every_type(to_bytes(input));
  return 0;
}
