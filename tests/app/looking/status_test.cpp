// `status` says what it can, whatever is wrong.
#include "app/instance/settings_in_use.h"
#include "app/instance/sign_of_life.h"
#include "app/looking/remark.h"
#include "carrier/way_state.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class StatusTest : public ::testing::Test {
 protected:
  StatusTest() { make_instance(directory_.path()); }
  Said status(bool json = true) {
    return say(directory_.path(), json ? std::vector<std::string>{"status", "--json"}
                                       : std::vector<std::string>{"status"});
  }

  TemporaryDirectory directory_;
  const SystemClock clock_;
};

TEST_F(StatusTest, WrongSettingsAreOneRemarkBesideTheRest) {
  insert_settings(directory_.path(), "profiles = [", "pol = \"10s\"\n");
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::configuration);
  const auto value = said.json();
  EXPECT_EQ(value.at("exit_code"), 78);
  EXPECT_EQ(value.at("certificates"), 1);
  EXPECT_EQ(value.at("requests").at("waiting"), 0);
  EXPECT_EQ(value.at("channels").at(0).at("name"), "drop");
  EXPECT_FALSE(value.at("ca").is_null());
  const auto remarks = remarks_of(said, "settings");
  ASSERT_THAT(remarks, SizeIs(1));
  EXPECT_THAT(remarks.front().at("hint"), HasSubstr("poll"));
  const auto text = status(false);
  EXPECT_EQ(text.code, ExitCode::configuration);
  EXPECT_THAT(text.out, AllOf(HasSubstr("unknown key 'pol'"), HasSubstr("certificates in the")));
}

TEST_F(StatusTest, WhatCannotBeReadAtAllIsJsonToo) {
  const auto file = directory_ / "cmpost.toml";
  std::ofstream(file) << "[instance\n";
  EXPECT_EQ(status().code, ExitCode::configuration);
  EXPECT_THAT(remarks_of(status(), "settings"), SizeIs(1));
  EXPECT_TRUE(status().json().at("requests").is_null());
  std::filesystem::remove(file);
  EXPECT_EQ(status().code, ExitCode::configuration);
  EXPECT_THAT(remarks_of(status(), "settings"), SizeIs(1));
  EXPECT_THAT(status(false).out, HasSubstr("No such file"));
}

TEST_F(StatusTest, WithoutACaInTheSettingsTheQueuesAreTold) {
  std::ofstream(directory_ / "cmpost.toml") << "[instance]\nname = \"x\"\n";
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::configuration);
  EXPECT_EQ(said.json().at("replies").at("waiting"), 0);
  EXPECT_TRUE(said.json().at("ca").is_null());
}

TEST_F(StatusTest, WithoutALedgerTheRestIsSaid) {
  std::filesystem::remove(directory_ / "ledger.db");
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_TRUE(said.json().at("certificates").is_null());
  EXPECT_TRUE(said.json().at("transactions").is_null());
  EXPECT_EQ(said.json().at("requests").at("waiting"), 0);
  EXPECT_THAT(remarks_of(said, "database"), SizeIs(1));
  EXPECT_EQ(status(false).code, ExitCode::failed);
  EXPECT_THAT(status(false).out, HasSubstr("the ledger"));
}

TEST_F(StatusTest, WhatCannotBeLookedAtIsNotSaidToBeNone) {
  const auto state = load(directory_ / "cmpost.toml").value().instance.state;
  const SignOfLife life(state, {Stage::ingress, Stage::egress}, SignOfLife::Kind::serve, clock_);
  const auto way_in = record_of(state + "/drop", Way::in);
  const auto maintenance = record_of(state, Part::maintenance);
  WayRecorder(way_in, clock_).works({});
  WayRecorder(maintenance, clock_).works({});
  EXPECT_THAT(status(false).out, HasSubstr("service: ingress (pid "));
  EXPECT_TRUE(status().json().at("service").at("processor").is_null());
  EXPECT_TRUE(status().json().at("channels").at(0).at("out").is_null());
  {
    const Unreadable one(state + "/.service/ingress"), way(way_in), part(maintenance);
    const auto value = status().json();
    EXPECT_FALSE(value.at("service").contains("ingress"));
    EXPECT_TRUE(value.at("service").at("egress").at("running"));
    EXPECT_FALSE(value.at("parts").contains("maintenance"));
    EXPECT_FALSE(value.at("channels").at(0).contains("in"));
    EXPECT_TRUE(value.at("channels").at(0).contains("out"));
    EXPECT_THAT(status(false).out,
                AllOf(HasSubstr("service: egress (pid "), HasSubstr("), ingress not known"),
                      HasSubstr("in not known; out never tried")));
  }
  const Unreadable all(state + "/.service");
  EXPECT_THAT(status(false).out, HasSubstr("service: not known"));
  EXPECT_THAT(status().json().at("service"), IsEmpty());
}

TEST_F(StatusTest, WithoutASpoolTheRestIsSaid) {
  std::filesystem::remove(directory_ / "spool.db");
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_TRUE(said.json().at("requests").is_null());
  EXPECT_EQ(said.json().at("certificates"), 1);
  EXPECT_THAT(remarks_of(said, "database"), SizeIs(1));
}

TEST_F(StatusTest, OneErrorOfTwoChannelsIsSaidOfEach) {
  Remarks remarks;
  const Error error{Recovery::retry, "connection refused", {}, Blame::world};
  remarks.add(RemarkKind::server, RemarkSubject::of_channel("a"), error);
  remarks.add(RemarkKind::server, RemarkSubject::of_channel("b"), error);
  remarks.add(RemarkKind::server, RemarkSubject::of_channel("b"), error);
  remarks.add(RemarkKind::server, {}, error);
  EXPECT_THAT(remarks.all(), SizeIs(2));
}

class SettingsInUseTest : public StatusTest {
 protected:
  SettingsInUseTest() : settings_(load(directory_ / "cmpost.toml").value()) {}
  std::string record() const { return settings_.instance.state + "/.service/settings.all"; }
  std::vector<std::string> said() const { return settings_not_in_use(settings_); }

  Settings settings_;
};

TEST_F(SettingsInUseTest, GoWithAServiceThatStops) {
  {
    SettingsInUse use(settings_.instance.state, "all", clock_);
    use.use(digest_of_settings(settings_.file));
    EXPECT_THAT(said(), IsEmpty());
    use.use("0a");
    EXPECT_THAT(said(), ElementsAre(HasSubstr("differ from those in use")));
    EXPECT_TRUE(exists(record()));
  }
  EXPECT_FALSE(exists(record()));
}

TEST_F(SettingsInUseTest, StayWhereASecondServiceOfTheNameWorks) {
  auto first = std::make_unique<SettingsInUse>(settings_.instance.state, "all", clock_);
  first->use("0a");
  SettingsInUse second(settings_.instance.state, "all", clock_);
  second.use("0b");
  first.reset();
  EXPECT_TRUE(exists(record()));
  EXPECT_THAT(said(), SizeIs(1));
}

TEST_F(SettingsInUseTest, AreNotKnownWhereTheRecordIsEmptyOrTorn) {
  SettingsInUse use(settings_.instance.state, "all", clock_);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("is not known")));  // empty
  use.use("0a");
  std::filesystem::resize_file(record(), 20);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("is not known")));
  use.use("");
  EXPECT_THAT(said(), ElementsAre(HasSubstr("is not known")));
}

TEST_F(SettingsInUseTest, AreNotKnownWhereTheRecordsCannotBeLookedAt) {
  EXPECT_THAT(said(), IsEmpty()) << "nobody has ever worked";
  SettingsInUse use(settings_.instance.state, "all", clock_);
  use.use(digest_of_settings(settings_.file));
  const auto not_known = ElementsAre(AllOf(HasSubstr("is not known"), HasSubstr("symbolic links")));
  {
    const Unreadable one(record());
    EXPECT_THAT(said(), not_known);
  }
  EXPECT_THAT(said(), IsEmpty());
  const Unreadable all(settings_.instance.state + "/.service");
  EXPECT_THAT(said(), not_known);
}

TEST_F(SettingsInUseTest, AreToldFromSettingsThatCannotBeRead) {
  SettingsInUse use(settings_.instance.state, "all", clock_);
  use.use(digest_of_settings(settings_.file));
  std::filesystem::remove(settings_.file);
  EXPECT_THAT(said(), ElementsAre(AllOf(HasSubstr("cannot be read"), Not(HasSubstr("1970")))));
}

}  // namespace
}  // namespace cmpost
