// Everything that a message can ask for: each body with each right that it touches, in columns for
// the table of rights (rights_table_test.cpp).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "processor/admission/announcement.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {

template <typename Body, std::size_t I = 0>
constexpr std::size_t tag_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, PKIBody>, Body>) {
    return I;
  } else {
    return tag_of<Body, I + 1>();
  }
}

// What is asked for of a new or a renewed certificate.
struct CertificateAsked {
  char letter;
  std::string_view what;
  std::string_view subject = "CN=dev1";
  std::string_view san = "";
  std::string_view profile = "";
  int count = 1;
};
inline constexpr std::array<CertificateAsked, 12> kCertificatesAsked = {{
    {'o', "own subject"},
    {'f', "another's subject", "CN=admin"},
    {'m', "more than its subject", "CN=dev1,O=Grid"},
    {'n', "its common name as subjectAltName", "CN=dev1", "DNS:dev1"},
    {'s', "subjectAltName of its certificate", "CN=dev1", "DNS:dev1.grid.example"},
    {'x', "another's subjectAltName", "CN=dev1", "DNS:bank.example"},
    {'w', "wildcard", "CN=dev1", "DNS:*.grid.example"},
    {'d', "another ordinary profile", "CN=dev1", "", "other-device"},
    {'v', "profile for RAs", "CN=dev1", "", "vip"},
    {'k', "profile of CAs", "CN=dev1", "", "sub-ca"},
    {'r', "profile of a CMP role", "CN=dev1", "", "role"},
    {'2', "two certificates: the second", "CN=dev1", "", "", 2},
}};

struct Column {
  std::size_t body;  // PKIBody::index()
  char letter;
  std::string_view what;
};

// Those of bodies that are no CertReqMessages.
inline constexpr std::array<Column, 21> kOtherColumns = {{
    {tag_of<body::krr>(), 'o', "own archived keys"},
    {tag_of<body::krr>(), 'f', "another's archived keys"},
    {tag_of<body::krr>(), 'n', "and a certificate for a new key"},
    {tag_of<body::ccr>(), 'o', "cross certificate of CN=Other CA"},
    {tag_of<body::ccr>(), 'f', "cross certificate of CN=Third CA"},
    {tag_of<body::rr>(), 'o', "own certificate"},
    {tag_of<body::rr>(), 'f', "another's certificate"},
    {tag_of<body::rr>(), 'l', "release of another's certificate"},
    {tag_of<body::rr>(), 'p', "own certificate, and a passphrase in the header"},
    {tag_of<body::genm>(), 'q', "question"},
    {tag_of<body::genm>(), 'p', "revocation passphrase"},
    {tag_of<body::certConf>(), 'o', "its own certificate"},
    {tag_of<body::certConf>(), 'c', "into another's transaction"},
    {tag_of<body::pollReq>(), 'p', "into another's transaction"},
    {tag_of<body::popdecr>(), 'd', "into another's transaction"},
    {tag_of<body::error>(), 'e', "into another's transaction"},
    {tag_of<body::nested>(), 'n', "around another's request"},
    {tag_of<body::ckuann>(), 'u', "of CN=Other CA"},
    {tag_of<body::cann>(), 'a', "of CN=Other CA"},
    {tag_of<body::rann>(), 'r', "of CN=Other CA"},
    {tag_of<body::crlann>(), 'l', "of CN=Other CA"},
}};
inline constexpr std::array<std::size_t, 4> kCertificateBodies = {
    tag_of<body::ir>(), tag_of<body::cr>(), tag_of<body::p10cr>(), tag_of<body::kur>()};
// Nobody has a right to be answered to these, whoever it is: they are answers themselves.
inline constexpr std::array<std::size_t, 10> kNeverAnswered = {
    tag_of<body::ip>(),   tag_of<body::cp>(),     tag_of<body::popdecc>(), tag_of<body::kup>(),
    tag_of<body::krp>(),  tag_of<body::rp>(),     tag_of<body::ccp>(),     tag_of<body::pkiconf>(),
    tag_of<body::genp>(), tag_of<body::pollRep>()};

constexpr bool is_in_the_table(std::size_t tag) {
  for (const auto one : kCertificateBodies) {
    if (one == tag) return true;
  }
  for (const auto& one : kOtherColumns) {
    if (one.body == tag) return true;
  }
  for (const auto one : kNeverAnswered) {
    if (one == tag) return true;
  }
  return false;
}
constexpr bool all_bodies_are_in_the_table() {
  for (std::size_t tag = 0; tag < std::variant_size_v<PKIBody>; ++tag) {
    if (!is_in_the_table(tag)) return false;
  }
  return true;
}
static_assert(all_bodies_are_in_the_table(), "a body without a column: who may have it?");

inline const CertificateAsked* certificate_asked(const Column& column) {
  const bool certificate =
      std::ranges::find(kCertificateBodies, column.body) != std::end(kCertificateBodies);
  const auto found =
      std::ranges::find(kCertificatesAsked, column.letter, &CertificateAsked::letter);
  return certificate && found != std::end(kCertificatesAsked) ? &*found : nullptr;
}

// In the order in which the table has them.
inline std::vector<Column> all_columns() {
  std::vector<Column> all;
  for (const auto body : kCertificateBodies) {
    for (const auto& one : kCertificatesAsked) {
      // A PKCS#10 request is one.
      if (body == tag_of<body::p10cr>() && one.count > 1) continue;
      all.push_back({body, one.letter, one.what});
    }
  }
  all.insert(all.end(), kOtherColumns.begin(), kOtherColumns.end());
  return all;
}

// A message before it has a protection.
struct Unprotected {
  PKIBody body;
  MessageOptions options;
};

// What is asked of the Office, which all rows share: the victim's certificates and transactions.
struct Bystanders {
  explicit Bystanders(const AgreedParty& of_ca) : own(of_ca) {}
  std::optional<Certificate> dev1;
  Credential dev2, held;  // certificates of others, one on hold
  Credential next_root;   // of CN=Other CA
  PKIMessage open, waiting, challenged;
  Bytes request;  // one for CN=dev2, of whom it is for
  const AgreedParty& own;
};

inline Extensions san_of(std::string_view san) {
  if (san.empty()) return {};
  return {subject_alt_name_extension({must(GeneralName::from_text(san))}, false)};
}

inline MessageOptions with_profile(std::string_view profile) {
  return pvno3({.edit = [profile = std::string(profile)](PKIHeader& header) {
    if (profile.empty()) return;
    der::Writer names;
    names.constructed(der::kSequence, [&] { names.utf8_string(profile); });
    header.generalInfo.push_back({oid::id_it_certProfile, std::move(names).take()});
  }});
}

// A PKCS#10 request with what is asked for, extensionRequest included.
inline CertificationRequest pkcs10(const Credential& key, const CertificateAsked& asked) {
  der::Writer info;
  info.constructed(der::kSequence, [&] {
    info.integer(0);
    info.raw(name(asked.subject).der());
    info.raw(key.key.public_key().spki());
    info.constructed(der::context_constructed(0), [&] {
      if (asked.san.empty()) return;
      info.constructed(der::kSequence, [&] {
        info.object_identifier(Oid("1.2.840.113549.1.9.14"));
        info.constructed(der::kSet, [&] { write(info, san_of(asked.san)); });
      });
    });
  });
  der::Writer request;
  request.constructed(der::kSequence, [&] {
    request.raw(info.bytes());
    write(request, key.signer.algorithm());
    request.bit_string(must(key.signer.sign(info.bytes())));
  });
  der::Reader reader(request.bytes());
  return *read_certification_request(reader);
}

inline Unprotected certificate_message(std::size_t body, const CertificateAsked& asked) {
  static const std::array<Credential, 2> kKeys;  // nothing of a cell is committed
  CertReqMessages messages;
  for (int i = 0; i < asked.count; ++i) {
    messages.push_back(cert_request(kKeys[static_cast<std::size_t>(i)], asked.subject,
                                    {.certReqId = i, .edit = [&](CertTemplate& wanted) {
                                       if (!asked.san.empty())
                                         wanted.extensions = san_of(asked.san);
                                     }}));
  }
  const auto options = with_profile(asked.profile);
  switch (body) {
    case tag_of<body::ir>():
      return Unprotected{body::ir{messages}, options};
    case tag_of<body::cr>():
      return Unprotected{body::cr{messages}, options};
    case tag_of<body::kur>():
      return Unprotected{body::kur{messages}, options};
    default:
      return Unprotected{body::p10cr{pkcs10(kKeys[0], asked)}, options};
  }
}

inline CertReqMsg recovery_message(char letter) {
  static const Credential kNew;
  static const auto kProtocolKey = test_key("x25519");
  if (letter == 'n') return cert_request(kNew, "CN=dev1");
  CertReqMsg message;
  message.certReq.controls =
      Controls{{oid::id_regCtrl_protocolEncrKey, to_bytes(kProtocolKey.public_key().spki())}};
  if (letter == 'f') message.certReq.certTemplate.subject = name("CN=dev2");
  message.certReq.der = encode(message.certReq);
  return message;
}

inline CertReqMsg cross_message(CaUnderTest& ca, char letter) {
  const auto now = std::chrono::floor<std::chrono::seconds>(ca.clock.now());
  return cert_request(ca.other_ca.credential, letter == 'o' ? "CN=Other CA" : "CN=Third CA",
                      {.edit = [&](CertTemplate& wanted) {
                        wanted.version = 2;
                        wanted.signingAlg = ca.authority->issuer.signature_algorithm();
                        wanted.issuer = name("CN=Test CA");
                        wanted.validity = OptionalValidity{now, now + std::chrono::hours(24 * 30)};
                      }});
}

inline PKIBody announcement_message(CaUnderTest& ca, const Bystanders& others, char letter) {
  const auto& root = ca.other_ca.certificate;
  if (letter == 'u') {
    return ca_key_announcement(must(make_rollover(root, ca.other_ca.credential.key,
                                                  {others.next_root.key, ca.clock.now(),
                                                   root.not_after() + std::chrono::hours(1)},
                                                  ca.random)))
        .body;
  }
  if (letter == 'l') {
    TBSCertList list;
    list.issuer = root.subject();
    list.crlNumber = 5;
    list.thisUpdate = ca.clock.now();
    list.nextUpdate = ca.clock.now() + std::chrono::hours(24);
    return body::crlann{{must(sign_crl(list, ca.other_ca.credential.signer))}};
  }
  Credential theirs;
  ca.other_ca.certify(theirs, "CN=theirs", ca.clock.now(), ca.random);
  if (letter == 'a') return body::cann{{to_bytes(theirs.certificate->der())}};
  return revocation_announcement(*theirs.certificate, ca.clock.now(), ca.clock.now(), std::nullopt,
                                 CRLReason::superseded)
      .body;
}

inline InfoTypeAndValue passphrase_for(CaUnderTest& ca, const AgreedParty& own) {
  auto value = must(envelop(view_of("seven wise men of Gotham"), oid::id_data,
                            must(recipient_of(own.certificate)), ca.random));
  value[0] = der::context_constructed(0);
  return {oid::id_it_revPassphrase, value};
}

inline MessageOptions with_header_passphrase(CaUnderTest& ca, const AgreedParty& own) {
  return pvno3({.edit = [item = passphrase_for(ca, own)](PKIHeader& header) {
    header.generalInfo.push_back(item);
  }});
}

// The message of one cell, of who may revoke `mine` and has begun `open`; nullopt: it has not.
inline std::optional<Unprotected> message_for(const Column& column, CaUnderTest& ca,
                                              const Bystanders& others, const Certificate& mine,
                                              const std::optional<PKIMessage>& open) {
  const char letter = column.letter;
  if (const auto* asked = certificate_asked(column)) {
    return certificate_message(column.body, *asked);
  }
  switch (column.body) {
    case tag_of<body::krr>():
      return Unprotected{body::krr{{recovery_message(letter)}}, pvno3()};
    case tag_of<body::ccr>():
      return Unprotected{body::ccr{{cross_message(ca, letter)}}, with_profile("cross")};
    case tag_of<body::rr>():
      if (letter == 'l') {
        return Unprotected{revocation(*others.held.certificate, CRLReason::removeFromCRL), {}};
      }
      return Unprotected{
          revocation(letter == 'f' ? *others.dev2.certificate : mine, CRLReason::superseded),
          letter == 'p' ? with_header_passphrase(ca, others.own) : MessageOptions()};
    case tag_of<body::genm>():
      if (letter == 'q') return Unprotected{body::genm{{{oid::id_it_caCerts, {}}}}, pvno3()};
      return Unprotected{body::genm{{passphrase_for(ca, others.own)}}, pvno3()};
    case tag_of<body::certConf>():
      if (letter == 'o' && !open) return std::nullopt;
      if (letter == 'o') return Unprotected{cert_conf(certificate_in(*open)), following(*open)};
      return Unprotected{cert_conf(certificate_in(others.open)), following(others.open)};
    case tag_of<body::pollReq>():
      return Unprotected{poll_req(0), following(others.waiting)};
    case tag_of<body::popdecr>():
      return Unprotected{body::popdecr{{Bytes{1}}}, pvno3(following(others.challenged))};
    case tag_of<body::error>():
      return Unprotected{body::error{{status_info({PKIFailureInfo::badRequest, "enough"}), {}, {}}},
                         following(others.open)};
    case tag_of<body::nested>(): {
      const auto inner = decode(others.request)->header;
      return Unprotected{body::nested{{others.request}},
                         {.implicit_confirm = false, .edit = [inner](PKIHeader& outer) {
                            outer.transactionID = inner.transactionID;
                            outer.senderNonce = inner.senderNonce;
                          }}};
    }
    default:
      return Unprotected{announcement_message(ca, others, letter),
                         pvno3({.implicit_confirm = false})};
  }
}

}  // namespace cmpost
