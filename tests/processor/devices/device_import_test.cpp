#include "processor/devices/device_import.h"

#include <sstream>

#include "ca/ledger/ledger.h"
#include "processor/credentials/protection_tables.h"
#include "processor/devices/sought_device.h"
#include "processor/transaction/transaction_table.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DeviceImportTest : public ::testing::Test {
 protected:
  // What a file would do; with `take` it is done.
  std::vector<ImportedRow> read(const std::string& text, bool take = false) {
    std::vector<ImportedRow> all;
    EXPECT_THAT(ledger_->write([&](LedgerWriter& writer) -> Result<void> {
      std::istringstream in(text);
      DeviceTable table(writer.connection());
      ASSIGN_OR_RETURN(const auto number, table.begin_import(Bytes{1}, "alice", clock_.now()));
      ASSIGN_OR_RETURN(auto rows, DeviceImport::open(in, {{"acme", "other"}, {"meter"}, {"drop"}},
                                                     writer.connection()));
      while (true) {
        ASSIGN_OR_RETURN(auto row, rows.next());
        if (!row) break;
        if (take && row->news == RowNews::added) TRY(table.add(row->device, number));
        if (take && row->news == RowNews::changed) TRY(table.replace(row->device, number));
        all.push_back(*std::move(row));
      }
      missing_.clear();
      TRY(rows.missing([&](const std::string& name) {
        missing_.push_back(name);
        return true;
      }));
      return {};
    }),
                IsOk());
    return all;
  }
  std::vector<RowNews> news(const std::string& text) {
    std::vector<RowNews> all;
    for (const auto& row : read(text)) all.push_back(row.news);
    return all;
  }
  std::string refused(const std::string& text) {
    const auto reader = ledger_->reader().value();
    std::istringstream in(text);
    const auto rows = DeviceImport::open(in, {}, reader->connection());
    EXPECT_FALSE(rows);
    return rows ? std::string() : to_string(rows.error());
  }

  const TemporaryDirectory directory_;
  FakeClock clock_;
  const std::unique_ptr<Ledger> ledger_ =
      Ledger::open("sqlite:ledger.db", directory_.path(), clock_,
                   {{"processor", kProcessorMigrations},
                    {"protection", kProtectionMigrations},
                    {"device", kDeviceMigrations}})
          .value();
  std::vector<std::string> missing_;
};

TEST_F(DeviceImportTest, KnowsNewSameAndChangedRows) {
  read("name,site\na,north\nb,south\nc,\n", true);
  const auto rows = read("name;site\na;north\nb;west\nd;\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].news, RowNews::same);
  EXPECT_EQ(rows[1].news, RowNews::changed);
  ASSERT_EQ(rows[1].changes.size(), 1U);
  EXPECT_EQ(rows[1].changes[0].before, "south");
  EXPECT_EQ(rows[1].changes[0].after, "west");
  EXPECT_EQ(rows[2].news, RowNews::added);
  EXPECT_THAT(missing_, ElementsAre("c"));
}

TEST_F(DeviceImportTest, LeavesAloneWhatTheFileDoesNotSay) {
  read("name,site,note\na,north,old\n", true);
  read("name,site\na,west\n", true);
  const auto rows = read("name,site,note\na,west,old\n");
  EXPECT_EQ(rows[0].news, RowNews::same);
}

TEST_F(DeviceImportTest, NamesTheColumnThatWasMeant) {
  EXPECT_THAT(refused("name,serail\n"), HasSubstr("did you mean 'serial'?"));
  EXPECT_THAT(refused("serial\n"), HasSubstr("no column 'name'"));
}

TEST_F(DeviceImportTest, NoTwoDevicesShareANameOrANumber) {
  read("name,vendor,serial,mac\na,acme,7,\nb,acme,,00:11:22:33:44:55\n", true);
  const auto rows = read(
      "name,vendor,serial,mac\n"
      "A,acme,8,\n"                     // as names compare
      "c,acme,7,\n"                     // the serial of a
      "d,other,7,\n"                    // another vendor's is another one
      "e,acme,,0011.2233.4455\n"        // the address of b
      "f,,7,\n"                         // without a vendor it says nothing
      "g,acme,9,\nh,acme,9,\ng,,,\n");  // twice in the file
  const std::vector<bool> taken = {false, false, true, false, true, true, false, false};
  ASSERT_EQ(rows.size(), taken.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].news != RowNews::conflict, taken[i]) << rows[i].device.name << rows[i].fault;
  }
  EXPECT_THAT(rows[6].fault, HasSubstr("line 7"));
}

TEST_F(DeviceImportTest, RefusesWhatTheSettingsDoNotHave) {
  const auto rows =
      read("name,vendor,profile,channel\na,acne,,\nb,,metre,\nc,,,dorp\nd,,meter,drop\n");
  EXPECT_THAT(rows[0].hint, HasSubstr("'acme'"));
  EXPECT_THAT(rows[1].hint, HasSubstr("'meter'"));
  EXPECT_THAT(rows[2].hint, HasSubstr("'drop'"));
  EXPECT_EQ(rows[3].news, RowNews::added);
}

TEST_F(DeviceImportTest, ASecretOfARowIsNotOfTheDevice) {
  const auto rows = read("name,secret\na,s3cr3t-of-a\nb,none\nc,given\nd,\n");
  EXPECT_EQ(rows[0].secret, "s3cr3t-of-a");
  EXPECT_EQ(cell_of(rows[0].device, DeviceColumn::secret), "given");
  EXPECT_EQ(rows[1].device.secret, DeviceSecret::none);
  EXPECT_THAT(rows[2].fault, HasSubstr("there is none of this device"));
  EXPECT_EQ(rows[3].device.secret, DeviceSecret::made);
}

TEST_F(DeviceImportTest, BlanksAndWordsInQuotesAreNoSecrets) {
  const auto rows = read(
      "name,secret\na,\"  \"\nb,\" none\"\nc,NONE\nd,\" s3cr3t-of-d \"\ne,short\nf,\"with a "
      "blank\"\n");
  EXPECT_EQ(rows[0].device.secret, DeviceSecret::made);
  for (const auto row : {0, 1, 2, 4, 5}) EXPECT_EQ(rows[row].secret, "") << row;
  EXPECT_EQ(rows[1].device.secret, DeviceSecret::none);
  EXPECT_EQ(rows[2].device.secret, DeviceSecret::none);
  EXPECT_EQ(rows[3].secret, "s3cr3t-of-d");
  for (const auto row : {4, 5}) {
    EXPECT_EQ(rows[row].news, RowNews::conflict);
    EXPECT_THAT(rows[row].fault, HasSubstr("secret has"));
    EXPECT_THAT(rows[row].hint, HasSubstr("one is made"));
    EXPECT_THAT(rows[row].fault, Not(HasSubstr("short")));
  }
}

TEST_F(DeviceImportTest, NoTwoDevicesHaveNamesThatLookTheSame) {
  const auto file = [](const std::vector<std::string>& names) {
    std::string text = "name,subject\n";
    for (const auto& name : names) text += name + ",CN=x\n";
    return text;
  };
  read(file({"Z\u00fcrich", "k1"}), true);
  const auto rows = read(file({"Z\u00dcRICH", "Zu\u0308rich", "\u0416", "\u0436", "\u212a1",
                               "Z\u00fcrich", "Z\u00fcrich 2"}));
  const std::vector<bool> taken = {false, false, true, false, false, true, true};
  ASSERT_EQ(rows.size(), taken.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].news != RowNews::conflict, taken[i]) << i << rows[i].fault;
  }
  EXPECT_EQ(rows[5].news, RowNews::same);
}

TEST_F(DeviceImportTest, APreviewSaysWhatHappensToNumbersThatMoveOn) {
  read("name,vendor,serial\na,acme,7\nb,acme,8\nc,acme,9\n", true);
  for (const auto* text : {"name,vendor,serial\na,acme,1\nb,acme,7\nc,acme,8\n",
                           "name,vendor,serial\na,acme,8\nb,acme,7\n",
                           "name,vendor,serial\nb,acme,2\nd,acme,8\nc,acme,8\n"}) {
    const auto preview = read(text), done = read(text, true);
    ASSERT_EQ(preview.size(), done.size());
    for (std::size_t i = 0; i < done.size(); ++i) {
      EXPECT_EQ(preview[i].news, done[i].news) << text << i << preview[i].fault << done[i].fault;
    }
  }
}

TEST_F(DeviceImportTest, ADeviceOfAFaultyRowIsNotMissing) {
  read("name,uses\na,\nb,\nc,\n", true);
  const auto rows = read("name,uses\na,many\nb,1,2,3\n\" c \",1\nc,2\n");
  EXPECT_EQ(rows[0].news, RowNews::conflict);
  EXPECT_EQ(rows[1].news, RowNews::conflict);
  EXPECT_THAT(missing_, ElementsAre());
}

TEST_F(DeviceImportTest, OnlyWhatIsListedIsFoundByWhatIsSought) {
  read("name,vendor,serial\na,acme,007\n", true);
  const auto reader = ledger_->reader().value();
  KnownDevices devices(reader->connection());
  EXPECT_TRUE(devices.find({.vendor = "acme", .serial = "007"}).value());
  EXPECT_FALSE(devices.find({.vendor = "acme", .serial = "7"}).value());
  EXPECT_FALSE(devices.find({.vendor = "other", .serial = "007"}).value());
  EXPECT_TRUE(devices.find({.name = "a"}).value());
  EXPECT_FALSE(devices.find({.name = "A"}).value());
  EXPECT_FALSE(devices.find({}).value());
}

TEST_F(DeviceImportTest, ARetiredDeviceIsKnownByTheSubjectThatItAloneMayHave) {
  read("name,subject\na,\nb,\"CN=b,O=Grid\"\nc,CN=c*\nd,CN=E\ne,\n", true);
  EXPECT_THAT(ledger_->write([&](LedgerWriter& writer) -> Result<void> {
    DeviceTable table(writer.connection());
    for (const auto* name : {"a", "b", "c", "d"}) {
      TRY(table.retire(name, "sold", clock_.now()));
    }
    return {};
  }),
              IsOk());
  const auto reader = ledger_->reader().value();
  DeviceTable table(reader->connection());
  const auto called = [&](const char* subject) {
    const auto found = table.retired_called(Name::from_text(subject).value()).value();
    return found ? found->name : std::string();
  };
  EXPECT_EQ(called("CN=A"), "a");
  EXPECT_EQ(called("CN=B,O=grid"), "b");
  EXPECT_EQ(called("CN=b"), "");
  EXPECT_EQ(called("CN=c1"), "");  // a pattern
  EXPECT_EQ(called("CN=e"), "");   // of d, or of e
  EXPECT_EQ(called(""), "");
  EXPECT_THAT(table.same_subject(*table.find("d").value()).value(), ElementsAre("e"));
}

TEST_F(DeviceImportTest, WhatIsSoughtIsFoundOnceItIsListed) {
  EXPECT_THAT(ledger_->write([&](LedgerWriter& writer) {
    return KnownDevices(writer.connection())
        .note_sought(5, {{.vendor = "acme", .serial = "7"}, {.vendor = "other", .mac = "0011"}});
  }),
              IsOk());
  const auto found = [&] {
    const auto reader = ledger_->reader().value();
    return KnownDevices(reader->connection()).found(10).value();
  };
  EXPECT_THAT(found(), ElementsAre());
  read("name,vendor,serial\na,acme,8\n", true);
  EXPECT_THAT(found(), ElementsAre());
  read("name,vendor,serial\nb,acme,7\n", true);
  EXPECT_THAT(found(), ElementsAre(5));
}

}  // namespace
}  // namespace cmpost
