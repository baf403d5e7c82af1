// What others could not read is not signed, whatever body asks for it.
#include "asn1/der_form.h"
#include "tests/processor/messages.h"

namespace cmpost::unreadable {
namespace {

Bytes attribute(const Oid& type, der::Tag tag, std::string_view hex) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(type);
    writer.primitive(tag, from_hex(hex).value());
  });
  return std::move(writer).take();
}

Name name_of(const std::vector<Bytes>& attributes) {
  der::Writer writer;
  writer.constructed(der::kSequence,
                     [&] { writer.constructed(der::kSet, [&] { writer.raw(attributes); }); });
  der::Reader reader(writer.bytes());
  return Name::read(reader).value();
}

std::vector<Name> unreadable_names() {
  const auto common = attribute(oid::id_at_commonName, der::kUtf8String, "6465763130");
  const auto serial = attribute(oid::id_at_serialNumber, der::kPrintableString, "31");
  return {name_of({attribute(oid::id_at_commonName, der::kBmpString, "0064006500")}),
          name_of({common, serial}),
          name_of({attribute(oid::id_at_commonName, der::kInteger, "01")}),
          name_of({attribute(oid::id_at_commonName, der::kUtf8String, "646576ff")}),
          name_of({attribute(oid::id_at_commonName, der::kUniversalString, "00000064")}),
          name_of({attribute(oid::id_at_commonName, der::kPrintableString, "6465765f31")})};
}

struct UnreadableTest : ::testing::Test {
  UnreadableTest() {
    ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);  // may ask for any subject
  }
  template <typename Body>
  PKIMessage ask(const std::function<void(CertTemplate&)>& edit) {
    const Credential device;
    return ca.ask(signed_by(ca, ra, Body{{cert_request(device, "CN=dev1", {.edit = edit})}}));
  }
  CaUnderTest ca;
  Credential ra;
};

TEST_F(UnreadableTest, SubjectsAreRefusedInEveryBody) {
  for (const auto& subject : unreadable_names()) {
    const auto edit = [&](CertTemplate& wanted) { wanted.subject = subject; };
    EXPECT_THAT(ask<body::ir>(edit), Refuses("ip", PKIFailureInfo::badCertTemplate));
    EXPECT_THAT(ask<body::cr>(edit), Refuses("cp", PKIFailureInfo::badCertTemplate));
  }
  EXPECT_EQ(ca.certificates(), 0);
}

TEST_F(UnreadableTest, NamesInExtensionsAreRefusedInEveryBody) {
  const auto device = enrolled(ca);
  for (const auto* hex :
       {"3000", "30058703010203", "30038201e4", "3004820161 00", "3003820100", "30048602613a"}) {
    std::string text(hex);
    std::erase(text, ' ');
    const auto edit = [&](CertTemplate& wanted) {
      wanted.extensions = Extensions{{oid::id_ce_subjectAltName, false, from_hex(text).value()}};
    };
    EXPECT_THAT(ask<body::ir>(edit), Refuses("ip", PKIFailureInfo::badCertTemplate)) << hex;
    EXPECT_THAT(ask<body::cr>(edit), Refuses("cp", PKIFailureInfo::badCertTemplate)) << hex;
    const Credential next;
    const body::kur kur{{cert_request(next, "CN=dev1", {.edit = edit})}};
    EXPECT_EQ(status_in(ca.ask(signed_by(ca, device, kur))).status, PKIStatus::rejection) << hex;
  }
  EXPECT_EQ(ca.certificates(), 1);
}

TEST_F(UnreadableTest, KeysThatOthersCannotReadOrThatAreNobodysAreRefused) {
  const Credential rsa("rsa:2048");
  const auto edit = [&](CertTemplate& wanted) {
    auto key = spki_of(rsa.key.public_key());
    key.algorithm.parameters.reset();
    der::Writer writer;
    writer.constructed(der::kSequence, [&] {
      write(writer, key.algorithm);
      writer.bit_string(key.key);
    });
    der::Reader reader(writer.bytes());
    wanted.publicKey = read_spki(reader).value();
  };
  const body::ir request{{cert_request(rsa, "CN=dev1", {.edit = edit})}};
  EXPECT_THAT(ca.ask(signed_by(ca, ra, request)), Refuses("ip", PKIFailureInfo::badCertTemplate));
  // The point of order 1 verifies signatures that anybody can make.
  const RequestOptions small{
      .edit =
          [](CertTemplate& wanted) {
            const auto spki =
                from_hex(
                    "302a300506032b65700321000100000000000000000000000000000000000000000000000"
                    "000000000000000")
                    .value();
            der::Reader reader(spki);
            wanted.publicKey = read_spki(reader).value();
          },
      .edit_signed = [](CertReqMsg& message) { message.popo = RaVerified{}; }};
  EXPECT_THAT(ca.ask(signed_by(ca, ra, ir(rsa, "CN=dev1", small))),
              Refuses("ip", PKIFailureInfo::badCertTemplate));
  EXPECT_EQ(ca.certificates(), 0);
}

// The subject of a vendor's certificate is taken over.
TEST_F(UnreadableTest, NamesOfForeignCertificatesAreLookedAt) {
  Credential device;
  for (const auto& subject : unreadable_names()) {
    ca.vendor.certify(device, "CN=dev1", ca.clock.now(), ca.random);
    TBSCertificate tbs;
    tbs.serialNumber = {1, 2, 3};
    tbs.issuer = ca.vendor.certificate.subject();
    tbs.subject = subject;
    tbs.notBefore = ca.clock.now() - std::chrono::hours(1);
    tbs.notAfter = ca.clock.now() + std::chrono::hours(24);
    tbs.subjectPublicKeyInfo = to_bytes(device.key.public_key().spki());
    tbs.extensions = {subject_key_identifier_extension(device.key.public_key().key_identifier())};
    device.certificate =
        must(Certificate::from_der(must(sign_certificate(tbs, ca.vendor.credential.signer))));
    const auto edit = [&](CertTemplate& wanted) { wanted.subject = subject; };
    const auto answer = ca.ask(signed_by(ca, device, ir(Credential(), "CN=dev1", {.edit = edit})));
    EXPECT_EQ(status_in(answer).status, PKIStatus::rejection) << body_name(answer.body);
  }
  EXPECT_EQ(ca.certificates(), 0);
}

}  // namespace
}  // namespace cmpost::unreadable
