#include "ca/lint/lint.h"

#include "ca/issuer.h"
#include "ca/lint/extension_values.h"
#include "crypto/x509/certificate_builder.h"
#include "tests/ca/ca_fixture.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A certificate to be signed that is right unless a test makes it wrong.
struct Draft {
  Draft() {
    tbs.serialNumber = {1, 2, 3};
    tbs.issuer = root.subject();
    tbs.notBefore = clock.now();
    tbs.notAfter = clock.now() + hours(24);
    tbs.subject = name("CN=dev1,O=Grid,C=DE");
    tbs.subjectPublicKeyInfo = to_bytes(key.public_key().spki());
    tbs.extensions = {key_usage_extension({KeyUsageBit::digitalSignature}),
                      subject_key_identifier_extension(key.public_key().key_identifier()),
                      authority_key_identifier_extension(*root.subject_key_identifier())};
  }
  static Name name(std::string_view text) { return Name::from_text(text).value(); }
  void add(Extension extension) { tbs.extensions.push_back(std::move(extension)); }
  void replace(Extension extension) {
    std::erase_if(tbs.extensions,
                  [&](const Extension& one) { return one.extnID == extension.extnID; });
    add(std::move(extension));
  }
  void use_key(const char* algorithm) {
    const auto other = PrivateKey::generate(algorithm).value();
    tbs.subjectPublicKeyInfo = to_bytes(other.public_key().spki());
  }
  Bytes encoded() const { return encode_tbs(tbs, signer.algorithm()).value(); }
  LintFindings lint() const { return lint_certificate(encoded(), root); }

  FakeClock clock;
  FakeRandom random;
  PrivateKey ca_key = PrivateKey::generate("ec:P-256").value();
  PrivateKey key = PrivateKey::generate("ec:P-256").value();
  Signer signer = Signer::create(ca_key).value();
  Certificate root = make_root(ca_key, name("CN=Lint CA"), clock.now() - hours(1),
                               clock.now() + hours(1000), random)
                         .value();
  TBSCertificate tbs;
};

MATCHER_P(Finds, rule, "") {
  for (const auto& finding : arg) *result_listener << finding.rule << ": " << finding.text << "; ";
  return std::ranges::any_of(arg, [&](const LintFinding& f) {
    return f.rule == rule && f.level != LintFinding::Level::warning;
  });
}
MATCHER_P(WarnsOf, rule, "") {
  for (const auto& finding : arg) *result_listener << finding.rule << ": " << finding.text << "; ";
  return std::ranges::any_of(arg, [&](const LintFinding& f) {
    return f.rule == rule && f.level == LintFinding::Level::warning;
  });
}

Extension san(std::initializer_list<std::string_view> names, bool critical = false) {
  std::vector<GeneralName> all;
  for (const auto text : names) all.push_back(GeneralName::from_text(text).value());
  return subject_alt_name_extension(all, critical);
}

// A Name of one attribute with any string type.
Name name_with(const Oid& type, der::Tag tag, std::string_view value) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.constructed(der::kSet, [&] {
      writer.constructed(der::kSequence, [&] {
        writer.object_identifier(type);
        writer.primitive(tag, view_of(value));
      });
    });
  });
  der::Reader reader(writer.bytes());
  return Name::read(reader).value();
}

Bytes der_of(std::string_view hex) { return from_hex(hex).value(); }

TEST(Lint, GoodCertificateHasNoFinding) {
  Draft draft;
  draft.add(san({"DNS:dev1.grid.example", "IP:192.0.2.1", "email:a@b.example", "URI:urn:x:1"}));
  draft.add(extended_key_usage_extension({oid::id_kp_clientAuth}));
  draft.add(crl_distribution_point_extension("http://a/b.crl"));
  EXPECT_THAT(draft.lint(), IsEmpty());
}

TEST(Lint, WhatTheProgramMakesForItselfHasNoError) {
  Draft draft;
  const auto issuer = Issuer::create(draft.root, draft.ca_key, draft.random, draft.clock).value();
  const auto cmp = make_cmp_certificate(issuer, draft.key.public_key(), Draft::name("CN=CMP"),
                                        draft.clock.now(), draft.clock.now() + hours(1))
                       .value();
  EXPECT_THAT(lint_certificate(cmp.tbs(), draft.root), IsEmpty());
  EXPECT_THAT(lint_certificate(draft.root.tbs(), draft.root), IsEmpty());
}

TEST(Lint, SerialsThatTheRfcForbidsAreFound) {
  Draft draft;
  for (const auto& [serial, rule] :
       {std::pair("0100", "serial-positive"), std::pair("0181", "serial-positive"),
        std::pair("1501020304050607080900010203040506070809000102", "serial-length")}) {
    // Behind the version, in place of the serial number 01 02 03.
    const auto tbs = draft.encoded();
    der::Reader outer(tbs);
    const auto inside = outer.enter(der::kSequence).value();
    auto rest = inside.rest().subspan(5 + 5);
    der::Writer writer;
    writer.constructed(der::kSequence, [&] {
      writer.raw(inside.rest().first(5));
      writer.primitive(der::kInteger, ByteView(der_of(serial)).subspan(1));
      writer.raw(rest);
    });
    EXPECT_THAT(lint_certificate(writer.bytes(), draft.root), Finds(rule)) << serial;
  }
}

TEST(Lint, DatesAreEncodedAsTheRfcSays) {
  Draft draft;
  draft.tbs.notAfter = *from_iso8601("2049-12-31T23:59:59Z");
  EXPECT_THAT(draft.lint(), Not(Finds("validity-encoding")));
  draft.tbs.notAfter = *from_iso8601("2050-01-01T00:00:00Z");
  EXPECT_THAT(draft.lint(), Not(Finds("validity-encoding")));
  EXPECT_THAT(draft.lint(), WarnsOf("validity-nesting"));
  // The same time as GeneralizedTime although before 2050.
  der::Writer utc, generalized;
  utc.x509_time(draft.tbs.notBefore);
  generalized.generalized_time(draft.tbs.notBefore);
  auto tbs = draft.encoded();
  const auto at = std::search(tbs.begin(), tbs.end(), utc.bytes().begin(), utc.bytes().end());
  ASSERT_NE(at, tbs.end());
  const auto position = at - tbs.begin();
  tbs.erase(at, at + static_cast<std::ptrdiff_t>(utc.bytes().size()));
  tbs.insert(tbs.begin() + position, generalized.bytes().begin(), generalized.bytes().end());
  tbs[static_cast<std::size_t>(position) - 1] += 2;  // length of validity
  // The outer length has two octets: 30 82 hh ll.
  const auto length = tbs.size() - 4;
  tbs[2] = static_cast<std::uint8_t>(length >> 8);
  tbs[3] = static_cast<std::uint8_t>(length);
  EXPECT_THAT(lint_certificate(tbs, draft.root), Finds("validity-encoding"));
}

TEST(Lint, IssuerIsSpelledAsInTheCaCertificate) {
  Draft draft;
  draft.tbs.issuer = Draft::name("CN=LINT CA");
  EXPECT_THAT(draft.lint(), Finds("issuer"));
}

TEST(Lint, SubjectsKeepTheBoundsAndStringTypesOfTheRfc) {
  struct {
    Name subject;
    const char* rule;
  } const cases[] = {
      {Draft::name("CN=" + std::string(65, 'x')), "subject-length"},
      {Draft::name("O=" + std::string(65, 'x')), "subject-length"},
      {name_with(oid::id_at_commonName, der::kUtf8String, ""), "subject-length"},
      {name_with(oid::id_at_countryName, der::kUtf8String, "DE"), "subject-string"},
      {name_with(oid::id_at_countryName, der::kPrintableString, "DEU"), "subject-country"},
      {name_with(oid::id_at_countryName, der::kPrintableString, "de"), "subject-country"},
      {name_with(oid::id_at_serialNumber, der::kUtf8String, "1"), "subject-string"},
      {name_with(oid::id_at_domainComponent, der::kUtf8String, "a"), "subject-string"},
  };
  for (const auto& one : cases) {
    Draft draft;
    draft.tbs.subject = one.subject;
    EXPECT_THAT(draft.lint(), Finds(one.rule)) << one.subject.text();
  }
  Draft draft;
  draft.tbs.subject = name_with(oid::id_at_commonName, der::kUtf8String, [] {
    std::string text;
    for (int i = 0; i < 64; ++i) text += "\xc3\xa4";
    return text;
  }());
  EXPECT_THAT(draft.lint(), Not(Finds("subject-length"))) << "64 characters in 128 octets";
  draft.tbs.subject = name_with(oid::id_at_commonName, der::kTeletexString, "old");
  EXPECT_THAT(draft.lint(), WarnsOf("subject-string"));
  draft.tbs.subject = Draft::name("CN=a,CN=b,emailAddress=a@b.example");
  EXPECT_THAT(draft.lint(), WarnsOf("subject-twice"));
  EXPECT_THAT(draft.lint(), WarnsOf("subject-email"));
}

TEST(Lint, EmptySubjectTakesACriticalAlternativeName) {
  Draft draft;
  draft.tbs.subject = Name();
  EXPECT_THAT(draft.lint(), Finds("subject-empty"));
  draft.replace(san({"DNS:a.example"}));
  EXPECT_THAT(draft.lint(), Finds("alternative-name-critical"));
  draft.replace(san({"DNS:a.example"}, true));
  EXPECT_THAT(draft.lint(), IsEmpty());
  draft.tbs.subject = Draft::name("CN=a");
  EXPECT_THAT(draft.lint(), WarnsOf("alternative-name-critical"));
}

TEST(Lint, AlternativeNamesHaveTheirForm) {
  for (const auto* text :
       {"DNS:a b.example", "DNS:-a.example", "DNS:a..example", "DNS:a.example.", "DNS:*.*.example",
        "email:nobody", "email:@a.example", "URI:/relative", "URI:nothing"}) {
    Draft draft;
    draft.add(san({text}));
    EXPECT_THAT(draft.lint(), Finds("alternative-name")) << text;
  }
  for (const auto* text :
       {"DNS:*.a.example", "DNS:localhost", "DNS:a_b.example", "URI:ldap://a/b"}) {
    Draft draft;
    draft.add(san({text}));
    EXPECT_THAT(draft.lint(), IsEmpty()) << text;
  }
}

TEST(Lint, KeyUsageFitsTheConstraintsAndTheKey) {
  Draft draft;
  draft.replace(key_usage_extension({KeyUsageBit::keyCertSign}));
  EXPECT_THAT(draft.lint(), Finds("key-usage")) << "keyCertSign, but no CA";
  draft.add(basic_constraints_extension(true, std::nullopt));
  EXPECT_THAT(draft.lint(), IsEmpty());
  draft.replace(key_usage_extension({KeyUsageBit::digitalSignature, KeyUsageBit::encipherOnly}));
  EXPECT_THAT(draft.lint(), Finds("key-usage")) << "encipherOnly without keyAgreement";
  std::erase_if(draft.tbs.extensions,
                [](const auto& one) { return one.extnID == oid::id_ce_keyUsage; });
  EXPECT_THAT(draft.lint(), Finds("key-usage")) << "a CA without keyUsage";

  for (const auto& [algorithm, bit] : {std::pair("ed25519", KeyUsageBit::keyAgreement),
                                       std::pair("ec:P-256", KeyUsageBit::keyEncipherment),
                                       std::pair("rsa:2048", KeyUsageBit::keyAgreement)}) {
    Draft other;
    other.use_key(algorithm);
    other.replace(key_usage_extension({bit}));
    EXPECT_THAT(other.lint(), Finds("key-usage-key")) << algorithm;
  }
  Draft soft;
  auto usage = key_usage_extension({KeyUsageBit::digitalSignature});
  usage.critical = false;
  soft.replace(usage);
  EXPECT_THAT(soft.lint(), WarnsOf("key-usage-critical"));
}

TEST(Lint, ConstraintsAreCriticalAndMakeSense) {
  Draft draft;
  auto constraints = basic_constraints_extension(true, 0);
  constraints.critical = false;
  draft.add(constraints);
  const auto findings = draft.lint();
  EXPECT_THAT(findings, Finds("basic-constraints"));
  EXPECT_THAT(findings, Finds("path-length")) << "without keyCertSign";
  Draft nameless;
  nameless.tbs.subject = Name();
  nameless.add(basic_constraints_extension(true, std::nullopt));
  nameless.add(san({"DNS:a.example"}, true));
  EXPECT_THAT(nameless.lint(), Finds("subject-empty"));
}

TEST(Lint, IdentifiersAreThere) {
  Draft draft;
  std::erase_if(draft.tbs.extensions,
                [](const auto& one) { return one.extnID == oid::id_ce_authorityKeyIdentifier; });
  EXPECT_THAT(draft.lint(), Finds("key-identifier"));
  std::erase_if(draft.tbs.extensions,
                [](const auto& one) { return one.extnID == oid::id_ce_subjectKeyIdentifier; });
  EXPECT_THAT(draft.lint(), WarnsOf("key-identifier"));
}

TEST(Lint, CriticalityIsWhatTheRfcSays) {
  struct {
    const char* id;
    bool critical;
    bool error;
    const char* value;
  } const cases[] = {
      {"2.5.29.14", true, true, "0401aa"},  {"2.5.29.36", false, true, "3003800100"},
      {"2.5.29.54", false, true, "020100"}, {"1.3.6.1.5.5.7.1.1", true, true, "3000"},
      {"2.5.29.46", true, true, "3000"},    {"2.5.29.18", true, false, "3003820161"}};
  for (const auto& one : cases) {
    Draft draft;
    draft.replace({Oid(one.id), one.critical, der_of(one.value)});
    if (one.error) {
      EXPECT_THAT(draft.lint(), Finds("criticality")) << one.id;
    } else {
      EXPECT_THAT(draft.lint(), WarnsOf("criticality")) << one.id;
    }
  }
  Draft constrained;
  constrained.add({oid::id_ce_nameConstraints, true, der_of("3000")});
  EXPECT_THAT(constrained.lint(), Finds("name-constraints"));
}

TEST(Lint, PurposesFitTheKeyUsage) {
  Draft draft;
  draft.add(extended_key_usage_extension({oid::id_kp_codeSigning}));
  draft.replace(key_usage_extension({KeyUsageBit::keyAgreement}));
  EXPECT_THAT(draft.lint(), WarnsOf("purposes"));
  draft.replace(extended_key_usage_extension({Oid("2.5.29.37.0")}, true));
  EXPECT_THAT(draft.lint(), WarnsOf("purposes"));
}

TEST(Lint, MalformedPartsAreFoundAndNothingBreaks) {
  Draft draft;
  draft.add({oid::id_ce_cRLDistributionPoints, false, der_of("3000")});
  EXPECT_THAT(draft.lint(), Finds("distribution-point"));
  draft.add({oid::id_ce_subjectAltName, false, der_of("3000")});
  EXPECT_THAT(draft.lint(), Finds("extension-value"));
  auto tbs = Draft().encoded();
  for (std::size_t size = 0; size < tbs.size(); ++size) {
    EXPECT_TRUE(has_errors(lint_certificate(ByteView(tbs).first(size), draft.root))) << size;
  }
}

TEST(Lint, EveryFindingIsOfARuleThatSettingsCanName) {
  Draft draft;
  draft.tbs.subject = Draft::name("CN=" + std::string(65, 'x') + ",emailAddress=a@b.example");
  draft.tbs.extensions.clear();
  for (const auto& finding : draft.lint()) {
    EXPECT_THAT(lint_rules(), Contains(finding.rule));
  }
  draft.tbs.subject = name_with(oid::id_at_commonName, der::kUtf8String, "\xff");
  for (const auto& finding : draft.lint()) {
    const bool fatal = finding.level == LintFinding::Level::fatal;
    EXPECT_THAT(fatal ? fatal_rules() : lint_rules(), Contains(finding.rule));
  }
}

TEST(Lint, ProfileDecidesWhatBecomesOfFindings) {
  Draft draft;
  draft.tbs.subject = Draft::name("CN=" + std::string(65, 'x'));
  ProfileSettings profile;
  profile.name = "p";
  const auto refused = lint_for(profile, draft.encoded(), draft.root);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("subject-length"));
  profile.lint_allow = {"subject-length"};
  EXPECT_THAT(*lint_for(profile, draft.encoded(), draft.root), IsEmpty());
  profile.lint_allow = {};
  profile.lint = ProfileSettings::Lint::warn;
  EXPECT_EQ(lint_for(profile, draft.encoded(), draft.root)->size(), 1);
  profile.lint = ProfileSettings::Lint::off;
  EXPECT_THAT(*lint_for(profile, draft.encoded(), draft.root), IsEmpty());
}

TEST(Lint, NothingAllowsWhatOthersCannotRead) {
  Draft draft;
  draft.tbs.subject = name_with(oid::id_at_commonName, der::Tag{0x1e}, "\1\2\3");
  ProfileSettings profile;
  profile.name = "p";
  for (const auto lint :
       {ProfileSettings::Lint::refuse, ProfileSettings::Lint::warn, ProfileSettings::Lint::off}) {
    profile.lint = lint;
    profile.lint_allow = {"name-form", "subject-string"};
    const auto refused = review(profile, draft.encoded(), draft.root);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr("BMPString has an odd number"));
  }
  EXPECT_THAT(review_own(draft.encoded()), Fails(HasSubstr("name-form")));
}

// Whatever makes a certificate goes through the review: roots, CMP certificates, links.
TEST(Lint, WhatTheCaSignsForItselfIsReviewed) {
  Draft draft;
  const auto now = draft.clock.now();
  const auto bad = name_with(oid::id_at_commonName, der::kPrintableString, "Grid_CA");
  EXPECT_THAT(make_root(draft.ca_key, bad, now, now + hours(1), draft.random),
              Fails(HasSubstr("PrintableString")));
  const auto issuer = Issuer::create(draft.root, draft.ca_key, draft.random, draft.clock).value();
  EXPECT_THAT(make_cmp_certificate(issuer, draft.key.public_key(), bad, now, now + hours(1)),
              Fails(HasSubstr("PrintableString")));
  // A CA certificate from elsewhere, whose name would be in every certificate and CRL.
  auto tbs = draft.tbs;
  tbs.subject = bad;
  tbs.subjectPublicKeyInfo = to_bytes(draft.ca_key.public_key().spki());
  tbs.extensions = {basic_constraints_extension(true, std::nullopt),
                    key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign})};
  const auto foreign = Certificate::from_der(sign_certificate(tbs, draft.signer).value()).value();
  EXPECT_THAT(Issuer::create(foreign, draft.ca_key, draft.random, draft.clock),
              Fails(HasSubstr("cannot be read by others")));
}

TEST(Lint, MutantsOfEveryPartAreFatal) {
  const auto with_extension = [](const char* id, const char* value, bool critical = false) {
    return [=](Draft& draft) { draft.replace({Oid(id), critical, der_of(value)}); };
  };
  struct {
    const char* rule;
    std::function<void(Draft&)> change;
  } const cases[] = {
      {"name-form",
       [](Draft& d) { d.tbs.subject = name_with(oid::id_at_commonName, der::kInteger, "\1"); }},
      {"name-form",
       [](Draft& d) { d.tbs.subject = name_with(Oid("2.25.99999999999"), der::kUtf8String, "a"); }},
      {"name-form",
       [](Draft& d) { d.tbs.issuer = name_with(oid::id_at_commonName, der::kIa5String, "\xe4"); }},
      {"key-form",
       [](Draft& d) {
         d.tbs.subjectPublicKeyInfo = der_of("302a300506032b6570032100" + std::string(64, '0'));
       }},
      {"extension-form", with_extension("2.5.29.15", "03020080")},
      {"extension-form", with_extension("2.5.29.17", "30058703010203")},
      {"extension-form", with_extension("2.5.29.14", "040101", true)},
      {"extension-form", with_extension("1.2.3", "010101")},
      {"extension-value", with_extension("2.5.29.17", "3000")},
  };
  for (const auto& one : cases) {
    Draft draft;
    one.change(draft);
    EXPECT_THAT(lint_certificate(draft.encoded(), draft.root), Finds(one.rule)) << one.rule;
    EXPECT_THAT(review_own(draft.encoded()), Fails(HasSubstr("others could not use"))) << one.rule;
  }
}

}  // namespace
}  // namespace cmpost
