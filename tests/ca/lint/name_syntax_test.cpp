#include "ca/lint/name_syntax.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

TEST(NameSyntax, HostsAreLabelsOfLettersDigitsAndHyphens) {
  for (const auto* host : {"dev1", "a.grid.example", "a_b.example", "xn--bcher-kva.example"}) {
    EXPECT_THAT(host_fault(host, false), IsEmpty()) << host;
  }
  for (const auto* host : {"", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "a b", "192.0.2.1", "a@b",
                           "*.gov", "*", "a.*", "d*.example", "a/b"}) {
    EXPECT_THAT(host_fault(host, false), Not(IsEmpty())) << host;
  }
  EXPECT_THAT(host_fault(std::string(64, 'a'), false), Not(IsEmpty()));
}

TEST(NameSyntax, WildcardIsTheWholeFirstLabelWhereItIsAllowed) {
  EXPECT_THAT(host_fault("*.grid.example", true), IsEmpty());
  for (const auto* host : {"*", "*.", "*.*.example", "a.*.example", "d*.example"}) {
    EXPECT_THAT(host_fault(host, true), Not(IsEmpty())) << host;
  }
}

TEST(NameSyntax, MailboxHasALocalPartAndAHost) {
  EXPECT_THAT(mailbox_fault("first.last+tag@grid.example"), IsEmpty());
  for (const auto* mailbox : {"a", "@b", "a@", "a@b@c", "a b@c", ".a@b", "a@*.b", "\"a\"@b"}) {
    EXPECT_THAT(mailbox_fault(mailbox), Not(IsEmpty())) << mailbox;
  }
}

TEST(NameSyntax, UriIsAbsoluteAndOfASchemeThatIsAllowed) {
  const std::vector<std::string> schemes = {"https", "urn", "sip"};
  for (const auto* uri : {"https://a.example/x", "HTTPS://a.example", "urn:dev:1", "sip:a@b"}) {
    EXPECT_THAT(uri_fault(uri, schemes), IsEmpty()) << uri;
  }
  for (const auto* uri : {"javascript:alert(1)", "data:text/html,x", "JavaScript:x", "a.example",
                          "https:", "https://", "https:///x", "https://bank.example@evil.example/",
                          "urn:<x>", "urn:a b"}) {
    EXPECT_THAT(uri_fault(uri, schemes), Not(IsEmpty())) << uri;
  }
}

TEST(NameSyntax, AddressHasNoMask) {
  EXPECT_THAT(address_fault(Bytes(4)), IsEmpty());
  EXPECT_THAT(address_fault(Bytes(16)), IsEmpty());
  EXPECT_THAT(address_fault(Bytes(8)), Not(IsEmpty()));
  EXPECT_THAT(address_fault(Bytes(32)), Not(IsEmpty()));
}

}  // namespace
}  // namespace cmpost
