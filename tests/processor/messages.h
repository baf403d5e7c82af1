// Requests of all kinds, right unless a test makes them wrong.
#pragma once

#include "tests/processor/ca_under_test.h"

namespace cmpost {

// Header fields, by default those of a first message.
struct MessageOptions {
  bool implicit_confirm = true;
  std::function<void(PKIHeader&)> edit = [](PKIHeader&) {};
};

inline PKIHeader first_header(CaUnderTest& ca, const Name& sender, Bytes senderKID,
                              const MessageOptions& options) {
  PKIHeader header;
  header.sender = GeneralName::of(sender);
  header.recipient = GeneralName::of(name("CN=Test CA"));
  header.messageTime = std::chrono::floor<std::chrono::seconds>(ca.clock.now());
  header.senderKID = std::move(senderKID);
  header.transactionID = ca.random.bytes(16);
  header.senderNonce = ca.random.bytes(16);
  if (options.implicit_confirm) {
    header.generalInfo.push_back({oid::id_it_implicitConfirm, Bytes{der::kNull, 0}});
  }
  options.edit(header);
  return header;
}

// The next message of the transaction that `answer` belongs to.
inline MessageOptions following(const PKIMessage& answer) {
  return {.implicit_confirm = false, .edit = [answer](PKIHeader& header) {
            header.transactionID = answer.header.transactionID;
            header.recipNonce = answer.header.senderNonce;
          }};
}

inline Bytes with_mac(CaUnderTest& ca, const PKIBody& body, const MessageOptions& options = {},
                      std::string_view secret = CaUnderTest::kSecret,
                      std::string_view reference = CaUnderTest::kReference) {
  auto header = first_header(ca, name("CN=dev1"), to_bytes(reference), options);
  return must(protect_with_mac(std::move(header), body, make_pbm_parameter(ca.random, 500),
                               view_of(secret), {}));
}

inline Bytes signed_by(CaUnderTest& ca, const Credential& credential, const PKIBody& body,
                       const MessageOptions& options = {}) {
  const auto& certificate = *credential.certificate;
  auto header =
      first_header(ca, certificate.subject(), *certificate.subject_key_identifier(), options);
  return must(protect_with_signature(std::move(header), body, credential.signer,
                                     {{to_bytes(certificate.der())}}));
}

inline SubjectPublicKeyInfo spki_of(const PublicKey& key) {
  der::Reader reader(key.spki());
  return read_spki(reader).value();
}

struct RequestOptions {
  std::int64_t certReqId = 0;
  std::function<void(CertTemplate&)> edit = [](CertTemplate&) {};
  std::function<void(CertReqMsg&)> edit_signed = [](CertReqMsg&) {};  // after the POP
  std::optional<Controls> controls{};
};

inline CertReqMsg cert_request(const Credential& credential, std::string_view subject,
                               const RequestOptions& options = {}) {
  CertReqMsg message;
  message.certReq.certReqId = options.certReqId;
  auto& wanted = message.certReq.certTemplate;
  wanted.subject = name(subject);
  wanted.publicKey = spki_of(credential.key.public_key());
  options.edit(wanted);
  message.certReq.controls = options.controls;
  message.certReq.der = encode(message.certReq);
  POPOSigningKey popo;
  popo.algorithmIdentifier = credential.signer.algorithm();
  popo.signature = must(credential.signer.sign(message.certReq.der));
  message.popo = std::move(popo);
  options.edit_signed(message);
  return message;
}

inline PKIBody ir(const Credential& credential, std::string_view subject = "CN=dev1",
                  const RequestOptions& options = {}) {
  return body::ir{{cert_request(credential, subject, options)}};
}

// With extensionRequest where there are any, and with another attribute that has no meaning.
inline CertificationRequest certification_request(const Credential& device,
                                                  std::string_view subject,
                                                  const Extensions& extensions = {},
                                                  const std::optional<Oid>& more = std::nullopt) {
  const auto attribute = [](der::Writer& to, const Oid& type, const auto& value) {
    to.constructed(der::kSequence, [&] {
      to.object_identifier(type);
      to.constructed(der::kSet, [&] { value(); });
    });
  };
  der::Writer info;
  info.constructed(der::kSequence, [&] {
    info.integer(0);
    info.raw(name(subject).der());
    info.raw(device.key.public_key().spki());
    info.constructed(der::context_constructed(0), [&] {
      if (!extensions.empty()) {
        attribute(info, oid::id_extensionRequest, [&] { write(info, extensions); });
      }
      if (more) attribute(info, *more, [&] { info.null(); });
    });
  });
  der::Writer request;
  request.constructed(der::kSequence, [&] {
    request.raw(info.bytes());
    write(request, device.signer.algorithm());
    request.bit_string(must(device.signer.sign(info.bytes())));
  });
  der::Reader reader(request.bytes());
  return *read_certification_request(reader);
}

inline PKIBody cert_conf(const Certificate& certificate, std::int64_t certReqId = 0) {
  CertStatus status;
  status.certReqId = certReqId;
  status.certHash = cert_hash(certificate, std::nullopt).value();
  return body::certConf{{status}};
}

// The one certificate of an ip, cp or kup.
inline Certificate certificate_in(const PKIMessage& answer) {
  const auto* response = cert_response(answer.body);
  if (response == nullptr || response->response.empty() ||
      !response->response[0].certifiedKeyPair) {
    ADD_FAILURE() << "the answer, " << body_name(answer.body) << ", has no certificate";
    std::abort();
  }
  const auto& pair = *response->response[0].certifiedKeyPair;
  return must(Certificate::from_der(std::get<CMPCertificate>(pair.certOrEncCert.choice).der));
}

// The status that an answer is about: of its first part, or of the error.
inline PKIStatusInfo status_in(const PKIMessage& answer) {
  if (const auto* response = cert_response(answer.body)) return response->response.at(0).status;
  if (const auto* rp = std::get_if<body::rp>(&answer.body)) return rp->content.status.at(0);
  if (const auto* krp = std::get_if<body::krp>(&answer.body)) return krp->content.status;
  if (const auto* error = std::get_if<body::error>(&answer.body))
    return error->content.pKIStatusInfo;
  ADD_FAILURE() << body_name(answer.body) << " has no status";
  return {};
}

// EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::badPOP)): that body, exactly that bit.
MATCHER_P2(Refuses, body, bit,
           "refuses in " + std::string(body) + " with " + std::string(to_string(bit))) {
  const auto status = status_in(arg);
  *result_listener << body_name(arg.body) << " with failInfo bits "
                   << ::testing::PrintToString(status.failInfo) << " "
                   << ::testing::PrintToString(status.statusString);
  return body_name(arg.body) == body && status.status == PKIStatus::rejection &&
         status.failInfo == std::uint64_t{1} << static_cast<int>(bit);
}

// A device of this PKI: enrolled with the shared secret.
inline Credential enrolled(CaUnderTest& ca, std::string_view subject = "CN=dev1") {
  Credential device;
  device.certificate = certificate_in(ca.ask(with_mac(ca, ir(device, subject))));
  return device;
}

}  // namespace cmpost
