// People who sign and read mails, made in a test, and stock OpenSSL as their mail program.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/files.h"
#include "crypto/x509/certificate_builder.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

struct MailPerson {
  PrivateKey key;
  Certificate certificate;
};

struct MailPersonWishes {
  std::string name;
  std::string address = {};  // may be empty
  std::string algorithm = "ec:P-256";
  bool ca = false;
  Duration valid_from_now = std::chrono::hours(24);
  std::vector<Oid> purposes = {};
};

inline Extensions extensions_of(const MailPersonWishes& wishes, const PublicKey& key) {
  if (wishes.ca) {
    return {basic_constraints_extension(true, {}),
            key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign})};
  }
  const auto id = sha256(key.spki());
  Extensions extensions = {
      key_usage_extension(
          {KeyUsageBit::digitalSignature, KeyUsageBit::keyEncipherment, KeyUsageBit::keyAgreement}),
      subject_key_identifier_extension(ByteView(id).first(20))};
  if (!wishes.address.empty()) {
    const auto name = GeneralName::from_text("email:" + wishes.address).value();
    extensions.push_back(subject_alt_name_extension({name}, false));
  }
  if (!wishes.purposes.empty()) {
    extensions.push_back(extended_key_usage_extension(wishes.purposes));
  }
  return extensions;
}

// Valid since ten days ago. Signed by `issuer`, or by its own key without one.
inline MailPerson make_person(const MailPersonWishes& wishes, const MailPerson* issuer = nullptr) {
  static std::uint8_t serial = 0;
  const auto now = SystemClock().now();
  auto key = PrivateKey::generate(wishes.algorithm).value();
  const auto subject = Name::from_text("CN=" + wishes.name).value();
  const TBSCertificate tbs{Bytes{1, ++serial},
                           issuer != nullptr ? issuer->certificate.subject() : subject,
                           now - std::chrono::hours(240),
                           now + wishes.valid_from_now,
                           subject,
                           to_bytes(key.public_key().spki()),
                           extensions_of(wishes, key.public_key())};
  const auto signer = Signer::create(issuer != nullptr ? issuer->key : key).value();
  const auto der = sign_certificate(tbs, signer).value();
  return {std::move(key), Certificate::from_der(der).value()};
}

// A directory where files lie that `openssl` reads and writes.
class MailDesk {
 public:
  std::string path(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, ByteView octets) const {
    EXPECT_TRUE(write_file(path(name), octets, 0600, IfExists::replace));
  }
  void write(const std::string& name, std::string_view text) const { write(name, view_of(text)); }
  Bytes read(const std::string& name) const {
    return read_file(path(name), std::size_t{64} << 20U).value_or(Bytes());
  }
  // NAME.pem and NAME.key.
  void put(const std::string& name, const MailPerson& person) const {
    write(name + ".pem", person.certificate.to_pem());
    write(name + ".key", person.key.to_pem().value());
  }
  // Whether `openssl ARGUMENTS` ends well, here.
  bool openssl(const std::string& arguments) const {
    const auto command =
        "cd " + directory_.path() + " && openssl " + arguments + " >>stdout 2>>stderr";
    return std::system(command.c_str()) == 0;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace cmpost
