// Our codec against OpenSSL's, on recorded messages and on 10 000 damaged copies of them. Where the
// two may differ is listed here by reason; docs/conformance-codec.md has a line for each reason.
#include <gmock/gmock.h>

#include <map>
#include <string>

#include "mutations.h"
#include "neutral.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;

// What OpenSSL takes and writes back unchanged although DER or the ASN.1 forbids it, by what our
// reader says of it.
struct Strictness {
  std::string_view fault;
  std::string_view reason;
};
constexpr Strictness kStrictness[] = {
    {"length is not minimal", "strict: BER inside what OpenSSL keeps verbatim"},
    {"length is indefinite", "strict: BER inside what OpenSSL keeps verbatim"},
    {"constructed encoding of a primitive type", "strict: BER inside what OpenSSL keeps verbatim"},
    {"primitive encoding of a constructed type", "strict: BER inside what OpenSSL keeps verbatim"},
    {"BOOLEAN is neither 00 nor FF", "strict: BOOLEAN"},
    {"trailing zero bits in a NamedBitList", "strict: NamedBitList"},
    {"UTF8String is not UTF-8", "strict: text that is not UTF-8"},
    {"GeneralizedTime is malformed", "strict: a time that is none"},
    {"UTCTime is malformed", "strict: a time that is none"},
    {"INTEGER is too large", "limit: a number beyond 64 bits"},
    {"more than 64 bits", "limit: a number beyond 64 bits"},
    {"tag number is above 30", "strict: a tag that no type has"},
    {"tag is reserved", "strict: a tag that no type has"},
    {"critical FALSE is spelled out", "strict: DEFAULT written out"},
    {"RelativeDistinguishedName is empty", "strict: a name that X.501 does not have"},
    {"GeneralName is not an IA5String", "strict: a name that X.501 does not have"},
    {"iPAddress is malformed", "strict: a name that X.501 does not have"},
    {"signature is not whole octets", "strict: bits that are not whole octets"},
    {"subjectPublicKey is not whole octets", "strict: bits that are not whole octets"},
    {"unknown version of CertificationRequest", "strict: PKCS#10 of another version"},
    {"no choice of POPOPrivKey", "strict: NULL where EnvelopedData belongs"},
    {"tag is 0x11 where 0x31 belongs", "strict: BER inside what OpenSSL keeps verbatim"},
    {"p10cr: ", "strict: PKCS#10 with an extensionRequest that is none"},
    {"pkiconf: ", "strict: pkiconf that is not NULL"},
};

std::optional<std::string_view> why_we_refuse(const DecodeFault& fault) {
  for (const auto& [words, reason] : kStrictness) {
    if (fault.what.find(words) != std::string::npos) return reason;
  }
  return std::nullopt;
}

struct Agreement {
  std::size_t both_accept = 0, both_refuse = 0;
  std::map<std::string, std::size_t> only_we, only_openssl;
  std::vector<std::string> unexplained;

  void compare(const Bytes& input) {
    const auto message = decode(input);
    const auto rewritten = openssl_rewrites(input);
    if (message && (encode(*message) != input || encode_again(*message) != input)) {
      unexplained.push_back("we write back something else: " + to_hex(input));
    } else if (message && !rewritten) {
      note(why_openssl_refuses(*message), only_we, "only we accept: ", input);
    } else if (!message && rewritten && *rewritten == input) {
      note(why_we_refuse(message.error()), only_openssl,
           "only OpenSSL accepts (" + message.error().text() + "): ", input);
    } else {
      ++(message ? both_accept : both_refuse);
    }
  }

  void note(std::optional<std::string_view> reason, std::map<std::string, std::size_t>& reasons,
            const std::string& what, const Bytes& input) {
    if (reason) {
      ++reasons[std::string(*reason)];
    } else {
      unexplained.push_back(what + to_hex(input));
    }
  }
};

void report(const Agreement& agreement) {
  std::cout << "both accept " << agreement.both_accept << ", both refuse " << agreement.both_refuse
            << "\n";
  for (const auto& [reason, count] : agreement.only_we) {
    std::cout << "only we accept: " << count << " " << reason << "\n";
  }
  for (const auto& [reason, count] : agreement.only_openssl) {
    std::cout << "only OpenSSL accepts: " << count << " " << reason << "\n";
  }
}

std::vector<Bytes> originals() {
  std::vector<Bytes> messages;
  for (const auto& golden : golden_messages()) messages.push_back(golden.der);
  // Bodies that the recorded client cannot make; a share of the damage is for them.
  for (int copies = 0; copies < 4; ++copies) {
    for (const auto& body : sample_bodies()) messages.push_back(encode(sample_message(body)));
  }
  return messages;
}

TEST(Agreement, OnRecordedMessagesIsComplete) {
  Agreement agreement;
  const auto messages = golden_messages();
  ASSERT_GE(messages.size(), 200U);
  for (const auto& message : messages) agreement.compare(message.der);
  EXPECT_EQ(agreement.both_accept, messages.size());
  EXPECT_THAT(agreement.unexplained, IsEmpty());
}

// In four parts, so that they can run side by side.
class Damage : public ::testing::TestWithParam<int> {};

TEST_P(Damage, OfTenThousandMessagesIsJudgedAlikeButForListedReasons) {
  Agreement agreement;
  const auto messages = originals();
  Chance chance(static_cast<std::uint64_t>(20260101 + GetParam()));
  for (int i = 0; i < 2'500; ++i) {
    agreement.compare(mutate(messages[chance.below(messages.size())], chance));
  }
  report(agreement);
  EXPECT_GT(agreement.both_accept, 500U);
  EXPECT_GT(agreement.both_refuse, 1000U);
  EXPECT_THAT(agreement.unexplained, IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Agreement, Damage, ::testing::Range(0, 4));

Bytes with_body(const std::string& hex_of_body) {
  PKIMessage message;
  Bytes der = encode_protected_part(message.header, body::pkiconf{});
  der.resize(der.size() - 4);  // b3 02 05 00
  append(der, hex(hex_of_body));
  der[1] = static_cast<std::uint8_t>(der.size() - 2);
  return der;
}

// One input for each reason that damage at random may miss.
TEST(Agreement, OnWhatOnlyOpenSslAcceptsIsExplained) {
  const std::multimap<std::string, std::string> inputs = {
      {"strict: pkiconf that is not NULL", "b303020105"},
      {"strict: NamedBitList", "b70b3009300702010203020040"},
      {"strict: text that is not UTF-8", "b70c300a300802010230030c01ff"},
      {"limit: a number beyond 64 bits", "b90f300d300b0209010000000000000000"},
      {"strict: DEFAULT written out", "ab17301530133000300f300d0603551d1501010004030a0101"},
      {"strict: BOOLEAN", "ab17301530133000300f300d0603551d1501010104030a0101"},
      {"strict: a time that is none", "ab0d300b30093007a405a003170178"},
      {"strict: NULL where EnvelopedData belongs", "a00f300d300b30050201003000a2028400"},
      {"strict: BER inside what OpenSSL keeps verbatim", "b50d300b30090603551d1530800000"},
      {"strict: a name that X.501 does not have", "ab0c300a30083006a50430023100"}};
  for (const auto& [reason, body] : inputs) {
    const Bytes der = with_body(body);
    // The newer one leaves the DEFAULT out when it writes, and looks into times.
    const bool not_any_more = openssl_is_newer() && (reason == "strict: DEFAULT written out" ||
                                                     reason == "strict: a time that is none");
    EXPECT_EQ(openssl_keeps(der), !not_any_more) << reason;
    const auto message = decode(der);
    ASSERT_FALSE(message.has_value()) << reason;
    EXPECT_EQ(why_we_refuse(message.error()), reason) << message.error().text();
  }
}

TEST(Agreement, OnFormsOfPvno3IsExplained) {
  Agreement agreement;
  for (const auto& body : sample_v3_bodies()) agreement.compare(encode(sample_message(body)));
  EXPECT_THAT(agreement.unexplained, IsEmpty());
  EXPECT_EQ(agreement.only_we["pvno 3: EnvelopedData"], 3U);
  EXPECT_EQ(agreement.only_we["pvno 3: RootCaKeyUpdateContent in ckuann"], 2U);
  EXPECT_EQ(agreement.only_we["pvno 3: hashAlg of certStatus"], openssl_is_newer() ? 0U : 1U);
}

}  // namespace
}  // namespace cmpost
