#include "processor/credentials/secret_store.h"

#include "store/rows.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

class SecretStoreTest : public ::testing::Test {
 protected:
  Result<bool> add(const std::string& reference, SecretPurpose purpose = SecretPurpose::mac) {
    Secret secret;
    secret.reference = reference;
    secret.value = to_bytes(std::string_view("value"));
    secret.purpose = purpose;
    Result<bool> added = false;
    must(ca_.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      added = SecretStore(writer.connection(), ca_.sealing_key).add(secret, ca_.random);
      return {};
    }));
    return added;
  }

  CaUnderTest ca_;
};

TEST_F(SecretStoreTest, TwoReferencesAreNotTheSameName) {
  EXPECT_TRUE(must(add("pump 1")));
  EXPECT_FALSE(must(add("pump 1"))) << "it is taken";
  const auto other = add("PUMP  1");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().what, HasSubstr("are the same name"));
  EXPECT_TRUE(must(add("Pump 1", SecretPurpose::regToken))) << "of another purpose";
}

TEST_F(SecretStoreTest, NamesOfEarlierVersionsCountToo) {
  EXPECT_TRUE(must(add("pump")));
  EXPECT_TRUE(must(add("pump", SecretPurpose::authenticator)));
  must(ca_.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(change(writer.connection(), "UPDATE secret SET folded = NULL"));
    return {};
  }));
  EXPECT_FALSE(add("Pump"));
  EXPECT_FALSE(add("Pump", SecretPurpose::authenticator));
  EXPECT_TRUE(must(add("other")));
}

TEST_F(SecretStoreTest, AnotherUseOfASecretKeepsItsValueAndWhatItWasUsedFor) {
  EXPECT_TRUE(must(add("pump")));
  Secret terms;
  terms.reference = "pump";
  terms.subject = "CN=pump";
  terms.channels.names = {"drop"};
  terms.max_uses = 3;
  terms.expires = ca_.clock.now() + std::chrono::hours(1);
  must(ca_.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    auto& connection = writer.connection();
    EXPECT_TRUE(must(SecretStore::use(connection, "pump", 2)));
    EXPECT_TRUE(must(SecretStore::restate(connection, terms)));
    EXPECT_FALSE(must(SecretStore::restate(connection, terms))) << "it is so already";
    const auto found = must(SecretStore(connection, ca_.sealing_key).find("pump"));
    EXPECT_TRUE(found && equal(found->value, view_of("value")));
    EXPECT_EQ(found->subject, "CN=pump");
    EXPECT_EQ(found->expires, terms.expires);
    EXPECT_EQ(found->uses, 2);
    EXPECT_TRUE(must(SecretStore::use(connection, "pump", 1)));
    EXPECT_FALSE(must(SecretStore::use(connection, "pump", 1)));
    EXPECT_TRUE(must(SecretStore::use(connection, "pump", -1)));
    EXPECT_TRUE(must(SecretStore::use(connection, "pump", 1)));
    terms.reference = "other";
    EXPECT_FALSE(must(SecretStore::restate(connection, terms)));
    return {};
  }));
}

}  // namespace
}  // namespace cmpost
