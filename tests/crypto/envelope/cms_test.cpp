// Against the command `openssl cms`, which is a program of its own around the same library, and
// with what nobody should send.
#include "crypto/envelope/cms.h"

#include <gmock/gmock.h>

#include "crypto/x509/mail_certificate.h"
#include "tests/support/mail_people.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kMime = "Content-Type: text/plain\r\n\r\nhello\r\n";

struct CmsPeople {
  MailPerson ca = make_person({.name = "mail CA", .ca = true});
  MailPerson site = make_person({.name = "site", .address = "dev@site.example"}, &ca);
  MailPerson other = make_person({.name = "other", .address = "other@site.example"}, &ca);
  MailPerson channel =
      make_person({.name = "pki", .address = "pki@ca.example", .algorithm = "rsa:2048"}, &ca);
};

// CompressedData (RFC 3274) around something.
Bytes compressed_bomb() {
  der::Writer w;
  w.constructed(der::kSequence, [&] {
    w.object_identifier(Oid("1.2.840.113549.1.9.16.1.9"));
    w.constructed(der::context_constructed(0), [&] {
      w.constructed(der::kSequence, [&] {
        w.integer(0);
        w.constructed(der::kSequence,
                      [&] { w.object_identifier(Oid("1.2.840.113549.1.9.16.3.8")); });
        w.constructed(der::kSequence, [&] {
          w.object_identifier(oid::id_data);
          w.constructed(der::context_constructed(0), [&] { w.octet_string(Bytes(64, 0)); });
        });
      });
    });
  });
  return std::move(w).take();
}

class Cms : public ::testing::Test {
 protected:
  void SetUp() override {
    desk_.put("ca", people().ca);
    desk_.put("site", people().site);
    desk_.put("other", people().other);
    desk_.put("channel", people().channel);
    desk_.write("mime", kMime);
  }
  static const CmsPeople& people() {
    static const CmsPeople kPeople;
    return kPeople;
  }
  // What `openssl cms ARGUMENTS` makes of the file "mime", in DER.
  Bytes made_by(const std::string& arguments) {
    EXPECT_TRUE(desk_.openssl("cms -in mime -binary -outform DER -out out " + arguments))
        << text_of(desk_.read("stderr"));
    return desk_.read("out");
  }
  static std::string why(const auto& result) {
    return result ? "it worked" : to_string(result.error());
  }
  static Result<Bytes> decrypt(ByteView cms) {
    return cms_decrypt(cms, people().channel.certificate, people().channel.key);
  }

  MailDesk desk_;
};

TEST_F(Cms, WhatOpenSslEncryptsCanBeDecrypted) {
  for (const std::string how : {"-aes128", "-aes-256-gcm", "-aes256 -keyopt rsa_padding_mode:oaep",
                                "-aes-128-gcm -stream", "-aes256 -keyid"}) {
    const auto cms = made_by("-encrypt -recip channel.pem " + how);
    EXPECT_EQ(text_of(decrypt(cms).value_or(Bytes())), kMime) << how;
  }
  const auto cms = made_by("-encrypt -aes-256-gcm other.pem channel.pem");
  EXPECT_EQ(text_of(decrypt(cms).value_or(Bytes())), kMime);
}

TEST_F(Cms, AKeyOnACurveDecryptsAsWell) {
  const auto cms = made_by("-encrypt -aes256 site.pem");
  const auto& site = people().site;
  EXPECT_EQ(text_of(cms_decrypt(cms, site.certificate, site.key).value_or(Bytes())), kMime);
}

TEST_F(Cms, WhatIsForOthersIsNotDecryptedAndSaysSo) {
  const auto cms = made_by("-encrypt -aes256 other.pem");
  EXPECT_THAT(why(decrypt(cms)), HasSubstr("for other certificates"));
}

TEST_F(Cms, AnAlteredAuthenticatedContentIsNotDecrypted) {
  auto cms = made_by("-encrypt -aes-256-gcm channel.pem");
  ASSERT_GT(cms.size(), 25U);
  cms[cms.size() - 25] ^= 1;
  EXPECT_FALSE(decrypt(cms));
}

TEST_F(Cms, ATruncatedOrPaddedStructureIsRefused) {
  auto cms = made_by("-encrypt -aes256 channel.pem");
  cms.push_back(0);
  EXPECT_THAT(why(decrypt(cms)), HasSubstr("behind"));
  for (std::size_t size = 0; size + 1 < cms.size(); size += 7) {
    EXPECT_FALSE(decrypt(ByteView(cms).first(size)));
    EXPECT_FALSE(cms_verify(ByteView(cms).first(size), {}));
  }
}

TEST_F(Cms, ACrowdOfRecipientsIsRefused) {
  std::string crowd;
  for (int i = 0; i < 101; ++i) crowd += " other.pem";
  EXPECT_THAT(why(decrypt(made_by("-encrypt -aes256 channel.pem" + crowd))),
              HasSubstr("100 recipients"));
}

TEST_F(Cms, WhatOpenSslSignsIsVerified) {
  for (const std::string form : {"-nodetach", "-nodetach -stream", "-nodetach -noattr"}) {
    const auto cms = made_by("-sign " + form + " -signer site.pem -inkey site.key");
    const auto read = cms_verify(cms, {});
    ASSERT_THAT(read, IsOk()) << form;
    EXPECT_EQ(text_of(read->content), kMime);
    EXPECT_EQ(read->signer, people().site.certificate);
  }
  const auto detached = made_by("-sign -signer site.pem -inkey site.key -certfile ca.pem");
  const auto read = cms_verify(detached, view_of(kMime));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->certificates.size(), 2U);
  EXPECT_EQ(text_of(cms_unverified_content(made_by("-sign -nodetach -signer site.pem -inkey "
                                                   "site.key"))
                        .value_or(Bytes())),
            kMime);
}

TEST_F(Cms, AnAlteredContentDoesNotFitItsSignature) {
  const auto detached = made_by("-sign -signer site.pem -inkey site.key");
  EXPECT_THAT(why(cms_verify(detached, view_of("Content-Type: text/plain\r\n\r\nHello\r\n"))),
              HasSubstr("does not fit"));
  auto opaque = made_by("-sign -nodetach -signer site.pem -inkey site.key");
  const auto at = text_of(opaque).find("hello");
  ASSERT_NE(at, std::string_view::npos);
  opaque[at] = 'H';
  EXPECT_THAT(why(cms_verify(opaque, {})), HasSubstr("does not fit"));
}

TEST_F(Cms, AContentInsideAndOneBesideAreOneTooMany) {
  const auto opaque = made_by("-sign -nodetach -signer site.pem -inkey site.key");
  EXPECT_FALSE(cms_verify(opaque, view_of(kMime)));
  EXPECT_FALSE(cms_verify(made_by("-sign -signer site.pem -inkey site.key"), {}));
}

TEST_F(Cms, TwoSignersOrNoneAreRefused) {
  const auto two = made_by(
      "-sign -nodetach -signer site.pem -inkey site.key -signer other.pem -inkey other.key");
  EXPECT_THAT(why(cms_verify(two, {})), HasSubstr("2 signers"));
  desk_.openssl("crl2pkcs7 -nocrl -certfile site.pem -outform DER -out certs");
  EXPECT_FALSE(cms_verify(desk_.read("certs"), {}));
}

TEST_F(Cms, WeakDigestsAndSignersWithoutCertificateAreRefused) {
  EXPECT_THAT(
      why(cms_verify(made_by("-sign -nodetach -md sha1 -signer site.pem -inkey site.key"), {})),
      HasSubstr("SHA1"));
  EXPECT_THAT(
      why(cms_verify(made_by("-sign -nodetach -nocerts -signer site.pem -inkey site.key"), {})),
      HasSubstr("carry the signer's certificate"));
}

TEST_F(Cms, OtherContentTypesAreRefusedWithTheirReason) {
  const auto enveloped = made_by("-encrypt -aes256 channel.pem");
  EXPECT_THAT(why(cms_verify(enveloped, {})), HasSubstr("is not"));
  EXPECT_THAT(why(decrypt(made_by("-data_create"))), HasSubstr("is not"));
  EXPECT_FALSE(decrypt({}));
  // The type alone tells; OpenSSL is often built without compression.
  EXPECT_THAT(why(decrypt(compressed_bomb())), HasSubstr("compressed"));
  EXPECT_THAT(why(cms_verify(compressed_bomb(), {})), HasSubstr("compressed"));
}

TEST_F(Cms, OpenSslVerifiesWhatWeSign) {
  const auto& channel = people().channel;
  const auto now = SystemClock().now();
  const auto sign = [&](CmsForm form) {
    return cms_sign(view_of(kMime), form, channel.certificate, channel.key,
                    {people().ca.certificate}, now);
  };
  for (const auto form : {CmsForm::opaque, CmsForm::detached}) {
    const auto cms = sign(form);
    ASSERT_THAT(cms, IsOk());
    desk_.write("signed", *cms);
    const std::string content = form == CmsForm::detached ? " -content mime" : "";
    EXPECT_TRUE(desk_.openssl("cms -verify -binary -inform DER -in signed -CAfile ca.pem" +
                              content + " -out verified"))
        << text_of(desk_.read("stderr"));
    EXPECT_EQ(text_of(desk_.read("verified")), kMime);
    EXPECT_EQ(sign(form).value_or(Bytes()), *cms) << "the same octets each time";
  }
}

TEST_F(Cms, KeysThatSignDifferentlyEachTimeAreRefused) {
  const auto& site = people().site;
  EXPECT_THAT(why(cms_sign(view_of(kMime), CmsForm::detached, site.certificate, site.key, {},
                           SystemClock().now())),
              HasSubstr("RSA"));
}

TEST(MailCertificate, NamesItsAddresses) {
  const auto one =
      make_person({.name = "a/emailAddress=x@y.example", .address = "dev@site.example"});
  EXPECT_THAT(mail_addresses(one.certificate), testing::Contains("dev@site.example"));
  EXPECT_THAT(mail_addresses(make_person({.name = "nobody"}).certificate), ElementsAre());
}

TEST(MailCertificate, IsForMailsUnlessItSaysOtherwise) {
  const auto sign = [](std::vector<Oid> purposes) {
    return may_sign_mails(make_person({.name = "a", .purposes = std::move(purposes)}).certificate);
  };
  EXPECT_TRUE(sign({}));
  EXPECT_TRUE(sign({oid::id_kp_emailProtection}));
  EXPECT_TRUE(sign({oid::id_kp_clientAuth, Oid("2.5.29.37.0")}));
  EXPECT_FALSE(sign({oid::id_kp_serverAuth}));
  EXPECT_FALSE(may_sign_mails(make_person({.name = "a", .ca = true}).certificate));
}

}  // namespace
}  // namespace cmpost
