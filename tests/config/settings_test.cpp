#include "config/settings.h"

#include <fstream>

#include "config/channel_settings.h"
#include "tests/config/settings_file.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kExample = CMPOST_TEST_DATA "/../../config/examples/ca-drop.toml";

TEST(Settings, TheExampleIsRightAndShowsTheDefaults) {
  const auto loaded = load(kExample);
  ASSERT_THAT(complaints(loaded), IsEmpty());
  ASSERT_EQ(loaded->channels.size(), 1U);
  const auto& channel = loaded->channels[0];
  const DirectorySettings defaults;
  EXPECT_EQ(channel.directory()->name_template, defaults.name_template);
  EXPECT_EQ(channel.directory()->settle, defaults.settle);
  EXPECT_EQ(channel.directory()->poll, defaults.poll);
  EXPECT_EQ(channel.directory()->done_keep, defaults.done_keep);
  EXPECT_EQ(channel.max_message, ChannelSettings{}.max_message);
  EXPECT_EQ(channel.age, ChannelSettings{}.age);
  EXPECT_EQ(channel.mac.max_iterations, MacSettings{}.max_iterations);
  EXPECT_EQ(loaded->profiles.at(0).subject.fields.front().name, "C");
  EXPECT_EQ(loaded->profiles.at(0).extensions.rule_for("1.3.6.1.5.5.7.1.24").der_hex, "3003020105");
}

TEST(Settings, AShortFileGetsSensibleDefaults) {
  const auto loaded = parse({});
  ASSERT_THAT(complaints(loaded), IsEmpty());
  EXPECT_EQ(loaded->instance.name, "grid");
  EXPECT_EQ(loaded->instance.spool, "sqlite:spool.db");
  EXPECT_EQ(loaded->directory, "/etc/cmpost");
  EXPECT_EQ(loaded->ca->key, "/etc/cmpost/ca/ca.key");
  EXPECT_EQ(loaded->ca->crl.lifetime, 14 * 24h);
  const auto& profile = loaded->profiles.at(0);
  EXPECT_EQ(profile.validity, 398 * 24h);
  EXPECT_EQ(profile.keys.size(), 6U);
  EXPECT_THAT(profile.key_usage, ElementsAre(0));
  EXPECT_EQ(profile.subject.other, FieldRule::Kind::copy);
  EXPECT_EQ(profile.extensions.rule_for("2.5.29.17").kind, ExtensionRule::Kind::copy);
  EXPECT_EQ(profile.extensions.rule_for("2.5.29.15").kind, ExtensionRule::Kind::ignore);
  EXPECT_THAT(loaded->channels.at(0).profiles, ElementsAre("device"));
  EXPECT_EQ(loaded->channels.at(0).directory()->in, "/etc/cmpost/in");
  EXPECT_NE(loaded->profile("device"), nullptr);
  EXPECT_EQ(loaded->channel("other"), nullptr);
}

TEST(Settings, AbsolutePathsAndPkcs11UrisStayAsTheyAre) {
  File file;
  file.ca =
      "[ca]\ncertificate = \"/pki/ca.pem\"\nkey = \"pkcs11:token=T;object=ca\"\n"
      "cmp_certificate = \"../cmp.pem\"\ncmp_key = \"cmp.key\"\n";
  const auto loaded = parse(file);
  ASSERT_THAT(complaints(loaded), IsEmpty());
  EXPECT_EQ(loaded->ca->certificate, "/pki/ca.pem");
  EXPECT_EQ(loaded->ca->key, "pkcs11:token=T;object=ca");
  EXPECT_EQ(loaded->ca->cmp_certificate, "/etc/cmp.pem");
}

TEST(Settings, SayWhomToBelieveAboutTheTime) {
  const auto usual = parse(File{});
  ASSERT_TRUE(usual);
  EXPECT_FALSE(usual->clock.ntp);
  EXPECT_EQ(usual->clock.usual_off, std::chrono::hours(24));
  const auto chosen = with_more("[clock]\ntrust = \"ntp\"\nusual_off = \"45d\"\n");
  ASSERT_TRUE(chosen) << complaints(chosen).front();
  EXPECT_TRUE(chosen->clock.ntp);
  EXPECT_EQ(chosen->clock.usual_off, std::chrono::hours(24 * 45));
  EXPECT_THAT(with_more("[clock]\ntrust = \"gps\"\n"), ComplainsOnce(HasSubstr("trust")));
}

TEST(Settings, TheRootIsSentAlongOnlyWhereItIsAskedFor) {
  EXPECT_FALSE(parse({})->ca->send_root);
  File file;
  file.ca += "send_root = true\n";
  EXPECT_TRUE(parse(file)->ca->send_root);
}

TEST(Settings, EveryMistakeIsToldInOneGoInTheOrderOfTheFile) {
  File file;
  file.instance = "[instance]\nnam = \"grid\"\nworkers = -1\n";
  file.channel += "pol = \"10s\"\nage = \"14\"\nstrict = \"yes\"\n";
  const auto loaded = parse(file);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(complaints(loaded),
              ElementsAre(HasSubstr(":1:1: [instance] needs 'name'"),
                          AllOf(HasSubstr(":2:1: unknown key 'nam'"), HasSubstr("'name'?")),
                          HasSubstr(":3:11: 'workers' is out of range"),
                          AllOf(HasSubstr(":16:1: unknown key 'pol'"), HasSubstr("'poll'?")),
                          HasSubstr(":17:7: 'age': '14' has no unit"),
                          HasSubstr(":18:10: 'strict' must be true or false, not a text")));
}

TEST(Settings, ASyntaxErrorHasItsPlace) {
  EXPECT_THAT(parse_settings("[instance]\nname = grid\n", "a.toml"),
              ComplainsOnce(HasSubstr("a.toml:2:")));
  EXPECT_THAT(parse_settings("a = 1\na = 2\n", "a.toml"), ComplainsOnce(HasSubstr("a.toml:2:")));
  EXPECT_THAT(parse_settings("a = \"\xff\"\n", "a.toml"), ComplainsOnce(HasSubstr("not TOML")));
}

TEST(Settings, AMissingFileIsAComplaint) {
  EXPECT_THAT(load("/nonexistent/cmpost.toml"), ComplainsOnce(HasSubstr("No such file")));
}

TEST(Settings, AnEmptyFileIsToldWhatItNeeds) {
  EXPECT_THAT(
      complaints(parse_settings("", "a.toml")),
      AllOf(Contains(HasSubstr("needs 'instance'")), Contains(HasSubstr("neither [ca] nor [ra]"))));
}

TEST(Settings, KeysLeaveAndRevocationsByMacComeOnlyWhereAChannelSaysSo) {
  const auto usual = parse({});
  EXPECT_FALSE(usual->channels.at(0).recovery);
  EXPECT_FALSE(usual->channels.at(0).revocation_passphrase);
  EXPECT_EQ(usual->channels.at(0).missing_time, MissingTime::allowed);
  File file;
  file.ca += "kga_certificate = \"ca/kga.pem\"\nkga_key = \"ca/kga.key\"\n";
  file.channel +=
      "recovery = true\nrevocation_passphrase = true\nmissing_time = \"missingTimeStamp\"\n";
  const auto loaded = parse(file);
  ASSERT_THAT(complaints(loaded), IsEmpty());
  EXPECT_TRUE(loaded->channels.at(0).recovery);
  EXPECT_TRUE(loaded->channels.at(0).revocation_passphrase);
  EXPECT_EQ(loaded->channels.at(0).missing_time, MissingTime::missingTimeStamp);
  EXPECT_THAT(with_channel("missing_time = \"never\"\n"), ComplainsOnce(HasSubstr("missing_time")));
}

TEST(Settings, PrivateKeysLeaveOnlyWithAKeyThatSignsThem) {
  EXPECT_THAT(with_channel("recovery = true\n"),
              ComplainsOnce(HasSubstr("'recovery' of channel 'drop' needs [ca] kga_key")));
  EXPECT_THAT(with_profile("generate = \"ec:P-256\"\n"),
              ComplainsOnce(HasSubstr("'generate' of profile 'device' needs [ca] kga_key")));
}

TEST(Settings, AProfileOrChannelThatDoesNotExistIsFoundBySpelling) {
  EXPECT_THAT(with_channel("profiles = [\"devise\"]\n"),
              ComplainsOnce(AllOf(HasSubstr("profile 'devise'"), HasSubstr("'device'?"))));
  const auto run = with_more("[[run]]\nname = \"n\"\nat = \"0 1 * * *\"\nchannels = [\"dorp\"]\n");
  EXPECT_THAT(complaints(run), Contains(AllOf(HasSubstr("channel 'dorp'"), HasSubstr("'drop'?"))));
}

TEST(Settings, RunsHaveChannelsRulesAndARate) {
  const auto run = with_more(
      "[[run]]\nname = \"n\"\nat = \"0 1 * * *\"\nrate = \"600/m\"\n"
      "stop_if = [\"rejected > 2% of at least 100\", \"held > 20\", \"issued > 12500\"]\n");
  ASSERT_THAT(complaints(run), IsEmpty());
  const auto& settings = run->runs.front();
  EXPECT_THAT(settings.channels, ElementsAre("drop")) << "all, where none is named";
  EXPECT_EQ(settings.rate, 10.0);
  ASSERT_EQ(settings.stop_if.size(), 3U);
  EXPECT_EQ(settings.stop_if[0].at_least, 100U);
  EXPECT_TRUE(settings.stop_if[0].percent);
  EXPECT_EQ(settings.stop_if[1].what, StopRule::What::held);
  EXPECT_FALSE(settings.stop_if[1].percent);
  EXPECT_EQ(settings.stop_if[2].limit, 12500.0);
}

TEST(Settings, RulesAndRatesThatNobodyUnderstandsAreRefused) {
  for (const std::string rule :
       {"rejected", "rejected > ", "rejected > x", "lost > 2", "rejected > 2 of at least 100",
        "rejected > 2% of at least 0", "issued > 2%", "rejected > -1", "rejected > 101%"}) {
    EXPECT_THAT(with_more("[[run]]\nname = \"n\"\nstop_if = \"" + rule + "\"\n"),
                ComplainsOnce(HasSubstr("is not a condition")))
        << rule;
  }
  for (const std::string rate : {"50", "50/d", "0/s", "/s", "-1/s", "1.5/s"}) {
    EXPECT_THAT(with_more("[[run]]\nname = \"n\"\nrate = \"" + rate + "\"\n"),
                ComplainsOnce(HasSubstr("is no rate")))
        << rate;
  }
}

TEST(Settings, WhatWouldDoNothingIsRefused) {
  EXPECT_THAT(with_channel("direction = \"upstream\"\n"),
              ComplainsOnce(HasSubstr("'drop' does nothing")));
}

TEST(Settings, AChannelMustSayWhichOfSeveralProfilesItServes) {
  EXPECT_THAT(with_more("[[profile]]\nname = \"server\"\n"),
              ComplainsOnce(HasSubstr("which profiles")));
}

TEST(Settings, NamesAreUniqueAndPlain) {
  EXPECT_THAT(with_more("[[profile]]\nname = \"device\"\n"),
              AllOf(::testing::Not(IsOk()),
                    ::testing::ResultOf(complaints, Contains(HasSubstr("two [[profile]]")))));
  File file;
  file.instance = "[instance]\nname = \"a/b\"\n";
  EXPECT_THAT(parse(file), ComplainsOnce(HasSubstr("cannot be a name")));
}

TEST(Settings, TwoChannelsCannotShareADirectory) {
  EXPECT_THAT(
      with_more("[[channel]]\nname = \"b\"\nkind = \"directory\"\nin = \"x/../in\"\n"
                "out = \"out2/\"\n"),
      ComplainsOnce(AllOf(HasSubstr("'in' of channel 'b'"), HasSubstr("'in' of channel 'drop'"))));
  File file;
  file.channel = "[[channel]]\nname = \"drop\"\nkind = \"directory\"\nin = \"d\"\nout = \"d\"\n";
  EXPECT_THAT(parse(file), ComplainsOnce(HasSubstr("same directory")));
}

TEST(Settings, AKindThatDoesNotExistIsSaidSoAndTheNearestNamed) {
  EXPECT_THAT(with_more("[[channel]]\nname = \"s\"\nkind = \"stfp\"\nin = \"i\"\nout = \"o\"\n"),
              ComplainsOnce(HasSubstr("did you mean 'sftp'?")));
}

TEST(Settings, WaitingAndItsMistakes) {
  using Interim = WaitingSettings::Interim;
  const auto read = [](const std::string& keys) {
    const auto loaded = with_channel(keys);
    return loaded ? loaded->channels.at(0).waiting : WaitingSettings{.approvals = -1};
  };
  EXPECT_EQ(read("").interim, Interim::never);
  EXPECT_EQ(read("waiting = \"always\"\n").interim, Interim::always);
  EXPECT_EQ(read("waiting = \"after 1h\"\n").after, std::chrono::hours(1));
  EXPECT_EQ(read("approve = \"two\"\n").approvals, 2);
  EXPECT_EQ(read("approve_for = [\"rr\"]\n").approve_for, std::vector<std::string>{"rr"});
  EXPECT_THAT(with_channel("waiting = \"after lunch\"\n"), ComplainsOnce(HasSubstr("lunch")));
  EXPECT_THAT(with_channel("approve_for = [\"pollReq\"]\n"),
              ComplainsOnce(HasSubstr("no request that can wait")));
}

TEST(Settings, WhatAnRaApprovesAndWhatPeersUnderstandTheirOwnWay) {
  const auto read = [](const std::string& keys) {
    const auto loaded = with_channel(keys);
    EXPECT_TRUE(loaded) << keys;
    return loaded ? loaded->channels.at(0) : ChannelSettings();
  };
  EXPECT_EQ(read("").waiting.ra_approval, RaApproval::nested);
  EXPECT_EQ(read("approval_by_ra = \"any\"\n").waiting.ra_approval, RaApproval::any);
  EXPECT_EQ(read("approval_by_ra = \"none\"\n").waiting.ra_approval, RaApproval::none);
  EXPECT_FALSE(read("").quirks.p10cr_zero);
  EXPECT_TRUE(read("quirks = [\"p10cr_zero\"]\n").quirks.p10cr_zero);
  EXPECT_THAT(with_channel("quirks = [\"odd\"]\n"), ComplainsOnce(HasSubstr("odd")));
  EXPECT_THAT(with_channel("strict = true\nquirks = [\"p10cr_zero\"]\n"),
              ComplainsOnce(HasSubstr("exclude each other")));
}

TEST(Settings, TheExampleOfMediaAndDiodesIsRight) {
  const auto settings = load(CMPOST_TEST_DATA "/../../config/examples/ca-vault.toml");
  ASSERT_TRUE(settings) << (settings ? "" : to_string(settings.error().front()));
  EXPECT_TRUE(settings->channel("stick")->directory()->media);
  EXPECT_TRUE(settings->channel("diode")->directory()->one_way_in);
  EXPECT_EQ(settings->channel("diode")->directory()->repeat_after, 10min);
}

TEST(Settings, CouriersHaveAPeerEach) {
  const auto with = [](const std::string& text) {
    std::ifstream file(CMPOST_TEST_DATA "/../../config/examples/ca-drop.toml");
    std::string all((std::istreambuf_iterator<char>(file)), {});
    return parse_settings(all + text, "/etc/cmpost.toml");
  };
  const std::string bundle =
      "[bundle]\npeer = [{ name = \"north\", trust = [\"n.pem\"] }, { name = \"south\", "
      "certificate = [\"s.pem\"], seal = [\"e.pem\"] }]\ncopies = 2\n";
  const auto courier = [](const std::string& name, const std::string& peer) {
    return "[[channel]]\nname = \"" + name + "\"\nkind = \"courier\"\npeer = \"" + peer +
           "\"\nprofiles = [\"device\"]\n";
  };
  const auto settings = with(bundle + courier("n", "north") + courier("s", "south"));
  ASSERT_TRUE(settings) << (settings ? "" : to_string(settings.error().front()));
  const auto& own = *settings->channel("s")->courier();
  EXPECT_EQ(own.bundle.name, settings->instance.name);
  ASSERT_EQ(own.bundle.peers.size(), 1U);
  EXPECT_EQ(own.bundle.peers[0].seal.size(), 1U);
  EXPECT_EQ(own.bundle.copies, 2U);
  EXPECT_THAT(with(bundle + courier("n", "nroth")), ComplainsOnce(HasSubstr("nroth")));
  EXPECT_THAT(with(bundle + courier("n", "north") + courier("m", "north")),
              ComplainsOnce(HasSubstr("has the peer of channel 'n'")));
  EXPECT_THAT(with(courier("n", "north")), ComplainsOnce(HasSubstr("needs [bundle]")));
  EXPECT_THAT(with("[bundle]\npeer = [{ name = \"north\" }]\n"),
              ComplainsOnce(HasSubstr("how its signature is known")));
  EXPECT_THAT(with(bundle + "seal_key = \"k.pem\"\n"), ComplainsOnce(HasSubstr("belong together")));
}

TEST(Settings, DirectoriesHaveRulesOfTheirOwn) {
  const auto settings = with_channel(
      "ready = \"marker\"\nstaging = \"stage\"\npace = \"1s\"\nmax_outstanding = 3\n"
      "min_free = \"1GiB\"\nmax_rate = 10\nmax_pending = 50\n");
  ASSERT_TRUE(settings);
  const auto& channel = settings->channels.front();
  EXPECT_EQ(channel.directory()->ready, ReadyRule::marker);
  EXPECT_EQ(channel.directory()->pace, 1s);
  EXPECT_EQ(channel.directory()->max_outstanding, 3U);
  EXPECT_EQ(channel.limits.min_free, std::size_t{1} << 30U);
  EXPECT_EQ(channel.limits.max_rate, 10U);
  EXPECT_EQ(channel.limits.max_pending, 50U);
  EXPECT_TRUE(channel.directory()->staging.ends_with("/stage"));
  EXPECT_TRUE(channel.state.ends_with("/state/" + channel.name));
  ASSERT_EQ(channel.limits.disks.size(), 1U);
  EXPECT_EQ(channel.limits.disks[0], settings->directory);
}

TEST(Settings, OneWayAndMediaExcludeWhatMakesNoSenseBesideThem) {
  const auto both = with_channel("one_way = \"both\"\ncopies = 3\nrepeat_after = \"10m\"\n");
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->channels.front().directory()->one_way_in);
  EXPECT_TRUE(both->channels.front().directory()->one_way_out);
  EXPECT_EQ(both->channels.front().directory()->copies, 3U);
  EXPECT_THAT(with_channel("copies = 3\n"), ComplainsOnce(HasSubstr("numbered batches")));
  EXPECT_THAT(with_channel("one_way = \"in\"\nready = \"stable\"\n"),
              ComplainsOnce(HasSubstr("'ready' has no meaning")));
  EXPECT_THAT(with_channel("one_way = \"out\"\npace = \"1s\"\n"),
              ComplainsOnce(HasSubstr("'pace' has no meaning")));
  EXPECT_THAT(with_channel("media = true\none_way = \"in\"\n"),
              ComplainsOnce(HasSubstr("cannot stand beside media")));
  EXPECT_THAT(with_channel("mount_point = \"/media/stick\"\n"),
              ComplainsOnce(HasSubstr("'mount_point' is for media")));
  const auto medium = with_channel("media = true\nmount_point = \"/media/stick\"\n");
  ASSERT_TRUE(medium);
  EXPECT_EQ(medium->channels.front().directory()->mount_point, "/media/stick");
}

constexpr const char* kRa =
    "[ra]\ncmp_certificate = \"a\"\ncmp_key = \"b\"\nupstream = \"vault\"\n";
constexpr const char* kVault =
    "[[channel]]\nname = \"vault\"\nkind = \"directory\"\ndirection = \"upstream\"\n"
    "in = \"i\"\nout = \"o\"\n";

Loaded with_ra(const std::string& ra, const std::string& vault, const std::string& more = "") {
  File file;
  file.ca = kRa + ra;
  file.more = kVault + vault + more;
  return parse(file);
}

TEST(Settings, ARaIsReadWithTheChannelOfItsCa) {
  const auto settings = with_ra(
      "mode = \"nest\"\nconfirm = \"local\"\nupstream_within = \"3d\"\n",
      "trust = [\"ca.pem\"]\nsigners = [\"CN=CMP\"]\nrecipient = \"CN=CA\"\nbatch_most = 7\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->ra->mode, RaSettings::Mode::nest);
  EXPECT_EQ(settings->ra->confirm, RaSettings::Confirm::local);
  const auto& upstream = settings->channel("vault")->upstream;
  EXPECT_EQ(upstream.answer_within, std::chrono::hours(24 * 3));
  EXPECT_EQ(upstream.signers, std::vector<std::string>{"CN=CMP"});
  EXPECT_EQ(upstream.recipient, "CN=CA");
  EXPECT_EQ(upstream.batch_most, 7u);
}

TEST(Settings, WhoAnswersForTheCaIsSaid) {
  EXPECT_THAT(with_ra("", ""), ComplainsOnce(HasSubstr("does not say who signs its answers")));
  EXPECT_TRUE(with_ra("", "secret = \"ours\"\n"));
}

TEST(Settings, WhatIsNotOursToAnswerCannotWaitHere) {
  const std::string trust = "trust = [\"ca.pem\"]\n";
  const std::string waits =
      "[[channel]]\nname = \"w\"\nkind = \"directory\"\nin = \"j\"\nout = \"p\"\n"
      "waiting = \"always\"\n";
  for (const std::string mode : {"forward", "nest"}) {
    EXPECT_THAT(with_ra("mode = \"" + mode + "\"\n", trust, waits),
                ComplainsOnce(HasSubstr("cannot go with a mode of [ra]")));
  }
  EXPECT_TRUE(with_ra("mode = \"reprotect\"\n", trust, waits));
}

TEST(Settings, ACaHasNoChannelToAnotherCa) {
  File file;
  file.more = kVault;
  EXPECT_THAT(complaints(parse(file)),
              ElementsAre(HasSubstr("direction = \"upstream\" of channel 'vault' does nothing")));
}

TEST(Settings, TheAnswerProtectionKeyIsNotTheIssuingKey) {
  File file;
  file.ca = "[ca]\ncertificate = \"a\"\nkey = \"k\"\ncmp_certificate = \"c\"\ncmp_key = \"./k\"\n";
  EXPECT_THAT(parse(file), ComplainsOnce(HasSubstr("is the issuing key")));
}

TEST(Settings, NameTemplatesCannotLeaveTheDirectory) {
  for (const auto* wrong : {"../{stem}.pki", ".{stem}.pki", "answer.pki", "{stem}.der", "{stem.pki",
                            "{stern}.pki", "{stem}}.pki"}) {
    EXPECT_THAT(with_channel("name_template = \"" + std::string(wrong) + "\"\n"),
                ComplainsOnce(HasSubstr("'name_template'")))
        << wrong;
  }
  EXPECT_THAT(complaints(with_channel("name_template = \"{tid}-{seq}-{date}.pki\"\n")), IsEmpty());
}

TEST(ProfileSettings, RulesAreReadAsWritten) {
  const auto loaded = with_profile(
      "validity = \"1h\"\nkeys = [\"rsa:3072\", \"ec:P-384\"]\n"
      "key_usage = [\"keyAgreement\", \"contentCommitment\"]\n"
      "extended_key_usage = [\"clientAuth\", \"1.2.3.4\"]\nreuse_key = \"deny\"\nsan = [\"dns\"]\n"
      "subject = { CN = \"require\", O = { fixed = \"Grid\" }, OU = { default = \"x\" }, "
      "C = \"deny\", other = \"deny\" }\n"
      "extensions = { subjectAltName = \"require\", \"1.2.3\" = \"copy\", other = \"deny\" }\n");
  ASSERT_THAT(complaints(loaded), IsEmpty());
  const auto& profile = loaded->profiles[0];
  EXPECT_EQ(profile.validity, 1h);
  EXPECT_THAT(profile.keys, ElementsAre(KeyRule{KeyRule::Kind::rsa, "", 3072, 3072},
                                        KeyRule{KeyRule::Kind::ec, "P-384", 0, 0}));
  EXPECT_THAT(profile.key_usage, ElementsAre(1, 4));
  EXPECT_THAT(profile.extended_key_usage, ElementsAre("1.3.6.1.5.5.7.3.2", "1.2.3.4"));
  EXPECT_FALSE(profile.reuse_key);
  EXPECT_EQ(profile.san, (SanKinds{true, false, false, false, false}));
  ASSERT_EQ(profile.subject.fields.size(), 4U);
  EXPECT_EQ(profile.subject.fields[0].oid, "2.5.4.3");
  EXPECT_EQ(profile.subject.fields[0].rule, (FieldRule{FieldRule::Kind::require, ""}));
  EXPECT_EQ(profile.subject.fields[1].rule, (FieldRule{FieldRule::Kind::fixed, "Grid"}));
  EXPECT_EQ(profile.subject.fields[2].rule, (FieldRule{FieldRule::Kind::default_, "x"}));
  EXPECT_EQ(profile.subject.fields[3].rule, (FieldRule{FieldRule::Kind::deny, ""}));
  EXPECT_EQ(profile.subject.other, FieldRule::Kind::deny);
  EXPECT_EQ(profile.extensions.rule_for("2.5.29.17").kind, ExtensionRule::Kind::require);
  EXPECT_EQ(profile.extensions.rule_for("1.2.3").kind, ExtensionRule::Kind::copy);
  EXPECT_EQ(profile.extensions.rule_for("1.2.4").kind, ExtensionRule::Kind::deny);
}

TEST(ProfileSettings, EachKindOfMistakeHasItsComplaint) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"keys = [\"rsa:1024\"]", "not a kind of key"},
      {"keys = [\"rsa:4096-2048\"]", "not a kind of key"},
      {"keys = [\"ec:P-257\"]", "not a kind of key"},
      {"keys = []", "allows no key"},
      {"key_usage = [\"digitalSignatur\"]", "'digitalSignature'?"},
      {"key_usage = [\"keyCertSign\"]", "ca = true"},
      {"path_length = 1", "ca = true"},
      {"extended_key_usage = [\"clientauth\"]", "'clientAuth'?"},
      {"extended_key_usage = [\"3.1\"]", "not a name"},
      {"subject = { CM = \"copy\" }", "not an attribute"},
      {"subject = { CN = \"copie\" }", "'copy'?"},
      {"subject = { CN = \"copy\", commonName = \"copy\" }", "the same thing"},
      {"subject = { O = { fixed = \"a\", default = \"b\" } }",
       "one of 'fixed', 'set', 'default', 'derive'"},
      {"subject = { O = { fixd = \"a\" } }", "one of 'fixed', 'set', 'default', 'derive'"},
      {"subject = { C = { fixed = \"Germany\" } }", "two letters"},
      {"subject = { O = { derive = \"{nothing}\" } }", "nothing that a request has"},
      {"subject = { O = { derive = \"{CN\" } }", "no partner"},
      {"extensions = { keyUsage = { derive = [\"DNS:a\"] } }", "only subjectAltName"},
      {"extensions = { \"1.2.3\" = { default = \"xyz\" } }", "not hexadecimal"},
      {"lint = \"sometimes\"", "'lint'"},
      {"extensions = { basicConstraints = \"copy\" }", "can only be"},
      {"extensions = { \"1.2.3\" = { fixed = \"xyz\" } }", "not hexadecimal"},
      {"extensions = { subjectAltNames = \"copy\" }", "'subjectAltName'?"},
      {"san = [\"dsn\"]", "'dns'?"},
      {"reuse_key = true", "must be a text"},
      {"max_requests = 0", "out of range"},
      {"crl_urls = [\"pki.example\"]", "not a URL"},
      {"policies = [\"any\"]", "dotted OID"},
  };
  for (const auto& [text, complaint] : cases) {
    EXPECT_THAT(complaints(with_profile(text + "\n")), Contains(HasSubstr(complaint))) << text;
  }
}

TEST(Settings, TheExampleWithSftpIsRight) {
  const auto loaded = load(CMPOST_TEST_DATA "/../../config/examples/ca-sftp.toml");
  ASSERT_THAT(complaints(loaded), IsEmpty());
  const auto& channel = loaded->channels.at(0);
  EXPECT_EQ(channel.sftp()->fetch.host, "files.factory.example");
  EXPECT_EQ(channel.limits.max_rate, 50U) << "limits are not for directories alone";
  EXPECT_TRUE(channel.announcements.crlann);
  EXPECT_EQ(loaded->ca->crl.delta, 24h);
}

TEST(Settings, CrlsHavePlacesAndTimesThatGoTogether) {
  const auto with_crl = [](const std::string& text, const std::string& profile = "") {
    File file;
    file.ca += "crl = { " + text + " }\n";
    file.profile += profile;
    return parse(file);
  };
  const std::string url = "url = \"http://a.example/a.crl\"";
  EXPECT_THAT(with_crl("delta = \"7d\""), ComplainsOnce(HasSubstr("more often than delta CRLs")));
  EXPECT_THAT(with_crl("delta_url = \"a.crl\""), ComplainsOnce(HasSubstr("not a URL")));
  EXPECT_THAT(with_crl("publish = \"a\", publish_delta = \"a\""),
              ComplainsOnce(HasSubstr("the same file")));
  EXPECT_THAT(with_crl(url), ComplainsOnce(HasSubstr("profile 'device'")));
  const auto loaded = with_crl(url + ", delta = \"1d\", publish_delta = \"d.crl\"",
                               "crl_urls = [\"http://a.example/a.crl\"]\n");
  ASSERT_THAT(complaints(loaded), IsEmpty());
  EXPECT_EQ(loaded->ca->crl.delta, 24h);
  EXPECT_EQ(loaded->ca->crl.publish_delta, "/etc/cmpost/d.crl");
}

TEST(Settings, WhatCanBeReadStandsBesideTheMistakes) {
  const TemporaryDirectory directory;
  const auto file = directory / "cmpost.toml";
  File wrong;
  wrong.channel += "pol = \"10s\"\n";
  std::ofstream(file) << wrong.text();
  const auto read = load_legible(file);
  ASSERT_TRUE(read.settings);
  EXPECT_EQ(read.settings->channels.size(), 1U);
  EXPECT_EQ(read.settings->instance.state, directory / "state");
  EXPECT_THAT(read.complaints,
              ElementsAre(::testing::Field(&Complaint::message, HasSubstr("'pol'"))));
  std::ofstream(file) << "[instance\n";
  EXPECT_FALSE(load_legible(file).settings);
  EXPECT_EQ(load_legible(file).complaints.size(), 1U);
  EXPECT_FALSE(load_legible(directory / "none").settings);
  EXPECT_EQ(load_legible(directory / "none").complaints.size(), 1U);
}

}  // namespace
}  // namespace cmpost
