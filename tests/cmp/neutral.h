// Finds out why OpenSSL refuses a message that we take: one kind of content after the other is
// replaced by a harmless one, until OpenSSL takes it.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "openssl_opinion.h"
#include "samples.h"

namespace cmpost {

struct Neutraliser {
  std::string_view reason;  // a heading of docs/conformance-codec.md
  std::function<void(PKIMessage&)> apply;
};

template <typename F>
void for_each_request(PKIMessage& message, F&& f) {
  std::visit(
      [&](auto& choice) {
        if constexpr (requires { choice.requests.front().certReq; }) {
          for (auto& request : choice.requests) f(request);
        }
      },
      message.body);
}

template <typename F>
void for_each_template(PKIMessage& message, F&& f) {
  for_each_request(message, [&](CertReqMsg& request) { f(request.certReq.certTemplate); });
  if (auto* rr = std::get_if<body::rr>(&message.body)) {
    for (auto& details : rr->details) f(details.certDetails);
  }
}

template <typename F>
void for_each_key_pair(PKIMessage& message, F&& f) {
  std::visit(
      [&](auto& choice) {
        if constexpr (requires { choice.response.response; }) {
          for (auto& one : choice.response.response) {
            if (one.certifiedKeyPair) f(*one.certifiedKeyPair);
          }
        }
      },
      message.body);
  if (auto* krp = std::get_if<body::krp>(&message.body)) {
    if (!krp->content.keyPairHist) return;
    for (auto& pair : *krp->content.keyPairHist) f(pair);
  }
}

inline void replace_all(std::vector<CMPCertificate>& certificates) {
  for (auto& certificate : certificates) certificate = sample_certificate();
}

inline void neutral_certificates(PKIMessage& message) {
  replace_all(message.extraCerts);
  std::visit(
      [](auto& choice) {
        if constexpr (requires { choice.response.caPubs; }) {
          if (choice.response.caPubs) replace_all(*choice.response.caPubs);
        }
      },
      message.body);
  for_each_key_pair(message, [](CertifiedKeyPair& pair) {
    auto* certificate = std::get_if<CMPCertificate>(&pair.certOrEncCert.choice);
    if (certificate != nullptr) *certificate = sample_certificate();
  });
  if (auto* cann = std::get_if<body::cann>(&message.body)) cann->certificate = sample_certificate();
  if (auto* ckuann = std::get_if<body::ckuann>(&message.body)) {
    const auto certificate = sample_certificate();
    if (std::holds_alternative<CAKeyUpdAnnContent>(ckuann->content)) {
      ckuann->content = CAKeyUpdAnnContent{certificate, certificate, certificate};
    }
  }
  if (auto* krp = std::get_if<body::krp>(&message.body)) {
    if (krp->content.newSigCert) krp->content.newSigCert = sample_certificate();
    if (krp->content.caCerts) replace_all(*krp->content.caCerts);
  }
}

inline void neutral_crls(PKIMessage& message) {
  if (auto* crlann = std::get_if<body::crlann>(&message.body)) {
    for (auto& crl : crlann->crls) crl = sample_crl();
  }
  if (auto* rp = std::get_if<body::rp>(&message.body)) {
    if (!rp->content.crls) return;
    for (auto& crl : *rp->content.crls) crl = sample_crl();
  }
}

inline void neutral_infos(PKIMessage& message) {
  for (auto& info : message.header.generalInfo) info.infoValue.reset();
  std::visit(
      [](auto& choice) {
        if constexpr (requires { choice.items; }) {
          for (auto& info : choice.items) info.infoValue.reset();
        }
      },
      message.body);
}

inline void neutral_attributes(PKIMessage& message) {
  const auto clear = [](std::vector<Attribute>& attributes) {
    for (auto& attribute : attributes) attribute = {Oid("1.2.3"), hex("0500")};
  };
  for_each_request(message, [&](CertReqMsg& request) {
    if (request.certReq.controls) clear(*request.certReq.controls);
    if (request.regInfo) clear(*request.regInfo);
  });
}

template <typename F>
void for_each_signing_key(PKIMessage& message, F&& f) {
  for_each_request(message, [&](CertReqMsg& request) {
    if (!request.popo) return;
    if (auto* key = std::get_if<POPOSigningKey>(&*request.popo)) f(*key);
  });
}

inline void neutral_names(PKIMessage& message) {
  message.header.sender = message.header.recipient = GeneralName::of(Name());
  for_each_template(message, [](CertTemplate& t) {
    if (t.issuer) t.issuer = Name();
    if (t.subject) t.subject = Name();
  });
  for_each_signing_key(message, [](POPOSigningKey& key) {
    if (!key.poposkInput) return;
    auto* sender = std::get_if<GeneralName>(&key.poposkInput->authInfo);
    if (sender != nullptr) *sender = GeneralName::of(Name());
  });
  if (auto* rann = std::get_if<body::rann>(&message.body)) {
    rann->content.certId.issuer = GeneralName::of(Name());
  }
  if (auto* rp = std::get_if<body::rp>(&message.body)) {
    if (!rp->content.revCerts) return;
    for (auto& id : *rp->content.revCerts) id.issuer = GeneralName::of(Name());
  }
}

inline void neutral_pkcs10(PKIMessage& message) {
  if (auto* p10cr = std::get_if<body::p10cr>(&message.body)) p10cr->request = sample_pkcs10();
}

inline void neutral_keys(PKIMessage& message) {
  for_each_template(message, [](CertTemplate& t) {
    if (t.publicKey) t.publicKey = sample_key();
  });
  for_each_signing_key(message, [](POPOSigningKey& key) {
    if (key.poposkInput) key.poposkInput->publicKey = sample_key();
  });
}

// Parameters are ANY: OpenSSL looks into primitive ones, a reader of ours does when it needs them.
inline void neutral_algorithms(PKIMessage& message) {
  const auto clear = [](AlgorithmIdentifier& algorithm) { algorithm.parameters.reset(); };
  if (message.header.protectionAlg) clear(*message.header.protectionAlg);
  for_each_template(message, [&](CertTemplate& t) {
    if (t.signingAlg) clear(*t.signingAlg);
  });
  for_each_signing_key(message, [&](POPOSigningKey& key) {
    clear(key.algorithmIdentifier);
    if (!key.poposkInput) return;
    auto* mac = std::get_if<PKMACValue>(&key.poposkInput->authInfo);
    if (mac != nullptr) clear(mac->algId);
  });
  for_each_request(message, [&](CertReqMsg& request) {
    if (!request.popo) return;
    auto* agreement = std::get_if<KeyAgreement>(&*request.popo);
    auto* encipherment = std::get_if<KeyEncipherment>(&*request.popo);
    POPOPrivKey* key = agreement ? &agreement->key : encipherment ? &encipherment->key : nullptr;
    auto* mac = key ? std::get_if<PKMACValue>(&key->choice) : nullptr;
    if (mac != nullptr) clear(mac->algId);
  });
  if (auto* popdecc = std::get_if<body::popdecc>(&message.body)) {
    for (auto& challenge : popdecc->challenges) {
      if (challenge.owf) clear(*challenge.owf);
    }
  }
}

inline void neutral_nested(PKIMessage& message) {
  if (auto* nested = std::get_if<body::nested>(&message.body)) {
    for (auto& inner : nested->messages) inner = sample_inner();
  }
}

inline void neutral_encrypted_values(PKIMessage& message) {
  for_each_key_pair(message, [](CertifiedKeyPair& pair) {
    const auto clear = [](EncryptedKey& key) {
      if (key.kind == EncryptedKey::Kind::encryptedValue) key = sample_encrypted_value();
    };
    if (pair.privateKey) clear(*pair.privateKey);
    if (auto* key = std::get_if<EncryptedKey>(&pair.certOrEncCert.choice)) clear(*key);
  });
}

inline void neutral_publication_infos(PKIMessage& message) {
  for_each_key_pair(message, [](CertifiedKeyPair& pair) { pair.publicationInfo.reset(); });
}

inline void neutral_hash_algorithms(PKIMessage& message) {
  if (auto* confirmation = std::get_if<body::certConf>(&message.body)) {
    for (auto& status : confirmation->statuses) status.hashAlg.reset();
  }
}

inline void neutral_enveloped_data(PKIMessage& message) {
  for_each_key_pair(message, [](CertifiedKeyPair& pair) {
    const auto clear = [](EncryptedKey& key) { key = sample_encrypted_value(); };
    if (pair.privateKey) clear(*pair.privateKey);
    if (auto* key = std::get_if<EncryptedKey>(&pair.certOrEncCert.choice)) clear(*key);
  });
  if (auto* popdecc = std::get_if<body::popdecc>(&message.body)) {
    for (auto& challenge : popdecc->challenges) challenge.encryptedRand.reset();
  }
  for_each_request(message, [](CertReqMsg& request) {
    const auto* encipherment =
        request.popo ? std::get_if<KeyEncipherment>(&*request.popo) : nullptr;
    const auto* agreement = request.popo ? std::get_if<KeyAgreement>(&*request.popo) : nullptr;
    const auto* key = encipherment ? &encipherment->key : agreement ? &agreement->key : nullptr;
    if (key && std::holds_alternative<POPOPrivKey::EncryptedKey>(key->choice)) request.popo.reset();
  });
}

inline void neutral_ckuann(PKIMessage& message) {
  if (auto* ckuann = std::get_if<body::ckuann>(&message.body)) {
    const auto certificate = sample_certificate();
    ckuann->content = CAKeyUpdAnnContent{certificate, certificate, certificate};
  }
}

inline const std::vector<Neutraliser>& neutralisers() {
  static const std::vector<Neutraliser> all = {
      {"pvno 3: hashAlg of certStatus", neutral_hash_algorithms},
      {"pvno 3: EnvelopedData", neutral_enveloped_data},
      {"pvno 3: RootCaKeyUpdateContent in ckuann", neutral_ckuann},
      {"opaque: contents of a certificate", neutral_certificates},
      {"opaque: contents of a CRL", neutral_crls},
      {"opaque: infoValue", neutral_infos},
      {"opaque: value of a control or of regInfo", neutral_attributes},
      {"opaque: contents of a name", neutral_names},
      {"opaque: parameters of an algorithm", neutral_algorithms},
      {"opaque: contents of a public key", neutral_keys},
      {"opaque: PKCS#10 request", neutral_pkcs10},
      {"opaque: nested messages", neutral_nested},
      {"opaque: EncryptedValue", neutral_encrypted_values},
      {"pubLocation left out", neutral_publication_infos}};
  return all;
}

// The reason for which OpenSSL refuses what we decoded as `message`; nothing when none of ours.
inline std::optional<std::string_view> why_openssl_refuses(const PKIMessage& message) {
  PKIMessage everything = message;
  for (const auto& [reason, apply] : neutralisers()) {
    PKIMessage one = message;
    apply(one);
    if (openssl_accepts(encode_again(one))) return reason;
    apply(everything);
  }
  if (openssl_accepts(encode_again(everything))) return "several of these";
  return std::nullopt;
}

}  // namespace cmpost
