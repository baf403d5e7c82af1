#include "app/assets/asset_diff.h"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const Time kToday = *from_iso8601("2026-11-21T08:00:00Z");
const Time kSoon = kToday + hours(24 * 30);

CertificateInForce certificate(const std::string& subject, const std::string& profile = "device",
                               Time not_after = kToday + hours(24 * 300)) {
  CertificateInForce one;
  one.serial = {0x0a};
  one.subject = subject;
  one.profile = profile;
  one.channel = "drop";
  one.not_after = not_after;
  return one;
}

AssetList read(const std::string& text, const AssetColumns& columns = {}) {
  std::istringstream in(text);
  auto list = read_assets(in, columns);
  EXPECT_THAT(list, IsOk());
  return list ? *list : AssetList();
}

std::vector<std::string> compare(const std::string& text,
                                 const std::vector<CertificateInForce>& certificates) {
  const auto list = read(text);
  std::vector<std::string> told;
  const auto tell = [&](const AssetNews& news) {
    told.push_back(std::string(to_string(news.finding)) + " " +
                   (news.name.empty() ? news.certificate->subject : news.name));
  };
  AssetDiff diff(list.assets, kSoon);
  for (const auto& one : certificates) diff.look_at(one, tell);
  diff.finish(tell);
  return told;
}

TEST(AssetDiff, WhatFitsIsNotTold) {
  EXPECT_THAT(compare("name,profile\ngw-1,device\ngw-2,\n",
                      {certificate("CN=gw-1"), certificate("CN=gw-2,O=Grid", "other")}),
              IsEmpty());
}

TEST(AssetDiff, TellsWhatIsMissingAndWhatIsOrphaned) {
  EXPECT_THAT(compare("name\ngw-1\ngw-2\n", {certificate("CN=gw-1"), certificate("CN=gw-9")}),
              ElementsAre("orphaned CN=gw-9", "missing gw-2"));
}

TEST(AssetDiff, NamesAreComparedAsNamesAre) {
  EXPECT_THAT(compare("name\nGW-1.Grid.example.\nno  blanks\n",
                      {certificate("CN=gw-1.grid.EXAMPLE"), certificate("O=x,CN=No Blanks")}),
              IsEmpty());
}

TEST(AssetDiff, TheDeviceOfACertificateIsItsName) {
  auto by_row = certificate("serialNumber=4711,O=Grid");
  by_row.device = "gw-1";
  EXPECT_THAT(compare("name\ngw-1\n", {by_row}), IsEmpty());
}

TEST(AssetDiff, TheLongestCertificateThatCountsDecides) {
  const auto short_one = certificate("CN=gw-1", "device", kToday + hours(24));
  EXPECT_THAT(compare("name\ngw-1\n", {short_one, certificate("CN=gw-1")}), IsEmpty());
  EXPECT_THAT(compare("name\ngw-1\n", {certificate("CN=gw-1"), short_one}), IsEmpty());
  EXPECT_THAT(compare("name\ngw-1\n", {short_one}), ElementsAre("expiring gw-1"));
}

TEST(AssetDiff, AWrongProfileIsToldUnlessThereIsARightOneToo) {
  const std::string list = "name,profile\ngw-1,device\n";
  EXPECT_THAT(compare(list, {certificate("CN=gw-1", "server")}), ElementsAre("wrong profile gw-1"));
  EXPECT_THAT(compare(list, {certificate("CN=gw-1", "server"), certificate("CN=gw-1")}), IsEmpty());
}

TEST(AssetDiff, WhatIsHeldCountsForLess) {
  auto held = certificate("CN=gw-1");
  held.state = CertificateState::held;
  EXPECT_THAT(compare("name\ngw-1\n", {held}), ElementsAre("on hold gw-1"));
  EXPECT_THAT(compare("name\ngw-1\n", {held, certificate("CN=gw-1")}), IsEmpty());
}

TEST(AssetDiff, AnAssetThatIsListedTwiceIsToldOnce) {
  EXPECT_THAT(compare("name\ngw-1\nGW-1\n", {}), ElementsAre("twice gw-1", "missing gw-1"));
}

TEST(AssetList, TakesAnInventoryWithOtherColumns) {
  const auto list =
      read("Site;Hostname;Cert profile\nnorth;gw-1;device\n", {"hostname", "cert profile"});
  ASSERT_EQ(list.assets.size(), 1U);
  EXPECT_EQ(list.assets[0].name, "gw-1");
  EXPECT_EQ(list.assets[0].profile, "device");
}

TEST(AssetList, ARowWithoutANameIsAFaultAndTheOthersCount) {
  const auto list = read("name,site\ngw-1,n\n,n\n" + std::string(201, 'x') + ",n\n");
  EXPECT_EQ(list.assets.size(), 1U);
  EXPECT_THAT(list.faults,
              ElementsAre("line 3: there is no name", "line 4: the name has more than 200 octets"));
}

TEST(AssetList, SaysWhichColumnsThereAre) {
  std::istringstream in("host,site\n");
  const auto list = read_assets(in, {});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().what, "the list has no column 'name'");
  EXPECT_THAT(list.error().hint, HasSubstr("it has 'host', 'site'; --name-column"));
  std::istringstream again("name\n");
  EXPECT_FALSE(read_assets(again, {"name", "wanted"}));
}

}  // namespace
}  // namespace cmpost
